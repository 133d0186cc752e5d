"""The first step at which curves part, over a store that is asked as a page asks it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import methodcaller as call

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.model.entities import SeriesKey
from lineal.store import parting
from lineal.store.memory import MemoryStore
from lineal.store.parting import Parting, Partings, find_partings
from lineal.testing.suite_base import WRITER, block_with, starting

LOSS, RANKED, COUNT = SeriesKey("loss"), SeriesKey("loss", (("rank", "0"),)), SeriesKey("count", (), "int64")
Curves = dict[SeriesKey, Sequence[float]]


def partings(*runs: Curves, names: Sequence[str] | None = None, steps: Sequence[float] | None = None) -> Partings:
    store = MemoryStore()
    ids = [f"r{number}" for number in range(len(runs))]
    with store.begin() as transaction:
        writer = transaction.tenant("default")
        for run_id, curves in zip(ids, runs, strict=True):
            starting(run_id)(writer)
            first = 1
            for key, values in curves.items():
                at = None if steps is None else steps[: len(values)]
                call("append_points", run_id, WRITER, "a1", [block_with(values, first, key, at)])(writer)
                first += len(values)
    reader = store.tenant("default")
    return find_partings(reader, ids, reader.list_summaries(ids), names)


def test_bit_by_bit() -> None:
    same = [1.0, math.nan, -0.0, math.inf, 0.1]
    found = partings({LOSS: same, COUNT: [1, 2]}, {LOSS: list(same), COUNT: [1, 3]})
    assert found.found == (
        Parting("count", (), 1, {"r0": 2, "r1": 3}),
        Parting("loss", (), None, {}),
    )
    for value in (0.0, math.nextafter(0.1, 1)):
        place = 2 if value == 0.0 else 4
        other = [*same[:place], value, *same[place + 1 :]]
        [one] = partings({LOSS: same}, {LOSS: other}).found
        assert one.step == place and repr(one.values["r1"]) == repr(value)


def test_a_curve_that_ends_earlier_parts_there_and_others_are_not_common() -> None:
    found = partings({LOSS: [1, 2, 3], RANKED: [5.0]}, {LOSS: [1, 2]}, {LOSS: [1, 2, 3], SeriesKey("acc"): [1.0]})
    assert found.found == (Parting("loss", (), 2, {"r0": 3.0, "r2": 3.0}),)


def test_the_machines_are_asked_for_by_name() -> None:
    system = SeriesKey("system/cpu_percent")
    runs: list[Curves] = [{LOSS: [1.0], system: [1.0]}, {LOSS: [2.0], system: [2.0]}]
    assert [one.metric for one in partings(*runs).found] == ["loss"]
    assert [one.metric for one in partings(*runs, names=["system/cpu_percent", "none"]).found] == ["system/cpu_percent"]


def test_steps_that_go_back_and_repeat_count_by_their_last_word() -> None:
    steps = [0, 1, 1, 0.5]
    [one] = partings({LOSS: [1.0, 9.0, 2.0, 3.0]}, {LOSS: [1.0, 8.0, 2.0, 4.0]}, steps=steps).found
    assert (one.step, one.values) == (0.5, {"r0": 3.0, "r1": 4.0})


@given(st.integers(990, 3_000), st.data())
def test_long_curves_are_read_from_their_head(count: int, data: st.DataObject) -> None:
    place = data.draw(st.one_of(st.none(), st.integers(0, count - 1)))
    values = [float(number) for number in range(count)]
    other = list(values)
    if place is not None:
        other[place] = -1.0
    [one] = partings({LOSS: values}, {LOSS: other}).found
    assert one.step == place


def test_many_small_curves_are_read_together() -> None:
    keys = [SeriesKey(f"m{number:03}") for number in range(230)]
    runs: list[Curves] = [
        {key: [1.0, float(side * (place % 3 == 0))] for place, key in enumerate(keys)} for side in range(2)
    ]
    found = partings(*runs).found
    assert [one.step for one in found] == [1 if place % 3 == 0 else None for place in range(230)]


def test_small_curves_beyond_the_room_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parting, "DIFF_POINTS_MAX_COUNT", 3)
    monkeypatch.setattr(parting, "_TOGETHER", 1)
    found = partings({LOSS: [1.0, 2.0], COUNT: [1]}, {LOSS: [1.0, 2.0], COUNT: [1]})
    assert [one.metric for one in found.found] == ["count"] and found.left_out == ("loss",)


def test_what_there_is_no_room_for_is_named_but_for_what_parts_early(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parting, "DIFF_POINTS_MAX_COUNT", 5_000)
    long = [float(number) for number in range(3_000)]
    early = [-1.0, *long[1:]]
    acc, top = SeriesKey("acc"), SeriesKey("top")
    found = partings({LOSS: long, acc: long, top: [1.0]}, {LOSS: early, acc: long, top: [1.0]})
    assert [(one.metric, one.step) for one in found.found] == [("loss", 0), ("top", None)]
    assert found.left_out == ("acc",)
