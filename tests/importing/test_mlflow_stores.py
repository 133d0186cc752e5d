"""Stores of real MLflows come over whole: what MLflow's client reads is what Lineal's reads."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import lineal
from lineal.cli.main import lineal as command
from lineal.local import LocalStore
from tests.importing.conftest import Made, make, only
from tests.postgres import Postgres

# The first test that wants one builds an environment, over a network that may be slow.
pytestmark = pytest.mark.timeout(900)
STATUSES = {"RUNNING": "running", "FINISHED": "finished", "FAILED": "failed", "KILLED": "killed"}


def bring(source: str, url: Path | str, *options: str, status: int = 0) -> dict[str, Any]:
    done = CliRunner().invoke(command, ["import", "mlflow", source, "--url", str(url), "--json", *options])
    assert done.exit_code == status, done.output + repr(done.exception)
    return dict(json.loads(done.stdout))


def check_same(said: dict[str, Any], store: LocalStore) -> None:
    reader = store.reader()
    for one in said["experiments"]:
        experiment = reader.find_experiment(one["name"])
        assert experiment is not None, one
        assert experiment.lifecycle == one["lifecycle"]
        assert experiment.tags["mlflow.experimentId"] == one["id"]
        assert one["tags"].items() <= experiment.tags.items()
        if one["created_ms"]:  # a run that began before its experiment makes that as old here
            began = [run["started_ms"] for run in said["runs"] if run["experiment"] == one["name"]]
            assert experiment.created_ms == min([one["created_ms"], *began])
    for one in said["runs"]:
        check_same_run(one, store)
    check_same_models(said, store)
    lists = (store.runs(limit=1_000, deleted=deleted) for deleted in (False, True))
    assert {run.run_id for found in lists for run in found} == {one["run_id"] for one in said["runs"]}


def check_same_run(one: dict[str, Any], store: LocalStore) -> None:
    run = store.get_run(one["run_id"])
    details = run.details
    assert run.name == one["name"]
    assert run.experiment == one["experiment"]
    assert run.status == STATUSES[one["status"]]
    assert details.run.lifecycle == one["lifecycle"]
    assert details.run.started_ms == one["started_ms"]
    assert details.run.ended_ms == one["ended_ms"]
    assert details.run.parent_run_id == one["tags"].get("mlflow.parentRunId")
    assert run.params == one["params"]
    assert run.tags == {key: value for key, value in one["tags"].items() if key != "mlflow.runName"}
    assert run.note == one["tags"].get("mlflow.note.content", "")
    assert run.losses == {}
    assert {key: repr(unclamped(float(value))) for key, value in one["latest"].items()} == {
        key: repr(value) for key, value in run.metrics.items()
    }
    for key, points in one["history"].items():
        history = run.history(key)
        here = zip(history.step.tolist(), history.time_ms.tolist(), history.value.tolist(), strict=True)
        there = [[step, time_ms, repr(unclamped(float(value)))] for step, time_ms, value in points]
        assert sorted([step, time_ms, repr(value)] for step, time_ms, value in here) == sorted(there)
    if one["lifecycle"] == "active":
        latest = {one.path: one for one in run.artifacts if not one.path.startswith("models/m-")}
        assert [[path, artifact.size_bytes] for path, artifact in sorted(latest.items())] == one["artifacts"]
        for artifact in latest.values():
            found = store.find_blob(artifact.digest or "")
            assert found is not None and Path(found).stat().st_size == artifact.size_bytes

    contexts = [[use.dataset.name, use.dataset.digest, use.context, use.tags] for use in run.details.datasets]
    told = [
        [name, digest, tags.pop("mlflow.data.context", ""), tags] for name, digest, tags in map(copied, one["datasets"])
    ]
    assert sorted(contexts, key=str) == sorted(told, key=str)
    assert [[use.model_id, use.step] for use in run.details.models if use.role == "output"] == one["outputs"]


def copied(dataset: list) -> tuple[str, str, dict]:
    return dataset[0], dataset[1], dict(dataset[2])


def check_same_models(said: dict[str, Any], store: LocalStore) -> None:
    reader = store.reader()
    for one in said["logged_models"]:
        model = reader.get_logged_model(one["model_id"])
        assert (model.name, model.experiment_name, model.source_run_id) == (
            one["name"],
            one["experiment"],
            one["run_id"],
        )
        assert (model.model_type, model.status, model.created_ms) == (
            one["model_type"],
            one["status"],
            one["created_ms"],
        )
        assert (model.params, model.tags) == (one["params"], one["tags"])
        found = sorted([metric.name, metric.value, metric.step, metric.dataset_name] for metric in model.metrics)
        latest = {(name, dataset): [name, value, step, dataset] for name, value, step, dataset in one["metrics"]}
        assert found == sorted(latest.values())
        if one["run_id"] is None:
            assert list(model.files) == ["weights/w.bin"]
            assert store.find_blob(model.files["weights/w.bin"].digest)
            continue
        files = [file.path for file in reader.get_details(one["run_id"]).artifacts]
        assert f"models/{one['model_id']}/MLmodel" in files
    registry = reader.registry()
    for one in said["registered_models"]:
        registered = registry.get_model(one["name"])
        assert (registered.description, registered.tags) == (one["description"], one["tags"])
        assert (registered.created_ms, registered.aliases) == (one["created_ms"], one["aliases"])
        assert registered.version_count == len(one["versions"])
        for number, version in one["versions"].items():
            there = registry.get_version(one["name"], int(number))
            assert (there.run_id, there.description, there.tags) == (
                version["run_id"],
                version["description"],
                version["tags"],
            )
            assert (there.stage, there.source, there.created_ms) == (
                version["stage"],
                version["source"],
                version["created_ms"],
            )
            if there.run_id is not None:
                held = registry.get_content(there.version_id).files
                assert any(file.path.endswith("MLmodel") for file in held) and all(file.digest for file in held)


def unclamped(value: float) -> float:
    """A stock SQL store keeps infinities as the largest number."""
    return math.copysign(math.inf, value) if abs(value) == 1.7976931348623157e308 else value


def check_import(made: Made, folder: Path) -> None:
    said = bring(made.source, folder)
    assert said["found"] == said["there"] and not said["problems"]
    assert said["found"]["runs"] == len(made.said["runs"]) == said["runs"]["new"]
    points = sum(len(points) for run in made.said["runs"] for points in run["history"].values())
    of_models = sum(4 for run in made.said["runs"] if run["outputs"])  # each a point of the run, and one of its model
    assert said["found"]["points"] == points + of_models
    assert said["found"]["model_versions"] == sum(len(one["versions"]) for one in made.said["registered_models"])
    with lineal.open_store(folder) as store:
        check_same(made.said, store)
        before = store.store().change_number()
    again = bring(made.source, folder)
    assert again["runs"] == {"new": 0, "changed": 0, "unchanged": len(made.said["runs"])}
    assert again["found"] == again["there"] == said["found"]
    with lineal.open_store(folder) as store:
        assert store.store().change_number() == before
    more = made.more()
    later = bring(made.source, folder)
    assert later["runs"] == {"new": 1, "changed": 3, "unchanged": len(made.said["runs"]) - 3}
    assert later["found"] == later["there"] and not later["problems"]
    with lineal.open_store(folder) as store:
        check_same(more, store)
    assert bring(made.source, folder)["runs"]["unchanged"] == len(more["runs"])


@pytest.mark.parametrize("environment", ["mlflow3_store", "mlflow2_store", "mlflow"])
def test_a_sqlite_store(environment: str, tmp_path: Path) -> None:
    check_import(make(environment, f"sqlite:///{tmp_path}/mlflow.db", tmp_path / "files"), tmp_path / "lineal")


@pytest.mark.parametrize("environment", ["mlflow3_store", "mlflow2_store", "mlflow"])
def test_an_mlruns_folder(environment: str, tmp_path: Path) -> None:
    place = tmp_path / "mlruns"
    check_import(make(environment, str(place), tmp_path / "files"), tmp_path / "lineal")


def test_a_postgresql_store(postgres: Postgres, tmp_path: Path) -> None:
    schema = "mlflow_import"
    url = postgres.new(schema)
    also = only(tmp_path / "packages", "psycopg", "psycopg_binary")
    uri = url.replace("postgresql://", "postgresql+psycopg://")
    try:
        check_import(make("mlflow3_store", uri, tmp_path / "files", url, also), tmp_path / "lineal")
    finally:
        postgres.execute(f"DROP SCHEMA {schema} CASCADE")


def test_a_folder_that_was_moved_has_its_artifacts(tmp_path: Path) -> None:
    made = make("mlflow3_store", str(tmp_path / "mlruns"), tmp_path / "files")
    shutil.move(tmp_path / "mlruns", tmp_path / "elsewhere")
    said = bring(str(tmp_path / "elsewhere"), tmp_path / "lineal")
    assert said["there"]["artifacts"] == 7
    with lineal.open_store(tmp_path / "lineal") as store:
        check_same(made.said, store)
