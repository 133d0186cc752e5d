"""One quiet thread a process and server, which sends what this process's journals hold.

`log()` knows nothing of it: it reads the files that are written anyway, and ships their bytes as they are, so that its Python
work is a few calls a second, not one a point. It imports nothing while it runs: a fork in the middle of an import would leave
the child with half a module."""

from __future__ import annotations

import _thread
import os
import time
from collections.abc import Callable
from typing import NamedTuple

from lineal.client.address import ServerAddress
from lineal.client.backoff import Backoff
from lineal.client.blob_queue import BlobQueue, WaitingBlob
from lineal.client.guard import Guard
from lineal.client.login import find_token
from lineal.client.outbox import clear_sent
from lineal.client.outgoing import Outgoing
from lineal.client.settings import Settings
from lineal.client.transport import Transport
from lineal.journal.blobs import Blob
from lineal.journal.journal import Journal
from lineal.journal.layout import Folder
from lineal.journal.locks import locks_of
from lineal.model.errors import LinealError
from lineal.model.limits import (
    CLEAR_SENT_INTERVAL_S,
    KIB,
    LOST_SERVER_S,
    RETRY_DRAIN_MAX_S,
    RETRY_FIRST_S,
    RETRY_MAX_S,
    RETRY_REFUSED_S,
    UNREACHED_AGAIN_S,
    UNREACHED_DRAIN_S,
    UPLOAD_IDLE_S,
    UPLOAD_INTERVAL_S,
)
from lineal.record.opening import find_opening

_FAULTS_BEFORE_WARNING = 3
_HEAD_BYTES = 8 * KIB
_LOOK_S = 0.1  # how often a drain looks at its deadline


class Left(NamedTuple):
    """What a drain could not send, and why, if that is known."""

    size_bytes: int
    why: str


