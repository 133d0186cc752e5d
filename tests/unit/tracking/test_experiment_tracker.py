"""The facade, call by call as its contract prints it, on a real folder."""

from __future__ import annotations

import json
import math

import pytest

import lineal
from lineal import ExperimentConfig, ExperimentTracker, RunConfig, RunMetrics
from lineal.tracking.experiment_tracker import ExperimentTracker as SameTracker


@pytest.fixture
def tracker(tmp_path):
    return ExperimentTracker(tracking_uri=str(tmp_path / "notebook"))


def logged(tracker, name="xgboost-baseline", accuracy=0.95, **config):
    run_config = RunConfig(run_name=name, user_id="alice@acme.com", **config)
    with tracker.start_run(experiment_name="fraud-detection-v3", run_config=run_config) as run:
        run.log_params({"learning_rate": 0.01, "max_depth": 6, "model_type": "xgboost"})
        for epoch in range(3):
            run.log_metrics({"train_loss": 0.3 / (epoch + 1), "val_loss": 0.5 - epoch / 10}, step=epoch)
        run.log_metric("val_accuracy", accuracy, step=2)
    return run.run_id


def test_both_imports_are_one_class():
    assert SameTracker is lineal.ExperimentTracker


def test_create_experiment_answers_its_id_and_refuses_a_name_in_use(tracker):
    config = ExperimentConfig(name="fraud", description="cards", tags={"team": "risk"})
    experiment_id = tracker.create_experiment(config)
    assert isinstance(experiment_id, str)
    with pytest.raises(lineal.Conflict):
        tracker.create_experiment(config)
    found = lineal.open_store(tracker.tracking_uri).get_experiment("fraud")
    assert (found.experiment_id, found.description, found.tags) == (experiment_id, "cards", {"team": "risk"})


def test_get_run_has_the_fields_of_the_rest_contract(tracker):
    run = tracker.get_run(logged(tracker, description="first", job_id="slurm-7", tags={"stage": "dev"}))
    assert set(run) == {
        "run_id", "experiment_id", "parent_run_id", "name", "description", "status", "user_id", "start_time", "end_time",
        "duration_seconds", "params", "metrics", "tags", "artifact_uri", "lifecycle_stage",
    }  # fmt: skip
    assert (run["name"], run["status"], run["user_id"]) == ("xgboost-baseline", "finished", "alice@acme.com")
    assert run["params"] == {"learning_rate": "0.01", "max_depth": "6", "model_type": "xgboost"}
    assert run["metrics"]["val_accuracy"] == 0.95
    assert run["tags"] == {"stage": "dev", "job_id": "slurm-7"}
    assert run["lifecycle_stage"] == "active"


def test_get_metric_history_is_in_order_of_logging(tracker):
    with tracker.start_run(experiment_name="e") as run:
        run.log_metric("val_loss", 0.5, step=0, timestamp=1707723600000)
        run.log_metrics(RunMetrics({"val_loss": 0.4}, step=5, timestamp=1707723601000))
        run.log_metrics(RunMetrics({"val_loss": math.nan}), step=2, timestamp=1707723602000)
    history = tracker.get_metric_history(run_id=run.run_id, key="val_loss")
    assert history[:2] == [
        {"key": "val_loss", "value": 0.5, "timestamp": 1707723600000, "step": 0},
        {"key": "val_loss", "value": 0.4, "timestamp": 1707723601000, "step": 5},
    ]
    assert (history[2]["step"], math.isnan(history[2]["value"])) == (2, True)
    assert tracker.get_metric_history(run_id=run.run_id, key="nothing") == []


def test_search_runs_filters_orders_and_limits(tracker):
    ids = [logged(tracker, f"r{index}", accuracy=0.88 + index / 50) for index in range(4)]
    found = tracker.search_runs(
        experiment_names=["fraud-detection-v3"],
        filter_string="metrics.val_accuracy > 0.89 AND params.model_type = 'xgboost'",
        max_results=2,
        order_by=["metrics.val_accuracy DESC"],
    )
    assert [run["run_id"] for run in found] == [ids[3], ids[2]]
    assert tracker.search_runs(experiment_names=["another"]) == []


def test_compare_runs_has_the_shape_of_the_rest_contract(tracker):
    ids = [logged(tracker, "a", accuracy=0.9), logged(tracker, "b", accuracy=0.8)]
    compared = tracker.compare_runs(ids, metrics=["val_accuracy"])
    assert [run["run_id"] for run in compared["runs"]] == ids
    assert compared["comparison"]["best_run"] == ids[0]
    assert compared["comparison"]["metric_comparison"]["val_accuracy"] == {
        "best_run_id": ids[0],
        "best_value": 0.9,
        "all_values": {ids[0]: 0.9, ids[1]: 0.8},
    }
    with pytest.raises(lineal.InvalidInput):
        tracker.compare_runs(ids[:1])


def test_artifacts_of_every_kind(tracker, tmp_path):
    model = tmp_path / "model.bin"
    model.write_bytes(b"\x00weights")
    pyplot = pytest.importorskip("matplotlib.pyplot")
    figure = pyplot.figure()
    with tracker.start_run(experiment_name="e") as run:
        run.log_artifact(str(model), artifact_path="models")
        run.log_dict({"depth": 6}, "config/model.json")
        run.log_text("all good", "reports/summary.txt")
        run.log_figure(figure, "plots/loss.png")
    pyplot.close(figure)
    logged_run = lineal.get_run(run.run_id, url=tracker.tracking_uri)
    assert [artifact.path for artifact in logged_run.artifacts] == [
        "config/model.json",
        "models/model.bin",
        "plots/loss.png",
        "reports/summary.txt",
    ]
    assert logged_run.artifact_path("models/model.bin").read_bytes() == b"\x00weights"
    assert json.loads(logged_run.artifact_path("config/model.json").read_text()) == {"depth": 6}
    assert logged_run.artifact_path("plots/loss.png").read_bytes()[:4] == b"\x89PNG"


def test_a_tenant_keeps_its_runs_apart_and_is_found_by_run_id(tracker):
    run_id = logged(tracker, tenant_id="acme-corp")
    assert tracker.get_run(run_id)["run_id"] == run_id
    assert ExperimentTracker(tracker.tracking_uri).get_run(run_id)["run_id"] == run_id
    assert len(lineal.open_store(tracker.tracking_uri).runs()) == 0
    assert len(lineal.open_store(tracker.tracking_uri, tenant="acme-corp").runs()) == 1


def test_end_run_of_an_open_run_and_an_exception_within_one(tracker):
    run = tracker.start_run(experiment_name="e")
    tracker.end_run(run.run_id, status="killed")
    assert tracker.get_run(run.run_id)["status"] == "killed"
    with pytest.raises(ZeroDivisionError), tracker.start_run(experiment_name="e") as failing:
        failing.log_metric("x", 1 / 0)
    assert tracker.get_run(failing.run_id)["status"] == "failed"


def test_an_unknown_run_is_not_found(tracker):
    with pytest.raises(lineal.NotFound):
        tracker.get_run("f" * 32)
