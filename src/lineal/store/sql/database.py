"""What the modules of this package ask of a database: statements in SQLite's dialect, a transaction, a snapshot."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

Row: TypeAlias = Any
"""A tuple of as many values as the statement asked for."""


def list_text(numbers: Sequence[int]) -> str:
    """For json_each."""
    return f"[{','.join(map(str, numbers))}]"


class Rows(Protocol):
    """What a statement answered, right after it."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Row: ...

    def fetchall(self) -> list[Row]: ...

    def __iter__(self) -> Iterator[Row]: ...


class Connection(Protocol):
    """Statements of one thread at a time. `sqlite3.Connection` is one."""

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows: ...

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> object:
        """Rows of one INSERT have keys of their own."""
        ...

    @property
    def in_transaction(self) -> bool:
        """False also when the database has undone it by itself, or is lost."""
        ...

    @property
    def total_changes(self) -> int:
        """Rows changed since the connection was opened."""
        ...

    def close(self) -> None: ...


class Database(Protocol):
    """One database, wherever it is. Errors of the medium leave `in_our_words` as NotWritable, Busy and Damaged."""

    @property
    def name(self) -> str:
        """For messages."""
        ...

    def in_our_words(self) -> AbstractContextManager[None]: ...

    def open_writer(self, check: Callable[[Connection], object]) -> Connection:
        """The writing connection of a store. Nothing in the database is changed before `check` has looked at it."""
        ...

    def begin(self, connection: Connection) -> Connection:
        """Begins a writing transaction, the only one at this time; through another connection if the one given was lost
        while nothing was under way."""
        ...

    def end(self) -> None:
        """The writing transaction is over, however it went; what was asked meanwhile in its thread was asked of the moment when it
        began. Raises nothing."""
        ...

    def pipelined(self, connection: Connection) -> AbstractContextManager[None]:
        """Within the block, statements whose answers nobody looks at need not be answered one by one: what the database
        refuses may be raised by a later one, or at the end."""
        ...

    def size_bytes(self) -> int:
        """What it takes on its disk."""
        ...

    def tidy(self, connection: Connection) -> None:
        """After a commit that may have freed room."""
        ...

    def close_writer(self, connection: Connection) -> None: ...

    @property
    def is_fenced(self) -> bool:
        """Whether a connection sees and writes the rows of the tenant alone that was entered last in its transaction."""
        ...

    def enter(self, connection: Connection, tenant: int | None) -> None:
        """That tenant, by its number; None: all of them."""
        ...

    def snapshot(self, tenant: int | None = None) -> AbstractContextManager[Connection]:
        """A connection whose answers are all of one moment, in which that tenant was entered. RuntimeError once readers are
        closed."""
        ...

    def close_readers(self) -> None: ...

    def listening(self, heard: Callable[[], None]) -> AbstractContextManager[None]:
        """Within the block: calls `heard`, from a thread of its own, soon after other processes have committed, if the database
        tells of that. Sometimes for nothing."""
        ...
