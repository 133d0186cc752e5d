"""The only file that names backends."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode, urlsplit

from lineal.model.errors import InvalidInput

if TYPE_CHECKING:
    from lineal.store.contracts import Store

MEMORY_URL = "memory:"
SQLITE_PREFIX = "sqlite:///"
POSTGRES_PREFIXES = ("postgresql://", "postgres://")


def open_store(url: str, *, read_only: bool = False) -> Store:
    """The store at `url`: "memory:" (a new, empty one), "sqlite:///PATH" (a fourth slash begins an absolute path), or
    "postgresql://..." as libpq reads it.

    A writing SQLite store is made (file 0600, new folders 0700) or migrated where needed. Raises InvalidInput for another
    URL; NotFound (read-only, nothing there), NewerFormat (nothing was changed), NotWritable, Busy, Damaged."""
    if url == MEMORY_URL:
        from lineal.store.memory import MemoryStore

        return MemoryStore()
    from lineal.store.sql.store import SqlStore

    if url.startswith(POSTGRES_PREFIXES):
        try:
            from lineal.store.sql.postgres.database import PostgresDatabase
        except ImportError as error:
            raise InvalidInput('PostgreSQL needs more packages: pip install "lineal[postgres]"', field="url") from error
        return SqlStore(PostgresDatabase(url), read_only=read_only)
    from lineal.store.sql.sqlite import SqliteDatabase

    return SqlStore(SqliteDatabase(sqlite_path(url)), read_only=read_only)


def sqlite_path(url: str) -> Path:
    """The file that a SQLite URL names; InvalidInput for another URL."""
    if url.startswith(SQLITE_PREFIX) and len(url) > len(SQLITE_PREFIX) and "\0" not in url:
        return Path(url.removeprefix(SQLITE_PREFIX))
    raise InvalidInput(
        f"{url!r:.80} is not a store: sqlite:///path/to/file, postgresql://host/database or memory: is", field="url"
    )


def is_shared(url: str) -> bool:
    """Whether several processes may write that store at the same time."""
    return url.startswith(POSTGRES_PREFIXES)


def without_secrets(url: str) -> str:
    """The URL as it may be shown and logged."""
    if not is_shared(url):
        return url
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    query = urlencode([pair for pair in parse_qsl(parts.query) if "password" not in pair[0]], safe="/")
    return f"{parts.scheme}://{user.partition(':')[0]}{at}{host}{parts.path}{'?' if query else ''}{query}"


def database_name(url: str) -> str:
    """What people call it: the PostgreSQL database, the folder of a SQLite file."""
    if url == MEMORY_URL:
        return "memory"
    if is_shared(url):
        return urlsplit(url).path.strip("/") or "postgresql"
    return sqlite_path(url).absolute().parent.name


def sqlite_url(path: Path) -> str:
    """The URL of a database file."""
    return f"{SQLITE_PREFIX}{path.absolute()}"


def copy_store(url: str, path: str | Path) -> Store:
    """A writable copy of a SQLite store as it is now, for a private snapshot (ADR 0006). `path` must not exist yet.
    Errors as `open_store`, and NotWritable if there is no room for the copy."""
    from lineal.store.sql.copy import copy_database
    from lineal.store.sql.sqlite import SqliteDatabase
    from lineal.store.sql.store import SqlStore

    copy_database(sqlite_path(url), Path(path))
    return SqlStore(SqliteDatabase(Path(path)))
