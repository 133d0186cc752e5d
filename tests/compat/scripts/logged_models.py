"""Logged models (3.x): made, finished, tagged, measured, searched; models that MLflow saves itself."""

from __future__ import annotations

import os
from typing import Any

import mlflow
import requests
from drive import refusal
from mlflow import MlflowClient
from mlflow.entities import LoggedModelInput, LoggedModelOutput, Metric

BASE = os.environ["MLFLOW_TRACKING_URI"]


def main(say: Any) -> None:
    client = MlflowClient()
    experiment = client.create_experiment("logged models")
    run_id = client.create_run(experiment, start_time=1, run_name="makes models").info.run_id
    made = client.create_logged_model(
        experiment, name="net", source_run_id=run_id, tags={"a": "b"}, params={"lr": "0.1"}, model_type="agent"
    )
    with open("beside.txt", "w") as file:
        file.write("beside the model")
    os.mkdir("more")
    with open("more/one.txt", "w") as file:
        file.write("1")
    client.log_model_artifact(made.model_id, "beside.txt")
    client.log_model_artifacts(made.model_id, "more")
    say("files", [one.path for one in client.list_logged_model_artifacts(made.model_id)])
    url = f"{BASE}/ajax-api/2.0/mlflow/logged-models/{made.model_id}/artifacts"
    say("its file", requests.get(f"{url}/files", params={"artifact_file_path": "beside.txt"}).text)
    listed = requests.get(f"{url.replace('/ajax-api', '/api')}/directories").json().get("files", [])
    say("its folder", sorted(one["path"] for one in listed))
    say("made", [made.name, str(made.status), made.model_type, made.params, made.tags])
    client.log_model_params(made.model_id, {"depth": "3"})
    say("another value", refusal(lambda: client.log_model_params(made.model_id, {"lr": "0.2"})))
    client.set_logged_model_tags(made.model_id, {"a": "c", "gone": "soon"})
    client.delete_logged_model_tag(made.model_id, "gone")
    say("no such tag", refusal(lambda: client.delete_logged_model_tag(made.model_id, "gone")))
    say("finished", str(client.finalize_logged_model(made.model_id, "READY").status))
    failed = client.create_logged_model(experiment, name="bad", source_run_id=run_id)
    say("failed", str(client.finalize_logged_model(failed.model_id, "FAILED").status))
    client.log_outputs(run_id, [LoggedModelOutput(made.model_id, step=4)])
    client.log_inputs(run_id, models=[LoggedModelInput(failed.model_id)])
    client.log_metric(run_id, "acc", 0.5, timestamp=1, step=1, model_id=made.model_id)
    client.log_metric(
        run_id, "acc", 0.9, timestamp=2, step=2, model_id=made.model_id, dataset_name="d", dataset_digest="1"
    )
    client.log_batch(run_id, [Metric("f1", 0.25, 3, 3, made.model_id, "d", "1"), Metric("plain", 1.0, 3, 3)])
    say("got", sorted([m.key, m.value, m.step, m.dataset_name] for m in client.get_logged_model(made.model_id).metrics))
    say("no such", refusal(lambda: client.get_logged_model("m-" + "0" * 32)))
    for bad in ("a/b", "a:b", "a.b", "a%b", 'a"b'):
        say(f"name {bad}", refusal(lambda bad=bad: client.create_logged_model(experiment, name=bad).name == bad))
    _searches(client, say, experiment, run_id)
    gone = client.create_logged_model(experiment, name="gone")
    client.delete_logged_model(gone.model_id)
    say("deleted", refusal(lambda: client.get_logged_model(gone.model_id)))
    client.set_terminated(run_id, end_time=2)
    _fluent(say)


def _searches(client: MlflowClient, say: Any, experiment: str, run_id: str) -> None:
    for number in range(4):
        model = client.create_logged_model(
            experiment, name=f"s{number}", params={"n": str(number)}, tags={"t": str(number % 2)}
        )
        client.log_metric(
            run_id, "score", number / 4, timestamp=1, model_id=model.model_id, dataset_name="d", dataset_digest="1"
        )
        client.log_metric(
            run_id,
            "score",
            1 - number / 4,
            timestamp=2 + number,
            model_id=model.model_id,
            dataset_name="e",
            dataset_digest="2",
        )

    def names(text: str | None, **more: Any) -> Any:
        return refusal(lambda: [one.name for one in client.search_logged_models([experiment], text, **more)])

    in_order = [{"field_name": "name", "ascending": True}]
    for text in (
        "name LIKE 's%'",
        "params.n = '2'",
        "params.n != '2'",
        "tags.t = '1'",
        "metrics.score > 0.4",
        "name = 's1' AND tags.t = '1'",
        "status = 'READY'",
        "model_type = 'agent'",
        "source_run_id IS NOT NULL",
        "creation_time > 5",
        "nothing = 'x'",
        "params.n > 'a'",
    ):
        say(f"where {text}", names(text, order_by=in_order))
    only = [{"dataset_name": "d", "dataset_digest": "1"}]
    say("of one dataset", names("metrics.score > 0.6", datasets=only, order_by=in_order))
    by_score = [{"field_name": "metrics.score", "ascending": False, "dataset_name": "e", "dataset_digest": "2"}]
    say("by its score", names("name LIKE 's%'", order_by=by_score))
    page = client.search_logged_models([experiment], max_results=2, order_by=in_order)
    rest = client.search_logged_models([experiment], max_results=2, order_by=in_order, page_token=page.token)
    say("pages", [[one.name for one in page], [one.name for one in rest]])


class Doubles(mlflow.pyfunc.PythonModel):
    def predict(self, context: Any, model_input: list[float], params: Any = None) -> list[float]:
        return [2 * one for one in model_input]


def _fluent(say: Any) -> None:
    mlflow.set_experiment("fluent logged models")
    model = mlflow.initialize_logged_model(name="by hand", params={"p": "1"}, tags={"t": "1"})
    mlflow.log_model_params({"q": "2"}, model_id=model.model_id)
    mlflow.set_logged_model_tags(model.model_id, {"t": "2", "u": "3"})
    mlflow.delete_logged_model_tag(model.model_id, "u")
    mlflow.finalize_logged_model(model.model_id, "READY")
    with mlflow.start_run(run_name="saves a model"):
        info = mlflow.pyfunc.log_model(
            name="doubles", python_model=Doubles(), input_example=[1.0, 2.0], pip_requirements=["mlflow"]
        )
        mlflow.log_metric("good", 1.0, step=1, timestamp=5, model_id=info.model_id)
        mlflow.log_outputs(models=[LoggedModelOutput(model.model_id, step=1)])
    say("last", mlflow.last_logged_model().name)
    say("got", mlflow.get_logged_model(info.model_id).name)
    say("predicts", mlflow.pyfunc.load_model(info.model_uri).predict([1.5, 2.0]))
    say("found", sorted(one.name for one in mlflow.search_logged_models(output_format="list")))
    say("files", sorted(one.path for one in MlflowClient().list_logged_model_artifacts(info.model_id)))
    say("signature", str(mlflow.models.get_model_info(info.model_uri).signature))
