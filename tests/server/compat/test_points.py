"""Batches of points: the quick way by columns says what the careful one says."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.server.compat.mlflow.names import check_key
from lineal.server.compat.mlflow.points import Batch, batch_of
from tests.server.compat.asking import Mlflow

KEYS = ("loss", "acc", "val/f1")
entries = st.lists(
    st.fixed_dictionaries(
        {
            "key": st.sampled_from(KEYS),
            "value": st.sampled_from((0.5, -1.0, 2.0, math.nan, math.inf)),
            "step": st.integers(-1, 2),
            "timestamp": st.integers(5, 7),
        }
    ),
    min_size=1,
    max_size=12,
)


def series_of(batch: Batch) -> dict[str, list[tuple[int, int, str]]]:
    """As it is appended: each series' points in their order."""
    found: dict[str, list[tuple[int, int, int, str]]] = {}
    for rows in batch.metrics.rows:
        for key, column in zip(rows.layout.series, rows.values, strict=True):
            columns = (rows.order.tolist(), rows.step.tolist(), rows.time_ms.tolist(), map(repr, column.tolist()))
            found.setdefault(key.name, []).extend(zip(*columns, strict=True))
    return {name: [row[1:] for row in sorted(rows)] for name, rows in found.items()}


def latest_last(row: tuple[int, int, str]) -> tuple[int, int, bool, float]:
    step, time_ms, value = row
    return step, time_ms, value != "nan", 0.0 if value == "nan" else float(value)


@pytest.fixture(autouse=True, scope="module")
def known_keys() -> None:
    for key in KEYS:
        check_key(key, "name", "Metric name")


@given(entries)
def test_every_series_is_in_the_order_that_tells_the_latest(said: list[dict[str, Any]]) -> None:
    expected: dict[str, list[tuple[int, int, str]]] = {}
    for one in said:
        expected.setdefault(one["key"], []).append((one["step"], one["timestamp"], repr(one["value"])))
    quick, careful = batch_of(said), batch_of([{**one, "step": str(one["step"])} for one in said])
    assert careful.spans is None
    for batch in (quick, careful):
        found = series_of(batch)
        assert found == {name: sorted(rows, key=latest_last) for name, rows in expected.items()}
        assert batch.metrics.point_count == len(said) == len(batch.points())


@given(entries)
def test_spans_say_when_and_what_is_last(said: list[dict[str, Any]]) -> None:
    spans = batch_of(said).spans
    if spans is None:
        return
    for name, span in spans.items():
        mine = [one for one in said if one["key"] == name]
        times = [one["timestamp"] for one in mine]
        assert (span.first_ms, span.last_ms) == (min(times), max(times))
        last = [(one["step"], one["value"]) for one in mine if one["timestamp"] == max(times)]
        assert sorted(map(repr, span.points)) == sorted(
            repr((step, "nan" if math.isnan(value) else value)) for step, value in last
        )


def test_names_side_by_side_at_many_steps_are_one_layout() -> None:
    """Ordered by their values they would be as many as there are steps, and each costs the store a block."""
    said = [
        {"key": key, "value": math.sin(step * 7 + at), "step": step, "timestamp": 1_000 + step}
        for step in range(100)
        for at, key in enumerate(KEYS)
    ]
    batch = batch_of(said)
    assert batch.spans is not None and [len(rows.step) for rows in batch.metrics.rows] == [100]
    labelled = batch_of([{**one, "model_id": "m-1"} for one in said])
    assert labelled.spans is None and [len(rows.step) for rows in labelled.metrics.rows] == [100, 100]


def test_a_batch_that_comes_again_in_part_adds_what_is_new(mlflow: Mlflow) -> None:
    run = mlflow.run()

    def batch(*steps: int) -> list[dict[str, Any]]:
        return [
            {"key": key, "value": float(step), "step": step, "timestamp": 1_000 + step // 2}
            for step in steps
            for key in KEYS
        ]

    for steps in ((0, 1, 2, 3), (0, 1, 2, 3), (3, 4, 5), (2, 6), (6, 6, 7), (7, 6)):
        mlflow.post("runs/log-batch", run_id=run, metrics=batch(*steps))
    for key in KEYS:
        assert sorted(mlflow.history(run, key)) == [(step, 1_000 + step // 2, float(step)) for step in range(8)]


def test_a_batch_that_is_refused_is_not_taken_for_said(mlflow: Mlflow) -> None:
    """A param of it is wrong: the points must not count as there when the request comes again without."""
    run = mlflow.run()
    mlflow.post("runs/log-parameter", run_id=run, key="lr", value="1")
    points = [{"key": "loss", "value": 0.5, "step": 0, "timestamp": 5}]
    wrong = {"run_id": run, "metrics": points, "params": [{"key": "lr", "value": "2"}]}
    mlflow.refused("POST", "runs/log-batch", "INVALID_PARAMETER_VALUE", "Changing param values", json=wrong)
    mlflow.post("runs/log-batch", run_id=run, metrics=points)
    assert mlflow.history(run, "loss") == [(0, 5, 0.5)]
