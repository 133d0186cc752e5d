"""Connections to one SQLite file: one that writes, any number that read; and SQLite's errors in our words."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from lineal.model.errors import Busy, Damaged, LinealError, NotFound, NotWritable
from lineal.model.values import value_text
from lineal.store.sql.database import Connection
from lineal.store.sql.mounts import is_on_network

PAGE_BYTES = 4096
BUSY_TIMEOUT_S = 5.0  # another process checkpoints or migrates: milliseconds, so this is patience enough
RETRY_S = 0.005
IDLE_READERS_MAX_COUNT = 8
READ_CACHE_KIB = 16 * 1024
WAL_KEPT_BYTES = 4 * 1024 * 1024  # of the -wal file after a large commit was brought home; SQLite does that each 4 MB

_WRITE_REFUSED = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_AUTH,
}
_HELD = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}


@contextmanager
def in_our_words(path: Path) -> Iterator[None]:
    """Turns what SQLite and the operating system raise into NotWritable, Busy and Damaged."""
    try:
        yield
    except sqlite3.Error as error:
        # The low byte is the primary code; the rest says more than we need.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code in _WRITE_REFUSED:
            raise NotWritable(f"the database {path} refuses: {error}") from error
        if code in _HELD:
            raise Busy(f"the database {path} is held by another process: {error}") from error
        if code in _DAMAGED:
            raise Damaged(f"the database {path} makes no sense: {error}") from error
        if "decode to UTF-8" in str(error):  # a text that somebody else has written there; it has no code
            raise Damaged(f"the database {path} holds a text that is none: {error}") from error
        raise
    except OSError as error:
        if isinstance(error, LinealError):
            raise
        raise NotWritable(f"the database {path} cannot be opened: {error.strerror or error}") from error


def open_writer(path: Path, check: Callable[[Connection], object]) -> sqlite3.Connection:
    """The writing connection; the file (mode 0600) and its folders (0700) are made if they are not there.
    Nothing in the file is changed before `check` has looked at it."""
    _make_folders(path.parent)
    _make_file(path)
    connection = _connect(path, "mode=rw")
    try:
        check(connection)
        if not connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone():
            # Only an empty file takes these, and only outside a transaction.
            connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        # WAL needs memory shared by all who open the file, which a network file system does not give.
        _set_journal_mode(connection, "delete" if is_on_network(path) else "wal")
        connection.execute(f"PRAGMA journal_size_limit = {WAL_KEPT_BYTES}")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA temp_store = MEMORY")
    except BaseException:
        connection.close()
        raise
    return connection


def _make_file(path: Path) -> None:
    """Unless it is there. One that is there is not opened but by SQLite: to close it would let go of every lock that this
    process's readers hold on it (fcntl(2)), and the next process to leave would delete the -wal file under them."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path)) from None


def _set_journal_mode(connection: sqlite3.Connection, mode: str) -> None:
    """As far as the file system bears it. SQLite does not wait for its turn here, as it does elsewhere, so that several
    who open a new database at once must."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while connection.execute("PRAGMA journal_mode").fetchone()[0] != mode:
        try:
            connection.execute(f"PRAGMA journal_mode = {mode}")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _HELD or time.monotonic() > deadline:
                raise
            time.sleep(RETRY_S)


def _make_folders(folder: Path) -> None:
    if not folder.exists():
        _make_folders(folder.parent)  # `Path.mkdir` would give these the mode of the umask
        folder.mkdir(mode=0o700, exist_ok=True)


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that cannot write. NotFound if there is no file."""
    if not path.exists():
        raise NotFound(f"there is no database {path}", field="url")
    connection = _connect(path, "mode=ro")
    try:
        connection.execute("SELECT 1 FROM sqlite_schema LIMIT 1").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        # A reader of a database in WAL mode needs a -shm file, which a read-only folder refuses. Without a -wal file
        # everything is in the database itself, and as nobody can write here it may be read as it is.
        refused = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
        if not refused or os.access(path.parent, os.W_OK) or wal_of(path).exists():
            raise
        connection = _connect(path, "mode=ro&immutable=1")
    try:
        connection.execute(f"PRAGMA cache_size = -{READ_CACHE_KIB}")
        connection.execute("PRAGMA temp_store = MEMORY")
        connection.create_function("lineal_text", 1, value_text, deterministic=True)
    except BaseException:
        connection.close()
        raise
    return connection


def close_writer(connection: sqlite3.Connection) -> None:
    """Brings the -wal file home and empties it, unless somebody is reading it at this moment."""
    try:
        connection.execute("PRAGMA busy_timeout = 0")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except sqlite3.Error:
        pass  # everything is safe in the -wal file; the next writer brings it home
    connection.close()


def wal_of(path: Path) -> Path:
    return path.with_name(path.name + "-wal")


def _connect(path: Path, parameters: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?{parameters}",
        uri=True,
        timeout=BUSY_TIMEOUT_S,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=512,
    )


class ReadPool:
    """Read-only connections, lent to one call of one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def snapshot(self) -> Iterator[sqlite3.Connection]:
        """A connection inside a read transaction: everything read through it is of one moment."""
        connection = self._take()
        with in_our_words(self._path):
            try:
                connection.execute("BEGIN")
                yield connection
            except sqlite3.Error:
                connection.close()
                raise
            finally:
                self._give_back(connection)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _give_back(self, connection: sqlite3.Connection) -> None:
        try:
            connection.rollback()
        except sqlite3.Error:  # it was closed, or has failed for good
            connection.close()
            return
        with self._lock:
            if not self._closed and len(self._idle) < IDLE_READERS_MAX_COUNT:
                self._idle.append(connection)
                return
        connection.close()

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._closed:
                raise RuntimeError("this store is closed")
            if self._idle:
                return self._idle.pop()
        with in_our_words(self._path):
            return open_reader(self._path)
