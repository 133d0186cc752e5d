"""Experiments, runs, metrics, params and tags, as clients of MLflow say and read them."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from lineal.server.hosted import HostedSource
from tests.server.compat.asking import API, Mlflow, asking, pairs


def test_the_default_experiment_is_there_before_anybody_speaks_of_it(mlflow: Mlflow) -> None:
    found = mlflow.get("experiments/get", experiment_id="0")["experiment"]
    assert (found["experiment_id"], found["name"], found["lifecycle_stage"]) == ("0", "Default", "active")
    assert found["artifact_location"] == "mlflow-artifacts:/0"
    assert mlflow.get("experiments/get-by-name", experiment_name="Default")["experiment"] == found
    assert mlflow.post("experiments/search", max_results=10)["experiments"] == [found]
    assert found["creation_time"] > 1_600_000_000_000
    mlflow.refused("POST", "experiments/create", "RESOURCE_ALREADY_EXISTS", json={"name": "Default"})
    mlflow.refused("POST", "experiments/create", "INVALID_PARAMETER_VALUE", json={"name": "  "})
    run = mlflow.run()
    assert mlflow.get("runs/get", run_id=run)["run"]["info"]["experiment_id"] == "0"
    assert [one["experiment_id"] for one in mlflow.get("experiments/search", max_results=10)["experiments"]] == ["0"]


def test_an_experiment_is_made_changed_put_away_and_brought_back(mlflow: Mlflow) -> None:
    number = mlflow.experiment("digits", artifact_location="s3://bucket/x", tags=[{"key": "team", "value": "red"}])
    assert int(number) > 0
    found = mlflow.get("experiments/get", experiment_id=number)["experiment"]
    assert found["name"] == "digits" and found["artifact_location"] == "s3://bucket/x"
    assert pairs(found["tags"]) == {"team": "red"}
    assert isinstance(found["creation_time"], int) and found["creation_time"] > 1_600_000_000_000
    mlflow.refused("POST", "experiments/create", "RESOURCE_ALREADY_EXISTS", json={"name": "digits"})

    mlflow.post("experiments/update", experiment_id=number, new_name="letters")
    mlflow.post("experiments/set-experiment-tag", experiment_id=number, key="goal", value="x")
    mlflow.post("experiments/delete-experiment-tag", experiment_id=number, key="team")
    mlflow.refused(
        "POST",
        "experiments/delete-experiment-tag",
        "RESOURCE_DOES_NOT_EXIST",
        "No tag with name: team",
        json={"experiment_id": number, "key": "team"},
    )
    found = mlflow.get("experiments/get-by-name", experiment_name="letters")["experiment"]
    assert (found["experiment_id"], pairs(found["tags"])) == (number, {"goal": "x"})

    run = mlflow.run(number)
    mlflow.post("experiments/delete", experiment_id=number)
    assert mlflow.get("experiments/get", experiment_id=number)["experiment"]["lifecycle_stage"] == "deleted"
    assert mlflow.get("runs/get", run_id=run)["run"]["info"]["lifecycle_stage"] == "deleted"
    assert mlflow.found(number) == [] and mlflow.found(number, run_view_type="DELETED_ONLY") == [run]
    mlflow.refused(
        "POST",
        "runs/log-metric",
        "INVALID_PARAMETER_VALUE",
        "must be in the 'active' state",
        json={"run_id": run, "key": "m", "value": 1, "timestamp": 1},
    )
    mlflow.refused("POST", "runs/create", "INVALID_PARAMETER_VALUE", "'active' state", json={"experiment_id": number})
    mlflow.refused("POST", "experiments/delete", "RESOURCE_DOES_NOT_EXIST", json={"experiment_id": number})
    mlflow.refused("POST", "experiments/update", "INVALID_STATE", json={"experiment_id": number, "new_name": "z"})
    mlflow.post("experiments/restore", experiment_id=number)
    mlflow.metric(run, "m", 1.0)
    assert mlflow.found(number) == [run]


def test_an_experiment_that_is_not_there(mlflow: Mlflow) -> None:
    for number in ("77", str(2**64 + 1), "-3"):
        message = mlflow.refused("GET", "experiments/get", "RESOURCE_DOES_NOT_EXIST", params={"experiment_id": number})
        assert f"No Experiment with id={number} exists" in message
    mlflow.refused(
        "GET",
        "experiments/get",
        "INVALID_PARAMETER_VALUE",
        "must be a valid integer",
        params={"experiment_id": "abc"},
    )
    mlflow.refused(
        "GET",
        "experiments/get-by-name",
        "RESOURCE_DOES_NOT_EXIST",
        "Could not find experiment with name 'x'",
        params={"experiment_name": "x"},
    )


def test_a_run_from_its_start_to_its_end(mlflow: Mlflow) -> None:
    number = mlflow.experiment()
    made = mlflow.post(
        "runs/create",
        experiment_id=number,
        user_id="anna",
        start_time=1_700_000_000_123,
        run_name="first",
        tags=[{"key": "team", "value": "red"}],
    )["run"]
    run = made["info"]["run_id"]
    assert made["info"]["run_uuid"] == run and made["info"]["status"] == "RUNNING"
    assert made["info"]["artifact_uri"] == f"mlflow-artifacts:/{number}/{run}/artifacts"
    assert pairs(made["data"]["tags"]) == {"team": "red", "mlflow.runName": "first"}

    mlflow.post(
        "runs/log-batch",
        run_id=run,
        metrics=[
            {"key": "loss", "value": 1 / (step + 1), "timestamp": 1_000 + step, "step": step} for step in range(5)
        ],
        params=[{"key": "lr", "value": "0.1"}],
        tags=[{"key": "k", "value": "v"}],
    )
    mlflow.post("runs/log-parameter", run_id=run, key="depth", value="3")
    mlflow.post("runs/set-tag", run_uuid=run, key="mlflow.runName", value="renamed")
    ended = mlflow.post("runs/update", run_id=run, status="FINISHED", end_time=1_700_000_009_000)["run_info"]
    assert (ended["status"], ended["end_time"], ended["run_name"]) == ("FINISHED", 1_700_000_009_000, "renamed")

    found = mlflow.get("runs/get", run_uuid=run)["run"]
    assert found["info"]["start_time"] == 1_700_000_000_123 and found["info"]["user_id"] == "anna"
    assert pairs(found["data"]["params"]) == {"lr": "0.1", "depth": "3"}
    assert pairs(found["data"]["tags"]) == {"team": "red", "k": "v", "mlflow.runName": "renamed"}
    assert found["data"]["metrics"] == [{"key": "loss", "value": 0.2, "timestamp": 1_004, "step": 4}]
    mlflow.post("runs/delete-tag", run_id=run, key="k")
    mlflow.refused(
        "POST", "runs/delete-tag", "RESOURCE_DOES_NOT_EXIST", "No tag with name: k", json={"run_id": run, "key": "k"}
    )


def test_the_tag_of_a_name_is_deleted_and_comes_back_with_the_next_name(mlflow: Mlflow) -> None:
    run = mlflow.run(run_name="first")

    def shown() -> tuple[str, str | None]:
        found = mlflow.get("runs/get", run_id=run)["run"]
        return found["info"]["run_name"], pairs(found["data"].get("tags", [])).get("mlflow.runName")

    def delete() -> None:
        mlflow.post("runs/delete-tag", run_id=run, key="mlflow.runName")
        assert shown()[1] is None

    delete()
    assert shown() == ("first", None)
    gone = {"run_id": run, "key": "mlflow.runName"}
    mlflow.refused("POST", "runs/delete-tag", "RESOURCE_DOES_NOT_EXIST", "No tag with name", json=gone)
    mlflow.post("runs/update", run_id=run, run_name="second")
    assert shown() == ("second", "second")
    delete()
    mlflow.post("runs/set-tag", run_id=run, key="mlflow.runName", value="third")
    assert shown() == ("third", "third")
    delete()
    mlflow.post("runs/log-batch", run_id=run, tags=[{"key": "mlflow.runName", "value": "fourth"}])
    assert shown() == ("fourth", "fourth")


def test_a_run_without_a_name_gets_one(one_mlflow: Mlflow) -> None:
    info = one_mlflow.post("runs/create", experiment_id="0")["run"]["info"]
    assert info["run_name"]
    found = one_mlflow.get("runs/get", run_id=info["run_id"])["run"]
    assert pairs(found["data"]["tags"])["mlflow.runName"] == info["run_name"] == found["info"]["run_name"]
    one_mlflow.refused(
        "POST",
        "runs/create",
        "INVALID_PARAMETER_VALUE",
        "different values",
        json={"run_name": "a", "tags": [{"key": "mlflow.runName", "value": "b"}]},
    )


def test_what_is_said_after_an_end_leaves_it_ended_and_running_again_is_said(mlflow: Mlflow) -> None:
    run = mlflow.run()
    mlflow.post("runs/update", run_id=run, status="FAILED", end_time=1_700_000_000_000)
    mlflow.metric(run, "late", 1.0)
    mlflow.post("runs/log-parameter", run_id=run, key="late", value="1")
    info = mlflow.get("runs/get", run_id=run)["run"]["info"]
    assert (info["status"], info["end_time"]) == ("FAILED", 1_700_000_000_000)
    for _ in range(2):
        info = mlflow.post("runs/update", run_id=run, status="RUNNING")["run_info"]
        assert info["status"] == "RUNNING" and "end_time" not in info
        mlflow.post("runs/log-parameter", run_id=run, key="p", value="1")
        info = mlflow.post("runs/update", run_id=run, status="FINISHED")["run_info"]
        assert info["status"] == "FINISHED" and info["end_time"]
    mlflow.refused("POST", "runs/update", "INVALID_PARAMETER_VALUE", "status", json={"run_id": run, "status": "GONE"})


def test_a_deleted_run_refuses_writes_until_it_is_restored(mlflow: Mlflow) -> None:
    run = mlflow.run()
    for _ in range(2):
        mlflow.post("runs/delete", run_id=run)
    assert mlflow.get("runs/get", run_id=run)["run"]["info"]["lifecycle_stage"] == "deleted"
    for path, body in (
        ("runs/log-parameter", {"key": "p", "value": "1"}),
        ("runs/set-tag", {"key": "p", "value": "1"}),
        ("runs/log-metric", {"key": "p", "value": 1, "timestamp": 1}),
        ("runs/update", {"status": "FINISHED"}),
    ):
        mlflow.refused("POST", path, "INVALID_PARAMETER_VALUE", "'active' state", json={"run_id": run, **body})
    mlflow.post("runs/restore", run_id=run)
    mlflow.post("runs/log-parameter", run_id=run, key="p", value="1")
    mlflow.refused(
        "POST", "runs/delete", "RESOURCE_DOES_NOT_EXIST", "Run with id=gone not found", json={"run_id": "gone"}
    )
    mlflow.refused("GET", "runs/get", "RESOURCE_DOES_NOT_EXIST", params={"run_id": run[:8]})


def test_nan_and_infinities_survive(mlflow: Mlflow) -> None:
    run = mlflow.run()
    for key, value in (("nan", "NaN"), ("up", "Infinity"), ("down", "-Infinity"), ("text", "1e-3"), ("big", 2**60)):
        mlflow.metric(run, key, value)
    found = pairs(mlflow.get("runs/get", run_id=run)["run"]["data"]["metrics"])
    assert found == {"nan": "NaN", "up": "Infinity", "down": "-Infinity", "text": 0.001, "big": float(2**60)}
    assert mlflow.history(run, "down") == [(0, 1_000, "-Infinity")]


def test_a_bare_nan_is_understood_and_none_goes_out(one_mlflow: Mlflow) -> None:
    run = one_mlflow.run()
    content = json.dumps({"run_id": run, "key": "m", "value": math.nan, "timestamp": 1})
    answer = one_mlflow.client.post(
        f"{API}/runs/log-metric", content=content, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 200, answer.text
    assert one_mlflow.history(run, "m") == [(0, 1, "NaN")]


def test_numbers_of_64_bits_may_be_texts(one_mlflow: Mlflow) -> None:
    run = one_mlflow.run()
    one_mlflow.post("runs/log-metric", run_id=run, key="m", value="2.5", step="7", timestamp=str(2**53 + 1))
    assert one_mlflow.history(run, "m") == [(7, 2**53 + 1, 2.5)]


def test_a_note_is_a_tag_there_and_a_note_here(mlflow: Mlflow) -> None:
    run = mlflow.run(tags=[{"key": "mlflow.note.content", "value": "first"}])
    path = f"/api/v1/runs/{run}"
    assert mlflow.client.get(path).json()["note"] == "first"
    mlflow.post("runs/delete-tag", run_id=run, key="mlflow.note.content")
    assert mlflow.client.get(path).json()["note"] == ""
    tags = pairs(mlflow.get("runs/get", run_id=run)["run"]["data"]["tags"])
    assert "mlflow.note.content" not in tags
    assert mlflow.client.patch(path, json={"note": "ours"}).status_code == 200
    assert pairs(mlflow.get("runs/get", run_id=run)["run"]["data"]["tags"])["mlflow.note.content"] == "ours"


def test_the_latest_value_is_that_of_the_highest_step(mlflow: Mlflow) -> None:
    run, other = mlflow.run(), mlflow.run()
    for step, value in ((0, 0.5), (1, 0.25), (2, 0.125), (1, 7.0)):
        mlflow.metric(run, "loss", value, step, 1_000 + step)
    mlflow.metric(run, "nan", "NaN", 0)
    mlflow.metric(run, "nan", "Infinity", -3)
    for value, timestamp in ((2.0, 50), (3.0, 60), (9.0, 40)):
        mlflow.metric(run, "same", value, 5, timestamp)
    mlflow.metric(run, "once", 1.0, 3)
    for value in (0.5, 1.0, 0.25):
        mlflow.metric(run, "tied", value, 0, 7)
    found = mlflow.get("runs/get", run_id=run)["run"]["data"]["metrics"]
    assert {one["key"]: (one["step"], one["value"]) for one in found} == {
        "loss": (2, 0.125),
        "nan": (0, "NaN"),
        "same": (5, 3.0),
        "once": (3, 1.0),
        "tied": (0, 1.0),
    }
    [first, second] = mlflow.post("runs/search", experiment_ids=["0"])["runs"]
    by_id = {one["info"]["run_id"]: one["data"] for one in (first, second)}
    assert by_id[run]["metrics"] == found and "metrics" not in by_id[other]
    mlflow.metric(run, "loss", 0.0, 3, 2_000)
    assert pairs(mlflow.get("runs/get", run_id=run)["run"]["data"]["metrics"])["loss"] == 0.0


# -- retries -------------------------------------------------------------------------------------


def test_what_is_said_again_counts_once(mlflow: Mlflow) -> None:
    run = mlflow.run()
    batch: dict[str, Any] = {
        "run_id": run,
        "metrics": [
            {"key": "m", "value": step / 4, "timestamp": 1_000 + step // 2, "step": step} for step in range(20)
        ],
        "params": [{"key": "p", "value": "1"}],
    }
    for _ in range(3):
        mlflow.post("runs/log-batch", **batch)
        mlflow.metric(run, "m", "NaN", 5, 1_002)
    expected = [(step, 1_000 + step // 2, step / 4) for step in range(20)]
    found = mlflow.history(run, "m")
    assert sorted(one for one in found if one[2] != "NaN") == expected
    assert [one for one in found if one[2] == "NaN"] == [(5, 1_002, "NaN")]
    # Another value, step or time is another point.
    mlflow.metric(run, "m", 9.0, 5, 1_002)
    mlflow.metric(run, "m", 1.25, 6, 1_002)
    mlflow.metric(run, "m", 1.25, 5, 1_003)
    assert len(mlflow.history(run, "m")) == 24


def test_what_is_said_again_after_a_restart_counts_once(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/lineal.db"
    body = [{"key": "m", "value": 1.0, "timestamp": 1_000, "step": step} for step in range(3)]
    with HostedSource(url, tmp_path / "blobs") as source, asking(source) as mlflow:
        run = mlflow.run()
        mlflow.post("runs/log-batch", run_id=run, metrics=body)
    with HostedSource(url, tmp_path / "blobs") as source, asking(source) as mlflow:
        mlflow.post("runs/log-batch", run_id=run, metrics=body)
        mlflow.metric(run, "m", 1.0, 3, 1_000)
        mlflow.metric(run, "m", 1.0, 0, 999)
        mlflow.post("runs/log-batch", run_id=run, metrics=body)
        assert len(mlflow.history(run, "m")) == 5


def test_one_request_that_says_a_point_twice(one_mlflow: Mlflow) -> None:
    run = one_mlflow.run()
    point = {"key": "m", "value": 1.0, "timestamp": 1, "step": 1}
    one_mlflow.post("runs/log-batch", run_id=run, metrics=[point, point, {**point, "value": 2.0}])
    assert one_mlflow.history(run, "m") == [(1, 1, 1.0), (1, 1, 2.0)]


def test_a_param_keeps_its_value(mlflow: Mlflow) -> None:
    run = mlflow.run()
    for _ in range(2):
        mlflow.post("runs/log-parameter", run_id=run, key="p", value="1")
    mlflow.refused(
        "POST",
        "runs/log-parameter",
        "INVALID_PARAMETER_VALUE",
        f"Changing param values is not allowed. Param with key='p' was already logged with value='1' for run ID='{run}'.",
        json={"run_id": run, "key": "p", "value": "2"},
    )
    mlflow.refused(
        "POST",
        "runs/log-batch",
        "INVALID_PARAMETER_VALUE",
        "'old_value': '1', 'new_value': '2'",
        json={"run_id": run, "params": [{"key": "q", "value": "1"}, {"key": "p", "value": "2"}]},
    )
    assert pairs(mlflow.get("runs/get", run_id=run)["run"]["data"]["params"]) == {"p": "1"}


def test_the_same_request_under_a_key_makes_one_run(one_mlflow: Mlflow) -> None:
    """Its protocol has no word for a repeated create; whoever can send a header can say so."""
    answers = [
        one_mlflow.client.post(f"{API}/runs/create", json={"experiment_id": "0"}, headers={"Idempotency-Key": "k1"})
        for _ in range(2)
    ]
    assert answers[0].json() == answers[1].json()
    assert len(one_mlflow.found()) == 1


def test_points_of_a_logged_model_are_the_runs_and_its_own(mlflow: Mlflow) -> None:
    run = mlflow.run()
    point = {"key": "acc", "value": 0.5, "timestamp": 1, "step": 1, "model_id": "m-1", "dataset_name": "d"}
    for _ in range(2):
        mlflow.post(
            "runs/log-batch", run_id=run, metrics=[point, {"key": "acc", "value": 0.7, "timestamp": 2, "step": 2}]
        )
        mlflow.post("runs/log-metric", run_id=run, **{**point, "step": 3, "timestamp": 3})
    assert mlflow.history(run, "acc") == [(1, 1, 0.5), (2, 2, 0.7), (3, 3, 0.5)]
    [metric] = mlflow.get("runs/get", run_id=run)["run"]["data"]["metrics"]
    assert metric["step"] == 3


# -- history -------------------------------------------------------------------------------------


def test_a_history_in_pages(mlflow: Mlflow) -> None:
    run = mlflow.run()
    mlflow.post(
        "runs/log-batch",
        run_id=run,
        metrics=[{"key": "m", "value": float(at), "timestamp": 1_000 + at, "step": 9 - at} for at in range(10)],
    )
    whole = mlflow.history(run, "m")
    assert whole == [(9 - at, 1_000 + at, float(at)) for at in range(10)]
    found: list[Any] = []
    token = None
    while True:
        page = mlflow.get(
            "metrics/get-history", run_id=run, metric_key="m", max_results=4, **({"page_token": token} if token else {})
        )
        found += [(one["step"], one["timestamp"], one["value"]) for one in page["metrics"]]
        token = page.get("next_page_token")
        if token is None:
            break
    assert found == whole
    mlflow.refused(
        "GET",
        "metrics/get-history",
        "INVALID_PARAMETER_VALUE",
        "Invalid page token",
        params={"run_id": run, "metric_key": "m", "page_token": "evil"},
    )
    mlflow.refused(
        "GET",
        "metrics/get-history",
        "INVALID_PARAMETER_VALUE",
        "Missing value for required parameter 'metric_key'",
        params={"run_id": run},
    )
    assert mlflow.get("metrics/get-history", run_id=run, metric_key="none") == {}


def test_histories_of_many_runs(mlflow: Mlflow) -> None:
    runs = sorted(mlflow.run() for _ in range(3))
    for at, run in enumerate(runs):
        for step in range(5):
            mlflow.metric(run, "m", at * 10 + step, step, 1_000 + step)
    found = mlflow.get("metrics/get-history-bulk", run_id=[*runs, "none"], metric_key="m", max_results=12)["metrics"]
    assert [(one["run_id"], one["step"]) for one in found] == [
        *((runs[0], step) for step in range(5)),
        *((runs[1], step) for step in range(5)),
        *((runs[2], step) for step in range(2)),
    ]
    mlflow.refused("GET", "metrics/get-history-bulk", "INVALID_PARAMETER_VALUE", "run_id", params={"metric_key": "m"})
    mlflow.refused("GET", "metrics/get-history-bulk", "INVALID_PARAMETER_VALUE", params={"run_id": runs[0]})
    assert mlflow.get("metrics/get-history-bulk", run_id="none", metric_key="m") == {"metrics": []}


def test_histories_of_an_interval(mlflow: Mlflow) -> None:
    run, other = mlflow.run(), mlflow.run()
    for name, count in ((run, 100), (other, 3)):
        mlflow.post(
            "runs/log-batch",
            run_id=name,
            metrics=[{"key": "m", "value": step, "timestamp": step, "step": step} for step in range(count)],
        )
    path = "metrics/get-history-bulk-interval"
    found = mlflow.get(path, run_ids=[run, other], metric_key="m", max_results=10)["metrics"]
    steps = [one["step"] for one in found if one["run_id"] == run]
    assert steps == [0, 2, *range(10, 100, 10), 99]
    assert [one["step"] for one in found if one["run_id"] == other] == [0, 2]
    found = mlflow.get(path, run_ids=[run], metric_key="m", start_step=40, end_step=44)["metrics"]
    assert [one["step"] for one in found] == [40, 41, 42, 43, 44]
    for more, fragment in (
        ({"start_step": 1}, "both must be specified"),
        ({"start_step": 5, "end_step": 4}, "end_step must be greater than start_step"),
        ({"max_results": 2_501}, "max_results must be between 1 and 2500"),
    ):
        mlflow.refused(
            "GET", path, "INVALID_PARAMETER_VALUE", fragment, params={"run_ids": run, "metric_key": "m", **more}
        )


# -- bounds --------------------------------------------------------------------------------------


def test_long_values_lose_their_end_and_long_keys_are_refused(one_mlflow: Mlflow) -> None:
    run = one_mlflow.run()
    one_mlflow.post("runs/log-parameter", run_id=run, key="p", value="x" * 7_000)
    one_mlflow.post("runs/set-tag", run_id=run, key="t", value="y" * 9_000)
    data = one_mlflow.get("runs/get", run_id=run)["run"]["data"]
    assert len(pairs(data["params"])["p"]) == 6_000 and len(pairs(data["tags"])["t"]) == 8_000
    for path, body, fragment in (
        ("runs/log-parameter", {"key": "k" * 251, "value": "1"}, "exceeds the maximum length of 250 characters"),
        ("runs/log-metric", {"key": "../m", "value": 1, "timestamp": 1}, "must not resolve to other names"),
        ("runs/log-metric", {"key": "a%", "value": 1, "timestamp": 1}, "Names may only contain alphanumerics"),
        ("runs/set-tag", {"key": "/t", "value": "1"}, "must not resolve to other names"),
        ("runs/log-metric", {"key": "m", "value": "x", "timestamp": 1}, 'Invalid value "x" for parameter'),
        ("runs/log-metric", {"key": "m", "value": 1, "timestamp": -1}, "Timestamp must be a nonnegative long"),
        ("runs/log-metric", {"key": "m", "value": 1}, "Missing value for required parameter 'timestamp'"),
        ("runs/log-metric", {"value": 1, "timestamp": 1}, "Missing value for required parameter 'key'"),
        ("runs/log-batch", {"metrics": [{"value": 1, "timestamp": 1}]}, "parameter 'metrics[0].key'"),
        ("runs/log-batch", {"params": [{"value": "1"}]}, "parameter 'params[0].key'"),
        ("runs/log-batch", {"params": [{"key": "a", "value": "1"}] * 2}, "Duplicate parameter keys"),
        (
            "runs/log-batch",
            {"params": [{"key": f"p{at}", "value": "1"} for at in range(101)]},
            "at most 100 params. Got 101 params",
        ),
    ):
        one_mlflow.refused("POST", path, "INVALID_PARAMETER_VALUE", fragment, json={"run_id": run, **body})


@pytest.mark.parametrize("value", [123, ["a"], {"a": 1}, True])
def test_a_value_of_another_type_is_named(one_mlflow: Mlflow, value: Any) -> None:
    message = one_mlflow.refused("POST", "experiments/create", "INVALID_PARAMETER_VALUE", json={"name": value})
    assert f"Invalid value {json.dumps(value, separators=(',', ':'))} for parameter 'name' supplied" in message
    one_mlflow.refused(
        "POST",
        "experiments/create",
        "INVALID_PARAMETER_VALUE",
        "Missing value for required parameter 'name'",
        json={},
    )


def test_a_models_history_is_a_tag(one_mlflow: Mlflow) -> None:
    run = one_mlflow.run()
    model = {
        "artifact_path": "m",
        "flavors": {"f": {"config": "secret", "x": 1}},
        "utc_time_created": "",
        "run_id": run,
    }
    for _ in range(2):
        one_mlflow.post("runs/log-model", run_id=run, model_json=json.dumps(model))
    tags = pairs(one_mlflow.get("runs/get", run_id=run)["run"]["data"]["tags"])
    assert json.loads(tags["mlflow.log-model.history"]) == [{**model, "flavors": {"f": {"x": 1}}}]
    for text, fragment in (("{", "Malformed model info"), ("{}", "missing mandatory fields")):
        one_mlflow.refused(
            "POST", "runs/log-model", "INVALID_PARAMETER_VALUE", fragment, json={"run_id": run, "model_json": text}
        )


@pytest.mark.parametrize(
    "metric",
    [
        {"key": ["m"], "value": 1.5, "timestamp": 1},
        {"key": "m", "value": 1.5, "timestamp": 2**64},
        {"key": "m", "value": 1.5, "timestamp": 1, "step": 2**63},
        {"key": "m", "value": 1.5, "timestamp": 1, "step": 1.5},
        {"key": "m", "value": 1.5, "timestamp": -1},
        {"key": "m", "value": True, "timestamp": 1},
        {"key": "m", "value": {}, "timestamp": 1},
    ],
)
def test_a_metric_that_is_none_is_refused_whole(one_mlflow: Mlflow, metric: dict[str, Any]) -> None:
    run = one_mlflow.run()
    good = {"key": "m", "value": 0.5, "timestamp": 1, "step": 0}
    one_mlflow.post("runs/log-batch", run_id=run, metrics=[good])
    one_mlflow.refused(
        "POST",
        "runs/log-batch",
        "INVALID_PARAMETER_VALUE",
        json={"run_id": run, "metrics": [{**good, "step": 1}, metric]},
    )
    assert one_mlflow.history(run, "m") == [(0, 1, 0.5)]
