"""Time is injected, so that no test sleeps and none depends on the hour."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What Lineal asks of time. Wall time may jump; the monotonic clock never does."""

    def time_ns(self) -> int: ...

    def monotonic_s(self) -> float: ...


class SystemClock:
    """The machine's own clocks."""

    __slots__ = ()

    def time_ns(self) -> int:
        return time.time_ns()

    def monotonic_s(self) -> float:
        return time.monotonic()


SYSTEM_CLOCK = SystemClock()
