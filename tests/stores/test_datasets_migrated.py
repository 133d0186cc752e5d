"""A database from before datasets were counted by name and version: what is in it is counted when it is opened."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from lineal.store.memory import MemoryStore
from lineal.store.open import open_store, sqlite_url
from lineal.testing.same_answers import assert_same_answers
from lineal.testing.suite_datasets import ONE, USES, using

BEFORE = 18
UNDONE = (
    "DROP INDEX dataset_use_of_name",
    "DROP INDEX dataset_use_of_version",
    "ALTER TABLE dataset_use DROP COLUMN dataset_name",
    "DROP TABLE dataset_version",
    "DROP TABLE dataset_name",
    f"UPDATE lineal_schema SET version = {BEFORE}",
)


def count_again(url: str, execute: Callable[[str], Any]) -> None:
    with closing(open_store(url)) as store, closing(MemoryStore()) as memory:
        for one in (store, memory):
            with one.begin() as transaction:
                for tenant in ("default", "other"):
                    for said in (*USES, using("r2", "train", ONE, 60, tenant))[: 99 if tenant == "default" else -3]:
                        said(transaction.tenant(tenant))
        store.close()
        for statement in UNDONE:
            execute(statement)
        with closing(open_store(url)) as store:
            for tenant in ("default", "other"):
                assert_same_answers(memory.tenant(tenant), store.tenant(tenant), with_audit=False)
            for one in (store, memory):
                with one.begin() as transaction:
                    using("r7", "train", ONE, 70)(transaction.tenant("other"))
            for tenant in ("default", "other"):
                assert_same_answers(memory.tenant(tenant), store.tenant(tenant), with_audit=False)
            assert memory.tenant("other").datasets().get_name("train").run_count == 3


def test_in_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "lineal.db"

    def execute(statement: str) -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute(statement)

    count_again(sqlite_url(path), execute)


def test_in_postgresql(postgres_url: str, postgres: Any, schema: str) -> None:
    def execute(statement: str) -> None:
        postgres.execute(f"SET search_path TO {schema}")
        postgres.execute(statement)

    count_again(postgres_url, execute)
