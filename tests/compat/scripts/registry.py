"""The model registry: models, versions, stages, aliases, tags, searches; models loaded by name."""

from __future__ import annotations

import os
from typing import Any

import mlflow
import requests
from drive import refusal
from mlflow import MlflowClient


def main(say: Any) -> None:
    client = MlflowClient()
    experiment = client.create_experiment("registry")
    run = client.create_run(experiment, start_time=1, run_name="registers")
    client.log_text(run.info.run_id, "model", "model/file.txt")
    client.set_terminated(run.info.run_id, end_time=2)
    source = f"{run.info.artifact_uri}/model"
    made = client.create_registered_model("net", tags={"a": "b", "n": 5}, description="a net")
    say("made", made)
    say("made again", refusal(lambda: client.create_registered_model("net")))
    for bad in ("", "a/b", "a:b", "../a", " "):
        say(f"name {bad}", refusal(lambda bad=bad: client.create_registered_model(bad).name))
    say("no such", refusal(lambda: client.get_registered_model("nobody")))
    first = client.create_model_version("net", source, run.info.run_id, tags={"k": "v"}, description="the first")
    say("version", first)
    for number in range(4):
        client.create_model_version("net", source, run.info.run_id, tags={"parity": str(number % 2)})
    say("a version of none", refusal(lambda: client.create_model_version("nobody", source, run.info.run_id)))
    say("a version of nowhere", refusal(lambda: client.create_model_version("net", "s3://bucket/m").version))
    say("download", client.get_model_version_download_uri("net", "1") == source)
    client.update_registered_model("net", description="a better net")
    client.update_model_version("net", "2", description="the second")
    client.set_registered_model_tag("net", "x", "y")
    client.set_registered_model_tag("net", "gone", "soon")
    client.delete_registered_model_tag("net", "gone")
    client.set_model_version_tag("net", "1", "x", "y")
    client.set_model_version_tag("net", "1", "gone", "soon")
    client.delete_model_version_tag("net", "1", "gone")
    _stages(client, say)
    _aliases(client, say)
    _searches(client, say)
    client.delete_model_version("net", "5")
    say("deleted", refusal(lambda: client.get_model_version("net", "5")))
    say("numbers go on", client.create_model_version("net", source, run.info.run_id).version)
    client.rename_registered_model("net", "Net 2")
    say("its old name", refusal(lambda: client.get_registered_model("net")))
    say("its versions", [one.version for one in client.search_model_versions("name = 'Net 2'")])
    copied = client.copy_model_version("models:/Net 2/1", "copies")
    say("copied", [copied.name, copied.version, copied.source])
    client.create_registered_model("gone")
    client.delete_registered_model("gone")
    say("deleted twice", refusal(lambda: client.delete_registered_model("gone")))
    _fluent(say)


def _stages(client: MlflowClient, say: Any) -> None:
    say("stages", client.get_model_version_stages("net", "1"))
    client.transition_model_version_stage("net", "1", "staging")
    client.transition_model_version_stage("net", "2", "Production")
    say(
        "one more",
        client.transition_model_version_stage("net", "3", "PRODUCTION", archive_existing_versions=True).current_stage,
    )
    say("archived", client.get_model_version("net", "2").current_stage)
    say("no stage", refusal(lambda: client.transition_model_version_stage("net", "1", "shelf")))
    say(
        "none to archive",
        refusal(lambda: client.transition_model_version_stage("net", "1", "None", archive_existing_versions=True)),
    )
    say("no version", refusal(lambda: client.transition_model_version_stage("net", "99", "Staging")))
    latest = client.get_latest_versions("net")
    say("latest", sorted([one.version, one.current_stage] for one in latest))
    say("latest in one", [one.version for one in client.get_latest_versions("net", stages=["production"])])


def _aliases(client: MlflowClient, say: Any) -> None:
    client.set_registered_model_alias("net", "champion", "1")
    client.set_registered_model_alias("net", "challenger", "2")
    client.set_registered_model_alias("net", "champion", "3")
    say("champion", client.get_model_version_by_alias("net", "champion").version)
    say("of the version", client.get_model_version("net", "3").aliases)
    say("of the model", client.get_registered_model("net").aliases)
    client.delete_registered_model_alias("net", "challenger")
    say("no such", refusal(lambda: client.get_model_version_by_alias("net", "challenger")))
    say("deleted twice", refusal(lambda: client.delete_registered_model_alias("net", "challenger")))
    for bad in ("latest", "v1", "a b", "", "a" * 256):
        say(f"alias {bad[:9]}", refusal(lambda bad=bad: client.set_registered_model_alias("net", bad, "1")))
    say("of no version", refusal(lambda: client.set_registered_model_alias("net", "ghost", "99")))


