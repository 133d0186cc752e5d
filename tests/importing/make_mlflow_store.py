"""Fills an MLflow store with everything that an import must keep. Run by a Python that has MLflow: URI FOLDER [more|read], where FOLDER
takes the artifacts of databases. Says as JSON what it made, as MLflow's own client reads it back."""

import json
import logging
import math
import os
import sys
import tempfile
from pathlib import Path

os.environ["GIT_PYTHON_REFRESH"] = "quiet"
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

import mlflow
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, RunTag, ViewType
from mlflow.tracking import MlflowClient

logging.getLogger("mlflow").setLevel(logging.ERROR)


def make(client: MlflowClient, artifacts: str | None) -> None:
    made: dict[str, str] = {}
    for name in ("digits", "put away/ünïcode 🧪"):
        location = None if artifacts is None else f"{Path(artifacts, str(len(made))).as_uri()}"
        made[name] = client.create_experiment(name, artifact_location=location, tags={"team": "risk"})
    client.set_experiment_tag(made["digits"], "mlflow.note.content", "# Digits\nby hand")
    parent = client.create_run(made["digits"], run_name="sweep", start_time=1_700_000_000_000)
    whole(client, made["digits"], parent.info.run_id)
    client.set_terminated(parent.info.run_id, end_time=1_700_000_100_000)
    running = client.create_run(made["digits"], start_time=1_700_000_300_000)
    client.log_metric(running.info.run_id, "loss", 0.5, timestamp=1_700_000_300_001, step=1)
    failed = client.create_run(made["put away/ünïcode 🧪"], run_name="failed", start_time=1_700_000_200_000)
    client.set_terminated(failed.info.run_id, "FAILED", end_time=1_700_000_200_500)
    killed = client.create_run(made["digits"], run_name="killed", start_time=1_700_000_250_000)
    client.set_terminated(killed.info.run_id, "KILLED", end_time=1_700_000_250_500)
    client.delete_run(killed.info.run_id)
    client.delete_experiment(made["put away/ünïcode 🧪"])


def whole(client: MlflowClient, experiment_id: str, parent_id: str) -> None:
    run = client.create_run(
        experiment_id,
        run_name="trial 1",
        start_time=1_700_000_001_000,
        tags={"mlflow.parentRunId": parent_id, "mlflow.user": "alice", "mlflow.source.name": "train.py", "empty": ""},
    )
    run_id = run.info.run_id
    params = [Param("lr", "0.01"), Param("layers", "[64, 32]"), Param("empty", ""), Param("long", "x" * 500)]
    client.log_batch(run_id, params=params)
    for step in range(50):
        time_ms = 1_700_000_002_000 + step
        names = ["train/loss", "train/acc"] + (["val loss"] if step % 10 == 0 else [])
        client.log_batch(run_id, metrics=[Metric(name, step / 7 + len(name), time_ms, step) for name in names])
    odd = [math.nan, math.inf, -math.inf, 1e-320, -0.0, 2.0**53 + 1]
    client.log_batch(run_id, metrics=[Metric("odd", value, 1_700_000_003_000 + at, at) for at, value in enumerate(odd)])
    # Back in steps, twice the same step, a step below zero, a point of the epoch, one said twice.
    for value, time_ms, step in ((1.0, 5, 10), (2.0, 6, 3), (3.0, 7, 10), (4.0, 8, -2), (5.0, 0, 0), (5.0, 0, 0)):
        client.log_metric(run_id, "back", value, timestamp=time_ms, step=step)
    client.set_tag(run_id, "mlflow.note.content", "a *note*")
    client.log_batch(run_id, tags=[RunTag("kind", "good"), RunTag("unicode key", "ünï 🧪")])
    client.log_text(run_id, "hello", "notes/hello.txt")
    client.log_dict(run_id, {"threshold": 0.5}, "config/model.json")
    client.log_text(run_id, "", "empty.txt")
    use_datasets(client, run_id)
    register(client, run_id)
    if hasattr(client, "create_logged_model"):
        log_models(client, experiment_id, run_id)
    client.set_terminated(run_id, end_time=1_700_000_009_000)


