"""How far each writer's journal is applied."""

from __future__ import annotations

from lineal.model.entities import Cursor, Head
from lineal.store.sql.database import Connection


def read_cursor(connection: Connection, tenant: int, writer: str) -> Cursor | None:
    row = connection.execute(
        "SELECT coalesce(run.run_id, writer.run_id), seq, segment, byte_offset, attempt, is_primary, host, pid FROM writer"
        " LEFT JOIN run ON run.pk = writer.run WHERE writer.tenant = ? AND writer.name = ? AND seq IS NOT NULL",
        (tenant, writer),
    ).fetchone()
    if row is None:
        return None
    run_id, seq, segment, offset, attempt, is_primary, host, pid = row
    head = None if attempt is None else Head(attempt, bool(is_primary), host, pid)
    return Cursor(writer, run_id, seq, segment, offset, head)
