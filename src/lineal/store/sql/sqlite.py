"""A store's SQLite file."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import cast

from lineal.store.sql.connection import ReadPool, close_writer, in_our_words, open_writer
from lineal.store.sql.database import Connection

VACUUM_PAGES = 256  # given back to the file system a commit, once a quarter of the file is free: 1 MiB


class SqliteDatabase:
    """See `database.Database`. One connection writes; readers have their own, which cannot."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = str(path)
        self.readers = ReadPool(path)

    def in_our_words(self) -> AbstractContextManager[None]:
        return in_our_words(self._path)

    def open_writer(self, check: Callable[[Connection], object]) -> Connection:
        return open_writer(self._path, check)

    def begin(self, connection: Connection) -> Connection:
        connection.execute("BEGIN IMMEDIATE")
        return connection

    def end(self) -> None:
        """Nothing is kept for a transaction."""

    def pipelined(self, connection: Connection) -> AbstractContextManager[None]:
        """There is no way that a statement would have to go."""
        return nullcontext()

    def size_bytes(self) -> int:
        total = 0
        for suffix in ("", "-wal"):
            with suppress(FileNotFoundError):
                total += Path(f"{self._path}{suffix}").stat().st_size
        return total

    def tidy(self, connection: Connection) -> None:
        """Gives back some of the pages that compaction freed; a little is left for what comes next."""
        [free] = connection.execute("PRAGMA freelist_count").fetchone()
        [pages] = connection.execute("PRAGMA page_count").fetchone()
        if free > VACUUM_PAGES and free * 4 > pages:
            connection.execute(f"PRAGMA incremental_vacuum({VACUUM_PAGES})").fetchall()

    def close_writer(self, connection: Connection) -> None:
        close_writer(cast("sqlite3.Connection", connection))

    is_fenced = False

    def enter(self, connection: Connection, tenant: int | None) -> None:
        """The statements say whom they mean."""

    @contextmanager
    def snapshot(self, tenant: int | None = None) -> Iterator[Connection]:
        with self.readers.snapshot() as connection:
            yield connection

    def close_readers(self) -> None:
        self.readers.close()

    def listening(self, heard: Callable[[], None]) -> AbstractContextManager[None]:
        """A file tells nobody."""
        return nullcontext()
