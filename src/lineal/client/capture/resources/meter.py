"""One run's readings become series below system/ and totals."""

from __future__ import annotations

import os
import resource
import sys
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from lineal.client.capture.resources.machine import MachineReading, Traffic
from lineal.client.capture.resources.processes import Used
from lineal.client.capture.resources.totals import Totals
from lineal.journal.points import Labelled
from lineal.model.limits import (
    RESOURCES_FIRST_S,
    RESOURCES_LOOK_INTERVAL_S,
    RESOURCES_SAY_MAX_S,
    RESOURCES_SAY_SHARE,
    RESOURCES_TOTALS_INTERVAL_S,
    RESOURCES_TOTALS_SHARE,
    RESOURCES_WAIT_S,
)

if TYPE_CHECKING:
    from lineal.client.capture.resources.gpus import GpuReading
    from lineal.client.capture.resources.prices import Prices

_RUSAGE_BYTES = 1 if sys.platform == "darwin" else 1_024
_SLACK_S = 1.1  # the first sample is a second old when the second is due, and threads wake when they can


class Look(NamedTuple):
    """Everything at one moment. `gpus` None: nobody asked them this time."""

    now_s: float
    used: Used
    machine: MachineReading | None = None
    gpus: list[GpuReading] | None = None
    pids: frozenset[int] = frozenset()


class Listener(Protocol):
    """To whom a meter says what it found."""

    def say_points(self, points: Mapping[Labelled, int | float]) -> None: ...

    def say_totals(self, content: dict[str, Any]) -> None: ...


class Begun(NamedTuple):
    """What was when the run began."""

    now_s: float
    used: Used
    traffic: Traffic
    peak_bytes: int


class _GpuMeans:
    """Of one GPU since the last sample that was said."""

    __slots__ = ("busy", "last", "memory_bytes", "passed_s", "watts")

    def __init__(self) -> None:
        self.passed_s = self.busy = self.watts = 0.0
        self.memory_bytes = 0
        self.last: GpuReading | None = None


