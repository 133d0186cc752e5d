"""What a run used, in a few lines."""

from __future__ import annotations

from collections.abc import Iterator

from lineal.cli.output import joined
from lineal.cli.wording import bytes_text, duration_text
from lineal.model.spent import Spent

_HOUR_S = 3_600


def resource_lines(spent: Spent) -> Iterator[tuple[str, str]]:
    """Labels and texts, of what is known."""
    yield "time", duration_text(spent.wall_s)
    if spent.cpu_hours is not None:
        yield "cpu", f"{_hours(spent.cpu_hours)} of cpu time"
    if spent.peak_memory_bytes is not None:
        yield "memory", f"{_bytes(spent.peak_memory_bytes)} at its peak"
    if spent.gpu_hours is not None:
        idle = "" if spent.gpu_idle_share is None else f"idle for {spent.gpu_idle_share:.0%} of it"
        peak = "" if spent.peak_gpu_memory_bytes is None else f"{_bytes(spent.peak_gpu_memory_bytes)} at its peak"
        yield "gpu", joined((f"{_hours(spent.gpu_hours)} of gpu time", idle, peak), ", ")
    yield from _moved("disk", ("read", spent.disk_read_bytes), ("written", spent.disk_written_bytes))
    yield from _moved("network", ("received", spent.network_received_bytes), ("sent", spent.network_sent_bytes))
    if spent.energy_wh is not None:
        yield "energy", f"{spent.energy_wh:,.3g} Wh of its GPUs"
    if spent.costs:
        yield "cost", joined([f"{amount:,.4g} {currency}" for currency, amount in sorted(spent.costs.items())], " and ")


def _moved(label: str, *counts: tuple[str, float | None]) -> Iterator[tuple[str, str]]:
    known = [f"{_bytes(count)} {word}" for word, count in counts if count]
    if known:
        yield label, ", ".join(known)


def _hours(hours: float) -> str:
    return duration_text(hours * _HOUR_S) if hours * _HOUR_S < 10 * _HOUR_S else f"{hours:,.1f} h"


def _bytes(count: float) -> str:
    return bytes_text(int(count))
