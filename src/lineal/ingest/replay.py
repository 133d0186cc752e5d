"""The door of journals: bytes of one writer's segment -> state. Refuses only what its sender may not say; what is damaged
is counted, and so is what comes of a locked run, of which nothing is applied.

Exactly once follows from the cursor: records up to `cursor.seq` are skipped, and it moves in the same transaction."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from lineal.ingest import points
from lineal.ingest.apply import LOCKED, Context, apply, layout_of
from lineal.ingest.approval import needs_approver
from lineal.model.entities import Attempt, Cursor, Stamp
from lineal.model.errors import Damaged, NotAllowed
from lineal.record import kinds
from lineal.record.codec import decode
from lineal.record.records import AttemptStarted, LayoutDefined, SegmentOpened, SegmentSealed
from lineal.record.stream import Scan, header_at, payload_at, scan, start_of
from lineal.series.columns import Block
from lineal.store.contracts import RunStart, TenantWriter
from lineal.store.rules import DEFAULT_EXPERIMENT

_NS_PER_MS = 1_000_000
_IS_KNOWN = np.isin(np.arange(1 << 16), list(kinds.KNOWN))


class Replayed(NamedTuple):
    """What one segment gave. `position` is the offset behind the last valid frame, relative to the data given.

    sealed   None while the segment is open; then whether another segment follows
    ended    whether an end of the attempt stands in it
    torn     something is written behind `position` that is no frame (yet)
    unknown  frames of kinds that a newer Lineal may know, applied before or not
    """

    cursor: Cursor
    position: int
    sealed: bool | None
    ended: bool
    torn: bool
    unknown: int
    last_ms: int
    applied: int


def count_unknown(data: bytes) -> int:
    """How many records of a whole segment are of a kind that only a newer Lineal knows."""
    data = data[: len(data) & ~7]
    view = memoryview(data)
    frames = points.headers(data, scan(view, start_of(view), final=True).offsets)
    return int((~_IS_KNOWN[frames.kind]).sum())


def replay(
    store: TenantWriter,
    opened: SegmentOpened,
    data: bytes,
    position: int,
    cursor: Cursor,
    *,
    final: bool,
    defined: set[bytes] | None = None,
    is_barred: bool = False,
) -> Replayed:
    """Applies the frames of `data` (a segment, or its part from the cursor's offset on) from `position`.

    final    nobody writes this segment any more, so a torn tail is the end
    defined  layout definitions that this writer's segments gave before in the same transaction, and now: each segment repeats
             them twice, and reading them again would be a third of the work where a segment is small
    is_barred  what only approvers may say is refused: NotAllowed, and nothing of these bytes may be kept

    The returned cursor's offset is relative to the data; the caller adds where its data begins, and stores it."""
    data = data[: len(data) & ~7]
    view = memoryview(data)
    found = scan(view, position, final=final)
    if not found.offsets:
        return Replayed(
            _tail_loss(store, opened, found, cursor, final), found.position, None, False, found.tail == "torn", 0, 0, 0
        )
    frames = points.headers(data, found.offsets)
    is_new = (frames.seq > cursor.seq) | (frames.seq == 0)
    is_points = (frames.kind == kinds.POINTS_APPENDED) & is_new
    context = Context(store, opened.run_id)
    locked = opened.run_id is not None and store.is_locked(opened.run_id)
    state = _Statements(context, opened, set() if defined is None else defined, locked=locked, is_barred=is_barred)
    others = np.flatnonzero(~is_points & is_new)
    for index in others.tolist():
        state.take(view, found.offsets[index])
    if locked:
        state.refused += int(is_points.sum())
    elif is_points.any():
        _append(store, opened, data, points.select(frames, is_points))
    last = header_at(view, found.offsets[-1])
    last_ms = last.time_ns // _NS_PER_MS
    new_seqs = frames.seq[(frames.seq > cursor.seq)]
    seq = int(new_seqs[-1]) if len(new_seqs) else cursor.seq
    if state.sealed is False:
        seq = max(seq, state.last_seq)  # the seal knows what was said last, also when that is damaged
    missing = seq - cursor.seq - len(new_seqs) + state.damaged
    if missing > 0 and opened.run_id is not None:
        store.add_loss(opened.run_id, "damaged", missing, Stamp(last_ms, opened.writer, seq))
    if state.refused and opened.run_id is not None:
        store.add_loss(opened.run_id, LOCKED, state.refused, Stamp(last_ms, opened.writer, seq))
    if opened.primary and not locked and cursor.seq == 0 and len(new_seqs) and new_seqs[0] > 1 and not state.started:
        _start_attempt(store, opened, header_at(view, found.offsets[0]).time_ns // _NS_PER_MS)
    moved = cursor._replace(seq=seq, offset=found.position)
    return Replayed(
        _tail_loss(store, opened, found, moved, final),
        found.position,
        state.sealed,
        bool((frames.kind == kinds.ATTEMPT_ENDED).any()),
        found.tail == "torn",
        int((~_IS_KNOWN[frames.kind]).sum()),
        last_ms,
        len(new_seqs),
    )


def _tail_loss(store: TenantWriter, opened: SegmentOpened, found: Scan, cursor: Cursor, final: bool) -> Cursor:
    """A torn tail is one record that was being written when its writer died: said, since it is a loss if the call returned.
    Not of a run of which nothing else is known: that would make one which never began."""
    if final and found.tail == "torn" and opened.run_id is not None and cursor.seq:
        store.add_loss(opened.run_id, "torn", 1, Stamp(0, opened.writer, cursor.seq))
    return cursor._replace(offset=found.position)


def _start_attempt(store: TenantWriter, opened: SegmentOpened, time_ms: int) -> None:
    """The record that started the attempt is damaged: say what the segment's head knows of it, so that its end can count."""
    if opened.run_id is not None:
        attempt = Attempt(opened.attempt, time_ms, host=opened.host, pid=opened.pid)
        store.start_attempt(opened.run_id, attempt, RunStart(DEFAULT_EXPERIMENT), Stamp(time_ms, opened.writer, 1))


class _Statements:
    """Applies everything but points, in order, and remembers what it meant for the segment."""

    def __init__(
        self, context: Context, opened: SegmentOpened, defined: set[bytes], *, locked: bool, is_barred: bool
    ) -> None:
        self._context = context
        self._defined = defined
        self._writer = opened.writer
        self._attempt = opened.attempt
        self._locked = locked
        self._is_barred = is_barred
        self.refused = 0
        self.started = False
        self.sealed: bool | None = None
        self.last_seq = 0
        self.damaged = 0

    def take(self, view: memoryview, offset: int) -> None:
        header = header_at(view, offset)
        if header.kind not in kinds.KNOWN:
            return
        payload = payload_at(view, offset, header.length)
        if header.kind == kinds.LAYOUT_DEFINED and payload in self._defined:
            return
        try:
            record = decode(header.kind, payload)
            if self._is_barred and needs_approver(record):
                raise NotAllowed(
                    f"record {header.seq:,} of this journal locks or promotes: that needs the role of an approver"
                )
            if isinstance(record, LayoutDefined):
                self._define(record)
                self._defined.add(bytes(payload))
            elif isinstance(record, SegmentSealed):
                self.sealed, self.last_seq = record.next, record.last_seq
            elif self._locked and not isinstance(record, SegmentOpened):
                self.refused += 1  # layouts are kept: once it is unlocked, points may go on by them
            elif not isinstance(record, SegmentOpened):
                apply(self._context, record, Stamp(header.time_ns // _NS_PER_MS, self._writer, header.seq))
                self.started |= isinstance(record, AttemptStarted)
        except Damaged:
            self.damaged += 1

    def _define(self, record: LayoutDefined) -> None:
        store, run_id = self._context
        layout = layout_of(record)
        if run_id is None or store.find_layout(self._writer, record.number) is not None:
            return
        store.define_layout(run_id, self._writer, record.number, layout)
        for kept in store.take_orphans(self._writer, record.number):
            found = scan(memoryview(kept), 0, final=True)
            block, _ = points.to_block(points.headers(kept, found.offsets), layout)
            if block is not None:
                store.append_points(run_id, self._writer, self._attempt, [block])


def _append(store: TenantWriter, opened: SegmentOpened, data: bytes, frames: points.Frames) -> None:
    if opened.run_id is None:
        return
    blocks: list[Block] = []
    misfits = 0
    for number, group in points.by_layout(frames):
        layout = store.find_layout(opened.writer, number)
        if layout is None:
            store.keep_orphans(opened.run_id, opened.writer, number, points.raw(data, group), len(group.offset))
            stamp = Stamp(0, opened.writer, int(group.seq[-1]))
            store.add_loss(opened.run_id, "undefined", len(group.offset), stamp)
            continue
        block, left_out = points.to_block(group, layout)
        misfits += left_out
        if block is not None:
            blocks.append(block)
    if blocks:
        store.append_points(opened.run_id, opened.writer, opened.attempt, blocks)
    if misfits:
        stamp = Stamp(0, opened.writer, int(frames.seq[-1]))
        store.add_loss(opened.run_id, "damaged", misfits, stamp)
