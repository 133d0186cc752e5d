"""What a store's writing connection remembers between transactions: it saves questions, and is never believed too long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from operator import methodcaller as call
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from lineal.model.entities import Attempt, Cursor, Layout, SeriesKey
from lineal.model.errors import InvalidInput
from lineal.query.parser import parse
from lineal.store.contracts import RunQuery, RunStart, Store
from lineal.store.open import open_store, sqlite_url
from lineal.store.sql import kept
from lineal.store.sql.postgres.connection import PostgresConnection
from lineal.store.sql.postgres.dialect import in_statements
from lineal.store.sql.store import SqlStore
from lineal.testing.suite_base import WRITER, Said, at, block_of, block_with, starting
from tests.stores.telling import tell

ANOTHER = "v" * 15


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return sqlite_url(tmp_path / "lineal.db")


def row(run_id: str, seq: int, writer: str = WRITER, attempt: str = "a1") -> list[Said]:
    """One more row of a run, as requests log them."""
    return [
        call("append_points", run_id, writer, attempt, [block_with([float(seq)], seq, step=[seq])]),
        call("set_cursor", Cursor(writer, run_id, seq, 0, 0)),
    ]


def values(store: Store, run_id: str) -> list[float]:
    pieces = store.tenant("default").read_points(run_id, "loss")
    return np.concatenate([piece.columns.value for piece in pieces]).tolist() if pieces else []


@contextmanager
def said_to(store: Store) -> Iterator[list[str]]:
    """The statements of the writing connection."""
    assert isinstance(store, SqlStore) and store._writer is not None
    real: Any = store._writer
    said: list[str] = []

    class Listening:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def execute(self, sql: str, *more: Any) -> Any:
            said.append(sql)
            return real.execute(sql, *more)

        def executemany(self, sql: str, rows: Any) -> Any:
            found = list(rows)
            said.extend([sql] if found else [])
            return real.executemany(sql, found)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "_writer", Listening())
        patch.setattr(store._names, "_connection", store._writer)
        patch.setattr(store._database, "begin", lambda connection: connection.execute("BEGIN IMMEDIATE") and connection)
        patch.setattr(type(store._database), "enter", lambda self, connection, tenant: real.enter(tenant))
        patch.setattr(type(store._database), "pipelined", lambda self, connection: closing(Open()))
        yield said


class Open:
    def close(self) -> None:
        pass


@pytest.mark.parametrize("count", [1, 50])
def test_more_rows_of_known_runs_ask_nothing_and_are_written_together(url: str, count: int) -> None:
    runs = [f"r{number}" for number in range(count)]
    with closing(open_store(url)) as store:
        tell(store, *(starting(run_id) for run_id in runs))
        writers = {run_id: f"w{number:014}" for number, run_id in enumerate(runs)}
        for seq in (1, 2, 3):
            tell(store, *(one for run_id in runs for one in row(run_id, seq, writers[run_id])))
        with said_to(store) as said:
            tell(store, *(one for run_id in runs for one in row(run_id, 4, writers[run_id])))
        assert [sql for sql in said if sql.startswith("SELECT")] == [
            "SELECT version, change_number, last_ms, last_run FROM lineal_schema"
        ]
        assert len(said) == 7  # that, BEGIN, COMMIT, points, runs, cursors, the change number
        assert {run_id: values(store, run_id) for run_id in runs} == {run_id: [1.0, 2.0, 3.0, 4.0] for run_id in runs}


def test_what_others_wrote_is_seen(url: str) -> None:
    """Two processes take turns at one run: points, ends, late attempts and cursors of both count."""
    with closing(open_store(url)) as one, closing(open_store(url)) as two:
        tell(one, starting("r1"), *row("r1", 1))
        for turn in range(1, 5):
            tell(two, *row("r1", 2 * turn))
            tell(one, *row("r1", 2 * turn + 1))
        tell(two, call("end_attempt", "r1", "a1", "finished", None, at(2_000, 50)), call("compact", "r1"))
        tell(one, *row("r1", 10))
        assert one.tenant("default").get_run("r1").status == "finished"
        tell(two, call("start_attempt", "r1", Attempt("a2", 3_000), RunStart("digits"), at(3_000, 51)))
        tell(one, *row("r1", 11, ANOTHER, "a2"))
        for store in (one, two):
            reader = store.tenant("default")
            assert reader.get_run("r1").status == "running"
            assert sorted(values(store, "r1")) == [float(seq) for seq in range(1, 12)]
            assert [reader.find_cursor(name) for name in (WRITER, ANOTHER)] == [
                Cursor(WRITER, "r1", 10, 0, 0),
                Cursor(ANOTHER, "r1", 11, 0, 0),
            ]
            [page] = [reader.list_runs(RunQuery())]
            assert page.total == 1


def test_nothing_is_kept_of_what_was_undone(url: str) -> None:
    with closing(open_store(url)) as store:
        tell(store, starting("r1"), *row("r1", 1))
        with pytest.raises(InvalidInput), store.begin() as transaction:
            writer = transaction.tenant("default")
            told: list[Said] = [
                *row("r1", 9),
                call("end_attempt", "r1", "a1", "failed", None, at(2_000, 50)),
                starting("r2"),
            ]
            for said in told:
                said(writer)
            raise InvalidInput("no")
        tell(store, *row("r1", 2))  # behind 9 they would be late, and rewrite everything
        reader = store.tenant("default")
        assert reader.get_run("r1").status == "running" and reader.list_runs(RunQuery()).total == 1
        assert values(store, "r1") == [1.0, 2.0] and reader.find_cursor(WRITER) == Cursor(WRITER, "r1", 2, 0, 0)


def test_rows_that_come_late_find_their_place_in_a_known_run(url: str) -> None:
    with closing(open_store(url)) as store:
        tell(store, starting("r1"), *row("r1", 1))
        for seq in (2, 7, 4, 8):
            tell(store, *row("r1", seq), call("compact", "r1"))
        assert values(store, "r1") == [1.0, 2.0, 4.0, 7.0, 8.0]
        [info] = store.tenant("default").list_series("r1")
        assert info.summary.last == 8.0 and info.summary.count == 5


def test_what_is_kept_is_bounded(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "RUNS_KNOWN_MAX_COUNT", 3)
    with closing(open_store(url)) as store:
        for number in range(10):
            tell(store, starting(f"r{number}"), *row(f"r{number}", 1, f"w{number:014}"))
        assert isinstance(store, SqlStore)
        assert [run_id for _, run_id in store._kept._runs] == ["r7", "r8", "r9"]
        assert len(store._kept._cursors) == 3
        error = "x" * 65_536
        tell(store, call("end_attempt", "r9", "a1", "failed", error, at(2_000, 50)))
        assert "r9" not in [run_id for _, run_id in store._kept._runs], "a long traceback is not held in memory"


# -- statements of PostgreSQL --------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 64, 137])
def test_rows_are_inserted_by_few_statements(count: int) -> None:
    rows = [(number, str(number)) for number in range(count)]
    said = list(in_statements("INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT (a) DO UPDATE SET b = excluded.b", rows))
    assert [value for _, values in said for value in values] == [value for row in rows for value in row]
    for statement, together in said:
        assert statement.count("$") == len(together) and f"${len(together)}" in statement
        assert statement.endswith(" ON CONFLICT (a) DO UPDATE SET b = excluded.b")
    assert len(said) <= count / 64 + count % 64 / 8 + 8
    assert [sql for sql, _ in in_statements("DELETE FROM t WHERE a = ?", [(1,), (2,)])] == [
        "DELETE FROM t WHERE a = $1"
    ] * 2


@pytest.fixture
def connection(postgres: Any) -> Iterator[PostgresConnection]:
    with closing(PostgresConnection(postgres.address)) as opened:
        opened.execute("BEGIN")
        opened.execute("ROLLBACK")
        opened.execute("CREATE TEMPORARY TABLE t (a int8 PRIMARY KEY, b text)")
        yield opened


def insert(connection: PostgresConnection, numbers: range) -> None:
    connection.executemany("INSERT INTO t (a, b) VALUES (?, ?)", [(number, "x") for number in numbers])


def test_changes_are_counted_whether_or_not_they_are_waited_for(connection: PostgresConnection) -> None:
    insert(connection, range(100))
    assert connection.total_changes == 100
    with connection.pipelined():
        insert(connection, range(100, 230))
        assert connection.total_changes == 230
        assert connection.execute("DELETE FROM t WHERE a < ?", (30,)).rowcount == 30
        [left] = connection.execute("SELECT count(*) FROM t").fetchone()
        assert left == 200
        connection.execute("UPDATE t SET b = 'y' WHERE a < ?", (40,))
    assert connection.total_changes == 270


def test_what_is_refused_in_a_pipeline_is_raised_at_its_end_at_the_latest(connection: PostgresConnection) -> None:
    for ask in _nothing, _count:
        connection.execute("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE")
        with pytest.raises(psycopg.errors.UniqueViolation), connection.pipelined():
            insert(connection, range(3))
            insert(connection, range(2, 4))
            ask(connection)
        assert connection.in_transaction
        connection.execute("ROLLBACK")
        with connection.pipelined():
            insert(connection, range(5))
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (5,)
        connection.execute("DELETE FROM t")


def _nothing(connection: PostgresConnection) -> None:
    pass


def _count(connection: PostgresConnection) -> None:
    connection.execute("SELECT count(*) FROM t").fetchone()


# -- what is asked within a transaction ----------------------------------------------------------------------


def test_questions_of_a_transaction_are_of_its_beginning_and_of_each_tenant(postgres_url: str, postgres: Any) -> None:
    url = postgres_url + "&application_name=asking"
    idle = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'asking' AND state LIKE 'idle in transaction%'"
    )
    with closing(open_store(url)) as store:
        with store.begin() as transaction:
            for tenant in ("acme", "zeta"):
                starting(f"of-{tenant}")(transaction.tenant(tenant))
        total: Callable[[str], int] = lambda tenant: store.tenant(tenant).list_runs(RunQuery()).total  # noqa: E731
        with store.begin() as transaction:
            starting("more")(transaction.tenant("acme"))
            for tenant, count in (("acme", 1), ("zeta", 1), ("none", 0), ("acme", 1)):
                assert total(tenant) == count
            assert store.tenant("zeta").find_run_ids("of-acme") == []
        assert total("acme") == 2
        assert postgres.execute(idle) == [(0,)], "no snapshot is held when nothing is under way"
        with pytest.raises(psycopg.Error), store.begin():
            assert isinstance(store, SqlStore)
            with store._database.snapshot(None) as connection:
                connection.execute("SELECT no_such_column FROM run")
        with store.begin():
            assert total("acme") == 2
        assert postgres.execute(idle) == [(0,)]


def test_whose_transaction_is_over_asks_as_all_do_while_another_begins(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else its question would begin the snapshot in which the other's is answered: before the other had its turn."""
    with closing(open_store(postgres_url)) as store, ThreadPoolExecutor(1) as thread:
        assert isinstance(store, SqlStore)
        database: Any = store._database
        thread.submit(tell, store, starting("r1")).result(30)
        real, asked = database._begin, []

        def begin(connection: Any) -> Any:
            begun = real(connection)
            asked.append(thread.submit(store.tenant("default").find_run_ids, "r1").result(30))
            return begun

        monkeypatch.setattr(database, "_begin", begin)
        with store.begin():
            snapshot = database._writers_snapshot._connection
            assert snapshot is None or not snapshot.in_transaction
        assert asked == [["r1"]]


