"""One writer's append-only log. The training thread only ever adds bytes here; everything else is the keeper's.

Re-entrance: a signal handler may run inside `append` and log. The same thread would then find the journal half
way through a frame, so it is sent to a *side journal*: another writer of the same run, which has nothing half done.
Fork: the child drops what it inherited and becomes a new writer at its first record."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from zlib import crc32

from lineal.journal.interrupts import raised_by_handler
from lineal.journal.keeper import KEEPER
from lineal.journal.layout import Folder, sync_folder
from lineal.journal.locks import locks_of
from lineal.journal.points import Layouts, PackedLayout
from lineal.journal.segment import FileSegment, MappedSegment, WriterMode, create_segment, mode_for
from lineal.model.clock import SYSTEM_CLOCK, Clock
from lineal.model.frozen import field, frozen, replace
from lineal.model.ids import new_writer_id
from lineal.model.limits import (
    BARRIER_DELAY_S,
    FINISH_SYNC_TIMEOUT_S,
    HEAL_INTERVAL_S,
    KIB,
    PENDING_MAX_BYTES,
    SEGMENT_FIRST_BYTES,
    SEGMENT_GROWTH,
    SEGMENT_INLINE_BYTES,
    SEGMENT_MAX_BYTES,
)
from lineal.record.codec import encode_frame
from lineal.record.frame import CHECKSUM
from lineal.record.kinds import POINTS_APPENDED
from lineal.record.records import Lost, Record, SegmentOpened, SegmentSealed

_pack_checksum = CHECKSUM.pack

KEEPER_LOCK_TIMEOUT_S = 0.1  # a call of log holds it for microseconds


@frozen
class Identity:
    """Whose records a journal holds."""

    tenant: str
    run_id: str | None
    attempt: str
    primary: bool
    host: str = ""
    boot: str = ""
    labels: dict[str, str] = field(default_factory=dict)


class JournalFull(Exception):
    """The disk refuses, and what may be kept in memory meanwhile is used up: this record is lost."""


class JournalForked(Exception):
    """A signal handler forked in the middle of this record, which is the parent's: the child may say it again."""


class JournalClosed(Exception):
    """The run was finished: a later write needs a new attempt."""