class _Shipment:
    """A writer's journal and when it is its turn. Without `journal` the writer was another process, and is dead."""

    __slots__ = ("due_s", "heard_s", "journal", "outgoing")

    def __init__(self, journal: Journal | None, outgoing: Outgoing) -> None:
        self.journal = journal
        self.outgoing = outgoing
        self.due_s = 0.0
        self.heard_s = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether its writer says nothing any more."""
        return self.journal is None or self.journal.is_closed


class Uploader:
    """Use `uploader_for`. Signal handlers may come in at any line of the main thread, so nothing here takes a lock: the lists
    are only ever appended to, and replaced whole, by one thread each."""

    def __init__(self, address: ServerAddress, folder: Folder, tenant: str | None) -> None:
        self.address = address
        self.folder = folder
        self.tenant = tenant
        self._guard = Guard()
        self._transport = Transport(address, token=lambda: find_token(address), tenant=tenant)
        transport = Transport(address, token=lambda: find_token(address), tenant=tenant)
        self._blobs = BlobQueue(folder, transport, self._warn_refused, lambda: _ring(self._moved))
        self._reset()

    def _reset(self) -> None:
        self._shipments: list[_Shipment] = []
        self._bell = _thread.allocate_lock()  # released: a round is wanted
        self._bell.acquire()
        self._moved = _thread.allocate_lock()  # released: something was sent, or refused
        self._moved.acquire()
        self._is_running = False
        self._drains = 0
        self._has_waited_in_vain = False
        self._backoff = Backoff()
        self._begun_s = time.time()
        self._clear_due_s = time.monotonic() + CLEAR_SENT_INTERVAL_S

    def after_fork_in_child(self) -> None:
        """The parent's journals are the parent's; the connection too."""
        self._transport.close()
        self._blobs.after_fork_in_child()
        self._reset()

    # -- from the threads that log --------------------------------------------------------------

    def add(self, journal: Journal) -> None:
        """A writer begins. Called under the journal's lock: no more than a note and, once, a thread."""
        if any(known.outgoing.writer == journal.writer for known in tuple(self._shipments)):
            return
        outgoing = Outgoing(self.folder, journal.writer, journal.identity.run_id, journal=journal)
        self._shipments.append(_Shipment(journal, outgoing))
        self._start()

    def add_blob(self, tenant: str, blob: Blob) -> None:
        """An artifact's bytes are in the folder."""
        self._blobs.add(WaitingBlob(tenant, blob.digest, blob.size_bytes))

    def _start(self) -> None:
        if not self._is_running:
            self._is_running = True
            try:
                _thread.start_new_thread(self._run, ())
            except RuntimeError:  # the interpreter ends: a drain does the work itself
                self._is_running = False

    def wake(self) -> None:
        """Asks for a round now."""
        self._backoff.due_s = 0.0
        _ring(self._bell)
        self._blobs.start()

    def should_stop(self, run_id: str) -> bool:
        """Whether the server said that somebody asked this run to stop."""
        living = (one for one in self._of(run_id) if not one.is_over)  # not those of an attempt before
        return any(one.outgoing.stop_asked for one in living)

    def unsent_bytes(self, run_id: str | None) -> int:
        """Of that run's journals, and of the artifacts that this process logged."""
        size = sum(one.outgoing.unsent_bytes() for one in self._of(run_id))
        return size + self._blobs.unsent_bytes()

    def drain(
        self, run_id: str | None, timeout_s: float, progress: Callable[[int, float], None], *, is_asked: bool = False
    ) -> Left | None:
        """Waits until the server has all of that run's journals; None if it has. Returns early where waiting cannot help, and, unless
        somebody asked for that time, where no server is to be seen. `progress(bytes left, seconds left)` is told now and then."""
        begun_s = time.monotonic()
        until_s = begun_s + timeout_s
        self._drains += 1
        self._adopt(run_id)
        for shipment in self._of(run_id):
            shipment.due_s = 0.0
        self._blobs.is_awaited = True
        try:
            self.wake()
            while True:
                size = self.unsent_bytes(run_id)
                left_s = until_s - time.monotonic()
                if not size:
                    return None
                if left_s <= 0 or self._is_hopeless(run_id):
                    return Left(size, self._why_of(run_id))
                if not is_asked and self._is_nowhere(begun_s):
                    self._has_waited_in_vain = True
                    why = self._why_of(run_id) or "no connection came about"
                    return Left(size, f"{why}; it was not waited for any longer")
                progress(size, left_s)
                self._start()
                if self._is_running:
                    self._moved.acquire(timeout=min(_LOOK_S, left_s))
                else:  # the interpreter ends and lets no thread begin
                    self._round()
                    if self._blobs.unsent_bytes():
                        self._blobs.send_next()
                    time.sleep(min(RETRY_FIRST_S, left_s) if self._backoff.faults else 0)
        finally:
            self._drains -= 1
            self._blobs.is_awaited = self._drains > 0

    def _adopt(self, run_id: str | None) -> None:
        """What children of this process, or its other processes here, recorded of the run and did not send before they ended."""
        known = {one.outgoing.writer for one in tuple(self._shipments)}
        locks = locks_of(self.folder.locks)
        try:
            for segment in self.folder.list_segments():
                if segment.writer in known:
                    continue
                known.add(segment.writer)
                if os.stat(segment.path).st_mtime < self._begun_s - 1.0 or locks.is_live(segment.writer):
                    continue
                with open(segment.path, "rb") as file:
                    opened = find_opening(file.read(_HEAD_BYTES))
                if opened is not None and opened.run_id == run_id:
                    self._shipments.append(_Shipment(None, Outgoing(self.folder, segment.writer, run_id)))
        except (OSError, LinealError):
            pass  # what `lineal sync` is for

    def _of(self, run_id: str | None) -> list[_Shipment]:
        return [one for one in tuple(self._shipments) if one.outgoing.run_id == run_id]

    def _is_hopeless(self, run_id: str | None) -> bool:
        """All that is left was refused while we waited."""
        now_s = time.monotonic()
        unsent = [one for one in self._of(run_id) if one.outgoing.unsent_bytes()]
        are_refused = self._blobs.is_refused or not self._blobs.unsent_bytes()
        return are_refused and all(one.due_s > now_s and one.outgoing.why for one in unsent)

    def _is_nowhere(self, begun_s: float) -> bool:
        """No server is to be seen: not one that is slow, or refuses, or answers what is no answer. `begun_s`: of the drain."""
        roads = [self._transport, self._blobs.transport]
        if any(road.is_connected or (road.has_reached and road.unreached_since_s is None) for road in roads):
            return False
        since = [road.unreached_since_s for road in roads if road.unreached_since_s is not None]
        if not since:
            return False  # nothing was tried yet
        now_s = time.monotonic()
        waited_s, missing_s = now_s - begun_s, now_s - min(since)
        if any(road.has_reached for road in roads):
            return waited_s >= UNREACHED_DRAIN_S and missing_s >= LOST_SERVER_S
        patience_s = UNREACHED_AGAIN_S if self._has_waited_in_vain else UNREACHED_DRAIN_S
        return waited_s >= patience_s and missing_s >= patience_s

    def _why_of(self, run_id: str | None) -> str:
        of_run = (one.outgoing.why for one in self._of(run_id) if one.outgoing.why)
        return next(of_run, self._backoff.why or self._blobs.why)

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        while True:
            wait_s = self._backoff.wait_s() if self._backoff.faults else UPLOAD_INTERVAL_S
            self._bell.acquire(timeout=wait_s)
            self._round()

    def _round(self) -> None:
        """Sends what there is, a piece of each writer in turn. Never raises."""
        try:
            while not self._backoff.wait_s():
                sent = False
                for shipment in tuple(self._shipments):
                    if shipment.due_s <= time.monotonic():
                        sent |= self._send(shipment)
                        _ring(self._moved)
                if not sent:
                    break
        except (LinealError, OSError) as error:
            self._fail(str(getattr(error, "message", error)))
        except Exception as error:
            self._fail(f"{type(error).__name__}: {error}")
        self._forget_done()
        self._clear()
        _ring(self._moved)

    def _send(self, shipment: _Shipment) -> bool:
        """Whether there may be more to send at once."""
        outgoing = shipment.outgoing
        outcome = outgoing.send(self._transport)
        now_s = time.monotonic()
        if outcome == "idle":
            if now_s - shipment.heard_s < UPLOAD_IDLE_S or shipment.is_over:
                return False
            outcome = outgoing.ask(self._transport)
        if outcome == "sent":
            shipment.heard_s = now_s
            outgoing.why = ""
            self._backoff.clear()
            return outgoing.unsent_bytes() > 0
        if outcome == "refused":
            shipment.due_s = now_s + RETRY_REFUSED_S
            self._warn_refused(outgoing.why)
        else:
            self._fail(outgoing.why, outgoing.retry_after_s)
        return False

    def _fail(self, why: str, retry_after_s: float | None = None) -> None:
        self._backoff.fail(why, retry_after_s, RETRY_DRAIN_MAX_S if self._drains else RETRY_MAX_S)
        if self._backoff.faults == _FAULTS_BEFORE_WARNING:
            self._guard.warn_once(
                "server",
                f"{self.address.url} cannot be reached ({why}): recording goes on in {self.folder.root}, and is sent when it "
                "answers",
            )

    def _warn_refused(self, why: str) -> None:
        self._guard.warn_once(
            f"refused {why}",
            f"{self.address.url} refuses what is recorded: {why}. It stays in {self.folder.root}; `lineal sync` sends it once "
            "that is mended",
        )

    def _clear(self) -> None:
        """Of what was sent, what was kept long enough."""
        now_s = time.monotonic()
        if now_s >= self._clear_due_s:
            self._clear_due_s = now_s + CLEAR_SENT_INTERVAL_S
            try:
                clear_sent(self.folder, time.time())
            except OSError:
                pass

    def _forget_done(self) -> None:
        for shipment in tuple(self._shipments):
            if shipment.is_over and not shipment.outgoing.unsent_bytes() and not self._drains:
                self._shipments.remove(shipment)


def _ring(bell: _thread.LockType) -> None:
    try:
        bell.release()
    except RuntimeError:
        pass  # it rings already


_uploaders: dict[tuple[str, str, str | None], Uploader] = {}


def uploader_for(settings: Settings) -> Uploader:
    """The one of this process for that server, folder and tenant."""
    assert settings.server is not None
    return find_uploader(settings.server, settings.folder, settings.tenant if settings.names_tenant else None)


def find_uploader(address: ServerAddress, folder: Folder, tenant: str | None) -> Uploader:
    key = (address.url, folder.root, tenant)
    known = _uploaders.get(key)
    return known or _uploaders.setdefault(key, Uploader(address, folder, tenant))


def _after_fork_in_child() -> None:
    for uploader in list(_uploaders.values()):
        uploader.after_fork_in_child()


os.register_at_fork(after_in_child=_after_fork_in_child)