def _searches(client: MlflowClient, say: Any) -> None:
    for name in ("alpha", "beta", "Gamma"):
        client.create_registered_model(name, tags={"first": name[0]})
    for text in (
        None,
        "name = 'alpha'",
        "name LIKE '%a'",
        "name ILIKE 'g%'",
        "tags.first = 'a'",
        "tags.first != 'a'",
        "name != 'alpha'",
        "name LIKE '%a' AND tags.first = 'b'",
        "tags.first IS NULL",
        "colour = 'x'",
        "name > 'a'",
    ):
        say(
            f"models {text}",
            refusal(lambda text=text: sorted(one.name for one in client.search_registered_models(text))),
        )
    for order in (["name ASC"], ["name DESC"], ["colour"]):
        say(
            f"order {order}",
            refusal(lambda order=order: [one.name for one in client.search_registered_models(order_by=order)]),
        )
    page = client.search_registered_models(max_results=2, order_by=["name"])
    rest = client.search_registered_models(max_results=2, order_by=["name"], page_token=page.token)
    say("pages", [[one.name for one in page], [one.name for one in rest]])
    for text in (
        "name = 'net'",
        "version_number > 2",
        "name = 'net' AND tags.parity = '1'",
        "tags.k = 'v'",
        "source_path LIKE '%model'",
        "name LIKE 'n%' AND version_number = 1",
        "run_id = 'nothing'",
        "run_id IN ('a', 'b')",
        "colour = 'x'",
    ):
        found = refusal(lambda text=text: sorted(int(one.version) for one in client.search_model_versions(text)))
        say(f"versions {text}", found)
    for order in (["version_number DESC"], ["version_number ASC"], ["name", "last_updated_timestamp DESC"]):
        say(
            f"versions order {order}",
            [one.version for one in client.search_model_versions("name = 'net'", order_by=order)],
        )


class Doubles(mlflow.pyfunc.PythonModel):
    def predict(self, context: Any, model_input: list[float], params: Any = None) -> list[float]:
        return [2 * one for one in model_input]


def _fluent(say: Any) -> None:
    mlflow.set_experiment("fluent registry")
    where = {"name": "doubles"} if mlflow.__version__ > "3" else {"artifact_path": "doubles"}
    with mlflow.start_run(run_name="registers doubles"):
        given = {"python_model": Doubles(), "pip_requirements": ["mlflow"]}
        info = mlflow.pyfunc.log_model(**where, **given, registered_model_name="doubles")
    say("registered", mlflow.register_model(info.model_uri, "doubles", tags={"by": "hand"}).version)
    MlflowClient().set_registered_model_alias("doubles", "best", "1")
    for uri in ("models:/doubles/1", "models:/doubles@best", "models:/doubles/latest"):
        say(f"load {uri}", mlflow.pyfunc.load_model(uri).predict([1.0, 4.0]))
    say("search models", sorted(one.name for one in mlflow.search_registered_models(filter_string="name LIKE 'd%'")))
    say("search versions", [one.version for one in mlflow.search_model_versions(filter_string="name = 'doubles'")])
    if hasattr(mlflow, "set_model_version_tag"):
        mlflow.set_model_version_tag("doubles", "1", "more", "yes")
    _prompts(say)
    _addresses(say)


def _prompts(say: Any) -> None:
    """Registered models with a tag."""
    prompts = mlflow.genai if mlflow.__version__ > "3" else mlflow
    prompts.register_prompt("greeting", "Hello, {{name}}!", commit_message="first", tags={"kind": "polite"})
    prompts.register_prompt("greeting", "Good day, {{name}}!")
    prompts.set_prompt_alias("greeting", "current", 2)
    for uri in ("prompts:/greeting/1", "prompts:/greeting@current"):
        say(f"load {uri}", prompts.load_prompt(uri).template)
    say("said", prompts.load_prompt("prompts:/greeting/2").format(name="you"))
    say("no prompt", refusal(lambda: prompts.load_prompt("prompts:/nobody/1")))
    if hasattr(prompts, "search_prompts"):
        say("prompts", [one.name for one in prompts.search_prompts()])
    prompts.delete_prompt_alias("greeting", "current")
    say("no models", [one.name for one in mlflow.search_registered_models(filter_string="name = 'greeting'")])


def _addresses(say: Any) -> None:
    """What the client does not ask, or no longer."""
    url = f"{os.environ['MLFLOW_TRACKING_URI']}/api/2.0/mlflow"
    answer = requests.get(f"{url}/registered-models/get-latest-versions", params={"name": "doubles"}).json()
    say("latest by GET", [one["version"] for one in answer["model_versions"]])
    answer = requests.get(f"{url}/experiments/search", params={"max_results": 1, "filter": "name = 'registry'"}).json()
    say("experiments by GET", [one["name"] for one in answer["experiments"]])
    where = {"name": "doubles", "version": "1", "path": "MLmodel"}
    answer = requests.get(f"{os.environ['MLFLOW_TRACKING_URI']}/model-versions/get-artifact", params=where)
    say("file of a version", [answer.status_code, b"python_function" in answer.content])
