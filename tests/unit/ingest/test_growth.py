"""A look says whether there is anything to take in, and never says no when there is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import lineal
from lineal.ingest.growth import Growth
from lineal.journal.layout import Folder
from lineal.local import LocalStore


@pytest.fixture(params=["mapped", "write"])
def store(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalStore]:
    monkeypatch.setenv("LINEAL_JOURNAL_WRITER", request.param)
    with LocalStore(tmp_path / "runs") as store:
        yield store


def test_every_record_is_growth_until_it_is_taken_in(store: LocalStore) -> None:
    folder = Folder(store.folder.root)
    growth = Growth(folder)
    assert not growth.has_grown()
    with lineal.init(url=folder.root) as run:
        for step in range(5):
            assert growth.has_grown()
            store.refresh()
            growth.settle(store.store())
            assert not growth.has_grown()
            run.log({"loss": 1.0}, step=step)
            assert growth.has_grown()
            assert growth.has_grown()  # looking takes nothing in
    store.refresh()
    growth.settle(store.store())
    assert not growth.has_grown()


def test_what_is_written_between_the_taking_in_and_the_settling_is_growth(store: LocalStore) -> None:
    growth = Growth(Folder(store.folder.root))
    with lineal.init(url=store.folder.root) as run:
        assert growth.has_grown()
        store.refresh()
        run.log({"loss": 1.0})
        growth.settle(store.store())
        assert growth.has_grown()


def test_a_writer_that_ends_or_begins_is_growth(store: LocalStore) -> None:
    growth = Growth(Folder(store.folder.root))
    run = lineal.init(url=store.folder.root)
    growth.has_grown()
    store.refresh()
    growth.settle(store.store())
    other = lineal.init(url=store.folder.root)
    assert growth.has_grown()
    store.refresh()
    growth.settle(store.store())
    run.finish()
    assert growth.has_grown()
    other.finish()


def test_damage_that_cannot_be_taken_in_is_tried_once(store: LocalStore) -> None:
    run = lineal.init(url=store.folder.root)
    run.log({"loss": 1.0})
    folder = Folder(store.folder.root)
    growth = Growth(folder)
    assert growth.has_grown()
    store.refresh()
    growth.settle(store.store())
    [segment] = folder.list_segments()
    cursor = store.reader().find_cursor(segment.writer)
    assert cursor is not None
    with open(segment.path, "r+b") as file:  # as if a write had begun and never went on
        file.seek(cursor.offset)
        file.write(b"\x40")
    assert growth.has_grown()
    store.refresh()
    growth.settle(store.store())
    assert not growth.has_grown()
    run.finish()


@pytest.mark.parametrize("size", [100, 50_000])
def test_a_frame_seen_half_written_is_taken_in_when_it_is_whole(store: LocalStore, size: int) -> None:
    with lineal.init(url=store.folder.root) as run:
        store.refresh()
        [segment] = store.folder.list_segments()
        run.set_note("x" * size)
        data = Path(segment.path).read_bytes()
        end = len(data.rstrip(b"\0"))
        with open(segment.path, "r+b") as file:
            file.seek(end - 20)
            file.write(bytes(20))
        assert not store.get_run(run.run_id).details.note
        with open(segment.path, "r+b") as file:
            file.seek(end - 20)
            file.write(data[end - 20 : end])
        assert store.get_run(run.run_id).details.note == "x" * size


def test_what_follows_damage_of_a_living_writer_is_taken_in(store: LocalStore) -> None:
    with lineal.init(url=store.folder.root) as run:
        run.log({"loss": 1.0}, step=1)
        store.refresh()
        [segment] = store.folder.list_segments()
        cursor = store.reader().find_cursor(segment.writer)
        assert cursor is not None
        run.log({"loss": 2.0}, step=2)
        with open(segment.path, "r+b") as file:
            file.seek(cursor.offset + 30)
            file.write(b"\xee")
        assert store.get_run(run.run_id).metrics == {"loss": 1.0}
        run.log({"loss": 3.0}, step=3)
        assert store.get_run(run.run_id).metrics == {"loss": 3.0}


def test_a_journal_that_cannot_be_applied_is_tried_once(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with lineal.init(url=store.folder.root) as run:
        run.log({"loss": 1.0})
        store.refresh()
        bad = Path(store.folder.segment("f" * 15, 1))
        [segment] = store.folder.list_segments()
        data = bytearray(Path(segment.path).read_bytes())
        data[4:6] = (77).to_bytes(2, "little")
        bad.write_bytes(data)
        assert store.refresh().problems
        monkeypatch.setattr(LocalStore, "_take_in", None)
        assert store.get_run(run.run_id).metrics == {"loss": 1.0}
        monkeypatch.undo()
        run.log({"loss": 2.0})
        assert store.get_run(run.run_id).metrics == {"loss": 2.0}


def test_another_database_has_nothing_yet(store: LocalStore) -> None:
    growth = Growth(Folder(store.folder.root))
    with lineal.init(url=store.folder.root):
        growth.has_grown()
        store.refresh()
        growth.settle(store.store())
        growth.forget()
        assert growth.has_grown()


def test_asking_again_begins_no_transaction(store: LocalStore, monkeypatch: pytest.MonkeyPatch) -> None:
    with lineal.init(url=store.folder.root) as run:
        run.log({"loss": 1.0})
        assert len(store.runs()) == 1
        monkeypatch.setattr(LocalStore, "_take_in", None)
        assert store.get_run(run.run_id).metrics == {"loss": 1.0}
        monkeypatch.undo()
        run.log({"loss": 2.0})
        assert store.get_run(run.run_id).metrics == {"loss": 2.0}


def test_a_database_that_was_deleted_is_made_again_from_the_journals(store: LocalStore) -> None:
    with lineal.init(url=store.folder.root) as run:
        run.log({"loss": 1.0})
        assert len(store.runs()) == 1
        for path in Path(store.folder.root).glob("lineal.db*"):
            path.unlink()
        assert store.get_run(run.run_id).metrics == {"loss": 1.0}
