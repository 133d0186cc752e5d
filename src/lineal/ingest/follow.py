"""Follows the journals of a local folder: everything written before `catch_up` began is in the store when it returns.

The caller holds the folder's ingest lock. A segment is deleted once it is applied, committed, and nobody writes it."""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from itertools import groupby

from lineal.ingest.replay import count_unknown, replay
from lineal.journal.layout import Folder, SegmentFile
from lineal.journal.locks import locks_of
from lineal.model.entities import Cursor, Stamp
from lineal.model.errors import InvalidInput, LinealError, NewerFormat
from lineal.model.limits import AUDIT_LINK_MAX_COUNT, INGEST_TRANSACTION_BYTES, KIB, MIB
from lineal.record.opening import began_ns, find_opening
from lineal.record.records import SegmentOpened
from lineal.record.stream import header_at, scan, start_of
from lineal.store.contracts import Store, Transaction

_LINKED_MAX_COUNT = 10 * AUDIT_LINK_MAX_COUNT  # the audit rows of one transaction, and what an older Lineal left
_PROBE_BYTES = 256 * KIB
_TAIL_ZEROS = bytes(4 * KIB)


@dataclass(slots=True)
class CaughtUp:
    """What one round did. `problems` are for people: one line for each segment that could not be taken in."""

    records: int = 0
    writers: int = 0
    removed: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, other: CaughtUp) -> None:
        self.records += other.records
        self.writers += other.writers
        self.removed += other.removed
        self.problems += other.problems


@dataclass(slots=True)
class _Taken:
    """What one transaction took in: counts, files to delete or to put aside after the commit, runs to compact."""

    done: CaughtUp = field(default_factory=CaughtUp)
    finished: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    touched: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Writer:
    """A writer's segments as they were listed, and whether it was dead before its last segment was looked at."""

    writer: str
    segments: list[SegmentFile]
    dead: bool


