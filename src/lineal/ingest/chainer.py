"""Links the audit rows of every tenant by hash (spec/audit.md), beside those who write them, so that nobody queues on a chain's head.

Several processes may have a chainer on the same database: linking happens within a transaction, of which there is one at a
time, and starts from the last link that is there. Killed at any moment it leaves links of whole rows, or none."""

from __future__ import annotations

import logging
import threading

from lineal.model.errors import LinealError
from lineal.model.limits import AUDIT_LINK_INTERVAL_S
from lineal.store.contracts import Store

LOG = logging.getLogger("lineal.ingest")


def link_all(store: Store) -> None:
    """Until nothing is left to link."""
    while True:
        before = store.change_number()
        with store.begin() as transaction:
            transaction.link_audit()
        if store.change_number() == before:
            return


class Chainer:
    """A thread that links within a second after `wake`; what was left by others, at its start."""

    def __init__(self, store: Store, interval_s: float = AUDIT_LINK_INTERVAL_S) -> None:
        self._store = store
        self._interval_s = interval_s
        self._turn = threading.Event()
        self._ended = threading.Event()
        self._turn.set()
        self._thread = threading.Thread(target=self._run, name="lineal-chainer", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something was written."""
        self._turn.set()

    def close(self) -> None:
        """Idempotent. What was written before is linked when it returns, unless the store refuses."""
        self._ended.set()
        self._turn.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._turn.wait()
            self._turn.clear()
            is_last = self._ended.is_set()  # in this order: a `close` from now on sets the turn again
            try:
                link_all(self._store)
            except LinealError as error:
                # The rows are there, and stay: the next round links them.
                LOG.warning("audit rows could not be linked: %s", error.message)
                self._turn.set()
            except Exception:
                LOG.exception("audit rows could not be linked")
            if is_last:
                return
            self._ended.wait(self._interval_s)  # rows are gathered meanwhile: one commit for a second's changes
