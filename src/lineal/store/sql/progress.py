"""The one row that every transaction begins with and ends with: which schema, how many commits, what the last one gave out."""

from __future__ import annotations

from typing import NamedTuple

from lineal.store.sql.database import Connection

SAVE = "UPDATE lineal_schema SET change_number = change_number + 1, last_ms = ?, last_run = ?"


class Progress(NamedTuple):
    """`last_ms`: the latest time that a transaction was given; `last_run`: the number of the newest run."""

    version: int
    change_number: int
    last_ms: int
    last_run: int


def read_progress(connection: Connection) -> Progress:
    row = connection.execute("SELECT version, change_number, last_ms, last_run FROM lineal_schema").fetchone()
    return Progress(*row)


def save_progress(connection: Connection, last_ms: int, last_run: int) -> None:
    """The next change number, too; and whoever listens is told of it once this is committed."""
    connection.execute(SAVE, (last_ms, last_run))
