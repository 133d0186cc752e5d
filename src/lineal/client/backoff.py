"""When to try again: sooner first, then ever later, and never all at the same moment."""

from __future__ import annotations

import random
import time

from lineal.model.limits import RETRY_FIRST_S, RETRY_MAX_S


class Backoff:
    """For one thread. `faults` in a row; nothing is to be tried before `due_s`, in seconds of the monotonic clock."""

    __slots__ = ("_random", "due_s", "faults", "why")

    def __init__(self) -> None:
        self._random = random.Random()
        self.faults = 0
        self.due_s = 0.0
        self.why = ""

    def fail(self, why: str, retry_after_s: float | None = None, most_s: float = RETRY_MAX_S) -> None:
        self.faults += 1
        self.why = why
        delay_s = min(most_s, RETRY_FIRST_S * 2.0 ** min(self.faults - 1, 16)) * self._random.uniform(0.5, 1.0)
        self.due_s = time.monotonic() + max(delay_s, retry_after_s or 0.0)

    def clear(self) -> None:
        self.faults, self.due_s, self.why = 0, 0.0, ""

    def wait_s(self) -> float:
        """Until the next try."""
        return max(0.0, self.due_s - time.monotonic())
