"""Brings a database to this release's schema: numbered .sql files, each applied whole or not at all.

The number reached is a row of the table `lineal_schema`, changed in the transaction that applies the file, so that a
process killed at any statement leaves the old schema or the new one."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from lineal.model.errors import Damaged, NewerFormat, NotFound
from lineal.store.sql.database import Connection

APPLICATION_ID = 0x4C4E4C31  # "LNL1", so that `file` and we know the database for ours

FENCED_SINCE = 7
# Not for SQLite, which ignores what it does not know. PostgreSQL: this transaction is about all tenants; every table that
# is not fenced yet gets its fence (postgres/fence.py).
EVERYTHING = "PRAGMA lineal_everything"
FENCE = "PRAGMA lineal_fence"

_FILE = re.compile(r"(\d{4})_\w+\.sql")


@cache
def migrations() -> dict[int, str]:
    """Number -> SQL text, in order."""
    return numbered(files("lineal.store.sql").joinpath("schema").iterdir())


def numbered(given: Iterable[Traversable]) -> dict[int, str]:
    """RuntimeError where a number is missing, or is there twice, as when two branches took the same one."""
    found = sorted(
        ((int(name[1]), file) for file in given if (name := _FILE.fullmatch(file.name))), key=lambda one: one[0]
    )
    numbers = [number for number, _ in found]
    if numbers != list(range(1, len(found) + 1)):
        raise RuntimeError(f"migrations are numbered from 1, each number once, not {numbers}")
    return {number: file.read_text(encoding="utf-8") for number, file in found}


def current_version() -> int:
    return max(migrations())


def version_of(connection: Connection) -> int:
    """0 for an empty database. Damaged if it has tables, but not ours."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
    if "lineal_schema" in tables:
        row = connection.execute("SELECT version FROM lineal_schema").fetchone()
        if row is None:
            raise Damaged("the database has lost its schema version")
        return int(row[0])
    if tables:
        raise Damaged("this is a database, but not one of Lineal's")
    return 0


def check(connection: Connection) -> None:
    """NewerFormat or Damaged if this release cannot open the database."""
    check_version(version_of(connection))


def check_version(version: int) -> None:
    """NewerFormat if this release does not know that version."""
    if version > current_version():
        raise NewerFormat(
            f"the database has schema {version}, and this Lineal knows schemas up to {current_version()}: "
            "upgrade Lineal to open it (nothing was changed)"
        )


def migrate(connection: Connection) -> None:
    """Applies what is missing. Two processes may call it at once: the second waits and finds nothing to do."""
    while True:
        version = version_of(connection)
        check_version(version)
        if version == current_version():
            return
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Another process may have been faster than our lock.
            if version_of(connection) == version:
                _apply(connection, version + 1)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:  # a full disk has rolled back by itself
                connection.execute("ROLLBACK")
            raise


def _apply(connection: Connection, version: int) -> None:
    connection.execute(EVERYTHING)
    for statement in statements(migrations()[version]):
        connection.execute(statement)
    if version == 1:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("CREATE TABLE lineal_schema (version INTEGER NOT NULL, change_number INTEGER NOT NULL)")
        connection.execute("INSERT INTO lineal_schema (version, change_number) VALUES (1, 0)")
    else:
        connection.execute("UPDATE lineal_schema SET version = ?", (version,))
    if version == 2:
        from lineal.store.sql.migrate_search import fill

        fill(connection)
    if version >= FENCED_SINCE:
        connection.execute(FENCE)


def statements(text: str) -> Iterator[str]:
    """The statements of a file one by one: `executescript` would commit first."""
    pending = ""
    for line in text.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending.strip()
            pending = ""
    if any(line.strip() and not line.strip().startswith("--") for line in pending.splitlines()):
        raise ValueError(f"a statement without an end: {pending.strip()[:80]}")


def check_readable(connection: Connection) -> None:
    """For readers, who cannot migrate: NewerFormat, or NotFound if there is nothing of this release's to read yet."""
    version = version_of(connection)
    check_version(version)
    if version < current_version():
        raise NotFound(
            f"the database has schema {version}, not {current_version()}: open it for writing once", field="url"
        )