class Meter:
    """The sampling thread calls `take`, the run's own `finish`. `own_gpus` says which of the GPUs are the run's."""

    def __init__(
        self,
        begun: Begun,
        listener: Listener,
        *,
        host: str,
        folder: str,
        has_machine: bool,
        prices: Prices | None,
        own_gpus: Callable[[list[GpuReading], frozenset[int]], set[int]],
    ) -> None:
        self._begun = begun
        self._listener = listener
        self._labels = (("host", host),)
        self._folder = folder
        self.has_machine = has_machine
        self._prices = prices
        self._own_gpus = own_gpus
        self._lock = threading.Lock()
        self._is_over = False
        self._totals = Totals()
        self._said = begun.now_s
        self._said_used = begun.used
        self._said_machine: tuple[float, MachineReading] | None = None
        self._stated_s = begun.now_s
        self._gpus_s = begun.now_s
        self._means: dict[int, _GpuMeans] = {}
        self._memory_max = 0
        self._held_max: int | None = None

    def due_s(self, now_s: float) -> float:
        """When the next look is wanted."""
        first_s = self._begun.now_s + RESOURCES_FIRST_S
        if now_s < first_s:
            return first_s
        done = int((now_s - self._begun.now_s) / RESOURCES_LOOK_INTERVAL_S)
        return self._begun.now_s + (done + 1) * RESOURCES_LOOK_INTERVAL_S

    def wants_machine(self, now_s: float) -> bool:
        """Whether the last look shall be of the machine, too: not for a run of no series."""
        return now_s - self._begun.now_s >= RESOURCES_FIRST_S

    def take(self, look: Look) -> None:
        """One look of the sampling thread's."""
        with self._lock:
            if self._is_over:
                return
            self._take(look)
            age_s = look.now_s - self._begun.now_s
            if age_s < RESOURCES_FIRST_S:
                return
            wanted_s = min(RESOURCES_SAY_MAX_S, max(RESOURCES_LOOK_INTERVAL_S, age_s / RESOURCES_SAY_SHARE))
            if not self._totals.sample_count or look.now_s - self._said >= wanted_s - _SLACK_S:
                self._say(look)
            longest_s = max(RESOURCES_TOTALS_INTERVAL_S, age_s / RESOURCES_TOTALS_SHARE)
            if look.now_s - self._stated_s >= min(longest_s, age_s / 2) - _SLACK_S:
                self._state(look.now_s)

    def finish(self, look: Look) -> None:
        """The last one. What was said of a run that ended within RESOURCES_FIRST_S are its totals."""
        if not self._lock.acquire(timeout=RESOURCES_WAIT_S):
            return  # what was stated last stands
        try:
            if self._is_over:
                return
            self._is_over = True
            self._take(look)
            self._totals.extend_gpus(look.now_s - self._gpus_s)
            age_s = look.now_s - self._begun.now_s
            if age_s >= RESOURCES_FIRST_S and (
                not self._totals.sample_count or look.now_s - self._said >= RESOURCES_FIRST_S
            ):
                self._say(look)
            self._state(look.now_s)
        finally:
            self._lock.release()

    # -- within, under the lock -----------------------------------------------------------------

    def _take(self, look: Look) -> None:
        memory = look.used.memory_bytes
        if look.machine is not None:
            self._held_max = look.machine.memory_held_bytes
            if self._said_machine is None:
                self._said_machine = (look.now_s, look.machine)
            if self.has_machine:
                self._totals.set_traffic(look.machine.traffic, self._begun.traffic)
        if self._held_max is not None and look.used.process_count > 1:
            memory = min(memory, self._held_max)  # pages that forked processes share are in each one's count
        self._memory_max = max(self._memory_max, memory)
        peak = peak_bytes()
        known = max(memory, peak) if peak > self._begun.peak_bytes or not memory else memory
        self._totals.set_used(look.now_s - self._begun.now_s, look.used, self._begun.used, known)
        if look.gpus is not None and self.has_machine:
            self._take_gpus(look.gpus, look.now_s - self._gpus_s, look.pids)
            self._gpus_s = look.now_s

    def _take_gpus(self, gpus: list[GpuReading], passed_s: float, pids: frozenset[int]) -> None:
        self._totals.add_gpus(gpus, self._own_gpus(gpus, pids), passed_s)
        for one in gpus:
            means = self._means.setdefault(one.number, _GpuMeans())
            means.passed_s += passed_s
            means.busy += passed_s * (one.busy_percent or 0.0)
            means.watts += passed_s * (one.power_watts or 0.0)
            means.memory_bytes = max(means.memory_bytes, one.memory_bytes or 0)
            means.last = one

    def _state(self, now_s: float) -> None:
        self._stated_s = now_s
        self._listener.say_totals(self._totals.content(self._prices))

    def _say(self, look: Look) -> None:
        points: dict[Labelled, int | float] = {}
        passed_s = look.now_s - self._said
        if passed_s > 0:
            self._say_processes(look.used, passed_s, points)
        if self.has_machine and look.machine is not None:
            self._say_machine(look.now_s, look.machine, points)
        for index, means in self._means.items():
            self._say_gpu(index, means, points)
        self._means = {}
        self._memory_max = 0
        self._said, self._said_used = look.now_s, look.used
        if look.machine is not None:
            self._said_machine = (look.now_s, look.machine)
        self._totals.sample_count += 1
        self._listener.say_points(points)

    def _say_processes(self, used: Used, passed_s: float, points: dict[Labelled, int | float]) -> None:
        since = self._said_used
        self._set(points, "process/cpu_percent", 100 * (used.cpu_s - since.cpu_s) / passed_s)
        if not used.has_io:
            return
        self._set(points, "process/memory_bytes", self._memory_max)
        self._set(points, "process/read_bytes_per_s", (used.read_bytes - since.read_bytes) / passed_s)
        self._set(points, "process/written_bytes_per_s", (used.written_bytes - since.written_bytes) / passed_s)
        self._set(points, "process/count", used.process_count)
        self._set(points, "process/thread_count", used.thread_count)

    def _say_machine(self, now_s: float, now: MachineReading, points: dict[Labelled, int | float]) -> None:
        self._set(points, "memory_bytes", now.memory_bytes)
        if now.memory_limit_bytes:
            self._set(points, "memory_percent", 100 * now.memory_bytes / now.memory_limit_bytes)
        try:
            disk = os.statvfs(self._folder)
            self._set(points, "disk/free_bytes", disk.f_bavail * disk.f_frsize)
        except OSError:
            pass
        if self._said_machine is None or self._said_machine[0] >= now_s:
            return
        passed_s, since = now_s - self._said_machine[0], self._said_machine[1]
        could_s = now.cpu_could_s(since, passed_s)
        if could_s > 0:
            percent = 100 * (now.cpu_busy_s - since.cpu_busy_s) / could_s
            self._set(points, "cpu_percent", min(100.0, max(0.0, percent)))
        traffic = (
            now.traffic.received_bytes - since.traffic.received_bytes,
            now.traffic.sent_bytes - since.traffic.sent_bytes,
        )
        for name, count in (
            ("disk/read_bytes_per_s", now.disk_read_bytes - since.disk_read_bytes),
            ("disk/written_bytes_per_s", now.disk_written_bytes - since.disk_written_bytes),
            ("network/received_bytes_per_s", traffic[0]),
            ("network/sent_bytes_per_s", traffic[1]),
        ):
            self._set(points, name, max(0, count) / passed_s)

    def _say_gpu(self, index: int, means: _GpuMeans, points: dict[Labelled, int | float]) -> None:
        last, passed_s = means.last, means.passed_s
        if last is None or passed_s <= 0:
            return
        told: dict[str, int | float | None] = {
            "utilization_percent": None if last.busy_percent is None else means.busy / passed_s,
            "memory_bytes": None if last.memory_bytes is None else means.memory_bytes,
            "power_watts": None if last.power_watts is None else means.watts / passed_s,
            "temperature_celsius": last.temperature_celsius,
        }
        if last.memory_bytes is not None and last.memory_total_bytes:
            told["memory_percent"] = 100 * means.memory_bytes / last.memory_total_bytes
        labels = (("gpu", str(index)), *self._labels)
        for name, value in told.items():
            if value is not None:
                points[Labelled(f"system/gpu/{name}", labels)] = value

    def _set(self, points: dict[Labelled, int | float], name: str, value: int | float) -> None:
        points[Labelled(f"system/{name}", self._labels)] = value


def peak_bytes() -> int:
    """The most that this process alone has held at once since it began."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _RUSAGE_BYTES
