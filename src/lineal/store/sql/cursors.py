"""How far each writer's journal is applied, and until when it has promised to be heard of again."""

from __future__ import annotations

from lineal.model.entities import Cursor, Head
from lineal.store.sql.database import Connection, Row

_SELECT = (
    "SELECT writer.name, coalesce(run.run_id, writer.run_id), seq, segment, byte_offset, attempt, is_primary, host, pid,"
    " lease_until_ms, writer.pk FROM writer LEFT JOIN run ON run.pk = writer.run WHERE writer.tenant = ?"
)


def read_cursor(connection: Connection, tenant: int, writer: str) -> Cursor | None:
    return find_writer(connection, tenant, writer)[1]


def find_writer(connection: Connection, tenant: int, writer: str) -> tuple[int | None, Cursor | None]:
    """Its number and its cursor, if it has them."""
    row = connection.execute(f"{_SELECT} AND writer.name = ?", (tenant, writer)).fetchone()
    if row is None:
        return None, None
    return row[-1], None if row[2] is None else _cursor(row)


def read_lapsed(connection: Connection, tenant: int, now_ms: int, limit: int) -> list[Cursor]:
    order = "ORDER BY lease_until_ms, writer.name LIMIT ?"
    rows = connection.execute(f"{_SELECT} AND lease_until_ms <= ? {order}", (tenant, now_ms, limit))
    return [_cursor(row) for row in rows]


def read_leases(connection: Connection, tenant: int, run_id: str) -> list[Cursor]:
    of_run = "AND lease_until_ms IS NOT NULL AND coalesce(run.run_id, writer.run_id) = ?"
    return [_cursor(row) for row in connection.execute(f"{_SELECT} {of_run}", (tenant, run_id))]


def _cursor(row: Row) -> Cursor:
    writer, run_id, seq, segment, offset, attempt, is_primary, host, pid, lease_until_ms, _ = row
    head = None if attempt is None else Head(attempt, bool(is_primary), host, pid)
    return Cursor(writer, run_id, seq, segment, offset, head, lease_until_ms)
