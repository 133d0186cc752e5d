"""The SDK's own road: bytes of its journals."""

from __future__ import annotations

import re
from http import HTTPStatus

import msgspec

from lineal.ingest.desk import Desk, Said
from lineal.ingest.receive import Piece, receive
from lineal.model.errors import InvalidInput, NotAllowed, NotFound
from lineal.model.ids import check_run_id
from lineal.model.limits import JOURNAL_BODY_MAX_BYTES
from lineal.model.roles import at_least
from lineal.model.vocabulary import STOP_TAG
from lineal.server.answers import Submitted
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.errors import Refused
from lineal.server.routes.audit import head_of
from lineal.server.shapes.problems import Problem
from lineal.server.shapes.writes import AskJournal, JournalTaken

TENANT_STREAM = "-"
_WRITER = re.compile(r"[0-9a-f]{15}")
_to_json = msgspec.json.Encoder().encode


def post_journal(context: Context, asked: Asked[AskJournal, None]) -> Submitted:
    """Bytes of a segment from `offset` on (run id "-": of the tenant's own journal), gzip if wished. Exactly once, however often
    they come. A piece that begins behind what is known is refused (409) with the place to go on from, and so is one before which
    records are missing, unless it says that they are lost.
    Refused (403) is a piece that says what is an approver's to say, of a sender who is none.
    Damage is counted as a loss and stepped over. No bytes at offset 0 of segment 1 ask what is known."""
    run_id = None if asked.path["run_id"] == TENANT_STREAM else check_run_id(asked.path["run_id"])
    writer = asked.path["writer_id"]
    if not _WRITER.fullmatch(writer):
        raise InvalidInput("a writer has 15 hexadecimal digits", field="writer_id")
    query = asked.query
    piece = Piece(
        writer,
        query.segment,
        query.offset,
        asked.content,
        query.final,
        query.dead,
        query.lost,
        query.lease_s,
        is_barred=not at_least(context.principal.role_in(context.tenant), "approver"),
    )

    head = head_of(context)
    stop = query.asks and run_id is not None and _is_asked_to_stop(context, run_id)

    def work(desk: Desk) -> Said:
        try:
            known = receive(desk, run_id, piece)
        except NotAllowed as error:
            raise Refused(403, "forbidden", str(error)) from None
        if known.fits:
            return Said(200, _to_json(JournalTaken(known.offset, known.segment, known.seq, head, stop)))
        problem = Problem(
            "urn:lineal:problem:offset",
            HTTPStatus.CONFLICT.phrase,
            409,
            f"of segment {known.segment:,} {known.offset:,} bytes are known: go on from there",
            "offset",
            "offset",
            offset=known.offset,
            segment=known.segment,
        )
        return Said(409, _to_json(problem))

    return context.submit(work)


def _is_asked_to_stop(context: Context, run_id: str) -> bool:
    """As of the last commit."""
    try:
        return STOP_TAG in context.reader.get_details(run_id).tags
    except NotFound:
        return False


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/journals/{run_id}/{writer_id}",
        post_journal,
        "Bytes of a journal",
        JournalTaken,
        AskJournal,
        receives="bytes",
        refusals=(404, 409, 413, 415),
        body_max_bytes=JOURNAL_BODY_MAX_BYTES,
        access="writer",
    ),
)
