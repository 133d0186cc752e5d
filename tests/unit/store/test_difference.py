"""In what runs differ: the rule below `lineal runs diff` and the compare page."""

from __future__ import annotations

import math
from typing import Any

import pytest

from lineal.model.entities import MetricDefinition, Run, RunDetails, SeriesInfo, SeriesKey, Summary
from lineal.model.values import ParamValue
from lineal.store.difference import Difference, Row, difference


def run(run_id: str, run: dict[str, Any] | None = None, **given: Any) -> RunDetails:
    attributes: dict[str, Any] = {"name": run_id, "status": "finished", "started_ms": 0, "ended_ms": 1_000}
    parts: dict[str, Any] = {
        "params": {},
        "tags": {},
        "note": "",
        "attempts": [],
        "artifacts": [],
        "metric_definitions": {},
        "conflicts": [],
        "losses": {},
        "document_names": [],
    }
    made = Run(run_id=run_id, experiment_id="1", experiment_name="e", lifecycle="active", **attributes | (run or {}))
    return RunDetails(run=made, **parts | given)


def series(**values: float) -> list[SeriesInfo]:
    return [
        SeriesInfo(SeriesKey(name), Summary(1, 0, value, value, 0, 0, value, value, value))
        for name, value in values.items()
    ]


def row(found: Difference, section: str, name: str) -> Row:
    [one] = [one for one in found.rows if (one.section, one.name) == (section, name)]
    return one


@pytest.mark.parametrize(
    ("first", "second", "differs"),
    [
        (1, 1, False),
        (1, 1.0, True),
        (1, True, True),
        (1, "1", True),
        (None, "None", True),
        (math.nan, math.nan, False),
        (0.0, -0.0, True),
    ],
)
def test_params_differ_as_the_store_tells_them_apart(first: ParamValue, second: ParamValue, differs: bool) -> None:
    found = difference([run("a", params={"p": first}), run("b", params={"p": second})], [[], []])
    assert row(found, "param", "p").differs is differs


def test_a_run_that_lacks_a_name_differs_from_one_that_has_it() -> None:
    found = difference([run("a", params={"p": None}, tags={"t": ""}), run("b")], [[], []])
    for section, name in (("param", "p"), ("tag", "t")):
        assert row(found, section, name).differs
        assert list(row(found, section, name).values) == ["a"]


def test_the_differing_come_first_and_equal_ones_are_kept() -> None:
    found = difference(
        [run("a", params={"a": 1, "z": 1}, tags={"x": "1"}), run("b", params={"a": 1, "z": 2}, tags={"x": "1"})],
        [[], []],
    )
    assert [one.name for one in found.of("param")] == ["z", "a"]
    assert [one.name for one in found.of("param", only_differing=True)] == ["z"]
    assert found.of("tag", only_differing=True) == []
    sections = [one.section for one in found.rows]
    assert sections == sorted(sections, key=["attribute", "param", "metric", "tag"].index)


@pytest.mark.parametrize(
    ("name", "values", "best"),
    [
        ("val/loss", [0.3, 0.1, 0.2], "b"),
        ("val/acc", [0.3, 0.1, 0.2], "a"),
        ("val/acc", [0.3, 0.3, 0.2], "ab"),
        ("val/acc", [0.3, 0.3, 0.3], ""),
        ("val/acc", [math.nan, 0.1, 0.2], "c"),
        ("val/acc", [math.nan, math.nan, 0.2], ""),
        ("val/acc", [math.inf, 1.0, 2.0], "a"),
    ],
)
def test_the_best_is_marked_by_direction_where_it_beats_another(name: str, values: list[float], best: str) -> None:
    found = difference([run("a"), run("b"), run("c")], [series(**{name: value}) for value in values])
    assert row(found, "metric", name).best_run_ids == tuple(best)


def test_a_declared_direction_counts_before_the_name() -> None:
    declared = {"loss": MetricDefinition("loss", goal="max")}
    found = difference([run("a", metric_definitions=declared), run("b")], [series(loss=1.0), series(loss=2.0)])
    assert (row(found, "metric", "loss").goal, row(found, "metric", "loss").best_run_ids) == ("max", ("b",))


def test_a_metric_that_only_one_run_has_is_not_best_at_anything() -> None:
    found = difference([run("a"), run("b")], [series(loss=1.0), []])
    assert (row(found, "metric", "loss").differs, row(found, "metric", "loss").best_run_ids) == (True, ())


def test_metrics_compare_as_numbers() -> None:
    found = difference([run("a"), run("b")], [series(n=2, x=math.nan), series(n=2.0, x=math.nan)])
    assert not row(found, "metric", "n").differs and not row(found, "metric", "x").differs


def test_attributes() -> None:
    found = difference(
        [run("a", run={"status": "failed", "user_id": "me"}), run("b", run={"ended_ms": None})], [[], []]
    )
    assert row(found, "attribute", "status").values == {"a": "failed", "b": "finished"}
    assert row(found, "attribute", "duration").values == {"a": 1_000}
    assert not row(found, "attribute", "experiment").differs
    assert "description" not in {one.name for one in found.rows}
