"""Where the public interface takes a list of names, one name is a list of one, never its letters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import lineal
from lineal import api
from lineal.model.values import texts_of


def test_one_text_is_a_list_of_one() -> None:
    assert texts_of("loss", "ignore") == ("loss",)
    assert texts_of("", "ignore") == ("",)
    for given in (["a", "b"], ("a", "b"), (one for one in "ab"), {"a": 1, "b": 2}):
        assert texts_of(given, "ignore") == ("a", "b")


@pytest.mark.parametrize("given", [b"loss", None, 3, ["a", None], [1], [b"a"], [["a"]]])
def test_what_is_no_list_of_texts_is_refused(given: Any) -> None:
    with pytest.raises(lineal.InvalidInput, match="ignore"):
        texts_of(given, "ignore")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LINEAL_URL", str(tmp_path / "notebook"))
    monkeypatch.setattr("lineal.api._open_stores", {})
    for number in (1, 2):
        with lineal.init("letters", run_id=f"run{number}", params={"lr": number}) as run:
            run.log({"loss": number, "l": 0}, step=0)
    return tmp_path / "notebook"


def test_reads_take_one_name(folder: Path) -> None:
    with lineal.open_store(folder) as store:
        assert [run.run_id for run in store.get_runs("run1")] == ["run1"]
        assert store.comparable("run1").is_fair
        assert store.locked_among("run1") == []
        assert store.runs(experiments="letters").total == 2 and store.runs(experiments="l").total == 0
        assert [len(group.run_ids) for group in store.group_runs("status", experiments="letters")] == [2]
        run = store.get_run("run1")
        assert list(run.histories("loss")) == ["loss"]
        assert set(store.compare(["run1", "run2"], metrics="loss").metrics) == {"loss"}
        compared = store.compare_dict(["run1", "run2"], metrics="loss")
        assert set(compared["comparison"]["metric_comparison"]) == {"loss"}
    assert [one.metric for one in lineal.diff("run1", "run2", metrics="loss").parts.found] == ["loss"]


def test_changes_take_one_run(folder: Path) -> None:
    api.tag_runs("run1", {"keep": "yes"})
    assert lineal.get_run("run1").tags == {"keep": "yes"}
    api.set_lock("run1", True)
    assert lineal.get_run("run1").locked
    api.set_lock("run1", False)
    api.set_lifecycle("run1", "deleted")
    assert [run.run_id for run in lineal.runs()] == ["run2"]


def test_the_tracker_takes_one_name(folder: Path) -> None:
    tracker = lineal.ExperimentTracker(str(folder))
    assert len(tracker.search_runs("letters", order_by="metrics.loss DESC")) == 2
    assert tracker.search_runs("let") == []
    compared = tracker.compare_runs(["run1", "run2"], metrics="loss")
    assert set(compared["comparison"]["metric_comparison"]) == {"loss"}
    with pytest.raises(lineal.InvalidInput, match="1 entries"):
        tracker.compare_runs("run1")
