"""Curves, as JSON and as bytes."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import lineal
from lineal.model.limits import SERIES_ANSWER_MAX_ROWS
from tests.server.conftest import json_of

SERIES = "/api/v1/runs/series"
RAW = {"accept": "application/vnd.lineal.series"}


def unpacked(content: bytes) -> list[tuple[dict[str, Any], dict[str, np.ndarray]]]:
    """By the contract's words alone."""
    assert content[:4] == b"LNS1"
    length = int.from_bytes(content[4:8], "little")
    start = 8 + length
    assert start % 8 == 0
    found = []
    for one in json.loads(content[8:start])["series"]:
        columns = {}
        for column in one.pop("columns"):
            assert column["offset"] % 8 == 0
            kind = {"f8": "<f8", "u4": "<u4", "i4": "<i4"}[column["dtype"]]
            columns[column["name"]] = np.frombuffer(content, kind, one["row_count"], start + column["offset"])
        found.append((one, columns))
    return found


def ask(client: httpx.Client, **body: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json_of(client.post(SERIES, json=body))["series"]
    return found


def test_both_forms_say_the_same(client: httpx.Client, folder: Path, runs: list[str]) -> None:
    with lineal.init(name="odd", url=folder) as run:
        for step, value in enumerate((1, math.nan, math.inf, -math.inf, 0.1)):
            run.log({"train/loss": value}, step=step / 2)
    for max_points in (0, 7, 500, 5_000):
        body = {"run_ids": [*runs, run.run_id], "metrics": ["train/loss", "epoch", "none"], "max_points": max_points}
        said = ask(client, **body)
        raw = client.post(SERIES, json=body, headers=RAW)
        assert raw.headers["content-type"] == RAW["accept"]
        assert len(said) == len(unpacked(raw.content)) == 9
        for one, (head, columns) in zip(said, unpacked(raw.content), strict=True):
            assert {name: one[name] for name in head} == head
            for name, values in columns.items():
                np.testing.assert_array_equal(np.array(one[name], dtype=float), values.astype(float))
            assert {name for name in one if isinstance(one[name], list)} - {"attempts"} == set(columns)


def test_points_that_fit_are_exact_and_others_are_summed_up(client: httpx.Client, runs: list[str]) -> None:
    [exact] = ask(client, run_ids=runs[:1], metrics=["train/loss"], max_points=1_200)
    assert exact["exact"] and exact["row_count"] == exact["point_count"] == 1_200
    assert exact["value"][:2] == [1.0, 0.5] and exact["step"][-1] == 1_199
    [summed] = ask(client, run_ids=runs[:1], metrics=["train/loss"], max_points=100)
    assert not summed["exact"] and summed["row_count"] <= 100
    assert sum(summed["count"]) == summed["point_count"] == 1_200
    assert max(summed["max"]) == 1.0 and min(summed["min"]) == 1 / 1_200
    [ints] = ask(client, run_ids=runs[:1], metrics=["epoch"], max_points=0)
    assert ints["value_type"] == "int64" and ints["value"][-1] == 11


def test_a_range_of_steps(client: httpx.Client, runs: list[str]) -> None:
    [part] = ask(client, run_ids=runs[:1], metrics=["train/loss"], max_points=0, step_min=10, step_max=19.5)
    assert part["step"] == list(range(10, 20))


def test_runs_without_the_metric_are_absent(client: httpx.Client, folder: Path, runs: list[str]) -> None:
    with lineal.init(url=folder) as bare:
        pass
    found = ask(client, run_ids=[bare.run_id, *runs[:2]], metrics=["train/loss"])
    assert [one["run_id"] for one in found] == runs[:2]


def test_labelled_series_are_asked_for_by_their_labels(client: httpx.Client, folder: Path) -> None:
    with lineal.init(url=folder, run_id="both", rank=0) as run:
        run.log({"loss": 1.0}, step=0)
    with lineal.init(url=folder, run_id="both", rank=1, resume="allow") as rank:
        rank.log({"loss": 2.0}, step=0)
    [one] = ask(client, run_ids=["both"], series=[{"name": "loss", "labels": {"rank": "1"}}])
    assert one["labels"] == {"rank": "1"} and one["value"] == [2.0]
    every = ask(client, run_ids=["both"], metrics=["loss"])
    assert [(one["labels"], one["value"]) for one in every] == [({}, [1.0]), ({"rank": "1"}, [2.0])]


def test_a_later_attempt_replaces_what_it_repeats_and_history_keeps_it(client: httpx.Client, folder: Path) -> None:
    with lineal.init(url=folder, run_id="resumed") as run:
        for step in range(6):
            run.log({"loss": 1.0}, step=step)
    with lineal.init(url=folder, run_id="resumed", resume="allow") as run:
        for step in range(3, 8):
            run.log({"loss": 2.0}, step=step)
    [one] = ask(client, run_ids=["resumed"], metrics=["loss"])
    assert one["step"] == [*range(8)] and one["value"] == [1.0] * 3 + [2.0] * 5 and len(one["attempts"]) == 2
    every = json_of(client.get("/api/v1/experiments/runs/resumed/metrics/loss"))
    assert every["step"] == [*range(6), *range(3, 8)]


def test_a_fork_begins_with_what_it_was_forked_from(client: httpx.Client, folder: Path) -> None:
    with lineal.init(url=folder, run_id="trunk") as run:
        for step in range(6):
            run.log({"loss": 1.0}, step=step)
    with lineal.init(url=folder, run_id="branch", fork_from="trunk@2") as run:
        run.log({"loss": 5.0}, step=3)
    [trunk, branch] = ask(client, run_ids=["trunk", "branch"], metrics=["loss"])
    assert trunk["step"] == [*range(6)]
    assert (branch["step"], branch["value"]) == ([0, 1, 2, 3], [1.0, 1.0, 1.0, 5.0])
    for max_points in (2, 500):
        [_, drawn] = ask(client, run_ids=["trunk", "branch"], metrics=["loss"], max_points=max_points)
        assert drawn["point_count"] == 4


def test_one_series_by_its_own_address(client: httpx.Client, runs: list[str]) -> None:
    path = f"/api/v1/experiments/runs/{runs[0]}/metrics"
    whole = json_of(client.get(f"{path}/train/loss"))
    assert whole["exact"] and whole["point_count"] == 1_200
    assert json_of(client.get(f"{path}/train%2Floss?from_step=5&to_step=6"))["value"] == [1 / 6, 1 / 7]
    assert json_of(client.get(f"{path}/train/loss?max_points=10"))["row_count"] == 10
    assert json_of(client.get(f"{path}/train/loss?from_step=99999"))["row_count"] == 0
    assert json_of(client.get(f"{path}/none"), 404)["field"] == "name"
    assert json_of(client.get(f"{path}/train/loss?max_points=0"), 400)["field"] == "max_points"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"run_ids": [], "metrics": ["a"]}, "run_ids"),
        ({"run_ids": ["x"] * 501, "metrics": ["a"]}, "run_ids"),
        ({"run_ids": ["x"], "metrics": ["a"] * 501}, "metrics"),
        ({"run_ids": ["x"]}, "metrics"),
        ({"run_ids": ["x"], "metrics": ["a"], "max_points": 20_001}, "max_points"),
        ({"run_ids": ["x"], "metrics": ["a"], "step_min": "NaN?"}, "step_min"),
    ],
)
def test_what_is_too_much_or_nothing(client: httpx.Client, body: dict[str, Any], field: str) -> None:
    assert json_of(client.post(SERIES, json=body), 400)["field"] == field


def test_an_answer_is_bounded_before_it_is_read(
    client: httpx.Client, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineal.server.routes.series.SERIES_ANSWER_MAX_ROWS", 4_799)
    monkeypatch.setattr("lineal.server.routes.series.read_curves", None)
    problem = json_of(client.post(SERIES, json={"run_ids": runs, "metrics": ["epoch"], "max_points": 0}), 400)
    assert problem["code"] == "over_limit" and "4,800" in problem["detail"]
    body = {"run_ids": runs, "metrics": ["epoch"], "max_points": 1_200}
    assert json_of(client.post(SERIES, json=body), 400)["code"] == "over_limit"
    assert SERIES_ANSWER_MAX_ROWS > 1_000_000
