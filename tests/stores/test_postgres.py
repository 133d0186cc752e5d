"""What PostgreSQL keeps otherwise than SQLite: numbers, texts, the shape of its tables; and who may open what."""

from __future__ import annotations

import math
import os
import shutil
import signal
import sqlite3
import struct
import tempfile
import threading
from contextlib import closing
from operator import methodcaller as call
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lineal.model.errors import Busy, Damaged, InvalidInput, LinealError, NewerFormat, NotFound, NotWritable
from lineal.query.parser import parse_orders
from lineal.store.contracts import RunQuery, Store
from lineal.store.open import open_store, sqlite_url
from lineal.store.sql.postgres.connection import READERS_MAX_COUNT, PostgresConnection
from lineal.store.sql.postgres.database import PostgresDatabase
from lineal.store.sql.postgres.fence import COLUMN
from lineal.store.sql.postgres.values import escaped, unescaped
from lineal.store.sql.store import SqlStore
from lineal.testing.suite_base import at, starting
from tests.postgres import FOLDER, Postgres, stop_orphans
from tests.stores.telling import in_child, tell


def writer_of(store: Store) -> PostgresConnection:
    assert isinstance(store, SqlStore) and isinstance(store._writer, PostgresConnection)
    return store._writer


# -- values --------------------------------------------------------------------------------------------------

near_zero = st.text(st.sampled_from("\0\1\2\3az"), max_size=6)


@given(st.one_of(near_zero, st.text()), st.one_of(near_zero, st.text()))
def test_texts_come_back_and_keep_their_order(one: str, two: str) -> None:
    assert unescaped(escaped(one)) == one and "\0" not in escaped(one)
    assert (escaped(one) < escaped(two)) == (one < two)
    assert escaped(two).startswith(escaped(one)) == two.startswith(one)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False)))
@example(-0.0)
@example(0.0)
@example(0)
@example(2**53 + 1)
@example(5e-324)
@example(1.7976931348623157e308)
@example(1e16)
@example(10_000)
@example(10_000.0)
@example(math.inf)
@example(-math.inf)
def test_numbers_come_back_as_they_were(connection: PostgresConnection, number: int | float) -> None:
    [back] = connection.execute("SELECT CAST(? AS NUMERIC)", (number,)).fetchone()
    assert type(back) is type(number) and back == number
    assert struct.pack("d", back) == struct.pack("d", number)


@pytest.fixture(scope="module")
def connection(postgres):
    with closing(PostgresConnection(postgres.address)) as opened:
        yield opened


def test_an_integer_of_more_than_64_bits_is_refused_as_sqlite_does(connection: PostgresConnection) -> None:
    with pytest.raises((OverflowError, struct.error)):
        connection.execute("SELECT CAST(? AS NUMERIC)", (2**63,))


# -- the shape of the tables ---------------------------------------------------------------------------------


def test_tables_and_indexes_are_those_of_sqlite(postgres_url: str, schema: str, postgres, tmp_path: Path) -> None:
    with closing(open_store(sqlite_url(tmp_path / "a.db"))):
        pass
    with closing(sqlite3.connect(tmp_path / "a.db")) as other:
        tables = {
            name: [row[1] for row in other.execute(f"PRAGMA table_info({name})")]
            for (name,) in other.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        }
        indexes = {
            name for (name,) in other.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql <> ''")
        }
    found: dict[str, list[str]] = {}
    for table, column in postgres.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        f" WHERE table_schema = '{schema}' ORDER BY ordinal_position"
    ):
        found.setdefault(table, []).append(column)
    for table, columns in found.items():  # but for the fence's own
        assert [name for name in columns if name != COLUMN] == tables[table]
    assert found.keys() == tables.keys()
    made = {name for (name,) in postgres.execute(f"SELECT indexname FROM pg_indexes WHERE schemaname = '{schema}'")}
    assert indexes and indexes <= made


def test_texts_are_ordered_by_code_point_and_bytes_are_not_compressed_again(
    postgres_url: str, schema: str, postgres
) -> None:
    columns = postgres.execute(
        "SELECT a.attname, t.typname, c.collname, a.attstorage FROM pg_attribute a JOIN pg_class r ON r.oid = a.attrelid"
        " JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_collation c ON c.oid = a.attcollation"
        f" WHERE r.relnamespace = '{schema}'::regnamespace AND r.relkind = 'r' AND a.attnum > 0"
    )
    assert {kind for _, kind, _, _ in columns} == {"int8", "text", "bytea", "numeric"}
    assert {collation for _, kind, collation, _ in columns if kind == "text"} == {"C"}
    assert {storage for _, kind, _, storage in columns if kind == "bytea"} == {"e"}


