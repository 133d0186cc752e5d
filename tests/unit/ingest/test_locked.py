"""A locked run, and what is said of it by journals, from inside and outside: counted, and nothing changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

import lineal
from lineal import api
from lineal.dashboard import LocalSource
from lineal.ingest.desk import Said
from lineal.local import LocalStore
from lineal.model.errors import Conflict, Locked
from lineal.record.records import NoteSet, RunLifecycleSet, RunLockSet, RunTagsSet
from lineal.server.source import Saying
from lineal.store.contracts import RunQuery


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "notebook"


@pytest.fixture
def run_id(folder: Path) -> str:
    with lineal.init(params={"lr": 0.1}, tags={"k": "v"}, url=folder) as run:
        run.log({"loss": 1.0})
    api.set_lock([run.run_id], True, url=folder)
    return run.run_id


def state(folder: Path, run_id: str) -> object:
    run = lineal.get_run(run_id, url=folder)
    return (
        run.locked,
        run.name,
        run.status,
        run.params,
        run.tags,
        run.note,
        run.metrics,
        [attempt.attempt_id for attempt in run.attempts],
        run.details.run.lifecycle,
        run.history("loss").value.tolist(),
    )


def test_what_a_resumed_process_logs_is_dropped_and_counted(folder: Path, run_id: str) -> None:
    before = state(folder, run_id)
    with lineal.init(run_id=run_id, resume="must", params={"lr": 0.2}, url=folder) as run:
        for step in range(5):
            run.log({"loss": 0.5, "new": 1}, step=step)
        run.set_tags({"k": "other"})
        run.set_note("text")
        run.log_text("hello", "a.txt")
    assert state(folder, run_id) == before
    losses = lineal.get_run(run_id, url=folder).losses
    assert losses == {"locked": 5 + 6}  # start, params, tags, note, artifact, end
    assert lineal.get_run(run_id, url=folder).losses == losses  # taken in once
    api.set_lock([run_id], False, url=folder)
    with lineal.init(run_id=run_id, resume="must", url=folder) as run:
        run.log({"loss": 0.25}, step=9)
    after = lineal.get_run(run_id, url=folder)
    assert after.history("loss").value.tolist() == [1.0, 0.25] and len(after.attempts) == 2 and after.losses == losses


def test_a_process_that_goes_on_after_an_unlock_is_heard_again(folder: Path, run_id: str) -> None:
    """Its layouts were kept, though their points were not."""
    run = lineal.init(run_id=run_id, resume="must", url=folder)
    run.log({"loss": 0.5}, step=1)
    assert lineal.get_run(run_id, url=folder).losses["locked"] == 2
    api.set_lock([run_id], False, url=folder)
    assert lineal.get_run(run_id, url=folder).locked is False
    run.log({"loss": 0.25}, step=2)
    run.finish()
    after = lineal.get_run(run_id, url=folder)
    assert sorted(after.history("loss").value.tolist()) == [0.25, 1.0] and set(after.losses) == {"locked"}


def test_changes_from_outside_are_refused(folder: Path, run_id: str) -> None:
    before = state(folder, run_id)
    for change in (
        lambda: api.tag_run(run_id, {"k": "x"}, url=folder),
        lambda: api.set_run_note(run_id, "x", url=folder),
        lambda: api.rename_run(run_id, "x", url=folder),
        lambda: api.delete_run(run_id, url=folder),
        lambda: api.end_run(run_id, "failed", url=folder),
    ):
        with pytest.raises(Locked):
            change()
    assert state(folder, run_id) == before and lineal.get_run(run_id, url=folder).losses == {}


def test_the_page_of_a_folder_is_refused(folder: Path, run_id: str) -> None:
    with LocalStore(folder) as local:
        source = LocalSource(local)
        for record in (NoteSet("x"), RunTagsSet(run_id, {"a": "b"}), RunLifecycleSet(run_id, "deleted")):
            about = run_id if isinstance(record, NoteSet) else None
            with pytest.raises(Locked):
                source.say("default", [Saying(about, record)], Said(200, b""))
        source.say("default", [Saying(None, RunLockSet(run_id, False))], Said(200, b""))
        source.say("default", [Saying(run_id, NoteSet("x"))], Said(200, b""))
        with source.opened() as store:
            assert store.tenant("default").get_details(run_id).note == "x"


def test_who_says_it_to_a_journal_all_the_same_is_counted(folder: Path, run_id: str) -> None:
    before = state(folder, run_id)
    api.say_outside(None, [RunTagsSet(run_id, {"k": "x"}), RunLifecycleSet(run_id, "deleted")], folder, None)
    api.say_outside(run_id, NoteSet("x"), folder, None)
    assert state(folder, run_id) == before and lineal.get_run(run_id, url=folder).losses == {"locked": 3}


def test_what_waits_beside_a_lock_was_said_before_it(folder: Path) -> None:
    """Whichever writer comes first by name: a run's own words come first, and words from outside in order of time."""
    for _ in range(8):
        with lineal.init(url=folder) as run:
            run.log({"loss": 1.0})
        api.say_outside(None, RunTagsSet(run.run_id, {"k": "v"}), folder, None)
        [segment] = [one for one in LocalStore(folder).folder.list_segments() if b"k" in Path(one.path).read_bytes()][
            :1
        ]
        os.utime(segment.path, ns=(1, 1))
        api.say_outside(None, RunLockSet(run.run_id, True), folder, None)
        found = lineal.get_run(run.run_id, url=folder)
        assert found.locked and found.tags == {"k": "v"} and found.losses == {} and found.status == "finished"


def test_a_run_that_runs_is_not_locked_and_unknown_ones_are_not_made(folder: Path) -> None:
    run = lineal.init(url=folder)
    with pytest.raises(Conflict) as refused:
        api.set_lock([run.run_id], True, url=folder)
    assert refused.value.field == "run_ids" and not isinstance(refused.value, Locked)
    run.finish()
    with pytest.raises(lineal.NotFound):
        api.set_lock(["nobody"], True, url=folder)
    with LocalStore(folder) as store:
        store.refresh()
        assert store.reader().list_runs(RunQuery(lifecycle=None)).total == 1
