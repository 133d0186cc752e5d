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


@dataclass(frozen=True, slots=True)
class _Life:
    """What one process said that it used, and when it lived, in ms."""

    attempt_id: str
    rank: str  # "" is what opened the attempt
    begun_ms: float
    said_ms: int
    content: Mapping[str, Any]

    def gap_ms(self, other: _Life) -> float:
        """Between the two; below 0 the time that they lived at once."""
        return max(self.begun_ms, other.begun_ms) - min(self.said_ms, other.said_ms)


def spent_of(captures: Iterable[Capture]) -> Spent | None:
    """None if nothing was said. What others than Lineal said there need not have the types that ours have."""
    attempts = _by_attempt([_life(capture) for capture in captures if is_running_total(capture.part)])
    if not attempts:
        return None
    spent = Spent()
    said = [life.content for lives in attempts for life in lives]
    spent.wall_s = sum(max(_number(life.content.get("wall_s")) or 0.0 for life in lives) for lives in attempts)
    for name in _SUMS:
        setattr(spent, name, _total(said, name))
    for name in _PEAKS:
        peaks = [_peak(lives, name) for lives in attempts]
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


def _life(capture: Capture) -> _Life:
    content = capture.content
    _, _, rank = capture.part.partition(".")
    begun_ms = capture.said_ms - (_number(content.get("wall_s")) or 0.0) * 1_000
    return _Life(capture.attempt_id, rank.partition(".")[0], begun_ms, capture.said_ms, content)


def _by_attempt(lives: list[_Life]) -> list[list[_Life]]:
    """What was said of each attempt. Ranks above 0 open none, and name one that may be over, or none: theirs is the one beside which
    they lived, of several the one that ended last."""
    attempts: dict[str, list[_Life]] = {}
    for life in lives:
        if not life.rank:
            attempts.setdefault(life.attempt_id, []).append(life)
    first = [of[0] for of in attempts.values()]
    for life in lives:
        if life.rank:
            beside = min(first, key=lambda one: (life.gap_ms(one), -one.said_ms), default=life)
            attempts.setdefault(beside.attempt_id, []).append(life)
    return list(attempts.values())


def _peak(lives: list[_Life], name: str) -> float | None:
    """Ranks live at once; the lives of one rank, which died and began again, do not."""
    of_ranks: dict[str, float] = {}
    for life in lives:
        value = _number(life.content.get(name))
        if value is not None:
            of_ranks[life.rank] = max(value, of_ranks.get(life.rank, value))
    return sum(of_ranks.values()) if of_ranks else None


def _total(said: Iterable[Mapping[str, Any]], name: str) -> float | None:
    known = [value for one in said if (value := _number(one.get(name))) is not None]
    return sum(known) if known else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value
