"""A foreign database as far as an import needs it: questions that change nothing, and rows that stream."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from lineal.model.errors import InvalidInput, NotFound, Unreachable

_ROWS_COUNT = 10_000  # fetched at a time: 1 MB of points


class ForeignDatabase(Protocol):
    """Placeholders are "?" in every statement."""

    place: str

    def rows(self, statement: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """Streamed, a bounded number in memory. Raises Unreachable for what the database says."""
        ...

    def columns(self, table: str) -> set[str]:
        """Names of the table's columns; none if there is no such table."""
        ...

    def close(self) -> None: ...


class ForeignSqlite:
    """Opened read-only; no lock outlives a question, so that an MLflow server that runs on it can go on."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise NotFound(f"{path} is no file: an MLflow database was expected", field="source")
        self.place = str(path)
        self.folder = path.resolve().parent
        try:
            self._connection = sqlite3.connect(f"file:{quote(str(path.resolve()))}?mode=ro", uri=True, timeout=30.0)
            self._connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        except sqlite3.Error as error:
            raise InvalidInput(f"{path} is no SQLite database: {error}", field="source") from None

    def rows(self, statement: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        try:
            cursor = self._connection.execute(statement, tuple(values))
            try:
                while some := cursor.fetchmany(_ROWS_COUNT):
                    yield from some
            finally:
                cursor.close()
        except sqlite3.Error as error:
            raise Unreachable(f"{self.place}: {error}", field="source") from None

    def columns(self, table: str) -> set[str]:
        return {str(row[0]) for row in self.rows("SELECT name FROM pragma_table_info(?)", (table,))}

    def close(self) -> None:
        self._connection.close()


class ForeignPostgres:
    """One transaction that reads only, and sees one moment."""

    def __init__(self, url: str) -> None:
        try:
            import psycopg
        except ImportError as error:
            raise InvalidInput(
                'PostgreSQL needs more packages: pip install "lineal[postgres]"', field="source"
            ) from error
        self.place = _shown(url)
        self.folder = Path.cwd()
        self._error = psycopg.Error
        try:
            self._connection = psycopg.connect(url, connect_timeout=30)
            self._connection.read_only = True
            self._connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        except psycopg.ProgrammingError as error:
            raise InvalidInput(f"{self.place}: {error}", field="source") from None
        except psycopg.Error as error:
            raise Unreachable(f"{self.place} does not answer: {error}", field="source") from None

    def rows(self, statement: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        text = statement.replace("%", "%%").replace("?", "%s")
        try:
            with self._connection.cursor(name="lineal_import") as cursor:
                cursor.itersize = _ROWS_COUNT
                cursor.execute(text.encode(), tuple(values))
                yield from cursor
        except self._error as error:
            raise Unreachable(f"{self.place}: {error}", field="source") from None

    def columns(self, table: str) -> set[str]:
        asked = "SELECT column_name FROM information_schema.columns WHERE table_schema = ANY (current_schemas(false)) AND table_name = ?"
        return {str(row[0]) for row in self.rows(asked, (table,))}

    def close(self) -> None:
        self._connection.close()


def open_foreign(url: str) -> ForeignSqlite | ForeignPostgres:
    """By its URL as SQLAlchemy and MLflow write it, the driver's name included."""
    scheme, mark, rest = url.partition("://")
    dialect, _, _ = scheme.partition("+")
    if dialect == "sqlite" and mark and rest.startswith("/") and len(rest) > 1:
        return ForeignSqlite(Path(unquote(rest[1:].partition("?")[0])))
    if dialect in ("postgresql", "postgres") and mark:
        return ForeignPostgres(f"postgresql://{rest}")
    raise InvalidInput(
        f"{scheme[:40]!r} is no source: sqlite:///PATH, postgresql://HOST/DATABASE or an mlruns folder was expected",
        field="source",
    )


def is_database(source: str) -> bool:
    return "://" in source and not source.startswith("file:")


def _shown(url: str) -> str:
    """Without a password."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    query = [(key, value) for key, value in parse_qsl(parts.query) if key != "password"]
    return parts._replace(netloc=host, query=urlencode(query)).geturl()