def use_datasets(client: MlflowClient, run_id: str) -> None:
    used = [
        DatasetInput(
            Dataset("iris", "d1", "local", "iris.csv", '{"a": "long"}', '{"rows": 150}'), [InputTag("who", "me")]
        ),
        DatasetInput(Dataset("wine", "d2", "http", "http://x/wine"), [InputTag("mlflow.data.context", "training")]),
    ]
    client.log_inputs(run_id, used)


def register(client: MlflowClient, run_id: str) -> None:
    client.log_text(run_id, "flavors: {}", "model/MLmodel")
    client.log_text(run_id, "weights", "model/data/weights.bin")
    client.create_registered_model("fraud", tags={"team": "risk"}, description="finds it")
    root = client.get_run(run_id).info.artifact_uri
    for number in range(1, 5):
        made = client.create_model_version(
            "fraud", f"{root}/model", run_id, tags={"n": str(number)}, description=f"version {number}"
        )
        assert int(made.version) == number
    client.delete_model_version("fraud", "2")
    client.transition_model_version_stage("fraud", "1", "Archived")
    client.transition_model_version_stage("fraud", "3", "Production")
    client.set_registered_model_alias("fraud", "champion", "3")
    client.create_registered_model("empty")
    client.create_model_version("empty", "s3://bucket/model")


def log_models(client: MlflowClient, experiment_id: str, run_id: str) -> None:
    made = client.create_logged_model(
        experiment_id, "net", run_id, tags={"kind": "cnn"}, params={"depth": "3"}, model_type="classifier"
    )
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "MLmodel").write_text("flavors: {}")
        client.log_model_artifacts(made.model_id, folder)
    client.finalize_logged_model(made.model_id, "READY")
    for step in range(3):
        client.log_metric(run_id, "model/acc", step / 3, timestamp=1_700_000_004_000, step=step, model_id=made.model_id)
    client.log_metric(
        run_id,
        "model/acc",
        0.9,
        timestamp=1_700_000_004_001,
        step=0,  # MLflow's file store reads no other back
        model_id=made.model_id,
        dataset_name="iris",
        dataset_digest="d1",
    )
    client.log_outputs(run_id, [mlflow.entities.LoggedModelOutput(made.model_id, 7)])
    orphan = client.create_logged_model(experiment_id, "made by no run", tags={"kind": "old"})
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "weights").mkdir()
        Path(folder, "weights", "w.bin").write_text("heavy")
        client.log_model_artifacts(orphan.model_id, folder)
    client.finalize_logged_model(orphan.model_id, "READY")
    client.create_model_version("fraud", f"models:/{made.model_id}", run_id, model_id=made.model_id)


def add_more(client: MlflowClient) -> None:
    """What happens in MLflow after a first import."""
    experiment = client.get_experiment_by_name("digits")
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    [running] = [run for run in runs.values() if run.info.status == "RUNNING"]
    run_id = running.info.run_id
    client.log_metric(run_id, "loss", 0.25, timestamp=1_700_000_300_500, step=2)
    client.log_metric(run_id, "loss", 0.75, timestamp=1_700_000_299_000, step=0)  # late, and before what is there
    client.log_metric(run_id, "new", 1.0, timestamp=1_700_000_300_500, step=2)
    client.log_param(run_id, "seed", "7")
    client.set_terminated(run_id, end_time=1_700_000_301_000)
    trial = runs["trial 1"].info.run_id
    client.set_tag(trial, "kind", "best")
    client.delete_tag(trial, "empty")
    client.set_tag(trial, "mlflow.note.content", "another note")
    client.log_text(trial, "hello again", "notes/hello.txt")
    client.log_text(trial, "more", "notes/more.txt")
    client.transition_model_version_stage("fraud", "4", "Staging")
    client.transition_model_version_stage("fraud", "3", "Archived")
    client.set_registered_model_alias("fraud", "champion", "4")
    client.update_model_version("fraud", "4", "the best")
    client.create_model_version("empty", "s3://bucket/other")
    client.delete_run(runs["sweep"].info.run_id)
    client.set_terminated(client.create_run(experiment.experiment_id, run_name="late").info.run_id)


