"""PostgreSQL keeps tenants apart by itself: what is asked without saying of whom, finds nothing of others."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from operator import methodcaller as call
from typing import Any

import psycopg
import pytest

from lineal.model.console import ConsoleLines
from lineal.model.entities import Artifact, Cursor, Head, KeptAnswer, SeriesKey
from lineal.model.lineage import ArtifactUse, Dataset, DatasetUse, ModelFile, ModelUse, VersionUse
from lineal.model.registry import NewVersion
from lineal.model.webhooks import EVENTS, Webhook
from lineal.store.contracts import RunQuery, Store
from lineal.store.open import open_store
from lineal.store.sql import migrate
from lineal.store.sql.postgres.connection import PostgresConnection
from lineal.store.sql.postgres.fence import COLUMN, EXEMPT
from lineal.store.sql.store import SqlStore
from lineal.testing.suite_base import WRITER, Said, at, block_with, starting

TENANTS = ("acme", "zeta")


def fill(store: Store) -> None:
    """Every fenced table gets rows of both tenants, in one transaction, a statement of each in turn."""
    statements: list[Said] = [
        starting("r1", experiment="digits"),
        call("set_experiment", "digits", at(1), tags={"a": "b"}),
        call("rename_experiment", "digits", "digits 2", at(1, 2)),
        call("set_params", "r1", "a1", {"lr": 0.1}, at(2)),
        call("set_tags", "r1", {"team": "red"}, at(3)),
        call("set_document", "r1", "review", '{"score": 3}', at(3, 2)),
        call("append_points", "r1", WRITER, "a1", [block_with([1.0] * 20_000)]),
        call("append_points", "r1", WRITER, "a1", [block_with([2.0] * 5, 50_000)]),
        call(
            "append_points", "r1", WRITER, "a1", [block_with([2.0], 60_000, SeriesKey("acc", (("model_id", "m-1"),)))]
        ),
        call("set_capture", "r1", "a1", "code", '{"commit":"ab"}', at(6, 1)),
        call("append_console", "r1", "a1", ConsoleLines("o", (1,), ("x",)), at(6, 3)),
        call("use_dataset", "r1", DatasetUse(Dataset("train", "1")), at(6, 2)),
        call("use_model", "r1", ModelUse("m-1", "output"), at(6, 3)),
        call("use_artifact", "r1", ArtifactUse("r0", "model.pt", "a" * 64), at(6, 4)),
        call("use_version", "r1", VersionUse("b" * 32, "vision"), at(6, 5)),
        call("set_logged_model", "m-1", at(6, 4), name="mlp"),
        call("add_loss", "r1", "damaged", 1, at(4)),
        call("keep_orphans", "r1", WRITER, 9, b"orphan", 1),
        call("define_layout", "r1", WRITER, 1, block_with([1.0]).layout),
        call("add_artifact", "r1", Artifact("m.pt", 0, 1, "d", None, None, 5), at(5)),
        call("keep_answer", KeptAnswer("k", "d", 200, b"{}", 1)),
        call("set_cursor", Cursor(WRITER, "r1", 7, 1, 8, Head("a1", True))),
        call("end_attempt", "r1", "a1", "finished", None, at(9)),
        call("compact", "r1"),
    ]
    with store.begin() as transaction:
        writers = [transaction.tenant(name) for name in TENANTS]
        for statement in statements:
            for writer in writers:
                statement(writer)
        for writer in writers:
            registry = writer.registry()
            writer.set_loose_file("a/b", ModelFile("a" * 64, 5), at(19))
            writer.webhooks().create_webhook(Webhook("h", "h", "https://h.example/", EVENTS), at(19, 2))
            registry.create_version(NewVersion("1" * 32, "digits", tags={"a": "b"}), at(20))
            registry.set_stage("1" * 32, "production", at(21))
            registry.set_alias("digits", "champion", "1" * 32, at(22))
        transaction.link_audit()
    with store.begin() as transaction:
        for name in TENANTS:
            call("append_points", "r1", WRITER, "a1", [block_with([3.0], 90_000)])(transaction.tenant(name))
    with store.begin() as transaction:
        transaction.link_audit()


@pytest.fixture
def store(postgres_url: str) -> Iterator[SqlStore]:
    with closing(open_store(postgres_url)) as store:
        assert isinstance(store, SqlStore)
        fill(store)
        yield store


@pytest.fixture
def numbers(store: SqlStore, postgres: Any, schema: str) -> dict[str, int]:
    """The tenants' numbers."""
    return dict(postgres.execute(f"SELECT name, pk FROM {schema}.tenant"))


def fenced_tables(postgres: Any, schema: str) -> dict[str, str]:
    """And the column that says whose a row is."""
    columns: dict[str, list[str]] = {}
    for table, column in postgres.execute(
        f"SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = '{schema}'"
    ):
        columns.setdefault(table, []).append(column)
    return {name: COLUMN if COLUMN in columns[name] else "tenant" for name in sorted(columns.keys() - EXEMPT)}


@contextmanager
def within(store: SqlStore, tenant: int | None) -> Iterator[Any]:
    """A writing transaction's own connection, of the role that owns the tables; undone at the end."""
    connection = store._writer
    assert isinstance(connection, PostgresConnection)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if tenant is not None:
            connection.enter(tenant)
            connection.execute("SELECT 1")  # the tenant is told with a statement
        yield connection.raw
    finally:
        connection.execute("ROLLBACK")


