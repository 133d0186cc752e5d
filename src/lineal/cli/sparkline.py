"""A curve in one line of text."""

from __future__ import annotations

import math
from collections.abc import Sequence

_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII = "_.-=+*#@"


def sparkline(
    values: Sequence[float], width: int, *, low: float | None = None, high: float | None = None, blocks: bool = True
) -> str:
    """At most `width` characters. Without bounds the smallest value is at the bottom and the largest at the top; a
    value beyond a bound is drawn on it. What is no number is a gap."""
    levels = _BLOCKS if blocks else _ASCII
    thinned = _thinned([float(value) for value in values], width)
    finite = [value for value in thinned if math.isfinite(value)]
    if not finite:
        return " " * len(thinned)
    low = min(finite) if low is None else low
    high = max(finite) if high is None else high
    return "".join(_level(value, low, high, levels) for value in thinned)


def _level(value: float, low: float, high: float, levels: str) -> str:
    if math.isnan(value):
        return " "
    if value >= high:
        return levels[-1] if high > low else levels[len(levels) // 2]
    share = max(0.0, (value / 2 - low / 2) / (high / 2 - low / 2))  # halves: the difference may overflow
    return levels[min(len(levels) - 1, int(share * len(levels)))]


def _thinned(values: list[float], width: int) -> list[float]:
    """Means of neighbours; NaN only where a whole group is."""
    if len(values) <= width:
        return values
    groups = (values[index * len(values) // width : (index + 1) * len(values) // width] for index in range(width))
    return [_mean([value for value in group if not math.isnan(value)]) for group in groups]


def _mean(values: list[float]) -> float:
    return (
        math.fsum(value / len(values) for value in values)
        if values and all(map(math.isfinite, values))
        else (values or [math.nan])[0]
    )