def read_back(client: MlflowClient) -> dict:
    found: dict = {
        "version": mlflow.__version__,
        "experiments": [],
        "runs": [],
        "logged_models": [],
        "registered_models": [],
    }
    for experiment in client.search_experiments(view_type=ViewType.ALL):
        found["experiments"].append(
            {
                "id": experiment.experiment_id,
                "name": experiment.name,
                "lifecycle": experiment.lifecycle_stage,
                "created_ms": experiment.creation_time,
                "tags": dict(experiment.tags),
            }
        )
        for run in client.search_runs([experiment.experiment_id], run_view_type=ViewType.ALL):
            found["runs"].append(of_run(client, run, experiment.name))
        if hasattr(client, "search_logged_models"):
            for model in client.search_logged_models([experiment.experiment_id]):
                found["logged_models"].append(of_logged_model(model, experiment.name))
    for model in client.search_registered_models():
        found["registered_models"].append(of_registered_model(client, model))
    return found


def of_logged_model(model, experiment: str) -> dict:
    return {
        "model_id": model.model_id,
        "name": model.name,
        "experiment": experiment,
        "run_id": model.source_run_id or None,
        "model_type": model.model_type or None,
        "status": str(model.status).lower(),
        "created_ms": model.creation_timestamp,
        "params": dict(model.params),
        "tags": dict(model.tags),
        "metrics": sorted(
            ([one.key, one.value, one.step, one.dataset_name] for one in model.metrics or []), key=lambda one: one[2]
        ),
    }


def of_registered_model(client: MlflowClient, model) -> dict:
    versions = client.search_model_versions(f"name='{model.name}'")
    return {
        "name": model.name,
        "description": model.description or "",
        "created_ms": model.creation_timestamp,
        "tags": dict(model.tags),
        "aliases": {alias: int(number) for alias, number in model.aliases.items()},
        "versions": {
            str(one.version): {
                "run_id": one.run_id or None,
                "description": one.description or "",
                "stage": one.current_stage.lower(),
                "source": one.source,
                "created_ms": one.creation_timestamp,
                "tags": dict(one.tags),
            }
            for one in versions
        },
    }


def of_run(client: MlflowClient, run, experiment: str) -> dict:
    history = {
        key: sorted(
            [one.step, one.timestamp, repr(one.value)] for one in client.get_metric_history(run.info.run_id, key)
        )
        for key in run.data.metrics
    }
    return {
        "run_id": run.info.run_id,
        "name": run.info.run_name,
        "experiment": experiment,
        "status": run.info.status,
        "lifecycle": run.info.lifecycle_stage,
        "started_ms": run.info.start_time,
        "ended_ms": run.info.end_time,
        "user_id": run.info.user_id,
        "params": dict(run.data.params),
        "tags": dict(run.data.tags),
        "latest": {key: repr(value) for key, value in run.data.metrics.items()},
        "history": history,
        "datasets": [
            [one.dataset.name, one.dataset.digest, {tag.key: tag.value for tag in one.tags}]
            for one in run.inputs.dataset_inputs
        ],
        "outputs": [[one.model_id, one.step] for one in getattr(getattr(run, "outputs", None), "model_outputs", [])],
        "artifacts": files_of(client, run.info.run_id, None) if run.info.lifecycle_stage == "active" else [],
    }


def files_of(client: MlflowClient, run_id: str, path: str | None) -> list:
    found: list = []
    for one in client.list_artifacts(run_id, path):
        found += files_of(client, run_id, one.path) if one.is_dir else [[one.path, one.file_size]]
    return sorted(found)


if __name__ == "__main__":
    uri, folder, *more = sys.argv[1:]
    mlflow.set_tracking_uri(uri)
    client = MlflowClient(uri)
    if more == ["more"]:
        add_more(client)
    elif not more:
        make(client, folder if "://" in uri else None)
    print(json.dumps(read_back(client)))
