"""Modules that are loaded beside the training: a fork in the midst of that would leave the child with locks of modules that
nobody ever releases, so a fork waits for it.

Not the interpreter's own import lock: who holds that and waits for a module, which the main thread is just loading, waits for ever,
since the main thread wants that lock for whatever its module loads in turn. And no wait without an end, for the same reason."""

from __future__ import annotations

import _thread
import os
from collections.abc import Callable

from lineal.model.limits import CAPTURE_FORK_WAIT_S


class ImportGate:
    """Held while a thread loads modules."""

    def __init__(self) -> None:
        self._done: set[Callable[[], None]] = set()
        self._reset()
        os.register_at_fork(before=self._before_fork, after_in_parent=self._after_fork, after_in_child=self._reset)

    def _reset(self) -> None:
        self._lock = _thread.allocate_lock()
        self._loader: int | None = None
        self._forking: set[int] = set()

    def has(self, act: Callable[[], None]) -> bool:
        """Whether it is loaded by now."""
        return act in self._done

    def load(self, act: Callable[[], None]) -> None:
        """Once for each `act`, whoever asks how often, unless it raises."""
        if act in self._done:
            return
        me = _thread.get_ident()
        if self._loader == me or me in self._forking:  # a signal handler in the midst of either
            act()
            return
        with self._lock:
            if act in self._done:  # by whom this one has waited for
                return
            self._loader = me
            try:
                act()
                self._done.add(act)
            finally:
                self._loader = None

    def _before_fork(self) -> None:
        me = _thread.get_ident()
        if self._loader != me and self._lock.acquire(timeout=CAPTURE_FORK_WAIT_S):
            self._forking.add(me)

    def _after_fork(self) -> None:
        me = _thread.get_ident()
        if me in self._forking:
            self._forking.discard(me)
            self._lock.release()


IMPORTS = ImportGate()
