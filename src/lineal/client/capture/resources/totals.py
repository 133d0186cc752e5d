"""What a run has used up to now, in a few numbers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from lineal.client.capture.resources.machine import Traffic
from lineal.client.capture.resources.processes import Used

if TYPE_CHECKING:
    from lineal.client.capture.resources.gpus import GpuReading
    from lineal.client.capture.resources.prices import Prices

_HOUR_S = 3_600.0


class _GpuUse:
    """Of one GPU while it was the run's. (No dataclass: to make one costs a millisecond of `init`.)"""

    __slots__ = ("busy_s", "energy_j", "known_s", "own_s", "reading", "tells_energy")

    def __init__(self, reading: GpuReading) -> None:
        self.reading = reading
        self.own_s = self.known_s = self.busy_s = self.energy_j = 0.0
        self.tells_energy = False


class Totals:
    """Grows by `set_*` and `add_*`; `content` says it. `disk_bytes`: read and written."""

    def __init__(self) -> None:
        self.wall_s = self.cpu_s = 0.0
        self.peak_memory_bytes = self.peak_gpu_memory_bytes = self.sample_count = 0
        self.disk_bytes: tuple[int, int] | None = None
        self.traffic: Traffic | None = None
        self._gpus: dict[int, _GpuUse] = {}

    def set_used(self, wall_s: float, used: Used, since: Used, memory_bytes: int) -> None:
        """`memory_bytes`: held by the tree just now, or at a peak that is known otherwise."""
        self.wall_s = wall_s
        self.cpu_s = used.cpu_s - since.cpu_s
        if used.has_io:
            self.disk_bytes = used.read_bytes - since.read_bytes, used.written_bytes - since.written_bytes
        self.peak_memory_bytes = max(self.peak_memory_bytes, memory_bytes)

    def set_traffic(self, now: Traffic, since: Traffic) -> None:
        """A device that was taken away takes its count with it."""
        self.traffic = Traffic(
            max(0, now.received_bytes - since.received_bytes), max(0, now.sent_bytes - since.sent_bytes)
        )

    def add_gpus(self, readings: Sequence[GpuReading], own: Collection[int], passed_s: float) -> None:
        """What the run's GPUs did since the last call, `passed_s` ago, or since the run began. Once its own, a GPU stays so."""
        for one in readings:
            use = self._gpus.get(one.number)
            if use is None:
                if one.number not in own:
                    continue
                use = self._gpus[one.number] = _GpuUse(one)
            self._add(use, one, passed_s)
            use.reading = one
        held = [use.reading.memory_bytes or 0 for use in self._gpus.values()]
        self.peak_gpu_memory_bytes = max(self.peak_gpu_memory_bytes, sum(held))

    def extend_gpus(self, passed_s: float) -> None:
        """Nobody looked since: they are taken to have gone on as they were."""
        for use in self._gpus.values():
            self._add(use, use.reading, passed_s)

    def _add(self, use: _GpuUse, now: GpuReading, passed_s: float) -> None:
        use.own_s += passed_s
        if now.busy_percent is not None:
            use.known_s += passed_s
            use.busy_s += passed_s * now.busy_percent / 100
        before = use.reading
        counted = now.energy_j is not None and before.energy_j is not None and now is not before
        if counted and now.energy_j >= before.energy_j:  # type: ignore[operator]
            use.energy_j += now.energy_j - before.energy_j  # type: ignore[operator]
            use.tells_energy = True
        elif now.power_watts is not None:
            use.energy_j += now.power_watts * passed_s
            use.tells_energy = True

    def content(self, prices: Prices | None) -> dict[str, Any]:
        """As the capture `resources` has it: only what is known."""
        gpu_s = sum(use.own_s for use in self._gpus.values())
        found: dict[str, Any] = {
            "wall_s": round(self.wall_s, 3),
            "cpu_hours": round(self.cpu_s / _HOUR_S, 7),
            "peak_memory_bytes": self.peak_memory_bytes,
            "sample_count": self.sample_count,
        }
        if self.disk_bytes is not None:
            found["disk_read_bytes"], found["disk_written_bytes"] = self.disk_bytes
        if self.traffic is not None:
            found["network_received_bytes"] = self.traffic.received_bytes
            found["network_sent_bytes"] = self.traffic.sent_bytes
        energy_wh = sum(use.energy_j for use in self._gpus.values()) / _HOUR_S
        if self._gpus:
            found["gpu_hours"] = round(gpu_s / _HOUR_S, 7)
            found["peak_gpu_memory_bytes"] = self.peak_gpu_memory_bytes
            known_s = sum(use.known_s for use in self._gpus.values())
            if known_s > 0:
                busy_s = sum(use.busy_s for use in self._gpus.values())
                found["gpu_idle_share"] = round(max(0.0, 1 - busy_s / known_s), 4)
            if any(use.tells_energy for use in self._gpus.values()):
                found["energy_wh"] = round(energy_wh, 4)
        if prices is not None:
            gpus = [(use.reading.name, use.own_s / _HOUR_S) for use in self._gpus.values()]
            amount = prices.cost(self.wall_s / _HOUR_S, self.cpu_s / _HOUR_S, energy_wh, gpus)
            found["cost"] = {"amount": float(f"{amount:.6g}"), "currency": prices.currency}
        return found
