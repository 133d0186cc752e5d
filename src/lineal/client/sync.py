"""Sends what waits in a folder for a server, from any process and at any time, and compares what is there with what is here.

One run that cannot be sent never stops the others: it is named in the answer."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, NamedTuple, TypeAlias

from lineal.client.blob_queue import BlobSender, WaitingBlob
from lineal.client.outbox import clear_sent
from lineal.client.outgoing import Outcome, Outgoing
from lineal.client.transport import Transport
from lineal.journal.layout import Folder
from lineal.journal.locks import locks_of
from lineal.model.errors import Damaged, LinealError, NewerFormat, NotFound, Unreachable
from lineal.model.limits import KIB, RETRY_FIRST_S, RETRY_MAX_S, SYNC_FIRST_TRIES_MAX_COUNT, SYNC_TRIES_MAX_COUNT
from lineal.record import kinds
from lineal.record.codec import decode
from lineal.record.opening import began_ns, find_opening
from lineal.record.records import LayoutDefined, SegmentOpened
from lineal.record.stream import header_at, payload_at, scan, start_of

_HEAD_BYTES = 64 * KIB

State: TypeAlias = Literal["whole", "live", "damaged", "left", "refused", "waits"]
"""whole: the server has all of it. live: all so far, and its process goes on. damaged: all that can be read, which is not
all that was said. left: the server could not be reached. refused: it does not take it, or nobody can read it. waits: it is sent
once it has ended."""


@dataclass(slots=True)
class Tally:
    """What a writer's segments hold: the number of its last record, how many can be read, points among them. `is_whole`: none
    of its segments is gone."""

    last_seq: int = 0
    records: int = 0
    points: int = 0
    is_whole: bool = True


@dataclass(slots=True)
class SyncedRun:
    """`run_id` None: statements about the tenant. Counts of what is here and what the server says that it has; None: not known."""

    tenant: str
    run_id: str | None
    state: State = "whole"
    why: str = ""
    records: int = 0
    records_there: int = 0
    points: int | None = None
    points_there: int | None = None
    losses_there: dict[str, int] = field(default_factory=dict)
    sent_bytes: int = 0

    @property
    def name(self) -> str:
        return self.run_id or f"(the tenant {self.tenant})"

    @property
    def is_good(self) -> bool:
        return self.state in ("whole", "live")


class _Writer(NamedTuple):
    writer: str
    opened: SegmentOpened
    began_ns: int
    is_live: bool
    was_sent: bool


class Sync:
    """One folder to one server. `transport_for(tenant)` makes the connection of a tenant; `on_bytes(count)` hears of progress."""

    def __init__(
        self,
        folder: Folder,
        transport_for: Callable[[str], Transport],
        *,
        on_bytes: Callable[[int], object] = lambda count: None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._folder = folder
        self._transport_for = transport_for
        self._transports: dict[str, Transport] = {}
        self.on_bytes = on_bytes
        self._sleep = sleep
        self._random = random.Random()
        self.sent_blobs: list[WaitingBlob] = []
        self._tries = SYNC_FIRST_TRIES_MAX_COUNT

    def waiting_bytes(self) -> int:
        """Of segments that are not acknowledged whole, and of artifacts."""
        size = sum(_size(segment.path) for segment in self._folder.list_segments())
        return size + sum(blob.size_bytes for blob in BlobSender(self._folder).list_waiting())

    def run(self) -> Iterator[SyncedRun]:
        """Every run of the folder, one after the other, as it is done. When the server cannot be reached any more, the others
        are named as left without trying each for long."""
        writers, lost = self._list_writers()
        yield from lost
        is_reachable = True
        for (tenant, run_id), of_run in groupby(writers, key=_whose):
            done = SyncedRun(tenant, run_id or None)
            try:
                if is_reachable:
                    self._send_run(done, list(of_run))
                else:
                    done.state, done.why = "left", "the server does not answer"
            except Unreachable as error:
                done.state, done.why, is_reachable = "left", error.message, False
            except (LinealError, OSError, ValueError) as error:
                done.state, done.why = "refused", str(error)
            yield done
        if is_reachable:
            yield from self._send_blobs()
        clear_sent(self._folder, time.time())
        for transport in self._transports.values():
            transport.close()

    # -- one run --------------------------------------------------------------------------------

    def _send_run(self, done: SyncedRun, writers: Iterable[_Writer]) -> None:
        transport = self._transport(done.tenant)
        points: int | None = 0
        for writer in writers:
            outgoing = Outgoing(self._folder, writer.writer, done.run_id, is_live=writer.is_live)
            outcome = self._send_writer(outgoing, transport, done)
            tally = tally_of(self._folder, writer.writer)
            done.records += tally.last_seq
            done.records_there += outgoing.records
            points = points + tally.points if points is not None and tally.is_whole else None
            if outcome == "refused":
                done.state, done.why = "refused", outgoing.why
            elif outgoing.records < tally.last_seq and not writer.is_live:
                done.state, done.why = "left", f"the server has {outgoing.records:,} records of {tally.last_seq:,}"
            elif (
                done.state in ("whole", "live")
                and tally.is_whole
                and tally.records < tally.last_seq
                and not writer.was_sent
            ):
                missing = tally.last_seq - tally.records
                done.state, done.why = "damaged", f"{missing:,} records cannot be read here; they are counted as lost"
            elif done.state == "whole" and writer.is_live:
                done.state = "live"
        done.points = points
        if done.run_id is not None and done.state != "refused":
            self._compare(done, transport)

    def _send_writer(self, outgoing: Outgoing, transport: Transport, done: SyncedRun) -> Outcome:
        outcome = self._insist(lambda: outgoing.ask(transport), outgoing)
        while outcome == "sent":
            before = outgoing.unsent_bytes()
            outcome = self._insist(lambda: outgoing.send(transport), outgoing)
            moved = max(0, before - outgoing.unsent_bytes())
            done.sent_bytes += moved
            self.on_bytes(moved)
        return outcome

    def _insist(self, attempt: Callable[[], Outcome], outgoing: Outgoing | BlobSender) -> Outcome:
        """Until it is not a fault that may pass, or it has not passed for too long."""
        fault = Unreachable("the server does not answer")
        for number in range(self._tries):
            wait_s = 0.0
            try:
                outcome = attempt()
                self._tries = SYNC_TRIES_MAX_COUNT
                if outcome != "later" or not outgoing.why:
                    return "idle" if outcome == "later" else outcome
                wait_s, fault = outgoing.retry_after_s or 0.0, Unreachable(outgoing.why)
            except Unreachable as error:
                fault = error
            if number + 1 < self._tries:
                delay_s = min(RETRY_MAX_S, RETRY_FIRST_S * 2.0**number) * self._random.uniform(0.5, 1.0)
                self._sleep(max(wait_s, delay_s))
        raise fault

    def _send_blobs(self) -> Iterator[SyncedRun]:
        """Artifacts that wait; those that could not be sent, named by their digest."""
        sender = BlobSender(self._folder)
        for blob in sender.list_waiting():
            done = SyncedRun(blob.tenant, f"artifact {blob.digest}")
            try:
                transport = self._transport(blob.tenant)
                outcome = self._insist(lambda: sender.send(blob, transport), sender)  # noqa: B023
                if outcome == "sent":
                    self.on_bytes(blob.size_bytes)
                    self.sent_blobs.append(blob)
                    continue
                done.state, done.why = "refused", sender.why
            except Unreachable as error:
                done.state, done.why = "left", error.message
            except OSError as error:
                done.state, done.why = "refused", str(error)
            yield done

    def _compare(self, done: SyncedRun, transport: Transport) -> None:
        """What the server says that it has of the run."""
        try:
            detail = self._ask_detail(done.run_id or "", transport)
        except NotFound:
            if done.records:
                raise
            return
        done.losses_there = dict(detail["losses"])
        done.points_there = sum(series["count"] for series in detail["series"])
        if done.points is not None and done.points_there < done.points and done.state == "whole":
            done.state = "left"
            done.why = f"the server has {done.points_there:,} points of {done.points:,}"

    def _ask_detail(self, run_id: str, transport: Transport):  # type: ignore[no-untyped-def]
        for number in range(SYNC_TRIES_MAX_COUNT):
            try:
                return transport.ask("GET", ("runs", run_id))
            except Unreachable:
                if number + 1 == SYNC_TRIES_MAX_COUNT:
                    raise
                self._sleep(RETRY_FIRST_S * 2.0**number * self._random.uniform(0.5, 1.0))
        raise AssertionError

    def _transport(self, tenant: str) -> Transport:
        known = self._transports.get(tenant)
        return known or self._transports.setdefault(tenant, self._transport_for(tenant))

    # -- what there is --------------------------------------------------------------------------

    def _list_writers(self) -> tuple[list[_Writer], list[SyncedRun]]:
        """Writers by run, and by when they began: what one says may rest on what another said before it. And those of which nobody
        can tell whose they are."""
        waiting = {segment.writer for segment in self._folder.list_segments()}
        locks = locks_of(self._folder.locks)
        found: list[_Writer] = []
        lost: list[SyncedRun] = []
        for writer in sorted(waiting | self._folder.list_sent_writers()):
            try:
                is_live = writer in waiting and locks.is_live(writer)
                opened, began = self._opening_of(writer)
            except (LinealError, OSError) as error:
                lost.append(SyncedRun("", f"writer {writer}", "refused", str(error)))
                continue
            if opened is not None:
                found.append(_Writer(writer, opened, began, is_live, writer not in waiting))
            elif not is_live and any(_size(path) for path in self._paths(writer)):
                why = "no frame tells whose run this is"
                lost.append(SyncedRun("", f"writer {writer}", "refused", why))
        return sorted(found, key=lambda one: (_whose(one), one.began_ns, one.writer)), lost

    def _opening_of(self, writer: str) -> tuple[SegmentOpened | None, int]:
        began = 0
        for path in self._paths(writer):
            with open(path, "rb") as file:
                head = file.read(_HEAD_BYTES)
            opened, began = find_opening(head), began or began_ns(head)
            if opened is not None and opened.writer == writer:
                return opened, began
        return None, began

    def _paths(self, writer: str) -> list[str]:
        numbers = self._folder.list_numbers(writer)
        return [path for path in (self._folder.find_segment(writer, number) for number in numbers) if path is not None]


def _whose(writer: _Writer) -> tuple[str, str]:
    return writer.opened.tenant, writer.opened.run_id or ""


def _size(path: str) -> int:
    try:
        return os.path.getsize(path)
    except OSError:
        return 0


def tally_of(folder: Folder, writer: str) -> Tally:
    """Counts what a writer's segments hold, frame by frame: what was said, by whom it was said."""
    tally = Tally()
    numbers = folder.list_numbers(writer)
    tally.is_whole = numbers == list(range(1, len(numbers) + 1))
    series_counts: dict[int, int] = {}
    for number in numbers:
        path = folder.find_segment(writer, number)
        if path is None:
            tally.is_whole = False
            continue
        with open(path, "rb") as file:
            data = file.read()
        _tally_segment(data[: len(data) & ~7], tally, series_counts)
    return tally


def _tally_segment(data: bytes, tally: Tally, series_counts: dict[int, int]) -> None:
    view = memoryview(data)
    try:
        offsets = scan(view, start_of(view), final=True).offsets
    except NewerFormat:
        tally.is_whole = False
        return
    for offset in offsets:
        header = header_at(view, offset)
        if header.kind == kinds.POINTS_APPENDED:
            layout = int.from_bytes(view[offset + header.length - 8 : offset + header.length - 4], "little")
            tally.points += series_counts.get(layout, 0)
        elif header.kind in (kinds.LAYOUT_DEFINED, kinds.SEGMENT_SEALED):
            try:
                said = decode(header.kind, payload_at(view, offset, header.length))
            except Damaged:
                continue
            if isinstance(said, LayoutDefined):
                series_counts[said.number] = len(said.series)
            else:
                tally.last_seq = max(tally.last_seq, said.last_seq)  # type: ignore[union-attr]
        if header.seq:
            tally.records += 1
            tally.last_seq = max(tally.last_seq, header.seq)
