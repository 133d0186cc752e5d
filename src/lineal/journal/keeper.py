"""One quiet thread a process that does what `log()` must never wait for: syncs, next segments, healing.

It sleeps until a journal wants something or a second is over, and holds the interpreter lock for microseconds."""

from __future__ import annotations

import _thread
import os
import threading
import time
from typing import Protocol

from lineal.model.limits import SYNC_INTERVAL_S


class Tended(Protocol):
    """What the keeper looks after."""

    def tend(self) -> None:
        """Does whatever is due. Must not raise."""
        ...


class Keeper:
    """Starts its thread with the first journal; starts afresh in a forked child.

    Signal handlers log, and may interrupt any line here: so no Event and no Thread, whose plain locks a handler could find
    held by the call that it interrupts."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._guard = threading.RLock()
        self._bell = _thread.allocate_lock()  # released: a round is wanted
        self._bell.acquire()
        self._is_running = False
        self._tended: set[Tended] = set()
        self._due_s: float | None = None

    def add(self, journal: Tended) -> None:
        with self._guard:
            self._tended.add(journal)
            if not self._is_running:
                self._is_running = True
                _thread.start_new_thread(self._run, ())
        self.wake(SYNC_INTERVAL_S)

    def remove(self, journal: Tended) -> None:
        with self._guard:
            self._tended.discard(journal)

    def wake(self, delay_s: float = 0.0) -> None:
        """Asks for a round within `delay_s`; rounds wanted sooner are not put off."""
        due_s = time.monotonic() + delay_s
        if self._due_s is None or due_s < self._due_s:
            self._due_s = due_s
            try:
                self._bell.release()
            except RuntimeError:
                pass  # it rings already

    def _run(self) -> None:
        guard, bell = self._guard, self._bell
        while True:
            due_s = self._due_s
            bell.acquire(timeout=SYNC_INTERVAL_S if due_s is None else max(0.0, due_s - time.monotonic()))
            due_s = self._due_s
            if due_s is not None and due_s > time.monotonic():
                continue
            self._due_s = None
            with guard:
                tended = list(self._tended)
            for journal in tended:
                journal.tend()
            if not tended and self._due_s is None:
                bell.acquire()  # nothing is open: sleep until `add` wakes us


KEEPER = Keeper()