class Journal:
    """Appends records of one writer. Nothing touches the disk before the first record.

    `on_fault(error)` is told, at most from one thread at a time, when the disk begins to refuse; logging goes on in memory
    and then by counting, and heals by itself. `on_open(journal)` is told, under the journal's lock, when a writer of it writes
    its first record: it must be quick, and not log."""

    def __init__(
        self,
        folder: Folder,
        identity: Identity,
        *,
        mode: WriterMode | None = None,
        clock: Clock = SYSTEM_CLOCK,
        on_fault: Callable[[OSError], None] | None = None,
        on_open: Callable[[Journal], None] | None = None,
        not_before_ns: int = 0,
    ) -> None:
        self.folder = folder
        self.clock = clock
        self._mode = mode
        self.on_fault = on_fault
        self.on_open = on_open
        self._last_ns = not_before_ns
        self._become(identity)
        _journals.add(self)

    @property
    def mode(self) -> WriterMode | None:
        """How segments are written; None until that is found out."""
        return self._mode

    @property
    def is_closed(self) -> bool:
        """Whether its last segment is sealed: nothing will follow."""
        return self._closed and self._sealed == self._number

    @property
    def number(self) -> int:
        """Of the segment that is written; 0 before the first."""
        return self._number

    def extent(self, number: int) -> tuple[int, bool] | None:
        """How far that segment is written, and whether that is its end, as any thread may ask; None where its file tells."""
        sealed = self._sealed
        path = self.folder.segment(self.writer, number)
        for segment in (*self._retired, self._segment):
            if segment is not None and segment.path == path:
                return segment.end, number <= sealed
        return None if number <= sealed else (0, False)  # being sealed at this moment

    def _become(self, identity: Identity) -> None:
        """A fresh writer: new id, sequence from 1, nothing open."""
        self.identity = identity
        self.writer = new_writer_id()
        self._lock = threading.RLock()
        self._busy = False
        self._seq = 0
        self._layouts = Layouts()
        self._current = self._layouts.current
        self._segment: MappedSegment | FileSegment | None = None
        self._number = 0
        self._sealed = 0
        self._size = 0
        self._retired: list[MappedSegment | FileSegment] = []
        self._spare: MappedSegment | FileSegment | None = None
        self._synced_end = (0, 0)
        self._pending: list[bytes] = []
        self._pending_bytes = 0
        self._refusing = False
        self._fault: OSError | None = None
        self._heal_due_s = 0.0
        self._closed = False
        self._losses: dict[str, tuple[int, str | None]] = {}
        self._counting = False
        self._side_journal: Journal | None = None
        self._tending = threading.Lock()
        self._write: Callable[[bytes], object] = self._write_first

    # -- saying things --------------------------------------------------------------------------

    def append_points(self, metrics: Mapping[Any, Any], step: int | float, time_ns: int) -> bool:
        """Records one call of `log`; False if a value needs converting first (see `numbers.exact_number`). A name may be Labelled.

        Raises InvalidInput for a name that cannot be recorded, struct.error for an int beyond 64 bits, JournalFull."""
        values = metrics.values()
        is_one = len(metrics) == 1
        if is_one:  # the commonest call of all, and a third cheaper without tuples of names and values
            for name, value in metrics.items():
                key: Any = (name, type(value), type(step))
        else:
            key = (tuple(metrics), tuple(map(type, values)), type(step))
        with self._lock:
            if self._busy:
                return self._side().append_points(metrics, step, time_ns)
            self._busy = True
            try:
                layout = self._current.get(key) or self._define(key, metrics, step)
                if layout is None:
                    return False
                seq = self._seq + 1
                if is_one:
                    body = layout.pack(layout.length, POINTS_APPENDED, 0, seq, time_ns, step, value, layout.number)
                else:
                    body = layout.pack(layout.length, POINTS_APPENDED, 0, seq, time_ns, step, *values, layout.number)
                frame = body + _pack_checksum(crc32(body))
                try:
                    self._write(frame)
                except BaseException as reason:
                    self._write_record_slowly(frame, seq, reason, layout)
                self._seq = seq
            finally:
                self._busy = False
        return True

    def append(self, record: Record, *, barrier: bool = True) -> None:
        """Records anything but points; with `barrier` it is on disk BARRIER_DELAY_S later, or at `close`.

        Raises OverLimit if the record is larger than a frame may be, JournalFull."""
        with self._lock:
            if self._busy:
                return self._side().append(record, barrier=barrier)
            self._busy = True
            try:
                seq = self._seq + 1
                # A clock that is set back must not make a later statement the earlier one.
                self._last_ns = max(self._last_ns, self.clock.time_ns())
                frame = encode_frame(record, seq, self._last_ns)
                try:
                    self._write(frame)
                except BaseException as reason:
                    self._write_record_slowly(frame, seq, reason, None)
                self._seq = seq
            finally:
                self._busy = False
        if barrier:
            KEEPER.wake(BARRIER_DELAY_S)

    def append_urgently(self, record: Record, timeout_s: float) -> None:
        """For signal handlers: never waits longer for the lock; if it is not to be had, another writer speaks.
        Synced when it returns (as far as the disk answers)."""
        if self._lock.acquire(timeout=timeout_s):
            try:
                self.append(record, barrier=False)
            finally:
                self._lock.release()
        else:
            self._side().append(record, barrier=False)
        self.sync()

    def count_loss(self, reason: str, count: int = 1, detail: str | None = None) -> None:
        """Loss is data: becomes a Lost record at the next round of the keeper, at the latest at `close`."""
        with self._lock:
            if self._counting:
                return self._side().count_loss(reason, count, detail)
            self._counting = True
            try:
                known, first = self._losses.get(reason, (0, None))
                self._losses[reason] = (known + count, first or detail)
            finally:
                self._counting = False

    # -- the writer's own affairs, all under the lock -------------------------------------------

    def _define(self, key: Any, metrics: Mapping[Any, Any], step: int | float) -> PackedLayout | None:
        layout = self._layouts.find((tuple(metrics), tuple(map(type, metrics.values())), type(step)))
        if layout is not None:
            self._define_in_segment(layout)
            self._current[key] = layout
        return layout

    def _define_in_segment(self, layout: PackedLayout) -> None:
        definition = self._definition(layout)
        try:
            self._write(definition)
        except (ValueError, JournalFull, OSError) as reason:
            self._write_slowly(definition, reason, None)

    def _definition(self, layout: PackedLayout) -> bytes:
        """Twice: every point of the layout hangs on it."""
        return encode_frame(layout.definition(self.identity.labels), 0, self.clock.time_ns()) * 2

    def _write_first(self, frame: bytes) -> None:
        """Stands in for the segment's `write` until there is a segment."""
        if int.from_bytes(frame[8:16], "little") > self._seq + 1:
            raise JournalForked
        try:
            self.folder.ensure()
            locks_of(self.folder.locks).hold(self.writer)
            if self._mode is None:
                self._mode = mode_for(self.folder.journals)
            self._roll(len(frame))
        finally:
            KEEPER.add(self)
            if self.on_open is not None:
                self.on_open(self)
        self._write(frame)

    def _write_record_slowly(self, frame: bytes, seq: int, reason: BaseException, layout: PackedLayout | None) -> None:
        """After `_write` raised. Where a signal handler did, its exception goes on, and the sequence says whether the record is in."""
        try:
            self._write_slowly(frame, reason, layout)
        except BaseException:
            if not self._closed and self._holds(frame):
                self._seq = seq
            raise

    def _holds(self, frame: bytes) -> bool:
        """Whether the frame is the last that was written."""
        if self._pending:
            return self._pending[-1] == frame
        return self._segment is not None and self._segment.content().endswith(frame)

    def _write_slowly(self, frame: bytes, reason: BaseException, layout: PackedLayout | None) -> None:
        """Rolls to the next segment, or keeps the frame in memory while the disk refuses."""
        if self._closed:
            raise JournalClosed
        if raised_by_handler(reason):
            raise reason
        try:
            if not isinstance(reason, ValueError):  # a ValueError says that the frame does not fit the segment
                raise reason
            definition = b"" if layout is None else self._definition(layout)
            self._roll(len(definition) + len(frame))  # room for both, however many names there are
            if definition:
                self._write(definition)
            self._write(frame)
        except OSError as error:
            if raised_by_handler(error):
                raise
            self._begin_refusing(error)
            self._keep(frame)

    def _roll(self, needed_bytes: int, kept: bytes = b"") -> None:
        """Seals the segment, if there is one, and opens the next, which begins with the frames `kept`.
        Raises OSError, and everything is as it was: on a disk that refuses, each attempt must leave nothing behind."""
        segment = self._take_spare(needed_bytes)
        if segment is None:  # the keeper was not fast enough: a small one, since the training thread waits for it
            size = SEGMENT_INLINE_BYTES if self._size else SEGMENT_FIRST_BYTES
            segment = self._create(max(size, 2 * needed_bytes + 8 * KIB))
        number = self._number + 1
        try:
            segment.write(self._opened(number) * 2)  # twice: everything in a segment hangs on it
            if kept:
                segment.write(kept)
            path = self.folder.segment(self.writer, number)
            os.rename(segment.path, path)
            segment.path = path
        except BaseException:
            segment.close(cut=False)
            with contextlib.suppress(OSError):
                os.unlink(segment.path)
            raise
        full = self._segment
        self._segment, self._number, self._write = segment, number, segment.write
        self._size = min(SEGMENT_MAX_BYTES, self._size * SEGMENT_GROWTH) if self._size else SEGMENT_FIRST_BYTES
        self._current.clear()
        if full is not None:
            self._seal(full, has_next=True)
            self._retired.append(full)
            self._sealed = number - 1
            KEEPER.wake()

    def _create(self, size: int) -> MappedSegment | FileSegment:
        """Under a name that no reader looks at until the first frame is in."""
        return create_segment(self._mode or "write", f"{self.folder.spare(self.writer)}-{os.urandom(4).hex()}", size)

    def _take_spare(self, needed_bytes: int) -> MappedSegment | FileSegment | None:
        spare = self._spare
        if spare is None or needed_bytes > SEGMENT_FIRST_BYTES:
            return None
        self._spare = None
        return spare

    def _opened(self, number: int) -> bytes:
        who = self.identity
        opened = SegmentOpened(
            who.tenant,
            who.run_id,
            self.writer,
            who.attempt,
            who.primary,
            number,
            who.host,
            who.boot,
            os.getpid(),
            who.labels,
        )
        return encode_frame(opened, 0, self.clock.time_ns())

    def _seal(self, segment: MappedSegment | FileSegment, *, has_next: bool) -> None:
        frame = encode_frame(SegmentSealed(self._seq, has_next), 0, self.clock.time_ns())
        with contextlib.suppress(OSError):  # an unsealed segment is read as that of a dead writer: nothing is lost
            segment.write_seal(frame)

    def _side(self) -> Journal:
        if self._side_journal is None:
            identity = replace(self.identity, primary=False)
            self._side_journal = Journal(self.folder, identity, mode=self._mode, clock=self.clock, on_open=self.on_open)
        return self._side_journal

    # -- when the disk refuses ------------------------------------------------------------------

    def _begin_refusing(self, error: OSError) -> None:
        self._write = self._keep
        self._current.clear()  # so that what is kept defines its own layouts
        if not self._refusing:
            self._refusing = True
            self._fault = (
                error  # told by the keeper: whoever is told may wait for locks of the host's, and this call holds ours
            )
            KEEPER.wake()

    def _keep(self, frame: bytes) -> None:
        """Stands in for the segment's `write` while the disk refuses."""
        if self._pending_bytes + len(frame) > PENDING_MAX_BYTES:
            raise JournalFull
        self._pending.append(frame)
        self._pending_bytes += len(frame)

    def _heal(self) -> None:
        """Tries the disk again; on success what was kept is written first, in order."""
        with self._in_turn() as mine:
            if not mine or not self._refusing or self._busy:
                return
            self._busy = True
            try:
                self.folder.ensure()
                locks_of(self.folder.locks).hold(self.writer)
                if self._mode is None:
                    self._mode = mode_for(self.folder.journals)
                if self._segment is not None and self._segment.is_deleted():
                    self._rewrite(self._segment)
                self._roll(max(self._pending_bytes, SEGMENT_FIRST_BYTES), b"".join(self._pending))
            except (OSError, ValueError):
                self._write = self._keep
                return
            finally:
                self._busy = False
            self._pending, self._pending_bytes = [], 0
            self._refusing = False

    def _restore(self) -> None:
        """The folder or segment was deleted under us: what this segment holds is still mapped, so write it anew."""
        with self._in_turn() as mine:
            old = self._segment
            if not mine or old is None or self._busy or not old.is_deleted():
                return
            self._busy = True
            try:
                self.folder.ensure()
                locks_of(self.folder.locks).hold(self.writer)
                self._rewrite(old)
            except OSError as error:
                self._begin_refusing(error)
            finally:
                self._busy = False

    def _rewrite(self, old: MappedSegment | FileSegment) -> None:
        content = old.content()
        fresh = self._create(max(self._size, len(content) + 8 * KIB))
        try:
            fresh.write(content[fresh.end :])
            os.rename(fresh.path, old.path)
        except BaseException:
            fresh.close(cut=False)
            with contextlib.suppress(OSError):
                os.unlink(fresh.path)
            raise
        fresh.path = old.path
        self._segment, self._write, self._spare = fresh, fresh.write, None
        self._synced_end = (0, 0)
        old.close(cut=False)

    # -- the keeper's and the end ---------------------------------------------------------------

    @contextlib.contextmanager
    def _in_turn(self) -> Iterator[bool]:
        """The lock, or False: the keeper must not wait for a signal handler that runs within a call of `log` and may itself be
        waiting, in `close`, for the keeper."""
        mine = self._lock.acquire(timeout=KEEPER_LOCK_TIMEOUT_S)
        try:
            yield mine
        finally:
            if mine:
                self._lock.release()

    def tend(self) -> None:
        """What is due: losses said, a refused disk tried, the next segment made, everything synced. Never raises."""
        try:
            with self._tending:
                self._tend()
        except OSError as error:
            if not self._refusing:
                self._fault = error
        except Exception:
            self.count_loss("internal_fault")
        self._tell_fault()

    def _tell_fault(self) -> None:
        fault, self._fault = self._fault, None
        if fault is not None and self.on_fault is not None:
            self.on_fault(fault)

    def _tend(self) -> None:
        if self._closed:
            return
        self._say_losses()
        if self._refusing:
            if self.clock.monotonic_s() >= self._heal_due_s:
                self._heal_due_s = self.clock.monotonic_s() + HEAL_INTERVAL_S
                self._heal()
            return
        segment = self._segment
        if segment is None:
            return
        if segment.is_deleted():
            self._restore()
            return
        locks_of(self.folder.locks).retake()
        self._close_retired()
        if self._spare is None and (self._number > 1 or segment.end > SEGMENT_FIRST_BYTES // 2):
            spare = self._create(min(SEGMENT_MAX_BYTES, self._size * SEGMENT_GROWTH))
            spare.sync()
            self._spare = spare
        self.sync()

    def sync(self) -> None:
        """What was appended before is on disk when it returns. Raises OSError."""
        side = self._side_journal
        if side is not None:
            side.sync()
        segment = self._segment
        if segment is None or self._closed:
            return
        mark = (self._number, segment.end)
        if mark != self._synced_end:
            segment.sync()
            if self._synced_end[0] != self._number:
                sync_folder(self.folder.journals)
            self._synced_end = mark

    def _close_retired(self) -> None:
        while self._retired:
            self._retired[0].close(cut=True)
            self._retired.pop(0)

    def _say_losses(self) -> None:
        with self._in_turn() as mine:
            if not mine or self._busy or not self._losses or self._refusing:
                return
            losses, self._losses = self._losses, {}
        for reason, (count, detail) in losses.items():
            self.append(Lost(reason, count, detail))

    def close(self) -> bool:
        """Seals, cuts and syncs with one barrier. False if something could not be written. Idempotent."""
        if self._side_journal is not None:
            self._side_journal.close()
        KEEPER.remove(self)
        self._tell_fault()
        if self._closed:
            return True
        if self._refusing:
            self._heal()
        self._say_losses()
        with contextlib.suppress(OSError):
            self._restore()
        waited = self._tending.acquire(timeout=FINISH_SYNC_TIMEOUT_S)
        try:
            return self._close() and waited
        finally:
            if waited:
                self._tending.release()

    def _close(self) -> bool:
        with self._lock:
            self._closed = True
            good = not self._refusing and not self._losses
            self._write = _write_after_close
            self._current.clear()
            segment = self._segment
            if segment is not None:
                self._seal(segment, has_next=False)
                self._sealed = self._number
        if segment is None:
            return good
        try:
            self._close_retired()
            segment.close(cut=True)
            if self._synced_end[0] != self._number:
                sync_folder(self.folder.journals)
        except OSError:
            good = False
        if self._spare is not None:
            with contextlib.suppress(OSError):
                self._spare.close(cut=False)
                os.unlink(self._spare.path)
        locks_of(self.folder.locks).release(self.writer)
        return good

    def after_fork_in_child(self) -> None:
        """The parent goes on writing what we inherited: drop it, and be someone else from the first record on."""
        for segment in (self._segment, self._spare, *self._retired):
            if segment is not None:
                with contextlib.suppress(OSError):
                    segment.close(cut=False)
        closed = self._closed
        self._become(replace(self.identity, primary=False))
        if closed:
            self._closed = True
            self._write = _write_after_close


def _write_after_close(frame: bytes) -> None:
    raise JournalClosed


_journals: weakref.WeakSet[Journal] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for journal in list(_journals):
        journal.after_fork_in_child()


os.register_at_fork(after_in_child=_after_fork_in_child)
