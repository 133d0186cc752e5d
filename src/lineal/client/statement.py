"""Statements from outside of a run, said to a server at once: a journal of one segment that never lies on a disk."""

from __future__ import annotations

import os
from collections.abc import Sequence

from lineal.client.outgoing import TENANT_STREAM
from lineal.client.transport import OCTETS, Transport, error_of, path_of
from lineal.journal.journal import Identity
from lineal.model.clock import SYSTEM_CLOCK, Clock
from lineal.model.errors import Unreachable
from lineal.model.ids import new_writer_id
from lineal.model.limits import STATEMENT_TRIES_MAX_COUNT
from lineal.record.codec import encode_frame
from lineal.record.kinds import MAGIC
from lineal.record.records import Record, SegmentOpened, SegmentSealed


def say(transport: Transport, identity: Identity, records: Sequence[Record], clock: Clock = SYSTEM_CLOCK) -> None:
    """The server has them on disk when it returns. Raises what it refuses, Unreachable; saying it again is then safe."""
    writer = new_writer_id()
    opened = SegmentOpened(
        identity.tenant, identity.run_id, writer, identity.attempt, False, 1, identity.host, identity.boot, os.getpid()
    )
    frames = [MAGIC, encode_frame(opened, 0, clock.time_ns()) * 2]
    frames += [encode_frame(record, seq, clock.time_ns()) for seq, record in enumerate(records, 1)]
    frames.append(encode_frame(SegmentSealed(len(records)), 0, clock.time_ns()))
    path = path_of(("journals", identity.run_id or TENANT_STREAM, writer))
    query = {"segment": 1, "offset": 0, "final": "true"}
    for number in range(STATEMENT_TRIES_MAX_COUNT):  # the same bytes of the same writer: twice is once
        try:
            reply = transport.send("POST", path, query=query, body=b"".join(frames), headers={"Content-Type": OCTETS})
            if not reply.is_good:
                raise error_of(reply, transport.address)
            reply.json()
            return
        except Unreachable:
            if number + 1 == STATEMENT_TRIES_MAX_COUNT:
                raise
