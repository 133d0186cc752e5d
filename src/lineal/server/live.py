"""Live updates: one look at the source for all who watch, and none while nobody does."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, TypeAlias

import msgspec
from anyio import to_thread

from lineal.model.limits import LIVE_EVENT_INTERVAL_S, LIVE_HEARTBEAT_S, LIVE_WATCHERS_MAX_COUNT
from lineal.server.errors import Refused
from lineal.server.shapes.live import Change
from lineal.store.registry import By, ModelsQuery

if TYPE_CHECKING:
    from lineal.server.source import Source
    from lineal.store.contracts import Store

_Seen: TypeAlias = tuple[int, str | None]
"""Change number, and what `_models` said as of then."""
_LAST_WORD = ModelsQuery(order=(By("updated", True),), lifecycle=None, limit=1)

LOG = logging.getLogger("lineal.server")
_LOOK_S = 1.0  # how long the watching thread lives on after the last one has gone
_RETRY = b"retry: 1000\n\n"
_HEARTBEAT = b": still here\n\n"


class Live:
    """Who watches, and the change number that they were last told to look at."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._number: int | None = None
        self._watchers: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._guard = threading.Lock()
        self._ended = False

    @property
    def watcher_count(self) -> int:
        return len(self._watchers)

    def end(self) -> None:
        """Lets everybody go: a stream that never ends would keep the server from stopping."""
        self._ended = True
        for watcher in self._watchers:
            watcher.set()

    def watch(self, tenant: str, after: int | None) -> AsyncIterator[bytes]:
        """The events for one listener."""
        if len(self._watchers) >= LIVE_WATCHERS_MAX_COUNT:
            refused = Refused(503, "busy", f"{LIVE_WATCHERS_MAX_COUNT} pages are watching already")
            refused.headers["retry-after"] = "5"
            raise refused
        return self._events(tenant, after)

    async def _events(self, tenant: str, after: int | None) -> AsyncIterator[bytes]:
        woken = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._watchers.add(woken)
        try:
            self._start()  # before the first word: whoever has it is being watched for
            yield _RETRY
            # Of who comes back nobody knows which models they saw.
            seen: _Seen = (after, None) if after is not None else await to_thread.run_sync(self._current, tenant)
            told_at = self._loop.time() - LIVE_EVENT_INTERVAL_S
            while not self._ended:
                woken.clear()
                if self._number is None or self._number == seen[0]:
                    try:
                        await asyncio.wait_for(woken.wait(), LIVE_HEARTBEAT_S)
                    except TimeoutError:
                        yield _HEARTBEAT
                    continue
                await asyncio.sleep(max(0.0, told_at + LIVE_EVENT_INTERVAL_S - self._loop.time()))
                change, seen = await to_thread.run_sync(self._read, tenant, seen)
                told_at = self._loop.time()
                if change.run_ids or change.models_changed or not change.is_complete:
                    yield event_of(change)
        finally:
            self._watchers.discard(woken)

    def _current(self, tenant: str) -> _Seen:
        with self._source.opened() as store:  # the number first: what comes in between is told twice rather than never
            return store.change_number(), _models(store, tenant)

    def _read(self, tenant: str, seen: _Seen) -> tuple[Change, _Seen]:
        with self._source.opened() as store:
            changes, models = store.tenant(tenant).list_changes(seen[0]), _models(store, tenant)
        change = Change(changes.change_number, changes.run_ids, changes.is_complete, models != seen[1])
        return change, (changes.change_number, models)

    # -- the thread ----------------------------------------------------------------------------

    def _start(self) -> None:
        with self._guard:
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="lineal-live", daemon=True)
                self._thread.start()

    def _look(self) -> None:
        number = -1
        while True:
            try:
                number = self._source.wait_for_change(number, _LOOK_S)
            except Exception:
                # A folder that cannot be read now may be readable in a moment; the page keeps what it has.
                LOG.warning("the data folder cannot be followed for the moment", exc_info=True)
                threading.Event().wait(_LOOK_S)
            self._tell(number)
            with self._guard:
                if self._ended or not self._watchers:
                    self._thread = None
                    return

    def _tell(self, number: int) -> None:
        loop = self._loop
        if number == self._number or loop is None:
            return
        self._number = number
        try:
            loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # the loop has ended meanwhile
            pass

    def _wake(self) -> None:
        for watcher in self._watchers:
            watcher.set()


def _models(store: Store, tenant: str) -> str:
    """Another text after a change of the tenant's registry: the model that the last word was on, as it is now."""
    return repr(store.tenant(tenant).registry().list_models(_LAST_WORD).models)


def event_of(change: Change) -> bytes:
    data = msgspec.json.encode(change)
    return b"event: change\nid: %d\ndata: %s\n\n" % (change.change_number, data)
