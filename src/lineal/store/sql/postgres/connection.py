"""One connection to PostgreSQL, and the few that readers share."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus

from lineal.model.errors import Busy, InvalidInput
from lineal.store.sql.database import Rows
from lineal.store.sql.migrate import EVERYTHING, FENCE
from lineal.store.sql.postgres.dialect import in_statements, translated
from lineal.store.sql.postgres.fence import ALL, SETTING, fence
from lineal.store.sql.postgres.values import register

OLDEST_VERSION = 140_000  # numbers with infinities
PREPARED_MAX_COUNT = 500
READERS_MAX_COUNT = 8  # a store's; with its writer and what that reads, ten of the hundred that a server has by default
READER_WAIT_S = 10.0
LOCK_WAIT_S = 10.0  # transactions queue behind one another, each about a second at most
CONNECT_TIMEOUT_S = 10

_DEFAULTS = {
    "application_name": "lineal",
    "connect_timeout": str(CONNECT_TIMEOUT_S),
    # A database whose machine has gone is noticed within a minute.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
_CHANGES = ("INSERT", "UPDATE", "DELETE")
_ENDS = ("BEGIN", "COMMIT", "ROLLBACK")  # of transactions: they are about no tenant
_BEGIN_READING = translated("BEGIN")
_SESSION = (
    "SET synchronous_commit = on",  # a commit is on disk when it returns, whatever the server's default is
    "SET client_encoding = 'UTF8'",
    f"SET lock_timeout = '{LOCK_WAIT_S}s'",
    # Of a process that stands still or cannot be reached, so that it does not hold up the others for ever.
    "SET idle_in_transaction_session_timeout = '120s'",
)


class PostgresConnection:
    """See `database.Connection`."""

    def __init__(self, conninfo: str) -> None:
        settings = {**_DEFAULTS, **conninfo_to_dict(conninfo)}
        self._raw = psycopg.connect(make_conninfo("", **settings), autocommit=True)
        self._raw.prepared_max = PREPARED_MAX_COUNT
        self._raw.cursor_factory = psycopg.RawCursor
        try:
            self._check()
            register(self._raw.adapters)
            self._raw.execute("; ".join(_SESSION))
        except BaseException:
            self._raw.close()
            raise
        self._changes = 0
        self._scope: str | None = None  # as the database knows it
        self._entered: str | None = None
        self._pipeline: psycopg.Pipeline | None = None
        self._sent: list[psycopg.Cursor[Any]] = []

    def enter(self, tenant: int | None) -> None:
        """What this transaction says from here on is about that tenant (None: about all of them). Told with the next statement:
        often there is none."""
        self._entered = ALL if tenant is None else str(tenant)

    def leave(self) -> None:
        """... is about none."""
        self._entered = ""

    @contextmanager
    def pipelined(self) -> Iterator[None]:
        """Within it, statements are sent without waiting for one another, until the rows of one are asked for. What the
        database refuses is raised by a later one, or at the end."""
        try:
            with self._raw.pipeline() as self._pipeline:
                yield
            self._count_sent()
        finally:
            self._pipeline = None
            self._sent.clear()

    def begin_reading(self, tenant: int | None) -> None:
        """A snapshot of one tenant, or of what belongs to none."""
        self._scope = self._entered = "" if tenant is None else str(tenant)
        self._raw.execute(_BEGIN_READING + ("" if tenant is None else f"; SET LOCAL {SETTING} = '{int(tenant)}'"))

    def _check(self) -> None:
        """Both are told by the server when it is connected to."""
        if self._raw.info.server_version < OLDEST_VERSION:
            raise InvalidInput("PostgreSQL 14 or newer is needed", field="url")
        encoding = self._raw.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise InvalidInput(
                f"the database has the encoding {encoding}: UTF8 is needed, for names are any text", field="url"
            )

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        if sql.startswith("BEGIN"):
            self._scope = self._entered = None  # the setting is the transaction's
        elif sql == EVERYTHING:
            self.enter(None)
        elif sql == FENCE:
            fence(self)
        statement = translated(sql)
        return self._execute(statement, parameters, binary=";" not in statement)  # several at once are answered as text

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> None:
        said = list(in_statements(sql, list(parameters)))
        with nullcontext() if self._pipeline is not None or len(said) < 2 else self.pipelined():
            for statement, together in said:
                self._execute(statement, together, binary=True)

    def _execute(self, statement: str, parameters: Sequence[Any], *, binary: bool) -> Rows:
        if self._entered not in (None, self._scope) and not statement.startswith(_ENDS):
            self._scope = self._entered
            self._raw.execute(f"SELECT set_config('{SETTING}', $1, true)", (self._scope,))
        cursor = self._raw.cursor(binary=binary)
        cursor.execute(statement, parameters or None)
        if not statement.startswith(_CHANGES):
            return cursor
        if self._pipeline is not None:
            self._sent.append(cursor)
            return Sent(cursor, self._settle)
        self._changes += max(cursor.rowcount, 0)
        return cursor

    def _settle(self) -> None:
        """What was sent has been answered."""
        if self._pipeline is not None and self._sent:
            self._pipeline.sync()
            self._count_sent()

    def _count_sent(self) -> None:
        self._changes += sum(max(cursor.rowcount, 0) for cursor in self._sent)
        self._sent.clear()

    @property
    def total_changes(self) -> int:
        self._settle()
        return self._changes

    @property
    def in_transaction(self) -> bool:
        return not self.is_lost and self._raw.info.transaction_status != TransactionStatus.IDLE

    @property
    def raw(self) -> psycopg.Connection[Any]:
        """To be waited for."""
        return self._raw

    def take_notices(self) -> set[str]:
        """The messages that have arrived for a connection that listens. Raises psycopg.Error if it is lost."""
        self._raw.pgconn.consume_input()
        found = set()
        while (notice := self._raw.pgconn.notifies()) is not None:
            found.add(bytes(notice.extra).decode())
        return found

    @property
    def is_lost(self) -> bool:
        return self._raw.closed

    def close(self) -> None:
        self._raw.close()


class WritersSnapshot:
    """What the writer asks within its transaction, through a connection of its own: while others wait for that, it waits for no
    page of a dashboard. Nobody else commits meanwhile, so one snapshot serves all of it."""

    def __init__(self, connect: Callable[[], PostgresConnection]) -> None:
        self._connect = connect
        self._connection: PostgresConnection | None = None

    @contextmanager
    def of(self, tenant: int | None) -> Iterator[PostgresConnection]:
        connection = self._begun(tenant)
        try:
            yield connection
        except psycopg.Error:
            self.end()  # what is asked next is asked anew
            raise

    def _begun(self, tenant: int | None) -> PostgresConnection:
        connection = self._connection
        if connection is not None and connection.in_transaction:
            connection.enter(tenant) if tenant is not None else connection.leave()
            return connection
        if connection is not None:
            try:
                connection.begin_reading(tenant)
                return connection
            except psycopg.OperationalError:  # see Readers
                self.close()
        self._connection = self._connect()
        self._connection.begin_reading(tenant)
        return self._connection

    def end(self) -> None:
        """The transaction is over."""
        connection = self._connection
        try:
            if connection is not None and connection.in_transaction:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            self.close()

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


class Sent:
    """What a statement of a pipeline answers: waited for when it is asked for."""

    def __init__(self, cursor: psycopg.Cursor[Any], settle: Callable[[], None]) -> None:
        self._cursor = cursor
        self._settle = settle

    @property
    def rowcount(self) -> int:
        self._settle()
        return self._cursor.rowcount

    def fetchone(self) -> Any:
        return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        return self._cursor.fetchall()

    def __iter__(self) -> Iterator[Any]:
        return iter(self._cursor)


class Readers:
    """Connections that only read, lent to one call of one thread at a time: at most `max_count`; the next call
    waits for one, and is told Busy if none comes."""

    def __init__(self, connect: Callable[[], PostgresConnection], max_count: int = READERS_MAX_COUNT) -> None:
        self._connect = connect
        self._max_count = max_count
        self._idle: list[PostgresConnection] = []
        self._lent = threading.BoundedSemaphore(max_count)
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def snapshot(self, tenant: int | None = None) -> Iterator[PostgresConnection]:
        if self._closed:
            raise RuntimeError("this store is closed")
        if not self._lent.acquire(timeout=READER_WAIT_S):
            raise Busy(f"all {self._max_count} connections of this process to the database are in use")
        try:
            connection = self._begin(tenant)
            try:
                yield connection
            finally:
                self._give_back(connection)
        finally:
            self._lent.release()

    def close(self) -> None:
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def _begin(self, tenant: int | None) -> PostgresConnection:
        while True:
            with self._lock:
                if self._closed:
                    raise RuntimeError("this store is closed")
                connection = self._idle.pop() if self._idle else None
            if connection is None:
                connection = self._connect()
                connection.begin_reading(tenant)
                return connection
            try:
                connection.begin_reading(tenant)
                return connection
            except psycopg.OperationalError:
                connection.close()  # the server was restarted since: nothing was asked yet, so ask through another one

    def _give_back(self, connection: PostgresConnection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except psycopg.Error:
            connection.close()
        if not connection.is_lost:
            with self._lock:
                if not self._closed:
                    self._idle.append(connection)
                    return
        connection.close()
