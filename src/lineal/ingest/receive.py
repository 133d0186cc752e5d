"""Journals by the wire: pieces of a writer's segments, exactly once by its cursor, in whatever order they come and however often.

What is damaged is counted as lost and stepped over; a piece never has to be sent for ever."""

from __future__ import annotations

from typing import NamedTuple

from lineal.ingest.desk import Desk
from lineal.ingest.leases import renewed
from lineal.ingest.replay import replay
from lineal.model.entities import Cursor, Head, Stamp
from lineal.model.errors import Conflict, InvalidInput
from lineal.model.frozen import replace
from lineal.model.limits import FRAME_MAX_BYTES
from lineal.record.frame import FRAME_MIN_BYTES, HEADER_BYTES, is_frame
from lineal.record.opening import find_opening
from lineal.record.records import SegmentOpened
from lineal.record.stream import header_at, scan, start_of


class Piece(NamedTuple):
    """`offset` counts within the segment.

    final  nobody writes this segment any more, and it ends with these bytes
    dead   its writer is gone, and these are its last bytes: an attempt of its own that has no end is lost
    lost   what is missing before these bytes is not to be had any more: it is counted as lost
    lease_s  for so long its writer may be silent (0: for ever); beyond, it is taken for lost
    is_barred  its sender may not say what is an approver's to say"""

    writer: str
    segment: int
    offset: int
    data: bytes
    final: bool
    dead: bool = False
    lost: bool = False
    lease_s: int | None = None
    is_barred: bool = False


class Acknowledged(NamedTuple):
    """Everything of the segment before `offset`, and of those before it, is in the store, up to the writer's record number
    `seq`. Not `fits`: the piece begins behind that, and was not looked at."""

    segment: int
    offset: int
    seq: int
    fits: bool = True


def receive(desk: Desk, run_id: str | None, piece: Piece) -> Acknowledged:
    """Applies what is new of the piece. Conflict for a writer of another run, InvalidInput for a head that names another
    run or writer, NewerFormat for a segment of a newer format, NotAllowed."""
    cursor = (desk.writer.find_cursor(piece.writer) if desk.is_known else None) or Cursor(piece.writer, run_id, 0, 0, 0)
    if cursor.run_id != run_id:
        raise Conflict(f"writer {piece.writer!r} belongs to another run", field="writer_id")
    if run_id is not None and piece.lease_s is not None and not piece.dead:
        cursor = _keep_lease(desk, run_id, cursor, piece.lease_s)
    if piece.segment < cursor.segment:
        return Acknowledged(cursor.segment, cursor.offset, cursor.seq)
    known_to = cursor.offset if piece.segment == cursor.segment else 0
    if piece.offset > known_to or piece.offset & 7:
        return Acknowledged(piece.segment, known_to, cursor.seq, fits=False)
    end = piece.offset + len(piece.data)
    if end <= known_to and not piece.dead:
        return Acknowledged(piece.segment, known_to, cursor.seq)
    opened = _opening(desk, run_id, piece, cursor)
    if opened is None:
        return Acknowledged(piece.segment, 0, cursor.seq, fits=piece.offset == 0)
    position = known_to - piece.offset or (start_of(memoryview(piece.data)) if piece.offset == 0 else 0)
    if not piece.lost and _is_gap(piece.data, position, cursor):
        return Acknowledged(cursor.segment, cursor.offset, cursor.seq, fits=False)
    store = desk.replays(run_id)
    replayed = replay(store, opened, piece.data, position, cursor, final=piece.final, is_barred=piece.is_barred)
    is_over = piece.final
    if replayed.torn and not is_over and len(piece.data) - replayed.position > FRAME_MAX_BYTES:
        # No frame is so long: this is damage, however much may still come.
        replayed = replay(
            store, opened, piece.data, replayed.position, replayed.cursor, final=True, is_barred=piece.is_barred
        )
        is_over = True
    offset = max(known_to, end) if is_over else piece.offset + replayed.position
    head = Head(opened.attempt, opened.primary, opened.host, opened.pid)
    if piece.dead or replayed.ended:
        replayed = replayed._replace(cursor=replayed.cursor._replace(lease_until_ms=None))
    store.set_cursor(replayed.cursor._replace(segment=piece.segment, offset=offset, head=head))
    desk.count_replayed(replayed.cursor.seq - cursor.seq, offset - known_to)
    if run_id is not None:
        seq = replayed.cursor.seq
        if piece.dead and opened.primary and seq and not store.is_locked(run_id):
            store.lose_attempt(run_id, opened.attempt, Stamp(replayed.last_ms or desk.time_ms, opened.writer, seq))
        store.compact(run_id)
    return Acknowledged(piece.segment, offset, replayed.cursor.seq)


def _keep_lease(desk: Desk, run_id: str, cursor: Cursor, lease_s: int) -> Cursor:
    """It is heard of: its lease begins anew. One of which nothing is known yet gets it with its first piece."""
    cursor = renewed(cursor, lease_s, desk.time_ms)
    if cursor.head is None:
        return cursor
    store = desk.writer
    if store.find_status(run_id, cursor.head.attempt) == "lost" and not store.is_locked(run_id):
        store = desk.replays(run_id)
        store.regain_attempt(run_id, cursor.head.attempt, Stamp(desk.time_ms, cursor.writer, cursor.seq))
    store.set_cursor(cursor)
    desk.has_spoken = True
    return cursor


def _is_gap(data: bytes, position: int, cursor: Cursor) -> bool:
    """Whether the first record there comes after others that are not known: this store is older than what it acknowledged."""
    view = memoryview(data)
    while position + HEADER_BYTES <= len(data):
        header = header_at(view, position)
        end = position + header.length
        if not FRAME_MIN_BYTES <= header.length <= FRAME_MAX_BYTES or end > len(data):
            return False  # not whole yet, or damaged: that is counted
        if header.seq:
            return header.seq > cursor.seq + 1 and is_frame(view, position, header.length)
        position = end
    return False


def _opening(desk: Desk, run_id: str | None, piece: Piece, cursor: Cursor) -> SegmentOpened | None:
    """Who writes: as the segment's head says, which is kept with the cursor, so that any server takes what follows it. None:
    it cannot be told from this piece, and the segment's head must come (again, or whole)."""
    found = find_opening(piece.data) if piece.offset == 0 else None
    if found is not None:
        if (found.run_id, found.writer) != (run_id, piece.writer):
            raise InvalidInput("the journal is another run's or writer's than the address says", field="writer_id")
        return replace(found, tenant=desk.tenant)
    if cursor.head is not None and cursor.segment == piece.segment:
        attempt, is_primary, host, pid = cursor.head
        return SegmentOpened(desk.tenant, run_id, piece.writer, attempt, is_primary, piece.segment, host=host, pid=pid)
    if piece.offset:
        return None
    view = memoryview(piece.data[: len(piece.data) & ~7])
    has_frames = bool(scan(view, start_of(view), final=piece.final).offsets)
    if not has_frames and not piece.final and len(piece.data) <= FRAME_MAX_BYTES:
        return None
    # Its head is damaged: what the address says is enough to keep what it holds.
    return SegmentOpened(desk.tenant, run_id, piece.writer, piece.writer, False, piece.segment)
