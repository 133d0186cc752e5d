"""Audit rows and their links in the database."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lineal.model.errors import Damaged
from lineal.store.contracts import AuditQuery, AuditRow, ChainHead
from lineal.store.sql.database import Connection

# Rows whose writer, run or experiment is gone are read all the same: they are what a verification looks for.
_SELECT = (
    "SELECT audit.number, audit.time_ms, writer.name, audit.seq, audit.action,"
    " coalesce(audit.subject, run.run_id, experiment.experiment_id), audit.digest, audit.actor, audit_link.hash FROM audit"
    " LEFT JOIN writer ON writer.pk = audit.writer LEFT JOIN run ON run.pk = audit.run"
    " LEFT JOIN experiment ON experiment.pk = audit.experiment"
    " LEFT JOIN audit_link ON audit_link.tenant = audit.tenant AND audit_link.number = audit.number"
    " WHERE audit.tenant = ?"
)

_PAGE_ROWS = 5_000


def insert_audit(connection: Connection, tenant: int, rows: Iterable[tuple[Any, ...]]) -> None:
    """Of (time_ms, writer, seq, action, run, experiment, subject, digest, actor): numbered behind the last."""
    [last] = connection.execute("SELECT coalesce(max(number), 0) FROM audit WHERE tenant = ?", (tenant,)).fetchone()
    connection.executemany(
        "INSERT INTO audit (tenant, number, time_ms, writer, seq, action, run, experiment, subject, digest, actor)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(tenant, last + n, *row) for n, row in enumerate(rows, 1)],
    )


def link_tenants(connection: Connection, limit: int) -> None:
    """See `Transaction.link_audit`. Within a transaction, of which there is one at a time: whoever else links is done, or
    waits."""
    waiting = connection.execute(
        "SELECT pk, name FROM tenant WHERE (SELECT max(number) FROM audit WHERE audit.tenant = tenant.pk)"
        " > coalesce((SELECT max(number) FROM audit_link WHERE audit_link.tenant = tenant.pk), 0)"
    ).fetchall()
    for tenant, name in waiting:
        _link(connection, tenant, name, limit)


def _link(connection: Connection, tenant: int, tenant_name: str, limit: int) -> None:
    from lineal.store.chain import START, link

    number, previous = 0, START
    row = connection.execute(
        "SELECT number, hash FROM audit_link WHERE tenant = ? ORDER BY number DESC LIMIT 1", (tenant,)
    ).fetchone()
    if row is not None:
        number, previous = row
    for _ in range(0, limit, _PAGE_ROWS):
        links = []
        try:
            for audit in read_audit(connection, tenant, number, min(limit, _PAGE_ROWS)):
                if audit.number != number + 1:
                    break  # a row is missing: what follows has no place in the chain, and a verification says so
                previous, number = link(previous, tenant_name, audit), audit.number
                links.append((tenant, number, previous))
        except Exception as error:
            if not isinstance(error, Damaged) and "decode to UTF-8" not in str(error):
                raise
            # As above: nobody's change is stopped by what somebody did to the rows.
        connection.executemany("INSERT INTO audit_link (tenant, number, hash) VALUES (?, ?, ?)", links)
        if len(links) < _PAGE_ROWS:
            return


def read_audit(connection: Connection, tenant: int, after: int, limit: int) -> list[AuditRow]:
    rows = connection.execute(
        f"{_SELECT} AND audit.number > ? ORDER BY audit.number LIMIT ?", (tenant, after, limit)
    ).fetchall()
    return [_row(row) for row in rows]


def search_audit(connection: Connection, tenant: int, query: AuditQuery) -> list[AuditRow]:
    sql, values = _SELECT, [tenant]
    for condition, value in _conditions(query):
        sql += f" AND {condition}"
        values += value
    rows = connection.execute(f"{sql} ORDER BY audit.number DESC LIMIT ?", (*values, query.limit)).fetchall()
    return [_row(row) for row in rows]


def _conditions(query: AuditQuery) -> Iterable[tuple[str, list[Any]]]:
    if query.before is not None:
        yield "audit.number < ?", [query.before]
    if query.subject is not None:
        yield "(audit.subject = ? OR run.run_id = ? OR experiment.experiment_id = ?)", [query.subject] * 3
    if query.actor is not None:
        yield "(audit.actor = ? OR writer.name = ?)", [query.actor] * 2
    if query.action is not None and query.action.endswith("."):
        yield "audit.action >= ? AND audit.action < ?", [query.action, query.action[:-1] + "/"]  # "/" follows "."
    elif query.action is not None:
        yield "audit.action = ?", [query.action]
    if query.from_ms is not None:
        yield "audit.time_ms >= ?", [query.from_ms]
    if query.to_ms is not None:
        yield "audit.time_ms <= ?", [query.to_ms]


def read_chain_head(connection: Connection, tenant: int, tenant_name: str) -> ChainHead | None:
    row = connection.execute(
        "SELECT audit_link.number, audit_link.hash, audit.time_ms FROM audit_link LEFT JOIN audit"
        " ON audit.tenant = audit_link.tenant AND audit.number = audit_link.number"
        " WHERE audit_link.tenant = ? ORDER BY audit_link.number DESC LIMIT 1",
        (tenant,),
    ).fetchone()
    return None if row is None else ChainHead(tenant_name, row[0], _hex(row[1]), row[2] or 0)


def _row(row: tuple[Any, ...]) -> AuditRow:
    number, time_ms, writer, seq, action, subject, digest, actor, hash_ = row
    return AuditRow(
        number, time_ms, writer, seq, action, subject, _hex(digest), actor, None if hash_ is None else _hex(hash_)
    )


def _hex(value: Any) -> str:
    """Of what should be bytes, and is not when somebody changed it."""
    return value.hex() if isinstance(value, bytes) else repr(value)
