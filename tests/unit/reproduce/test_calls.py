"""`lineal.reproduce_run`: the plan and the verdict as values, the same as the command's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lineal
from tests.unit.reproduce.conftest import SEEDED, UNSEEDED, Recorder
from tests.unit.reproduce.test_reproduce import recorded

Reproduce = Callable[..., tuple[int, Any]]


def test_a_seeded_training_is_identical_and_says_what_the_command_says(
    recorder: Recorder, repository: Path, reproduce: Reproduce, tmp_path: Path
) -> None:
    run_id = recorded(recorder, repository, SEEDED, "7")
    made = lineal.reproduce_run(run_id, environment="current", url=recorder.folder)
    assert (made.verdict, made.of, made.folder) == ("identical", run_id, None)
    assert made.plan.can_start and made.plan.problems == ()
    assert made.run_id is not None and made.reproduction is not None
    assert lineal.get_run(made.run_id, url=recorder.folder).tags["lineal.reproduces"] == run_id
    assert not list((tmp_path / "temporary").glob("lineal-reproduce-*"))
    status, answer = reproduce(run_id)
    assert (status, answer | {"run_id": made.run_id}) == (0, made.to_dict())


def test_one_that_differs_is_kept_and_tolerances_are_by_name(
    recorder: Recorder, repository: Path, reproduce: Reproduce, tmp_path: Path
) -> None:
    run_id = recorded(recorder, repository, UNSEEDED)
    made = lineal.reproduce_run(run_id[:8], environment="current", into=tmp_path / "again", url=recorder.folder)
    assert (made.verdict, made.folder) == ("different", tmp_path / "again")
    assert (tmp_path / "again" / "tree" / "train.py").exists() and made.reproduction is not None
    assert {one.shown_name: one.verdict for one in made.reproduction.outcome.metrics}["loss"] == "different"
    made = lineal.reproduce_run(run_id, environment="current", tolerance={"lo*": 1e9}, url=recorder.folder)
    assert (made.verdict, made.folder) == ("within tolerance", None)
    assert lineal.reproduce_run(run_id, environment="current", ignore="loss").verdict == "identical"
    with pytest.raises(lineal.InvalidInput, match="ignore"):
        lineal.reproduce_run(run_id, dry_run=True, ignore=[None])  # type: ignore[list-item]


def test_nothing_is_started_where_something_is_missing_or_only_a_plan_is_asked(
    recorder: Recorder, repository: Path, reproduce: Reproduce, tmp_path: Path
) -> None:
    run_id = recorded(recorder, repository)
    planned = lineal.reproduce_run(run_id, dry_run=True, environment="current", into=tmp_path / "dry")
    assert (planned.verdict, planned.run_id, planned.reproduction) == (None, None, None)
    assert planned.plan.can_start and planned.to_dict()["verdict"] is None and not (tmp_path / "dry").exists()
    recorder.use_data(run_id, "digits", str(tmp_path / "gone.csv"), "0" * 64)
    stopped = lineal.reproduce_run(run_id, environment="current")
    assert stopped.verdict is None and [one.name for one in stopped.plan.problems] == ["digits"]
    assert len(lineal.runs(url=recorder.folder)) == 1
    assert lineal.reproduce_run(run_id, environment="current", anyway=True).verdict == "identical"


def test_options_that_cannot_be_used(
    recorder: Recorder, repository: Path, reproduce: Reproduce, tmp_path: Path
) -> None:
    run_id = recorded(recorder, repository)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").write_text("")
    wrong: tuple[dict[str, Any], ...] = (
        {"code": "old"},
        {"environment": "new"},
        {"tolerance": -1.0},
        {"tolerance": {"loss": float("nan")}},
        {"code": "current", "links": ["x"]},
        {"code": "current", "links": Path("x")},
        {"into": tmp_path / "full"},
    )
    for options in wrong:
        with pytest.raises(lineal.InvalidInput):
            lineal.reproduce_run(run_id, **options)
    with pytest.raises(lineal.NotFound):
        lineal.reproduce_run("no-such-run")
