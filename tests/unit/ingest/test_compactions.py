"""Runs that requests write to are compacted in their turn, and no request waits for it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lineal.ingest import compactions
from lineal.ingest.compactions import Compactions
from lineal.ingest.desk import Desk, Said
from lineal.ingest.group_commit import GroupCommit, Work
from lineal.ingest.rows import read_metrics
from lineal.model.limits import COMPACTION_APPENDS, COMPACTION_POINTS, FRESH_BATCHES_MAX_COUNT
from lineal.record.records import AttemptStarted
from lineal.store.contracts import Store
from lineal.store.open import open_store
from lineal.store.sql.writer import SqlWriter

DONE = Said(200, b"{}")


def turns_of(turns: Compactions, run_id: str, count: int) -> list[int]:
    """After which of so many requests it was the run's turn."""
    found = []
    for number in range(1, count + 1):
        turns.note(("t", run_id), 1)
        if turns.take() == [("t", run_id)]:
            found.append(number)
    return found


def test_each_has_its_turn_after_so_many() -> None:
    for run_id in ("a", "b", "c"):
        first, *others = turns_of(Compactions(), run_id, 5 * COMPACTION_APPENDS)
        assert 1 <= first <= COMPACTION_APPENDS
        assert others == [first + COMPACTION_APPENDS * turn for turn in range(1, 5)]


def test_runs_that_began_together_do_not_come_together() -> None:
    firsts = [turns_of(Compactions(), f"run-{number}", COMPACTION_APPENDS)[0] for number in range(500)]
    assert max(firsts.count(turn) for turn in set(firsts)) < 100


def test_they_are_taken_in_turn_and_once() -> None:
    turns = Compactions()
    for _ in range(COMPACTION_APPENDS):
        for run_id in ("a", "b"):
            turns.note(("t", run_id), COMPACTION_POINTS)
    assert turns and sorted(turns.take() + turns.take()) == [("t", "a"), ("t", "b")]
    assert turns.take() == [] and not turns


def test_short_runs_are_taken_together() -> None:
    turns = Compactions()
    points = COMPACTION_POINTS // COMPACTION_APPENDS // 2
    for _ in range(COMPACTION_APPENDS):
        for run_id in ("a", "b", "c"):
            turns.note(("t", run_id), points)
    assert [len(turns.take()), len(turns.take()), len(turns.take())] == [2, 1, 0]


def test_the_runs_counted_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compactions, "COMPACTION_RUNS_MAX_COUNT", 10)
    turns = Compactions()
    for number in range(200):
        turns.note(("t", f"run-{number}"), 1)
        turns.take()
        assert len(turns._appends) <= 10


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "lineal.db"


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    with closing(open_store(f"sqlite:///{database}")) as opened:
        yield opened


@pytest.fixture
def group(store: Store) -> Iterator[GroupCommit]:
    group = GroupCommit(store)
    yield group
    group.close()


def log(group: GroupCommit, count: int) -> None:
    def starting(desk: Desk) -> Said:
        desk.start_run("r1", AttemptStarted("a" * 15, "digits", "mlp"))
        return DONE

    def points(step: int) -> Work:
        def work(desk: Desk) -> Said:
            desk.append(desk.get_run("r1"), read_metrics(["loss"], [float(step)], [step], [step], desk.time_ms))
            return DONE

        return work

    group.submit("default", starting).result(30)
    for step in range(count):
        group.submit("default", points(step)).result(30)


def fresh_count(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute("SELECT count(*) FROM fresh").fetchone()[0])


def test_what_gathers_is_folded_and_nothing_is_lost(store: Store, group: GroupCommit, database: Path) -> None:
    count = 4 * FRESH_BATCHES_MAX_COUNT
    log(group, count)
    until = time.monotonic() + 60
    while fresh_count(database) > FRESH_BATCHES_MAX_COUNT + COMPACTION_APPENDS:
        assert time.monotonic() < until, "nothing was folded"
        time.sleep(0.01)
    [piece] = store.tenant("default").read_points("r1", "loss")
    assert piece.columns.value.tolist() == [float(step) for step in range(count)]


def test_one_that_fails_fails_no_request(
    store: Store, group: GroupCommit, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(self: SqlWriter, run_id: str) -> None:
        raise RuntimeError("a mistake of ours")

    real = SqlWriter.compact
    calls = 0

    def fail_later(self: SqlWriter, run_id: str) -> None:
        nonlocal calls
        calls += 1
        (real if calls == 1 else fail)(self, run_id)  # the first is that of the run's start

    monkeypatch.setattr(SqlWriter, "compact", fail_later)
    log(group, 3 * COMPACTION_APPENDS)
    group.close()
    assert calls > 1 and "could not be compacted" in caplog.text
    [piece] = store.tenant("default").read_points("r1", "loss")
    assert len(piece.columns.value) == 3 * COMPACTION_APPENDS
