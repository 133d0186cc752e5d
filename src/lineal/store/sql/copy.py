"""A private copy of a database, taken while others may write to it."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from lineal.model.errors import NotFound
from lineal.store.sql.connection import in_our_words, open_reader, wal_of


def copy_database(source: Path, target: Path) -> None:
    """By SQLite's backup, which reads one moment. In a read-only folder with a -wal file SQLite cannot read at all: there
    both files are copied as they are, since nobody can be writing to them."""
    if not source.exists():
        raise NotFound(f"there is no database {source}", field="url")
    with in_our_words(target):
        os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        if not os.access(source.parent, os.W_OK) and wal_of(source).exists():
            shutil.copyfile(source, target)
            shutil.copyfile(wal_of(source), wal_of(target))
            return
        with closing(open_reader(source)) as reading, closing(sqlite3.connect(target)) as writing:
            reading.backup(writing)