class Follower:
    """`keep_files` leaves every segment where it is: for a snapshot, whose journals belong to somebody else."""

    def __init__(
        self, folder: Folder, store: Store, *, host: str = "", boot: str = "", keep_files: bool = False
    ) -> None:
        self._folder = folder
        self._store = store
        self._host = host
        self._boot = boot
        self._keep_files = keep_files
        self._opened: dict[str, SegmentOpened] = {}

    def catch_up(self) -> CaughtUp:
        """One round over all journals. Raises what the store raises of its own (a full disk, a newer format); a writer whose
        records cannot be applied is left where it is and named among the problems, and the others are taken in."""
        done = CaughtUp()
        waiting = self._list_writers()
        while waiting:
            before = list(waiting)
            try:
                self._round(waiting, done)
            except (OSError, LinealError):
                raise
            except Exception:
                waiting = []
                for writer in reversed(before):
                    self._round_of_one(writer, done)
        self._clear_spares()
        return done

    def _round_of_one(self, writer: _Writer, done: CaughtUp) -> None:
        try:
            self._round([writer], done)
        except (OSError, LinealError):
            raise
        except Exception as error:
            done.problems.append(f"{writer.segments[0].path}: cannot be applied and is left there: {error!r:.200}")

    def _round(self, waiting: list[_Writer], done: CaughtUp) -> None:
        """One transaction: takes writers from the end of the list until it has read enough."""
        taken = _Taken()
        with self._store.begin() as transaction:
            budget = INGEST_TRANSACTION_BYTES
            while waiting and budget > 0:
                budget -= self._take(transaction, waiting.pop(), taken)
            for tenant, run_id in sorted(taken.touched):
                transaction.tenant(tenant).compact(run_id)
            transaction.link_audit(_LINKED_MAX_COUNT)
        done.add(taken.done)
        self._clear(taken, done)

    def _list_writers(self) -> list[_Writer]:
        """Death is asked between two listings: a writer dead by then has written nothing that the second one lacks."""
        first = {segment.writer for segment in self._folder.list_segments()}
        if not first:
            return []
        locks = locks_of(self._folder.locks)
        dead = {writer for writer in first if not locks.is_live(writer)}
        listed = groupby(self._folder.list_segments(), key=lambda segment: segment.writer)
        writers = [_Writer(writer, list(segments), writer in dead) for writer, segments in listed]
        return sorted(writers, key=self._turn_of, reverse=True)  # taken from the end

    def _turn_of(self, writer: _Writer) -> tuple[bool, int, int]:
        """What is said of runs by themselves comes before what is said of them from outside: a lock refuses what is said after it,
        not what waited beside it. Among either the order is that of time, as far as the files tell it (by when they were last
        written, which clocks tell to a few ms, then by when they began): versions of models are numbered as they arrive."""
        try:
            opened = self._opening_of(writer)
        except NewerFormat:
            opened = None
        is_outside = opened is not None and opened.run_id is None
        segment = writer.segments[0 if is_outside else -1]
        with contextlib.suppress(OSError):
            return is_outside, os.stat(segment.path).st_mtime_ns, _began_ns(segment.path)
        return is_outside, 0, 0

    def _take(self, transaction: Transaction, writer: _Writer, taken: _Taken) -> int:
        """Applies what is new of one writer. Returns the bytes read."""
        try:
            opened = self._opening_of(writer)
        except NewerFormat as error:
            taken.done.problems.append(f"{writer.segments[0].path}: {error}")
            return 0
        if opened is None:
            if writer.dead and any(os.path.getsize(segment.path) for segment in writer.segments):
                taken.moved.extend(segment.path for segment in writer.segments)
                taken.done.problems.append(
                    f"{writer.segments[0].path}: no frame tells whose it is; moved to {self._folder.kept}"
                )
            elif writer.dead:
                taken.finished.extend(segment.path for segment in writer.segments)
            return 0
        dead = writer.dead and self._can_judge(opened)
        try:
            store = transaction.tenant(opened.tenant)
        except InvalidInput as error:
            taken.done.problems.append(f"{writer.segments[0].path}: {error}")
            return 0
        cursor = store.find_cursor(writer.writer) or Cursor(writer.writer, opened.run_id, 0, 0, 0)
        before = cursor
        sealed: bool | None = None
        defined: set[bytes] = set()
        ended = False
        last_ms = size = 0
        for segment in writer.segments:
            is_last = segment is writer.segments[-1]
            if segment.number < cursor.segment:
                taken.finished.append(segment.path)
                continue
            # A dead writer's last segment is read from its start, so that its last time is known whatever was applied before.
            resume = segment.number == cursor.segment and not (dead and is_last)
            start = cursor.offset if resume else 0
            try:
                data = _read(segment.path, start, whole=dead or not is_last)
                position = 0 if start else start_of(memoryview(data))
            except (NewerFormat, OSError) as error:
                taken.done.problems.append(f"{segment.path}: {error}")
                break
            is_final = dead or not is_last
            replayed = replay(store, opened, data, position, cursor, final=is_final, defined=defined)
            if dead and replayed.torn and not replayed.cursor.seq:
                taken.done.problems.append(f"{segment.path}: no record of it can be read")
            size += len(data)
            cursor = replayed.cursor._replace(segment=segment.number, offset=start + replayed.position)
            sealed, last_ms = replayed.sealed, max(last_ms, replayed.last_ms)
            ended |= replayed.ended
            taken.done.records += replayed.applied
            if dead or not is_last or sealed is not None:
                # What is read on from the middle may have had such records before.
                unknown = replayed.unknown or (count_unknown(_read(segment.path, 0, whole=True)) if start else 0)
                if unknown:
                    taken.moved.append(segment.path)
                    taken.done.problems.append(
                        f"{segment.path}: {unknown} records of a newer kind are kept for a newer Lineal"
                    )
                else:
                    taken.finished.append(segment.path)
        was_alive = dead and opened.primary and cursor.seq and (sealed is None or not ended)
        if was_alive and opened.run_id is not None and not store.is_locked(opened.run_id):
            store.lose_attempt(opened.run_id, opened.attempt, Stamp(last_ms, writer.writer, cursor.seq))
            taken.touched.add((opened.tenant, opened.run_id))
        if cursor != before:
            store.set_cursor(cursor)
            taken.done.writers += 1
            if opened.run_id is not None:
                taken.touched.add((opened.tenant, opened.run_id))
        return size

    def _opening_of(self, writer: _Writer) -> SegmentOpened | None:
        """Who writes: from any of its segments, since one of them may be damaged. Raises NewerFormat if that is why none tells."""
        known = self._opened.get(writer.writer)
        if known is not None:
            return known
        newer: NewerFormat | None = None
        for segment in writer.segments:
            try:
                with open(segment.path, "rb") as file:
                    opened = find_opening(file.read(_PROBE_BYTES // 4))
            except OSError:
                continue
            except NewerFormat as error:
                newer = error
                continue
            if opened is not None and opened.writer == writer.writer:
                self._opened[writer.writer] = opened
                return opened
        if newer is not None:
            raise newer
        return None

    def _can_judge(self, opened: SegmentOpened) -> bool:
        """A free lock means death only where the kernel that would hold it is (or was) ours."""
        return not self._boot or opened.boot == self._boot or opened.host == self._host

    def _clear(self, taken: _Taken, done: CaughtUp) -> None:
        """After the commit: what is applied for good goes, what a newer Lineal may read is put aside."""
        if self._keep_files:
            return
        for path in taken.finished:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
                done.removed += 1
        for path in taken.moved:
            os.makedirs(self._folder.kept, mode=0o700, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):
                os.replace(path, os.path.join(self._folder.kept, os.path.basename(path)))

    def _clear_spares(self) -> None:
        if self._keep_files:
            return
        for writer, path in self._folder.list_spares():
            if not locks_of(self._folder.locks).is_live(writer):
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)


def _read(path: str, start: int, *, whole: bool) -> bytes:
    """The file from `start` on; unless `whole`, without most of the zeros that follow what is written.

    Reads, never maps: the writer may cut the file meanwhile, and a mapped page beyond its end is a SIGBUS."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        position, chunk_bytes = start, _PROBE_BYTES
        while chunk := os.pread(fd, chunk_bytes, position):
            parts.append(chunk)
            position += len(chunk)
            chunk_bytes = 8 * MIB
            if not whole and chunk.endswith(_TAIL_ZEROS) and not _continues(b"".join(parts), start):
                break
        return b"".join(parts)
    finally:
        os.close(fd)


def _continues(data: bytes, start: int) -> bool:
    """Whether what looks like the zero tail may be the inside of a long frame of zeros."""
    view = memoryview(data)
    position = start_of(view) if not start else 0
    found = scan(view, position, final=False)
    if found.tail == "torn" or len(data) - found.position < 24:
        return (
            header_at(view, found.position).length > len(data) - found.position
            if len(data) - found.position >= 24
            else True
        )
    return False


def _began_ns(path: str) -> int:
    with open(path, "rb") as file:
        return began_ns(file.read(KIB))