def test_every_table_is_fenced_but_those_named(store: SqlStore, postgres: Any, schema: str) -> None:
    found = postgres.execute(
        "SELECT relname, relrowsecurity, relforcerowsecurity, (SELECT count(*) FROM pg_policy WHERE polrelid = pg_class.oid)"
        f" FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relkind = 'r'"
    )
    assert {name for name, *_ in found} >= EXEMPT
    for name, is_enabled, is_forced, count in found:
        assert (is_enabled, is_forced, count) == ((False, False, 0) if name in EXEMPT else (True, True, 1)), name


def test_raw_sql_sees_one_tenant(store: SqlStore, numbers: dict[str, int], postgres: Any, schema: str) -> None:
    for table, column in fenced_tables(postgres, schema).items():
        counts = dict.fromkeys(TENANTS, 0)
        for name in TENANTS:
            with within(store, numbers[name]) as raw:
                found = raw.execute(f"SELECT {column}, count(*) FROM {table} GROUP BY {column}").fetchall()
            assert len(found) == 1 and found[0][0] == numbers[name], f"{table} has rows of each"
            counts[name] = found[0][1]
        assert counts["acme"] == counts["zeta"] > 0
        with within(store, None) as raw:
            assert raw.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), "nobody entered, nothing seen"


def test_readers_see_one_tenant(store: SqlStore, numbers: dict[str, int], postgres: Any, schema: str) -> None:
    for table, column in fenced_tables(postgres, schema).items():
        with store._database.snapshot(numbers["acme"]) as connection:
            found = connection.execute(f"SELECT DISTINCT {column} FROM {table}").fetchall()
        assert found == [(numbers["acme"],)]
        with store._database.snapshot() as connection:  # the same connection, perhaps: nothing is left of the tenant
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)


def test_raw_sql_changes_nothing_of_another_tenant(
    store: SqlStore, numbers: dict[str, int], postgres: Any, schema: str
) -> None:
    for table, column in fenced_tables(postgres, schema).items():
        before = postgres.execute(f"SELECT * FROM {schema}.{table} WHERE {column} = {numbers['zeta']}")
        with within(store, numbers["acme"]) as raw:
            of_zeta = f"WHERE {column} = {numbers['zeta']}"
            assert raw.execute(f"DELETE FROM {table} {of_zeta}").rowcount == 0
            assert raw.execute(f"UPDATE {table} SET {column} = {column} {of_zeta}").rowcount == 0
        for sql in (
            f"UPDATE {table} SET {column} = {numbers['zeta']}",
            _insert(table, column, numbers["zeta"], postgres, schema),
        ):
            with within(store, numbers["acme"]) as raw, pytest.raises(psycopg.errors.InsufficientPrivilege):
                raw.execute(sql)
        assert postgres.execute(f"SELECT * FROM {schema}.{table} WHERE {column} = {numbers['zeta']}") == before


def _insert(table: str, column: str, tenant: int, postgres: Any, schema: str) -> str:
    """A row of the session's own tenant, said to be another's."""
    columns = [
        name
        for (name,) in postgres.execute(
            "SELECT column_name FROM information_schema.columns"
            f" WHERE table_schema = '{schema}' AND table_name = '{table}' ORDER BY ordinal_position"
        )
    ]
    values = ", ".join(str(tenant) if name == column else name for name in columns)
    return f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {table} LIMIT 1"


def test_a_question_that_forgets_the_tenant_is_answered_with_its_own(store: SqlStore, numbers: dict[str, int]) -> None:
    """The mistake that the fence is for."""
    reader = store.tenant("acme")
    assert reader.list_runs(RunQuery()).total == 1
    with store._database.snapshot(numbers["acme"]) as connection:
        assert connection.execute("SELECT count(*) FROM run WHERE run_id = ?", ("r1",)).fetchone() == (1,)


def test_a_database_without_fences_gets_them(
    new_url: str, postgres: Any, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One of a schema before them: every row is given the tenant that it belongs to."""
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "FENCED_SINCE", 1_000)
        with closing(open_store(new_url)) as store:
            fill(store)
    assert not postgres.execute(f"SELECT 1 FROM pg_policies WHERE schemaname = '{schema}_new'")
    with closing(PostgresConnection(new_url)) as connection:
        for statement in ("BEGIN IMMEDIATE", migrate.EVERYTHING, migrate.FENCE, "COMMIT"):
            connection.execute(statement)
    with closing(open_store(new_url)) as store:
        for name in TENANTS:
            [piece] = store.tenant(name).read_points("r1", "loss")
            assert len(piece.columns) == 20_006
        tenants = {pk for _, pk in postgres.execute(f"SELECT name, pk FROM {schema}_new.tenant") if _ in TENANTS}
        for table, column in fenced_tables(postgres, f"{schema}_new").items():
            found = {pk for (pk,) in postgres.execute(f"SELECT DISTINCT {column} FROM {schema}_new.{table}")}
            assert found >= tenants, table


def test_a_role_above_the_fence_is_warned_of(postgres_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "lineal.store"):
        open_store(postgres_url).close()
        assert not caplog.records
        open_store(postgres_url.replace("//lineal@", "//postgres@")).close()
    assert "row-level security" in caplog.text
