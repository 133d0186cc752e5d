"""One quiet thread a process, which reads what its runs use.

It imports nothing while it runs: a fork in the middle of an import would leave the child with half a module. A forked child has
no thread and no meters: its parent counts what it uses."""

from __future__ import annotations

import _thread
import math
import os
import threading
import time
from typing import TYPE_CHECKING, Any

from lineal.client.capture.resources.driver import has_driver
from lineal.client.capture.resources.machine import Machine, Traffic
from lineal.client.capture.resources.meter import Look, Meter
from lineal.client.capture.resources.processes import OwnTimes, Tree, Used
from lineal.journal.interrupts import raised_by_handler
from lineal.model.limits import RESOURCES_BEGIN_S, RESOURCES_SHARED_S, RESOURCES_WAIT_S

if TYPE_CHECKING:
    from lineal.client.capture.resources.gpus import GpuReading, Gpus


class Readers:
    """What is asked of this process and its machine: found once, read under a lock, since counters of a tree follow each other."""

    def __init__(self) -> None:
        has_proc = os.path.isdir("/proc/self/task")
        self._tree: Tree | OwnTimes = Tree(os.getpid()) if has_proc else OwnTimes()
        self._machine = Machine() if has_proc else None
        self._lock = threading.Lock()
        self._last = Used()
        self._last_traffic = Traffic()
        self._looked_s = self._traffic_s = -math.inf
        self._library: Any = None
        self._gpus: Gpus | None = None
        if has_driver():
            from lineal.client.capture.resources.gpus import find_library

            self._library = find_library()

    def begin(self) -> tuple[Used, Traffic]:
        """From which a run counts. That of the run before, if it ended a moment ago: times are in ticks twice as long."""
        now_s = time.monotonic()
        used = self._last if now_s - self._looked_s < RESOURCES_SHARED_S else self.used()
        if self._machine is not None and now_s - self._traffic_s >= RESOURCES_SHARED_S:
            self._last_traffic, self._traffic_s = self._machine.traffic(), now_s
        return used, self._last_traffic

    def used(self) -> Used:
        """What the tree has used; if a signal handler interrupted another look, that one's last answer."""
        if not self._lock.acquire(timeout=RESOURCES_WAIT_S):
            return self._last
        try:
            self._last, self._looked_s = self._tree.look(), time.monotonic()
            return self._last
        finally:
            self._lock.release()

    def look(self, *, machine: bool = True, gpus: bool = False) -> Look:
        """`gpus`: only for the sampling thread, since a driver may hang."""
        used = self.used()
        read = self._machine.read() if machine and self._machine is not None else None
        return Look(time.monotonic(), used, read, self._read_gpus() if gpus else None, self._tree.pids)

    def _read_gpus(self) -> list[GpuReading] | None:
        if self._library is not None:
            library, self._library = self._library, None
            from lineal.client.capture.resources.gpus import open_gpus  # which is loaded already

            self._gpus = open_gpus(library)
        if self._gpus is None:
            return None
        try:
            return self._gpus.read()
        except Exception:  # a driver that was unloaded
            self._gpus = None
            return None


class Sampler:
    """Starts its thread with the first meter; starts afresh in a forked child."""

    def __init__(self) -> None:
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def _reset(self) -> None:
        self._guard = threading.RLock()
        self._bell = _thread.allocate_lock()  # released: a round is wanted
        self._bell.acquire()
        self._is_running = False
        self._readers: Readers | None = None
        self._due: dict[Meter, float] = {}
        self._round_s: float | None = None

    @property
    def readers(self) -> Readers:
        with self._guard:
            if self._readers is None:
                self._readers = Readers()
            return self._readers

    def add(self, meter: Meter) -> None:
        due_s = time.monotonic() + RESOURCES_BEGIN_S
        with self._guard:
            self._due[meter] = due_s
            if not self._is_running:
                self._is_running = True
                try:
                    _thread.start_new_thread(self._run, ())
                except RuntimeError:  # no thread to be had, or the interpreter is ending: totals come at the end
                    self._is_running = False
                    return
            round_s = self._round_s
        if round_s is None or due_s < round_s:
            self._ring()

    def remove(self, meter: Meter) -> None:
        with self._guard:
            self._due.pop(meter, None)

    def _ring(self) -> None:
        try:
            self._bell.release()
        except RuntimeError:
            pass  # it rings already

    def _run(self) -> None:
        guard, bell = self._guard, self._bell
        while True:
            with guard:
                self._round_s = round_s = min(self._due.values(), default=None)
            wait_s = -1.0 if round_s is None else max(0.0, round_s - time.monotonic())
            bell.acquire(timeout=wait_s)
            now_s = time.monotonic()
            with guard:
                due = [meter for meter, due_s in self._due.items() if due_s <= now_s]
            if due:
                self._sample(due)

    def _sample(self, due: list[Meter]) -> None:
        """Whatever goes wrong goes wrong once a round, and training knows nothing of it."""
        try:
            look = self.readers.look(gpus=any(meter.has_machine for meter in due))
        except Exception as error:
            if raised_by_handler(error):
                raise
            look = None
        for meter in due:
            try:
                if look is not None:
                    meter.take(look)
            except Exception as error:
                if raised_by_handler(error):
                    raise
            with self._guard:
                if meter in self._due:
                    self._due[meter] = meter.due_s(time.monotonic())


SAMPLER = Sampler()
