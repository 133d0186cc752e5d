"""A store in an SQL database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from lineal.model import ids
from lineal.model.entities import Cursor
from lineal.model.errors import NotWritable
from lineal.model.limits import AUDIT_LINK_MAX_COUNT
from lineal.store.people import SERVER
from lineal.store.rules import after
from lineal.store.sql import migrate
from lineal.store.sql.catalog import Catalog
from lineal.store.sql.database import Connection, Database
from lineal.store.sql.engines import Engines
from lineal.store.sql.kept import Kept
from lineal.store.sql.progress import Progress, read_progress, save_progress
from lineal.store.sql.reader import SqlReader

if TYPE_CHECKING:
    from lineal.model.entities import Stamp
    from lineal.store.audit import Action
    from lineal.store.sql.names import Names
    from lineal.store.sql.people import SqlPeopleReader, SqlPeopleWriter
    from lineal.store.sql.writer import SqlWriter


class SqlStore:
    """See `contracts.Store`. One connection writes, under a lock; readers have their own."""

    def __init__(self, database: Database, *, read_only: bool = False) -> None:
        """Opens the database; a writing store makes it and brings it to this release's schema.

        Raises NewerFormat, NotWritable, Busy, Damaged; NotFound if a read-only store has no database, or an empty one."""
        self._database = database
        self._writer: Connection | None = None
        self._names: Names | None = None
        self._kept = Kept()
        self._read_only = read_only
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._heard: list[Callable[[], None]] = []
        self._catalog = Catalog()
        self._engines = Engines(self._catalog)
        try:
            if read_only:
                with self._database.snapshot() as connection:
                    migrate.check_readable(connection)
            else:
                with self._database.in_our_words():
                    self._open_writer()
        except BaseException:
            self._database.close_readers()
            raise

    def _open_writer(self) -> None:
        connection = self._database.open_writer(migrate.check)
        try:
            migrate.migrate(connection)
        except BaseException:
            connection.close()
            raise
        self._write_through(connection)

    def _write_through(self, connection: Connection) -> None:
        from lineal.store.sql.names import Names

        self._writer, self._names = connection, Names(connection)
        self._kept.forget()

    @contextmanager
    def begin(self) -> Iterator[SqlTransaction]:
        if self._read_only:
            raise NotWritable(f"the database {self._database.name} was opened read-only")
        if self._owner == threading.get_ident():
            raise RuntimeError("this thread is in a transaction already")
        with self._lock, self._database.in_our_words():
            if self._writer is None:
                raise RuntimeError("this store is closed")
            self._owner = threading.get_ident()
            try:
                connection = self._database.begin(self._writer)
                if connection is not self._writer:
                    self._write_through(connection)
                assert self._names is not None
                yield from self._transaction(connection, self._names)
            finally:
                self._owner = None
                self._database.end()

    def _transaction(self, connection: Connection, names: Names) -> Iterator[SqlTransaction]:
        before = connection.total_changes
        try:
            progress = read_progress(connection)
            migrate.check_version(progress.version)  # a newer Lineal may have migrated the database that we have open
            names.begin(progress.last_run)
            self._kept.begin(progress.change_number)
            transaction = SqlTransaction(self._database, connection, names, self._kept, progress)
            yield transaction
            with self._database.pipelined(connection):
                transaction.flush()
                if connection.total_changes != before:
                    save_progress(connection, transaction.last_ms, names.last_run)
                    transaction.change_number += 1
                connection.execute("COMMIT")
            self._kept.committed(transaction.change_number)
        except BaseException:
            names.forget()
            self._kept.forget()
            if connection.in_transaction:  # a full disk has rolled back by itself
                connection.execute("ROLLBACK")
            raise
        if transaction.frees_pages:
            self._database.tidy(connection)
        for heard in self._heard:
            heard()

    def tenant(self, name: str) -> SqlReader:
        return SqlReader(self._database, self._catalog, self._engines, name)

    def people(self) -> SqlPeopleReader:
        from lineal.store.sql.people import SqlPeopleReader

        return SqlPeopleReader(self._database.snapshot)

    def list_tenants(self) -> list[str]:
        with self._database.snapshot() as connection:
            rows = connection.execute("SELECT name FROM tenant WHERE name <> ? ORDER BY name", (SERVER,))
            return [name for (name,) in rows]

    def list_due(self) -> dict[str, int]:
        from lineal.store.sql.webhooks import list_due

        with self._database.snapshot() as connection:
            return list_due(connection)

    def change_number(self) -> int:
        with self._database.snapshot() as connection:
            return int(connection.execute("SELECT change_number FROM lineal_schema").fetchone()[0])

    def size_bytes(self) -> int:
        return self._database.size_bytes()

    @contextmanager
    def listening(self, heard: Callable[[], None]) -> Iterator[None]:
        self._heard.append(heard)
        try:
            with self._database.listening(heard):
                yield
        finally:
            self._heard.remove(heard)

    def close(self) -> None:
        self._database.close_readers()
        self._engines.clear()
        with self._lock:
            connection, self._writer = self._writer, None
            if connection is not None:
                self._database.close_writer(connection)


class _Fenced:
    """A writer whose tenant is entered before it says or asks anything."""

    def __init__(self, writer: Any, enter: Callable[[], None]) -> None:
        self._writer = writer
        self._enter = enter

    def registry(self) -> _Fenced:
        return _Fenced(self._writer.registry(), self._enter)

    def webhooks(self) -> _Fenced:
        return _Fenced(self._writer.webhooks(), self._enter)

    def __getattr__(self, name: str) -> Any:
        self._enter()
        return getattr(self._writer, name)


class SqlTransaction:
    """See `contracts.Transaction`. Writers gather what they are told; `flush` writes it."""

    def __init__(
        self, database: Database, connection: Connection, names: Names, kept: Kept, progress: Progress
    ) -> None:
        self._database = database
        self._connection = connection
        self._names = names
        self._kept = kept
        self.change_number = progress.change_number
        self.last_ms = progress.last_ms
        self._writers: dict[str, SqlWriter] = {}
        self._link_count = 0
        self._given_ms = 0

    def link_audit(self, limit: int = AUDIT_LINK_MAX_COUNT) -> None:
        self._link_count = max(self._link_count, limit)

    def find_mark(self, server: str) -> int:
        cursor = self._writer(SERVER).find_cursor(server)
        return 0 if cursor is None else cursor.seq

    def set_mark(self, server: str, number: int) -> None:
        self._writer(SERVER).set_cursor(Cursor(server, None, number, 0, 0))

    def stamp_ms(self, now_ms: int) -> int:
        self.last_ms = self._given_ms = after(self.last_ms, now_ms)
        return self.last_ms

    def _now_ms(self) -> int:
        """0 if it was given no time."""
        return self._given_ms

    def tenant(self, name: str) -> SqlWriter:
        if name not in self._writers:
            ids.check_tenant(name)
        return self._writer(name)

    def people(self) -> SqlPeopleWriter:
        from lineal.store.sql.people import SqlPeopleWriter

        return SqlPeopleWriter(self._connection, self._names, self._audit, self.tenant)

    def _audit(self, tenant: str, action: Action, subject: str, said: Stamp, values: dict[str, Any]) -> None:
        self._writer(tenant).audit_subject(action, subject, said, values)

    def _writer(self, name: str) -> SqlWriter:
        from lineal.store.sql.writer import SqlWriter

        if name not in self._writers:
            tenant = self._names.tenant(name)
            number = self.change_number + 1
            writer = SqlWriter(self._connection, self._names, self._kept, tenant, name, number, self._now_ms)
            self._writers[name] = self._fenced(writer, tenant) if self._database.is_fenced else writer
        return self._writers[name]

    def _fenced(self, writer: SqlWriter, tenant: int) -> SqlWriter:
        return cast("SqlWriter", _Fenced(writer, lambda: self._database.enter(self._connection, tenant)))

    def flush(self) -> None:
        for writer in self._writers.values():
            writer.flush()
        if self._link_count:
            from lineal.store.sql.audit import link_tenants

            self._database.enter(self._connection, None)
            link_tenants(self._connection, self._link_count)

    @property
    def frees_pages(self) -> bool:
        return any(writer.frees_pages for writer in self._writers.values())
