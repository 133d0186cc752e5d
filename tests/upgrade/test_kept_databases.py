"""Databases kept from every schema: this release opens them, answers as they did, and goes on writing."""

from __future__ import annotations

import gzip
import json
import sqlite3
from contextlib import closing
from operator import methodcaller as call
from pathlib import Path

import pytest

from lineal.journal.layout import Folder
from lineal.local import LocalStore
from lineal.store.memory import MemoryStore
from lineal.store.open import open_store, sqlite_url
from lineal.store.sql import migrate
from lineal.testing.suite_base import at
from tests.upgrade.remember import ASSETS, WRITER, answers, fill

KEPT = sorted(path.name.removesuffix(".db.gz") for path in ASSETS.glob("*.db.gz"))


def test_there_is_one_to_open() -> None:
    assert KEPT and all((ASSETS / f"{name}.db.gz").stat().st_size < 100_000 for name in KEPT)


@pytest.mark.parametrize("name", KEPT)
def test_a_kept_database_answers_as_it_did(name: str, tmp_path: Path) -> None:
    path = tmp_path / "lineal.db"
    path.write_bytes(gzip.decompress((ASSETS / f"{name}.db.gz").read_bytes()))
    expected = json.loads((ASSETS / f"{name}.json").read_text(encoding="utf-8"))
    with closing(open_store(sqlite_url(path))) as store:
        assert store.list_tenants() == sorted(expected)
        for tenant in expected:
            assert answers(store.tenant(tenant)) == expected[tenant]
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            assert writer.take_orphans(WRITER, 9) == [b"orphan"]
            call("set_tags", "mentioned", {"k": "new"}, at(10))(writer)
            for run_id in expected["default"]["runs"]:
                writer.compact(run_id)
        assert store.tenant("default").get_details("mentioned").tags == {"k": "new"}
        assert store.tenant("acme").find_cursor(WRITER) is not None


def test_the_memory_store_answers_the_same() -> None:
    """So that what was kept is what the reference says, not what SQLite said that day."""
    store = MemoryStore()
    fill(store)
    expected = json.loads((ASSETS / f"{KEPT[-1]}.json").read_text(encoding="utf-8"))
    assert {tenant: answers(store.tenant(tenant)) for tenant in store.list_tenants()} == expected


@pytest.mark.parametrize("name", KEPT)
def test_a_folder_with_a_kept_database_is_read_though_nothing_waits_to_be_taken_in(name: str, tmp_path: Path) -> None:
    folder = Folder(tmp_path / "lineal")
    folder.ensure()
    Path(folder.database).write_bytes(gzip.decompress((ASSETS / f"{name}.db.gz").read_bytes()))
    with LocalStore(folder.root) as store:
        assert [run.name for run in store.runs("tags.team = 'a' and json.review.score = 3")] == ["mlp"]
        assert store.runs("max(metrics.`train/loss`) > 1 and params.lr = 0.1").total == 1


@pytest.mark.parametrize("name", KEPT)
def test_a_migration_stopped_at_any_statement_leaves_old_or_new(name: str, tmp_path: Path) -> None:
    path = tmp_path / "lineal.db"
    kept = gzip.decompress((ASSETS / f"{name}.db.gz").read_bytes())
    at, stopped = 0, True
    while stopped:
        path.write_bytes(kept)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            before, version = list(connection.iterdump()), migrate.version_of(connection)
            begun = 0

            def stop_here(_: str, at: int = at) -> None:
                nonlocal begun
                begun += 1
                if begun == at + 1:
                    connection.interrupt()

            connection.set_trace_callback(stop_here)
            try:
                migrate.migrate(connection)
                stopped = False
            except sqlite3.OperationalError:
                connection.set_trace_callback(None)
                # Stopped in the commit itself, or after one of several steps, that step is whole.
                if migrate.version_of(connection) == version:
                    assert list(connection.iterdump()) == before
                migrate.migrate(connection)
            connection.set_trace_callback(None)
            assert migrate.version_of(connection) == migrate.current_version()
        at += 1
    with closing(open_store(sqlite_url(path))) as store:
        expected = json.loads((ASSETS / f"{name}.json").read_text(encoding="utf-8"))
        assert {tenant: answers(store.tenant(tenant)) for tenant in expected} == expected