def test_names_are_in_the_order_of_code_points(postgres_url: str) -> None:
    names = ["a", "B", "Z", "é", "\0", "\1", "a\0b", "a\1", "😀", "￿", "ä"]
    with closing(open_store(postgres_url)) as store:
        tell(store, *(call("ensure_experiment", name, at(5, seq)) for seq, name in enumerate(names)))
        tell(store, *(starting(f"r{n}", time_ms=n + 1, name=name) for n, name in enumerate(names)))
        reader = store.tenant("default")
        assert [e.name for e in reader.list_experiments().experiments] == sorted([*names, "digits"])
        page = reader.list_runs(RunQuery(order=parse_orders("name")))
        assert [run.name for run in page.runs] == sorted(names)


# -- how a session is kept -----------------------------------------------------------------------------------


def test_commits_are_durable_whatever_the_server_says(postgres_url: str) -> None:
    url = postgres_url + "%20-csynchronous_commit%3Doff%20-cdefault_transaction_read_only%3Don"
    with closing(open_store(url)) as store:
        assert writer_of(store).execute("SHOW synchronous_commit").fetchone() == ("on",)
        tell(store, starting("r1"))


def test_connections_are_few_and_closed(postgres_url: str, postgres) -> None:
    url = postgres_url + "&application_name=few"
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'few'"
    with closing(open_store(url)) as store:
        tell(store, starting("r1"))
        reader = store.tenant("default")
        found: list[str] = []

        def ask() -> None:
            for _ in range(10):
                found.append(reader.get_run("r1").run_id)

        threads = [threading.Thread(target=ask) for _ in range(3 * READERS_MAX_COUNT)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == ["r1"] * 10 * len(threads)
        assert 2 <= postgres.execute(count)[0][0] <= READERS_MAX_COUNT + 1
    for _ in range(200):  # a backend ends a moment after its connection
        if postgres.execute(count) == [(0,)]:
            break
        postgres.execute("SELECT pg_sleep(0.01)")
    assert postgres.execute(count) == [(0,)]


def test_a_call_that_finds_all_connections_lent_is_told_so(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.store.sql.postgres.connection.READER_WAIT_S", 0.01)
    with closing(open_store(postgres_url)) as store:
        tell(store, starting("r1"))
        assert isinstance(store, SqlStore)
        lent = [store._database.snapshot() for _ in range(READERS_MAX_COUNT)]
        for snapshot in lent:
            snapshot.__enter__()
        with pytest.raises(Busy):
            store.tenant("default").get_run("r1")
        for snapshot in lent:
            snapshot.__exit__(None, None, None)
        assert store.tenant("default").get_run("r1").run_id == "r1"


def test_readers_cannot_write_and_see_one_moment(postgres_url: str) -> None:
    with closing(open_store(postgres_url)) as store:
        tell(store, starting("r1"))
        assert isinstance(store, SqlStore)
        store.tenant("default").get_run("r1")
        tenant = store._catalog.find_tenant("default")
        with pytest.raises(NotWritable), store._database.snapshot(tenant) as connection:
            connection.execute("DELETE FROM run")
        with store._database.snapshot(tenant) as connection:
            assert connection.execute("SELECT count(*) FROM run").fetchone() == (1,)
            tell(store, starting("r2"))
            assert connection.execute("SELECT count(*) FROM run").fetchone() == (1,)
        assert store.tenant("default").list_runs(RunQuery()).total == 2


# -- who may open what ---------------------------------------------------------------------------------------


def test_a_read_only_store_does_not_write(new_url: str) -> None:
    with pytest.raises(NotFound):
        open_store(new_url, read_only=True)
    with closing(open_store(new_url)) as store, closing(open_store(new_url, read_only=True)) as reading:
        tell(store, starting("r1"))
        with pytest.raises(NotWritable), reading.begin():
            pass
        assert reading.tenant("default").get_run("r1").run_id == "r1"


def test_a_newer_database_is_refused_and_unchanged(new_url: str, postgres) -> None:
    with closing(open_store(new_url)) as store:
        tell(store, starting("r1"))
        writer_of(store).execute("UPDATE lineal_schema SET version = 1000")
        before = writer_of(store).execute("SELECT version, change_number FROM lineal_schema").fetchone()
        with pytest.raises(NewerFormat):
            tell(store, starting("r2"))
        for read_only in (False, True):
            with pytest.raises(NewerFormat, match="upgrade"):
                open_store(new_url, read_only=read_only)
        after = writer_of(store).execute("SELECT version, change_number FROM lineal_schema").fetchone()
        assert after == before == (1000, 1)


@pytest.mark.parametrize("read_only", [False, True])
def test_what_is_no_database_of_ours_is_refused_and_unchanged(new_url: str, read_only: bool) -> None:
    with psycopg.connect(new_url) as other:
        other.execute("CREATE TABLE theirs (x int)")
    with pytest.raises(Damaged, match="not one of Lineal's"):
        open_store(new_url, read_only=read_only)
    with psycopg.connect(new_url) as other:
        found = other.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()").fetchall()
    assert found == [("theirs",)]


def test_addresses_that_lead_nowhere(postgres, postgres_url: str) -> None:
    folder = postgres_url.split("host=")[1].split("&")[0]
    for url, error in (
        (f"postgresql://postgres:secret@/nowhere?host={folder}", NotFound),
        (f"postgresql://nobody:secret@/postgres?host={folder}", NotFound),
        ("postgresql://x:secret@127.0.0.1:1/y?connect_timeout=2", Busy),
        (f"postgresql://postgres:secret@/postgres?host={folder}&options=-csearch_path%3Dno_such_schema", NotFound),
        ("postgresql://x:secret@h/y?no_such_setting=1", InvalidInput),
    ):
        with pytest.raises(error) as raised:
            open_store(url)
        assert "secret" not in str(raised.value)


def test_a_role_that_may_only_read(postgres, postgres_url: str, schema: str) -> None:
    name = f"reader_of_{schema}"
    with closing(open_store(postgres_url)) as store:
        tell(store, starting("r1"))
    postgres.execute(f"CREATE ROLE {name} LOGIN")
    try:
        postgres.execute(f"GRANT USAGE ON SCHEMA {schema} TO {name}")
        postgres.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {name}")
        with closing(open_store(postgres_url.replace("//lineal@", f"//{name}@"))) as store:
            assert store.tenant("default").get_run("r1").run_id == "r1"
            with pytest.raises(NotWritable):
                tell(store, starting("r2"))
    finally:
        postgres.execute(f"DROP OWNED BY {name}")
        postgres.execute(f"DROP ROLE {name}")


def test_a_database_of_another_encoding_is_refused(postgres, schema: str) -> None:
    name = f"{schema}_latin"
    postgres.execute(f"CREATE DATABASE {name} ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(InvalidInput, match="UTF8"):
            open_store(postgres.address.replace("/postgres?", f"/{name}?"))
    finally:
        postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.mark.parametrize(
    ("code", "error"),
    [("53100", NotWritable), ("53300", Busy), ("40001", Busy), ("40P01", Busy), ("57P01", Busy), ("XX001", Damaged)],
)
def test_errors_in_our_words(code: str, error: type[LinealError]) -> None:
    database = PostgresDatabase("postgresql://user:secret@host/name")
    with pytest.raises(error, match="host name"), database.in_our_words():
        raise psycopg.errors.lookup(code)("so it says")


# -- the tests' own server -----------------------------------------------------------------------------------


def test_a_server_whose_session_was_killed_is_stopped_by_the_next(postgres: Postgres) -> None:
    place = Path(tempfile.mkdtemp(prefix="lineal-orphans-"))
    place.chmod(0o711)
    folder = place / f"{FOLDER}orphan"
    folder.mkdir(mode=0o711)

    def session() -> None:
        Postgres(folder, is_safe=True)
        os.kill(os.getpid(), signal.SIGKILL)

    try:
        in_child(session)
        address = f"postgresql://postgres@/postgres?host={folder / 'data'}"
        psycopg.connect(address).close()
        stop_orphans(place)
        assert not folder.exists()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(address)
        assert postgres.execute("SELECT 1") == [(1,)]
    finally:
        shutil.rmtree(place, ignore_errors=True)
