"""Loose files: a row for each path that was ever given; a removed one has no digest."""

from __future__ import annotations

from typing import Any, Protocol

from lineal.model.entities import Stamp
from lineal.model.lineage import ModelFile
from lineal.store.audit import Action
from lineal.store.sql.database import Connection
from lineal.store.sql.flush import upsert

_SET = upsert("loose_file", ["tenant", "path"], ["time_ms", "writer", "seq", "digest", "size_bytes", "media_type"])


class _Writer(Protocol):
    """What a `SqlWriter` has for this."""

    _connection: Connection
    _tenant: int

    def audit_subject(self, action: Action, subject: str, stamp: Stamp, values: dict[str, Any]) -> None: ...


class SqlLooseFileWriter:
    """See `loose_files.LooseFileWriter`. Part of a `SqlWriter`."""

    def set_loose_file(self: _Writer, path: str, file: ModelFile | None, stamp: Stamp) -> None:
        known = self._connection.execute(
            "SELECT time_ms, writer, seq FROM loose_file WHERE tenant = ? AND path = ?", (self._tenant, path)
        ).fetchone()
        if known is None or Stamp(*known) < stamp:
            self._connection.executemany(_SET, [(self._tenant, path, *stamp, *(file or (None, None, None)))])
            self.audit_subject("loose_file.set", path, stamp, {"path": path, "file": file})


def find_loose(connection: Connection, tenant: int, path: str) -> ModelFile | None:
    row = connection.execute(
        "SELECT digest, size_bytes, media_type FROM loose_file WHERE tenant = ? AND path = ? AND digest IS NOT NULL",
        (tenant, path),
    ).fetchone()
    return None if row is None else ModelFile(*row)


def list_loose(connection: Connection, tenant: int, folder: str) -> dict[str, ModelFile]:
    head = f"{folder}/" if folder else ""
    rows = connection.execute(
        "SELECT path, digest, size_bytes, media_type FROM loose_file WHERE tenant = ? AND digest IS NOT NULL"
        f" AND substr(path, 1, {len(head)}) = ?",
        (tenant, head),
    ).fetchall()
    return {path: ModelFile(*file) for path, *file in sorted(rows)}


def read_loose_digests(connection: Connection, tenant: int, beginning: str) -> list[tuple[str, int]]:
    """Those that begin so; with sizes."""
    rows = connection.execute(
        "SELECT digest, size_bytes FROM loose_file WHERE tenant = ? AND digest LIKE ?", (tenant, f"{beginning}%")
    )
    return [(digest, size_bytes) for digest, size_bytes in rows]
