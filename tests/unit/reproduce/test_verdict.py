"""Two runs compared bit for bit, step by step."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

import lineal
from lineal.api import say_outside
from lineal.model.errors import InvalidInput
from lineal.record.records import CaptureSet
from lineal.reproduce.tolerance import Tolerance, is_seed, parse_tolerances, seed_spreads, tolerance_of
from lineal.reproduce.verdict import Outcome, judge


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "notebook"


def logged(folder: Path, rows: Sequence[tuple[float, Mapping[str, Any]]], status: str = "finished", **init: Any) -> str:
    run = lineal.init(url=folder, **init)
    for step, metrics in rows:
        run.log(metrics, step=step)
    run.finish(status)  # type: ignore[arg-type]
    return run.run_id


def compared(folder: Path, then: str, now: str, **options: Any) -> Outcome:
    first, second = (lineal.get_run(run_id, url=folder) for run_id in (then, now))
    return judge(first, second, **options)


def curve(values: Sequence[Any], name: str = "loss") -> list[tuple[float, dict[str, Any]]]:
    return [(step, {name: value}) for step, value in enumerate(values)]


def test_the_same_is_identical_whatever_the_clock_says(folder: Path) -> None:
    values = [0.1, math.nan, math.inf, -0.0, 5e-324, 2**53 + 1]
    then, now = (logged(folder, [*curve(values), (9, {"count": 3})]) for _ in range(2))
    outcome = compared(folder, then, now)
    assert outcome.verdict == "identical" and "7 points" in outcome.reason
    assert {item.verdict for item in outcome.metrics} == {"identical"}


@pytest.mark.parametrize(
    ("then", "now", "step", "was", "became"),
    [
        ([1.0, 2.0, 3.0], [1.0, math.nextafter(2.0, 3), 3.0], 1, 2.0, math.nextafter(2.0, 3)),
        ([1.0, 0.0], [1.0, -0.0], 1, 0.0, -0.0),
        ([1.0, 2.0], [1.0, 2.0, 3.0], 2, None, 3.0),
        ([1.0, 2.0], [1.0], 1, 2.0, None),
        ([2**60], [2**60 + 1], 0, 2**60, 2**60 + 1),
    ],
    ids=["last-bit", "sign-of-zero", "longer", "shorter", "large-int"],
)
def test_the_first_step_at_which_they_part(
    folder: Path, then: list[Any], now: list[Any], step: int, was: Any, became: Any
) -> None:
    outcome = compared(folder, logged(folder, curve(then)), logged(folder, curve(now)))
    (item,) = outcome.metrics
    assert (outcome.verdict, item.verdict, item.first_step) == ("different", "different", step)
    assert repr((item.original, item.reproduced)) == repr((was, became))
    assert f"at step {step}" in outcome.reason


def test_nan_against_a_number_and_steps_that_moved(folder: Path) -> None:
    then = logged(folder, [(0, {"loss": math.nan}), (10, {"acc": 1.0})])
    now = logged(folder, [(0, {"loss": 1.0}), (7, {"acc": 1.0})])
    found = {item.name: item for item in compared(folder, then, now, tolerances=[Tolerance("*", 1.0)]).metrics}
    assert found["loss"].verdict == "different" and found["loss"].first_step == 0
    assert (found["acc"].first_step, found["acc"].original, found["acc"].reproduced) == (7, None, 1.0)


def test_threads_log_steps_in_any_order(folder: Path) -> None:
    rows = curve([3.0, 2.0, 1.0])
    assert compared(folder, logged(folder, rows), logged(folder, rows[::-1])).verdict == "identical"


def test_a_metric_that_only_one_has(folder: Path) -> None:
    then = logged(folder, [(4, {"a": 1.0, "b": 1.0})])
    now = logged(folder, [(4, {"a": 1.0, "c": 1.0})])
    found = {item.name: (item.verdict, item.first_step, item.why) for item in compared(folder, then, now).metrics}
    assert found["b"] == ("different", 4, "the new run lacks it")
    assert found["c"] == ("different", 4, "only the new run has it")


def test_what_the_machine_says_is_not_compared(folder: Path) -> None:
    then = logged(folder, [(0, {"a": 1.0, "system/cpu": 1.0, "time/step": 0.1, "time/all": 1.0})])
    now = logged(folder, [(0, {"a": 1.0, "time/step": 0.2, "time/all": 2.0})])
    assert compared(folder, then, now).verdict == "different"
    assert compared(folder, then, now, ignored=["time/*"]).verdict == "identical"


def test_ends(folder: Path) -> None:
    whole = logged(folder, curve([1.0, 2.0, 3.0]))
    failed = logged(folder, curve([1.0, 2.0]), "failed")
    killed = logged(folder, curve([1.0, 2.0]), "killed")
    assert compared(folder, whole, failed).verdict == "failed"
    assert compared(folder, failed, failed).verdict == "identical"
    assert compared(folder, killed, whole).verdict == "identical"
    assert compared(folder, whole, killed).verdict == "failed"
    nothing = logged(folder, [])
    assert "no metric" in compared(folder, nothing, nothing).reason


def test_tolerances(folder: Path) -> None:
    then = logged(folder, [(0, {"a": 1.0, "b": 1.0}), (1, {"a": 100.0, "b": 1.0})])
    now = logged(folder, [(0, {"a": 1.001, "b": 1.0}), (1, {"a": 100.5, "b": 1.0})])

    def verdict(*texts: str) -> str:
        return compared(folder, then, now, tolerances=parse_tolerances(texts)).verdict

    assert verdict("0.01") == verdict("a=0.005") == verdict("1e-9", "a=0.01") == "within tolerance"
    assert verdict("0.001") == verdict("b=1") == verdict("1", "a=1e-9") == "different"
    item = compared(folder, then, now, tolerances=parse_tolerances(["0.01"])).metrics[0]
    assert item.first_step == 0 and item.largest == pytest.approx(0.5 / 100.5) and item.why == "tolerance 0.01"


def test_reading_tolerances() -> None:
    assert parse_tolerances(["1e-6", "a=b=0.5"]) == [Tolerance("*", 1e-6), Tolerance("a=b", 0.5)]
    assert tolerance_of("val/loss", parse_tolerances(["1", "val/*=2", "x=3"])) == 2
    assert tolerance_of("a[1]", parse_tolerances(["a[1]=2"])) == 2
    assert tolerance_of("other", parse_tolerances(["a=1"])) is None
    for text in ("", "x", "a=", "=1", "-1", "nan", "a=inf"):
        with pytest.raises(InvalidInput):
            parse_tolerances([text])


def seeded(
    folder: Path, values: Sequence[Any], seed: int, code: str | None = "c1", data: str = "d1", **init: Any
) -> str:
    """A finished run of that code on that data."""
    run = lineal.init(url=folder, experiment="e", params={"seed": seed, "lr": init.pop("lr", 1)}, **init)
    run.log_dataset("train", digest=data * 32, source="s3://x")
    for step, value in enumerate(values):
        run.log({"loss": value}, step=step)
    attempt = lineal.get_run(run.run_id, url=folder).attempts[-1].attempt_id
    run.finish()
    if code is not None:
        say_outside(run.run_id, CaptureSet(attempt, "code", {"kind": "git", "digest": code}), str(folder), None)
    return run.run_id


def test_the_spread_of_seeds(folder: Path) -> None:
    for seed, last in enumerate([1.0, 1.1, 0.9, 1.05]):
        run_id = seeded(folder, [5.0, 7.0 + seed, last], seed)
        other = seeded(folder, [5.0, 7.0, 50.0 * seed], seed, lr=2)
    for changed in ({"code": "c2"}, {"data": "d2"}, {"code": None}, {"tags": {"lineal.reproduces": run_id}}):
        seeded(folder, [9.0, 9.0, 9.0], 9, **changed)
    with lineal.open_store(folder) as store:
        spreads = seed_spreads(store, store.get_run(run_id))
        spread = spreads.of("loss")
        assert spread is not None and spread.count == 4 and spread.allowed[2] == pytest.approx(3 * 0.0853913)
        assert set(spread.allowed) == {1, 2}  # all began at 5.0
        assert spreads.of("loss", (("rank", "1"),)) is None and spreads.of("absent") is None

        def verdict(*values: float) -> str:
            return compared(folder, run_id, logged(folder, curve(values)), spreads=spreads).verdict

        within = compared(folder, run_id, logged(folder, curve([5.0, 8.0, 1.2])), spreads=spreads)
        assert within.verdict == "within tolerance" and "4 seeds" in within.metrics[0].why
        assert within.metrics[0].first_step == 1
        assert verdict(5.0, 8.0, 1.5) == "different"  # the last value is far
        assert verdict(5.0, -1e9, 1.05) == "different"  # only the last value is right
        assert verdict(5.1, 10.0, 1.05) == "different"  # no seed ever moved that one
        assert verdict(1.05) == verdict(5.0, 10.0) == verdict(5.0, 8.0, 1.2, 1.2) == "different"
        for seed in range(3):
            unknown = seeded(folder, [1.0 * seed], seed, code=None, lr=3)
        assert seed_spreads(store, store.get_run(unknown)).of("loss") is None
        of_other = seed_spreads(store, store.get_run(other)).of("loss")
        assert of_other is not None and of_other.count == 4 and set(of_other.allowed) == {2}


def said_by_diff(folder: Path, then: str, now: str) -> tuple[str, list[float | int | None]]:
    """What `lineal runs diff` says of two runs, in the words of a verdict; and where their curves part."""
    parts = lineal.diff(then, now, url=folder).parts.found
    steps: list[float | int | None] = [one.step for one in parts if one.step is not None]
    return "different" if steps else "identical", steps


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        ([(0, 2**53 + 1)], [(0, float(2**53))], "different"),
        ([(0, 1)], [(0, 1.0)], "different"),
        ([(0, math.nan)], [(0, -math.nan)], "identical"),
        ([(0, 1.0), (0, 2.0)], [(0, 2.0)], "identical"),
        ([(0, 1.0), (0, 2.0)], [(0, 2.0), (0, 1.0)], "different"),
        ([(0, 1.0), (1, 1.0)], [(0.0, 1.0), (1.0, 1.0)], "identical"),
        ([(math.nan, 1.0), (1, 2.0)], [(math.nan, 1.0), (1, 2.0)], "identical"),
    ],
    ids=["int-that-rounds", "int-and-float", "nan", "again", "order-within-a-step", "type-of-step", "step-nan"],
)
def test_a_verdict_says_what_a_diff_says(
    folder: Path, then: list[tuple[float, Any]], now: list[tuple[float, Any]], expected: str
) -> None:
    ids = [logged(folder, [(step, {"a": value}) for step, value in rows]) for rows in (then, now)]
    outcome = compared(folder, *ids)
    assert outcome.verdict == expected
    assert said_by_diff(folder, *ids) == (
        expected,
        [item.first_step for item in outcome.metrics if item.first_step is not None],
    )


def test_a_step_that_is_no_number_counts(folder: Path) -> None:
    then, now, less = (
        logged(folder, [(1, {"a": 2.0}), *more]) for more in ([(math.nan, {"a": 1.0})], [(math.nan, {"a": 3.0})], [])
    )
    assert compared(folder, then, now).verdict == compared(folder, then, less).verdict == "different"


def test_a_tolerance_of_nothing_lets_nothing_else_pass(folder: Path) -> None:
    def verdict(value: Any, other: Any) -> str:
        ids = (logged(folder, curve([one])) for one in (value, other))
        return compared(folder, *ids, tolerances=parse_tolerances(["0"])).verdict

    assert verdict(2**53 + 1, 2**53) == verdict(2**53 + 1, float(2**53)) == verdict(1.0, math.nan) == "different"
    assert verdict(1, 1.0) == verdict(0.0, -0.0) == "within tolerance"
    longer = logged(folder, curve([1.0, 1.0])), logged(folder, curve([1.0]))
    assert compared(folder, *longer, tolerances=parse_tolerances(["1"])).verdict == "different"


def test_what_a_killed_run_did_not_come_to_is_not_held_against_the_new_one(folder: Path) -> None:
    killed = logged(folder, [(0, {"loss": 1.0}), (2, {"loss": 3.0})], "killed")
    more = logged(folder, [(0, {"loss": 1.0}), (2, {"loss": 3.0}), (2, {"loss": 4.0, "val": 1.0}), (3, {"loss": 5.0})])
    between = logged(folder, [(0, {"loss": 1.0}), (1, {"loss": 2.0}), (2, {"loss": 3.0})])
    outcome = compared(folder, killed, more)
    assert outcome.verdict == "identical" and [item.name for item in outcome.metrics] == ["loss"]
    parted = compared(folder, killed, between)
    assert parted.verdict == "different" and parted.metrics[0].first_step == 1
    without = logged(folder, [(0, {"val": 1.0})])
    assert compared(folder, killed, without).verdict == "different"


def test_names_of_seeds() -> None:
    assert all(map(is_seed, ["seed", "data/random_state", "np_seed", "Seed"]))
    assert not any(map(is_seed, ["lr", "seed/lr", "state"]))


def test_labels_are_series_of_their_own(folder: Path) -> None:
    runs = []
    for value in (1.0, 2.0):
        with lineal.init(url=folder) as run:
            run.log({"loss": 1.0}, step=0)
            with lineal.init(url=folder, run_id=run.run_id, rank=1) as rank:
                rank.log({"loss": value}, step=3)
        runs.append(run.run_id)
    outcome = compared(folder, *runs)
    assert {item.shown_name: item.verdict for item in outcome.metrics} == {
        "loss": "identical",
        "loss{rank=1}": "different",
    }
