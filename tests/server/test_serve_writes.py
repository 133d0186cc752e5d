"""The writing half of version 1, over both stores."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from lineal.model import limits
from lineal.server.hosted import HostedSource
from tests.server.conftest import json_of
from tests.server.hosting import hosted, new_experiment, new_run, source  # noqa: F401 (fixtures)

RUN = "/experiments/runs"


def test_an_experiment_from_its_making_to_its_return(hosted: httpx.Client) -> None:  # noqa: F811
    made = new_experiment(hosted, "digits", description="scans", tags={"team": "vision", "level": 3})
    assert made == json_of(hosted.get(f"/experiments/{made['id']}"))
    assert (made["tags"], made["description"], made["run_count"]) == ({"team": "vision", "level": "3"}, "scans", 0)
    assert json_of(hosted.post("/experiments", json={"name": "digits"}), 409)["field"] == "name"
    change = {"description": "photos", "tags": {"team": None, "best": True}}
    changed = json_of(hosted.patch(f"/experiments/{made['id']}", json=change))
    assert (changed["description"], changed["tags"]) == ("photos", {"level": "3", "best": "True"})
    assert json_of(hosted.delete(f"/experiments/{made['id']}"))["lifecycle_stage"] == "deleted"
    assert json_of(hosted.get("/experiments"))["total"] == 0
    assert json_of(hosted.post("/experiments", json={"name": "digits"}), 409)["code"] == "conflict"
    refused = hosted.post(RUN, json={"experiment_id": made["id"]})
    assert json_of(refused, 409)["field"] == "experiment_id"
    restored = json_of(hosted.post(f"/experiments/{made['id']}/restore"))
    assert restored == json_of(hosted.get(f"/experiments/{made['id']}"))
    assert restored["lifecycle_stage"] == "active"


def test_an_experiment_is_renamed_and_its_old_name_still_means_it(hosted: httpx.Client) -> None:  # noqa: F811
    made = new_experiment(hosted, "digits")
    other = new_experiment(hosted, "words")
    run_id = json_of(hosted.post(RUN, json={"experiment_id": made["id"]}), 201)["run_id"]
    path = f"/experiments/{made['id']}"
    change = {"name": "scans", "description": "d", "tags": {"k": "v"}}
    changed = json_of(hosted.patch(path, json=change))
    assert (changed["id"], changed["name"], changed["description"], changed["run_count"]) == (
        made["id"],
        "scans",
        "d",
        1,
    )
    assert changed == json_of(hosted.get(path))
    detail = json_of(hosted.get(f"/runs/{run_id}"))
    assert (detail["experiment_name"], detail["experiment_id"]) == ("scans", made["id"])
    later = json_of(hosted.post(RUN, json={"experiment_id": made["id"]}), 201)["run_id"]
    assert json_of(hosted.get(f"/runs/{later}"))["experiment_name"] == "scans"
    assert json_of(hosted.get(RUN, params={"experiment_id": made["id"]}))["total"] == 2
    for name in ("scans", "words", "digits"):
        assert json_of(hosted.post("/experiments", json={"name": name}), 409)["field"] == "name"
    for name in ("scans", "digits"):  # in use, and a former one
        refused = json_of(hosted.patch(f"/experiments/{other['id']}", json={"name": name}), 409)
        assert (refused["code"], refused["field"]) == ("conflict", "name")
    assert json_of(hosted.patch(path, json={"name": "scans"}))["name"] == "scans"
    assert json_of(hosted.patch(path, json={"name": ""}), 400)["field"] == "name"
    assert json_of(hosted.patch(path, json={"name": "digits"}))["name"] == "digits"
    assert json_of(hosted.delete(path))["name"] == "digits"
    assert json_of(hosted.patch(path, json={"name": "put away"}))["lifecycle_stage"] == "deleted"
    rows = json_of(hosted.get("/audit", params={"action": "experiment.rename"}))["rows"]
    assert [(row["subject"], row["subject_name"]) for row in rows] == [(made["id"], "put away")] * 3


def test_two_that_take_one_name_at_once(hosted: httpx.Client) -> None:  # noqa: F811
    paths = [f"/experiments/{new_experiment(hosted, name)['id']}" for name in ("digits", "words", "more")]
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda path: hosted.patch(path, json={"name": "one"}), paths))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409]


def test_a_run_from_its_start_to_its_end(hosted: httpx.Client) -> None:  # noqa: F811
    experiment = new_experiment(hosted)
    body = {"experiment_id": experiment["id"], "name": "mlp", "description": "first", "tags": {"k": "v"}}
    made = json_of(hosted.post(RUN, json=body), 201)
    assert made == json_of(hosted.get(f"{RUN}/{made['run_id']}"))
    run = f"{RUN}/{made['run_id']}"
    logged = json_of(hosted.post(f"{run}/log-metrics", json={"metrics": {"loss": 0.5, "acc": 1}, "step": 3}))
    assert logged == {"message": "Metrics logged", "run_id": made["run_id"], "count": 2}
    assert (
        json_of(hosted.post(f"{run}/log-params", json={"params": {"lr": 0.1, "deep": True, "n": None}}))["count"] == 3
    )
    ended = json_of(hosted.post(f"{run}/end", params={"status": "failed"}))
    assert (ended["message"], ended["status"]) == ("Run ended", "failed") and ended["duration_seconds"] >= 0
    found = json_of(hosted.get(run))
    assert (found["status"], found["params"], found["metrics"]) == (
        "failed",
        {"lr": "0.1", "deep": "True", "n": "None"},
        {"loss": 0.5, "acc": 1},
    )
    assert found["duration_seconds"] == ended["duration_seconds"]
    assert json_of(hosted.post(f"{run}/end", params={"status": "failed"})) == ended


def test_the_same_run_id_again_is_the_same_run(hosted: httpx.Client) -> None:  # noqa: F811
    run_id = new_run(hosted, run_id="mine", name="first")
    experiment = json_of(hosted.get("/experiments"))["experiments"][0]
    again = hosted.post(RUN, json={"experiment_id": experiment["id"], "run_id": "mine", "name": "second"})
    assert json_of(again, 200) == json_of(hosted.get(f"{RUN}/{run_id}"))
    assert again.json()["name"] == "first"


def test_children_and_what_does_not_exist(hosted: httpx.Client) -> None:  # noqa: F811
    parent = new_run(hosted)
    child = new_run(hosted, parent_run_id=parent)
    assert json_of(hosted.get(f"/runs/{parent}"))["children"][0]["run_id"] == child
    experiment = json_of(hosted.get("/experiments"))["experiments"][0]
    for field, body in (
        ("experiment_id", {"experiment_id": "nobody"}),
        ("parent_run_id", {"experiment_id": experiment["id"], "parent_run_id": "nobody"}),
    ):
        problem = json_of(hosted.post(RUN, json=body), 404)
        assert problem["code"] == "not_found" and (field == "experiment_id" or problem["field"] == field)
    for path, body in (
        ("log-metrics", {"metrics": {"a": 1}}),
        ("log-params", {"params": {"a": 1}}),
        ("log-batch", {}),
    ):
        assert json_of(hosted.post(f"{RUN}/nobody/{path}", json=body), 404)["field"] == "run_id"
    assert json_of(hosted.post(f"{RUN}/nobody/end"), 404)["field"] == "run_id"
    assert json_of(hosted.post(f"{RUN}/nobody/log-artifact", files={"file": ("a", b"a")}), 404)["field"] == "run_id"


def test_a_param_is_written_once(hosted: httpx.Client) -> None:  # noqa: F811
    run = f"{RUN}/{new_run(hosted)}"
    json_of(hosted.post(f"{run}/log-params", json={"params": {"lr": 0.1}}))
    json_of(hosted.post(f"{run}/log-params", json={"params": {"lr": 0.1, "depth": 2}}))
    json_of(hosted.post(f"{run}/log-params", json={"params": {"lr": "0.1"}}))  # the same text: clients differ in types
    problem = json_of(hosted.post(f"{run}/log-params", json={"params": {"new": 1, "lr": 0.2}}), 409)
    assert problem["field"] == "params.lr"
    assert json_of(hosted.get(run))["params"] == {"lr": "0.1", "depth": "2"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"params": [{"key": "lr", "value": 0.2}]},
        {"params": [{"key": "new", "value": 1}, {"key": "new", "value": 2}]},
        {"params": [{"key": "", "value": 1}]},
        {"params": [{"key": "x", "value": "y" * (limits.PARAM_VALUE_MAX_BYTES + 1)}]},
        {"tags": [{"key": "x" * (limits.NAME_MAX_BYTES + 1), "value": "1"}]},
        {"tags": [{"key": "x", "value": "y" * (limits.TAG_VALUE_MAX_BYTES + 1)}]},
        {"metrics": [{"key": "x", "value": "big"}]},
        {"metrics": [{"key": "x", "value": 2**63 + 1}]},
        {"metrics": [{"key": "x", "value": 10**400}]},
        {"metrics": [{"key": "x", "value": None}]},
        {"metrics": [{"key": "", "value": 1}]},
        {"metrics": [{"key": "x", "value": 1, "step": "NaN"}]},
        {"metrics": [{"key": "x", "value": 1, "step": 2**63}]},
        {"metrics": [{"key": "x", "value": 1, "timestamp": -1}]},
        {"metrics": [{"value": 1}]},
    ],
)
def test_a_batch_is_kept_whole_or_not_at_all(hosted: httpx.Client, wrong: dict[str, Any]) -> None:  # noqa: F811
    run = f"{RUN}/{new_run(hosted)}"
    json_of(hosted.post(f"{run}/log-params", json={"params": {"lr": 0.1}}))
    before = json_of(hosted.get(f"/runs/{run.rpartition('/')[2]}"))
    good: dict[str, list[Any]] = {
        "metrics": [{"key": "m", "value": 1.5, "step": 1}],
        "params": [{"key": "p", "value": 1}],
        "tags": [{"key": "t", "value": "1"}],
    }
    batch = {name: [*entries, *wrong.get(name, [])] for name, entries in good.items()}
    answer = hosted.post(f"{run}/log-batch", content=_json(batch), headers={"content-type": "application/json"})
    assert answer.status_code in (400, 409), answer.text
    assert json_of(hosted.get(f"/runs/{run.rpartition('/')[2]}")) == before
    assert json_of(hosted.post(f"{run}/log-batch", json=good))["count"] == 3
    after = json_of(hosted.get(run))
    assert (after["metrics"], after["params"], after["tags"]) == ({"m": 1.5}, {"lr": "0.1", "p": "1"}, {"t": "1"})


def _json(value: Any) -> bytes:
    import json

    return json.dumps(value).encode()


def test_numbers_come_back_as_they_were(hosted: httpx.Client) -> None:  # noqa: F811
    run = f"{RUN}/{new_run(hosted)}"
    given = ["NaN", "Infinity", "-Infinity", -0.0, 5e-324, 2**53 + 1, 2**63 - 1, 0.1, 1.7976931348623157e308, 3]
    entries = [
        {"key": "odd", "value": value, "step": step, "timestamp": 1_700_000_000_000 + step}
        for step, value in enumerate(given)
    ]
    json_of(hosted.post(f"{run}/log-batch", json={"metrics": entries}))
    series = json_of(hosted.get(f"{run}/metrics/odd"))
    assert series["step"] == list(range(len(given))) and series["time_ms"][0] == 1_700_000_000_000
    assert series["value"] == given
    assert math.copysign(1, series["value"][3]) == -1


SHAPES: dict[str, list[tuple[str, float]]] = {
    "a table, row by row": [(name, step) for step in range(5) for name in "abc"],
    "a table, name by name": [(name, step) for name in "abc" for step in range(5)],
    "one name": [("a", step) for step in range(9)],
    "one step": [(name, 7) for name in "abcdef"],
    "ragged": [("a", 0), ("b", 0), ("a", 1), ("c", 1), ("a", 0), ("b", 5), ("b", 4), ("a", 0.5)],
    "the same again": [("a", 1), ("a", 1), ("b", 1), ("a", 1)],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_the_shape_of_a_batch_every_series_keeps_its_order(hosted: httpx.Client, shape: str) -> None:  # noqa: F811
    run = f"{RUN}/{new_run(hosted)}"
    points = [(name, step, number + 0.25) for number, (name, step) in enumerate(SHAPES[shape])]
    for _ in range(2):
        entries = [{"key": name, "value": value, "step": step} for name, step, value in points]
        assert json_of(hosted.post(f"{run}/log-batch", json={"metrics": entries}))["count"] == len(points)
    for name in {name for name, _, _ in points}:
        mine = [(step, value) for other, step, value in points if other == name] * 2
        series = json_of(hosted.get(f"{run}/metrics/{name}"))
        assert series["point_count"] == len(mine)
        found = list(zip(series["step"], series["value"], strict=True))
        # A chart merges what was logged again: the points are all there, those of one step in order of logging.
        assert sorted(found) == sorted(mine)
        for step in {step for step, _ in mine}:
            assert [value for at, value in found if at == step] == [value for at, value in mine if at == step]


def test_without_a_step_they_count_up(hosted: httpx.Client) -> None:  # noqa: F811
    run = f"{RUN}/{new_run(hosted)}"
    for _ in range(3):
        json_of(hosted.post(f"{run}/log-metrics", json={"metrics": {"a": 1, "b": 2}}))
    json_of(hosted.post(f"{run}/log-metrics", json={"metrics": {"a": 1}, "step": 10}))
    json_of(hosted.post(f"{run}/log-batch", json={"metrics": [{"key": "a", "value": 1}, {"key": "a", "value": 2}]}))
    assert json_of(hosted.get(f"{run}/metrics/a"))["step"] == [0, 1, 2, 10, 11, 12]
    assert json_of(hosted.get(f"{run}/metrics/b"))["step"] == [0, 1, 2]


def test_after_its_end_a_run_takes_more_and_stays_ended(hosted: httpx.Client) -> None:  # noqa: F811
    run_id = new_run(hosted)
    run = f"{RUN}/{run_id}"
    json_of(hosted.post(f"{run}/log-metrics", json={"metrics": {"loss": 1}}))
    json_of(hosted.post(f"{run}/end"))
    for value in (0.5, 0.6):
        json_of(hosted.post(f"{run}/log-metrics", json={"metrics": {"test/acc": value}}))
    detail = json_of(hosted.get(f"/runs/{run_id}"))
    assert detail["status"] == "finished" and detail["metrics"] == {"loss": 1, "test/acc": 0.6}
    assert [one["resumed"] for one in detail["attempts"]] == [False, True]


def test_a_deleted_run_is_refused_until_it_is_restored(hosted: httpx.Client) -> None:  # noqa: F811
    run_id = new_run(hosted)
    run = f"{RUN}/{run_id}"
    assert json_of(hosted.post("/runs/delete", json={"run_ids": [run_id]})) == {"count": 1}
    assert json_of(hosted.post(f"{run}/log-metrics", json={"metrics": {"a": 1}}), 409)["field"] == "run_id"
    assert json_of(hosted.patch(f"/runs/{run_id}", json={"note": "why"}))["note"] == "why"
    json_of(hosted.post("/runs/restore", json={"run_ids": [run_id]}))
    json_of(hosted.post(f"{run}/log-metrics", json={"metrics": {"a": 1}}))


def test_a_key_makes_a_repeated_request_answer_as_the_first(hosted: httpx.Client) -> None:  # noqa: F811
    experiment = new_experiment(hosted)
    key = {"Idempotency-Key": "k-1"}
    body = {"experiment_id": experiment["id"], "name": "once"}
    first = json_of(hosted.post(RUN, json=body, headers=key), 201)
    json_of(hosted.post(f"{RUN}/{first['run_id']}/end"))
    assert json_of(hosted.post(RUN, json=body, headers=key), 201) == first
    assert json_of(hosted.get(RUN))["total"] == 1
    other = hosted.post(RUN, json={**body, "name": "another"}, headers=key)
    assert json_of(other, 409)["field"] == "Idempotency-Key"
    elsewhere = {**key, "X-Tenant-ID": "acme"}
    assert json_of(hosted.post("/experiments", json={"name": "theirs"}, headers=elsewhere), 201)["name"] == "theirs"
    points = f"{RUN}/{first['run_id']}/log-metrics"
    for _ in range(3):
        json_of(hosted.post(points, json={"metrics": {"a": 1}}, headers={"Idempotency-Key": "k-2"}))
    assert json_of(hosted.get(f"{RUN}/{first['run_id']}/metrics/a"))["point_count"] == 1
    ids = {"run_ids": [first["run_id"]]}
    json_of(hosted.post("/runs/delete", json=ids, headers={"Idempotency-Key": "k-3"}))
    json_of(hosted.post("/runs/restore", json=ids))
    json_of(hosted.post("/runs/delete", json=ids, headers={"Idempotency-Key": "k-3"}))
    assert json_of(hosted.get(f"{RUN}/{first['run_id']}"))["lifecycle_stage"] == "active"
    too_long = hosted.post(points, json={"metrics": {"a": 1}}, headers={"Idempotency-Key": "x" * 256})
    assert json_of(too_long, 400)["field"] == "Idempotency-Key"


def test_a_refused_request_does_not_use_its_key_up(hosted: httpx.Client) -> None:  # noqa: F811
    run = f"{RUN}/{new_run(hosted)}"
    json_of(hosted.post(f"{run}/log-params", json={"params": {"a": 1}}))
    for _ in range(2):
        json_of(hosted.post(f"{run}/log-params", json={"params": {"a": 2}}, headers={"Idempotency-Key": "k"}), 409)


def test_tenants_are_made_by_their_first_write_and_see_only_theirs(hosted: httpx.Client) -> None:  # noqa: F811
    root = str(hosted.base_url).replace("/api/v1", "")
    acme = {"X-Tenant-ID": "acme"}
    assert json_of(hosted.get("/experiments", headers=acme))["total"] == 0
    assert json_of(hosted.post(f"{RUN}/x/end", headers=acme), 404)["code"] == "not_found"
    by_header = json_of(hosted.post("/experiments", json={"name": "digits"}, headers=acme), 201)
    body = {"experiment_id": by_header["id"]}
    run_id = json_of(hosted.post(f"{root}t/acme/api/v1{RUN}", json=body), 201)["run_id"]
    assert json_of(hosted.get("/experiments"))["total"] == 0
    other = {"X-Tenant-ID": "zeta"}
    assert json_of(hosted.post(f"{RUN}/{run_id}/log-metrics", json={"metrics": {"a": 1}}, headers=other), 404)
    # without a header a route that names a run finds it in whichever tenant holds it
    json_of(hosted.post(f"{RUN}/{run_id}/log-metrics", json={"metrics": {"a": 1}}))
    assert json_of(hosted.get(f"{RUN}/{run_id}"))["metrics"] == {"a": 1}
    assert json_of(hosted.get(f"{RUN}/{run_id}", headers={"X-Tenant-ID": "Not Usable"}), 400)["field"] == "tenant"


def test_limits_are_said(hosted: httpx.Client) -> None:  # noqa: F811
    for body, field in (
        ({"name": ""}, "name"),
        ({"name": "x" * (limits.EXPERIMENT_NAME_MAX_CHARS + 1)}, "name"),
        ({"name": "x", "description": "y" * (limits.DESCRIPTION_MAX_CHARS + 1)}, "description"),
        ({}, None),
    ):
        assert json_of(hosted.post("/experiments", json=body), 400).get("field") == field
    experiment = new_experiment(hosted)
    bad = hosted.post(RUN, json={"experiment_id": experiment["id"], "run_id": "../x"})
    assert json_of(bad, 400)["field"] == "run_id"
    run = f"{RUN}/{new_run(hosted)}"
    large = b'{"metrics": []' + b" " * limits.BATCH_BODY_MAX_BYTES + b"}"
    answer = hosted.post(f"{run}/log-batch", content=large, headers={"content-type": "application/json"})
    assert json_of(answer, 413)["code"] == "over_limit"


def test_a_range_of_steps_is_as_exact_as_the_steps(hosted: httpx.Client) -> None:  # noqa: F811
    run = f"{RUN}/{new_run(hosted)}"
    steps: list[int | float] = [2**53, 2**53 + 1, 2**53 + 2, 2**63 - 1, 0.5]
    for step in steps:
        json_of(hosted.post(f"{run}/log-metrics", json={"metrics": {"m": 1}, "step": step}))
    for low, high, found in (
        (2**53 + 1, 2**53 + 1, [2**53 + 1]),
        (2**53 + 1, None, steps[1:4]),
        (None, 2**53, [2**53, 0.5]),
        (2**63 - 1, 2**63 - 1, [2**63 - 1]),
        (2**63, 10**30, []),
        (-(10**30), 0.5, [0.5]),
        ("Infinity", None, []),
    ):
        asked = {name: value for name, value in (("from_step", low), ("to_step", high)) if value is not None}
        assert json_of(hosted.get(f"{run}/metrics/m", params=asked))["step"] == found, asked
        if low != "Infinity":
            body = {
                "run_ids": [run.rpartition("/")[2]],
                "metrics": ["m"],
                "step_min": low,
                "step_max": high,
                "max_points": 0,
            }
            series = json_of(hosted.post("/runs/series", json=body))["series"]
            assert sorted(step for one in series for step in one["step"]) == sorted(found), body


def test_a_run_has_so_many_metrics_and_no_more(
    hosted: httpx.Client,  # noqa: F811
    source: HostedSource,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lineal.ingest.desk.SERIES_PER_RUN_MAX_COUNT", 5)
    run = f"{RUN}/{new_run(hosted)}"

    def log(*names: str, status: int = 200) -> Any:
        return json_of(hosted.post(f"{run}/log-metrics", json={"metrics": dict.fromkeys(names, 1)}), status)

    log("a", "b", "c")
    log("c", "d")
    refused = log("d", "e", "f", status=400)
    assert (refused["code"], refused["field"]) == ("over_limit", "metrics") and "at most 5" in refused["detail"]
    mixed = {"metrics": [{"key": "e", "value": 1}, {"key": "f", "value": 1}], "tags": [{"key": "t", "value": "1"}]}
    json_of(hosted.post(f"{run}/log-batch", json=mixed), 400)
    assert json_of(hosted.get(run))["tags"] == {}
    log("e")
    log("a", "b", "c", "d", "e")
    log("f", status=400)
    source._writer._known.clear()  # as after a restart
    log("f", status=400)
    log("a")
    assert len(json_of(hosted.get(run))["metrics"]) == 5


def test_a_comparison_asked_for_again_under_its_key_is_the_one_that_was_made(hosted: httpx.Client) -> None:  # noqa: F811
    runs = [new_run(hosted), new_run(hosted)]
    for run, value in zip(runs, (1, 2), strict=True):
        json_of(hosted.post(f"{RUN}/{run}/log-metrics", json={"metrics": {"acc": value}}))
    body, key = {"run_ids": runs}, {"Idempotency-Key": "compared"}
    first = json_of(hosted.post(f"{RUN}/compare", json=body, headers=key))
    assert first == json_of(hosted.post(f"{RUN}/compare", json=body)) and first["comparison"]["best_run"] == runs[1]
    json_of(hosted.post(f"{RUN}/{runs[0]}/log-metrics", json={"metrics": {"acc": 3}}))
    assert json_of(hosted.post(f"{RUN}/compare", json=body, headers=key)) == first
    assert json_of(hosted.post(f"{RUN}/compare", json=body))["comparison"]["best_run"] == runs[0]
    json_of(hosted.post(f"{RUN}/compare", json={**body, "metrics": ["acc"]}, headers=key), 409)


def test_a_run_with_too_many_params_or_tags_is_refused_with_the_limit(
    hosted: httpx.Client,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("lineal.ingest.known_runs.PARAMS_PER_RUN_MAX_COUNT", 3)
    monkeypatch.setattr("lineal.ingest.known_runs.TAGS_PER_RUN_MAX_COUNT", 2)
    run_id = new_run(hosted)
    run = f"{RUN}/{run_id}"
    json_of(hosted.post(f"{run}/log-params", json={"params": {"a": 1, "b": 2}}))
    refused = json_of(hosted.post(f"{run}/log-params", json={"params": {"b": 2, "c": 3, "d": 4}}), 400)
    assert (refused["code"], refused["field"]) == ("over_limit", "params") and "at most 3 params" in refused["detail"]
    json_of(hosted.post(f"{run}/log-params", json={"params": {"a": 1, "c": 3}}))  # those it has count once
    tags = [{"key": key, "value": "x"} for key in ("k", "l", "m")]
    both = {"tags": tags, "metrics": [{"key": "loss", "value": 1}]}
    assert json_of(hosted.post(f"{run}/log-batch", json=both), 400)["field"] == "tags"
    json_of(hosted.post(f"{run}/log-batch", json={"tags": tags[:2]}))
    body = {"run_ids": [run_id], "tags": {"m": "x"}}
    assert json_of(hosted.post("/runs/tags", json=body), 400)["field"] == "tags"
    json_of(hosted.post("/runs/tags", json={"run_ids": [run_id], "tags": {"m": "x", "k": None}}))
    json_of(hosted.post("/runs/tags", json={"run_ids": [run_id], "tags": {"l": None}}))
    json_of(hosted.post("/runs/tags", json={"run_ids": [run_id], "tags": {"n": "x"}}))
    found = json_of(hosted.get(run))
    assert (found["params"], found["tags"], found["metrics"]) == (
        {"a": "1", "b": "2", "c": "3"},
        {"m": "x", "n": "x"},
        {},
    )
    made = json_of(hosted.get("/experiments"))["experiments"][0]["id"]
    many = {"experiment_id": made, "run_id": "many", "tags": {"k": "1", "l": "2", "m": "3"}}
    assert json_of(hosted.post(RUN, json=many), 400)["field"] == "tags"
    assert hosted.get(f"{RUN}/many").status_code == 404
