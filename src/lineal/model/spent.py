"""What a run used in all: the totals of its attempts and ranks, as they said them (captures `resources`), put together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lineal.model.captures import Capture, is_running_total

_SUMS = (
    "cpu_hours",
    "gpu_hours",
    "disk_read_bytes",
    "disk_written_bytes",
    "network_received_bytes",
    "network_sent_bytes",
    "energy_wh",
)
_PEAKS = ("peak_memory_bytes", "peak_gpu_memory_bytes")


@dataclass(slots=True)
class Spent:
    """None where nobody knows. Ranks add up, their peaks too, since they live at once; attempts follow each other."""

    wall_s: float = 0.0
    cpu_hours: float | None = None
    gpu_hours: float | None = None
    peak_memory_bytes: float | None = None
    peak_gpu_memory_bytes: float | None = None
    disk_read_bytes: float | None = None
    disk_written_bytes: float | None = None
    network_received_bytes: float | None = None
    network_sent_bytes: float | None = None
    energy_wh: float | None = None
    gpu_idle_share: float | None = None
    costs: dict[str, float] = field(default_factory=dict)
    """By currency: a table of prices may have been another one in another attempt."""


def spent_of(captures: Iterable[Capture]) -> Spent | None:
    """None if nothing was said. What others than Lineal said there need not have the types that ours have."""
    attempts: dict[str, list[Mapping[str, Any]]] = {}
    said_ms: dict[str, int] = {}
    for capture in captures:
        if is_running_total(capture.part):
            attempts.setdefault(capture.attempt_id, []).append(capture.content)
            said_ms[capture.attempt_id] = max(capture.said_ms, said_ms.get(capture.attempt_id, 0))
    if not attempts:
        return None
    # Ranks above 0 open no attempt: what they said last was said beside the latest one.
    if "" in attempts and len(attempts) > 1:
        attempts[max((one for one in attempts if one), key=said_ms.__getitem__)] += attempts.pop("")
    spent = Spent()
    said = [content for contents in attempts.values() for content in contents]
    spent.wall_s = sum(max(_number(one.get("wall_s")) or 0.0 for one in contents) for contents in attempts.values())
    for name in _SUMS:
        setattr(spent, name, _total(said, name))
    for name in _PEAKS:
        peaks = [_total(contents, name) for contents in attempts.values()]
        setattr(spent, name, max((peak for peak in peaks if peak is not None), default=None))
    shares = [(_number(one.get("gpu_idle_share")), _number(one.get("gpu_hours"))) for one in said]
    known = [(share, hours) for share, hours in shares if share is not None and hours]
    if known:
        spent.gpu_idle_share = sum(share * hours for share, hours in known) / sum(hours for _, hours in known)
    for one in said:
        cost = one.get("cost")
        amount = _number(cost.get("amount")) if isinstance(cost, dict) else None
        if isinstance(cost, dict) and amount is not None:
            currency = str(cost.get("currency", ""))
            spent.costs[currency] = spent.costs.get(currency, 0.0) + amount
    return spent


def _total(said: Iterable[Mapping[str, Any]], name: str) -> float | None:
    known = [value for one in said if (value := _number(one.get(name))) is not None]
    return sum(known) if known else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value
