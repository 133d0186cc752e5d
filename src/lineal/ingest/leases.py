"""Leases: writers on other hosts that promised to be heard of again, and were not. A run of which all have fallen silent is lost,
and runs again when one of them returns. Nobody who promised nothing is ever taken for lost.

It is the server's own silence that must not be held against them: after its start, and after a time in which it could not
write, or stood still, nobody is judged for as long as a lease usually lasts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future

from lineal.ingest.desk import Desk, Said
from lineal.model.clock import SYSTEM_CLOCK, Clock
from lineal.model.entities import Cursor, Stamp
from lineal.model.errors import LinealError
from lineal.model.limits import LEASE_GRACE_S, LEASE_LOOK_S
from lineal.store.contracts import Store

LOG = logging.getLogger("lineal.ingest")
_JUDGED = Said(200, b"")


def renewed(cursor: Cursor, lease_s: int | None, now_ms: int) -> Cursor:
    """None: nothing was said of a lease, and it stays as it is; 0: it is given up."""
    if lease_s is None:
        return cursor
    return cursor._replace(lease_until_ms=now_ms + lease_s * 1000 if lease_s else None)


def judge(desk: Desk) -> Said:
    """A work: the tenant's leases that have run out are taken away, and attempts that nobody holds any more are lost."""
    for lapsed in desk.reader.list_lapsed(desk.time_ms):
        store = desk.writer
        cursor = store.find_cursor(lapsed.writer)  # renewed meanwhile, perhaps, in this very transaction
        if cursor is None or cursor.lease_until_ms is None or cursor.lease_until_ms > desk.time_ms:
            continue
        store = desk.replays(cursor.run_id)
        store.set_cursor(cursor._replace(lease_until_ms=None))
        head, run_id = cursor.head, cursor.run_id
        if run_id is None or head is None or store.is_locked(run_id):
            continue
        held = [one.head.attempt for one in store.list_leases(run_id) if one.head is not None]
        if head.attempt not in held and store.find_status(run_id, head.attempt) == "running":
            store.lose_attempt(run_id, head.attempt, Stamp(cursor.lease_until_ms, cursor.writer, cursor.seq))
            LOG.info("a run is lost: its writer on %s was not heard of", head.host)
    return _JUDGED


class Leases:
    """A thread that looks every few seconds. Ends with `close`."""

    def __init__(
        self,
        store: Store,
        submit: Callable[[str, Callable[[Desk], Said]], Future[Said]],
        *,
        clock: Clock = SYSTEM_CLOCK,
        look_s: float = LEASE_LOOK_S,
    ) -> None:
        self._store = store
        self._submit = submit
        self._clock = clock
        self._look_s = look_s
        self._looked_s = clock.monotonic_s()
        self._patient_until_s = self._looked_s + LEASE_GRACE_S
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lineal-leases", daemon=True)
        self._thread.start()

    def be_patient(self) -> None:
        """Writers could not be heard of for a while, which is not their fault."""
        self._patient_until_s = self._clock.monotonic_s() + LEASE_GRACE_S

    def look(self) -> None:
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s > 2 * self._look_s + LEASE_LOOK_S:
            self.be_patient()  # this process stood still
        self._looked_s = now_s
        if now_s < self._patient_until_s:
            return
        now_ms = self._clock.time_ns() // 1_000_000
        for tenant in self._store.list_tenants():
            if self._store.tenant(tenant).list_lapsed(now_ms, 1):
                self._submit(tenant, judge).result()

    def close(self) -> None:
        """Idempotent."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._look_s):
            try:
                self.look()
            except LinealError as error:
                LOG.warning("leases cannot be looked at for the moment: %s", error.message)
                self.be_patient()
            except Exception:
                LOG.exception("leases could not be looked at")
                self.be_patient()
