"""What requests with an Idempotency-Key were answered."""

from __future__ import annotations

from lineal.model.entities import KeptAnswer
from lineal.store.sql.database import Connection


def read_answer(connection: Connection, tenant: int, key: str) -> KeptAnswer | None:
    row = connection.execute(
        "SELECT digest, status, body, time_ms FROM answer WHERE tenant = ? AND key = ?", (tenant, key)
    ).fetchone()
    return None if row is None else KeptAnswer(key, row[0], row[1], bytes(row[2]), row[3])


def write_answer(connection: Connection, tenant: int, answer: KeptAnswer) -> None:
    connection.execute(
        "INSERT INTO answer (tenant, key, digest, status, body, time_ms) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (tenant, key) DO UPDATE SET digest = excluded.digest, status = excluded.status,"
        " body = excluded.body, time_ms = excluded.time_ms",
        (tenant, *answer),
    )


def delete_answers(connection: Connection, tenant: int, before_ms: int) -> None:
    connection.execute("DELETE FROM answer WHERE tenant = ? AND time_ms < ?", (tenant, before_ms))
