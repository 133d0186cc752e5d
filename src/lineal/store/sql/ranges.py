"""A range of steps."""

from __future__ import annotations

from typing import NamedTuple


class Range(NamedTuple):
    """Of steps, both ends included; None is open."""

    low: float | int | None = None
    high: float | int | None = None

    @property
    def is_open(self) -> bool:
        return self.low is None and self.high is None