# -- very wide runs ------------------------------------------------------------------------------------------


def test_names_of_a_wide_run_are_looked_up_together(url: str) -> None:
    """Its series when they are first logged, the metrics of the search index at its end; some are there already."""
    wide = [SeriesKey(f"m{number}", (), "int64" if number % 3 == 0 else "float64") for number in range(3_000)]
    labelled = [SeriesKey("m1", (("rank", "0"),), "float64"), SeriesKey("m0", (), "float64")]
    with closing(open_store(url)) as store:
        layout = Layout("int64", tuple(wide[::7]))
        tell(
            store,
            starting("r0"),
            call("append_points", "r0", WRITER, "a1", [block_of(layout, 1)]),
            call("compact", "r0"),
        )
        block = block_of(Layout("int64", (*wide, *labelled)), 2)
        with said_to(store) as said:
            tell(store, starting("r1"), call("append_points", "r1", ANOTHER, "a1", [block]))
        assert sum("series_key" in sql for sql in said) < 20
        with said_to(store) as said:
            tell(store, call("end_attempt", "r1", "a1", "finished", None, at(2_000, 50)), call("compact", "r1"))
        assert len(said) < 40
        infos = {info.key: info.summary for info in store.tenant("default").list_series("r1")}
        assert list(infos) == sorted([*wide, *labelled])
        for key, values in zip(block.layout.series, block.values, strict=True):
            assert (infos[key].first, infos[key].last) == (values[0], values[1])
        found = store.tenant("default").list_runs(RunQuery(parse("metrics.m2999 is not null"))).runs
        assert [run.run_id for run in found] == ["r1"]
