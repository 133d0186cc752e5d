"""Who changed what, and whether anybody touched that since."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lineal.model.errors import InvalidInput, NotFound
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.errors import Refused
from lineal.server.shapes import audit as shapes
from lineal.store import contracts
from lineal.store.chain import verify
from lineal.store.heads import SignedHead
from lineal.store.people import SERVER
from lineal.store.run_view import iso_time


def list_audit(context: Context, asked: Asked[shapes.AskAudit, None]) -> shapes.AuditPage:
    """Newest first. Rows that come meanwhile shift nothing: a page begins behind the number where the last one ended."""
    query = asked.query
    tenant = _tenant(context, server=query.server)
    reader = context.store.tenant(tenant)
    if query.after is not None:
        filters = (query.subject, query.actor, query.action, query.from_time, query.to_time, query.before)
        if any(given is not None for given in filters):
            raise InvalidInput("after goes through all rows: it takes no filter and no before", field="after")
        rows = reader.list_audit(after=query.after, limit=query.limit)
    else:
        wanted = contracts.AuditQuery(
            query.subject, query.actor, query.action, query.from_time, query.to_time, query.before, query.limit
        )
        rows = reader.find_audit(wanted)
    names = dict(_names(reader, rows))
    return shapes.AuditPage(
        [_row(row, names.get(row.subject)) for row in rows],
        rows[-1].number if len(rows) == query.limit else None,
        _shape(context.source.find_head(tenant)),
    )


def get_audit_head(context: Context, asked: Asked[shapes.AskChain, None]) -> shapes.HeadAnswer:
    """As of a second ago."""
    return shapes.HeadAnswer(_shape(context.source.find_head(_tenant(context, server=asked.query.server))))


def verify_audit(context: Context, asked: Asked[shapes.AskChain, None]) -> shapes.ChainVerdict:
    """Reads the tenant's whole chain. A server that lies would lie here too: `lineal audit verify` reads the rows itself, and holds
    them against heads that were kept elsewhere."""
    tenant = _tenant(context, server=asked.query.server)
    found = verify(context.store.tenant(tenant), tenant)
    return shapes.ChainVerdict(
        found.broken is None,
        tenant,
        0 if found.head is None else found.head.number,
        found.unlinked,
        None if found.broken is None else shapes.BrokenAt(*found.broken),
        _shape(context.source.find_head(tenant)),
    )


def head_of(context: Context) -> shapes.Head | None:
    """Of the tenant that is asked for."""
    return _shape(context.source.find_head(context.tenant))


def _tenant(context: Context, *, server: bool) -> str:
    if not server:
        return context.tenant
    if context.principal.everywhere != "admin":
        raise Refused(403, "forbidden", "rows about users and tokens are for admins of the server")
    return SERVER


def _row(row: contracts.AuditRow, name: str | None) -> shapes.AuditRow:
    return shapes.AuditRow(
        row.number,
        _time(row.time_ms),
        row.time_ms,
        row.writer,
        row.seq,
        row.action,
        row.subject,
        name,
        row.actor,
        row.digest,
        row.hash,
    )


def _time(time_ms: int) -> str | None:
    try:
        return iso_time(time_ms)
    except (ValueError, OverflowError):  # a clock of nowhere
        return None


def _names(reader: contracts.TenantReader, rows: Iterable[contracts.AuditRow]) -> Iterable[tuple[str, str]]:
    """What runs, experiments and model versions are called now."""
    for subject, kind in {row.subject: row.action.partition(".")[0] for row in rows}.items():
        try:
            if kind in ("version", "stage"):
                version = reader.registry().find_version(subject)
                if version is not None:
                    yield subject, f"{version.name}/{version.version}"
                continue
            found: Any = reader.get_experiment(subject) if kind == "experiment" else reader.get_run(subject)
            yield subject, found.name
        except NotFound:  # a user, say
            continue


def _shape(head: SignedHead | None) -> shapes.Head | None:
    return None if head is None else shapes.Head(*head)


ENDPOINTS = (
    Endpoint("GET", "/api/v1/audit", list_audit, "Who changed what", shapes.AuditPage, shapes.AskAudit, access="admin"),
    Endpoint(
        "GET",
        "/api/v1/audit/head",
        get_audit_head,
        "The head of the audit chain",
        shapes.HeadAnswer,
        shapes.AskChain,
        access="reader",
    ),
    Endpoint(
        "GET",
        "/api/v1/audit/verify",
        verify_audit,
        "Whether the audit chain holds",
        shapes.ChainVerdict,
        shapes.AskChain,
        access="admin",
    ),
)
