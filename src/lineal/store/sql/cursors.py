"""How far each writer's journal is applied."""

from __future__ import annotations

from lineal.model.entities import Cursor
from lineal.store.sql.database import Connection


def read_cursor(connection: Connection, tenant: int, writer: str) -> Cursor | None:
    row = connection.execute(
        "SELECT coalesce(run.run_id, writer.run_id), seq, segment, byte_offset FROM writer"
        " LEFT JOIN run ON run.pk = writer.run WHERE writer.tenant = ? AND writer.name = ? AND seq IS NOT NULL",
        (tenant, writer),
    ).fetchone()
    return None if row is None else Cursor(writer, *row)
