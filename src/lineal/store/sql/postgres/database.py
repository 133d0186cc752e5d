"""A store's PostgreSQL database; and PostgreSQL's errors in our words."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import cast

import psycopg
from psycopg.conninfo import conninfo_to_dict

from lineal.model.errors import Busy, Damaged, InvalidInput, LinealError, NotFound, NotWritable
from lineal.store.sql.database import Connection
from lineal.store.sql.postgres.connection import PostgresConnection, Readers, WritersSnapshot
from lineal.store.sql.postgres.listener import listening

LOG = logging.getLogger("lineal.store")

# By class, the first two characters of the code, or by the whole code.
_WORDS: dict[str, type[Busy | NotWritable | Damaged | NotFound]] = {
    "08": Busy,  # connection lost
    "0A": NotWritable,  # a standby cannot begin to write
    "40": Busy,  # serialization failure, deadlock
    "53": Busy,  # out of memory, too many connections
    "53100": NotWritable,  # disk full
    "55": Busy,  # lock not available, object in use
    "57": Busy,  # shut down, starting up, cancelled
    "58": NotWritable,  # input and output errors of its own
    "25": NotWritable,  # a read-only server; a transaction that was ended for standing idle is 25P03
    "25P03": Busy,
    "28": NotWritable,  # wrong password, no such role
    "42501": NotWritable,  # no privilege
    "3D000": NotFound,  # no such database
    "3F000": NotFound,  # no such schema
    "XX": Damaged,
    "XX000": NotWritable,
}


_LOST = ("08", "57")  # the connection

# libpq does not hand on the code of an error while connecting, only its text. In another language it is Busy.
_REFUSALS: tuple[tuple[str, type[NotWritable | NotFound]], ...] = (
    ("does not exist", NotFound),
    ("authentication failed", NotWritable),
    ("no password supplied", NotWritable),
    ("no pg_hba.conf entry", NotWritable),
    ("permission denied", NotWritable),
)


class PostgresDatabase:
    """See `database.Database`. `url`: as libpq reads it."""

    def __init__(self, url: str) -> None:
        try:
            given = conninfo_to_dict(url)
        except psycopg.ProgrammingError as error:
            raise InvalidInput(f"not a PostgreSQL address: {error}", field="url") from None
        self._url = url
        where = [str(given[key]) for key in ("host", "port", "dbname") if given.get(key)]
        self.name = " ".join(["postgresql", *where])  # the address may hold a password
        self._readers = Readers(self._connect)
        self._writers_snapshot = WritersSnapshot(self._connect)
        self._begun: tuple[int, PostgresConnection] | None = None

    @contextmanager
    def in_our_words(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            kind = _kind_of(error)
            if kind is None:
                raise
            text = str(error).strip() or type(error).__name__
            raised = kind(f"the database {self.name} does not answer as it should: {text}")
            if isinstance(raised, Busy):
                raised.at_once = (error.sqlstate or "08")[:2] in _LOST
            raise raised from error

    def open_writer(self, check: Callable[[Connection], object]) -> Connection:
        connection = self._connect()
        try:
            check(connection)
            [is_above] = connection.execute(
                "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
            ).fetchone()
            if is_above:
                LOG.warning(
                    "the role with which %s is opened is above row-level security: tenants are kept apart by what is asked"
                    " alone, not by the database; use a role without SUPERUSER and BYPASSRLS",
                    self.name,
                )
        except BaseException:
            connection.close()
            raise
        return connection

    def begin(self, connection: Connection) -> Connection:
        begun = self._begin(connection)
        self._begun = threading.get_ident(), cast("PostgresConnection", begun)
        return begun

    def _begin(self, connection: Connection) -> Connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            return connection
        except psycopg.Error:
            opened = cast("PostgresConnection", connection)
            if not opened.is_lost:
                if opened.in_transaction:  # the lock was not to be had
                    opened.execute("ROLLBACK")
                raise
        connection = self._connect()
        try:
            connection.execute("BEGIN IMMEDIATE")
        except BaseException:
            connection.close()
            raise
        return connection

    def end(self) -> None:
        self._begun = None  # before another thread begins, in whose transaction this one would seem to be
        self._writers_snapshot.end()

    def pipelined(self, connection: Connection) -> AbstractContextManager[None]:
        return cast("PostgresConnection", connection).pipelined()

    def size_bytes(self) -> int:
        with self.snapshot() as connection:
            return int(connection.execute("SELECT pg_database_size(current_database())").fetchone()[0])

    def tidy(self, connection: Connection) -> None:
        """PostgreSQL does it by itself."""

    def close_writer(self, connection: Connection) -> None:
        connection.close()

    is_fenced = True

    def enter(self, connection: Connection, tenant: int | None) -> None:
        cast("PostgresConnection", connection).enter(tenant)

    def snapshot(self, tenant: int | None = None) -> AbstractContextManager[Connection]:
        return self._snapshot(tenant)

    @contextmanager
    def _snapshot(self, tenant: int | None) -> Iterator[Connection]:
        begun = self._begun
        is_ours = begun is not None and begun[0] == threading.get_ident() and begun[1].in_transaction
        snapshot = self._writers_snapshot.of(tenant) if is_ours else self._readers.snapshot(tenant)
        with self.in_our_words(), snapshot as connection:
            yield connection

    def close_readers(self) -> None:
        self._readers.close()
        self._writers_snapshot.close()

    def listening(self, heard: Callable[[], None]) -> AbstractContextManager[None]:
        return listening(self._connect, heard)

    def _connect(self) -> PostgresConnection:
        return PostgresConnection(self._url)


def _kind_of(error: psycopg.Error) -> type[LinealError] | None:
    if error.sqlstate:
        return _WORDS.get(error.sqlstate) or _WORDS.get(error.sqlstate[:2])
    if not isinstance(error, psycopg.OperationalError | psycopg.InterfaceError):
        return None
    return next((kind for words, kind in _REFUSALS if words in str(error)), Busy)
