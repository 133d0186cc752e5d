"""How often somebody may guess at a password: a bounded number of wrong ones of a user, and of an address, in a while.

It is counted in this process's memory; a second server on the same database counts for itself."""

from __future__ import annotations

import threading
from collections import OrderedDict

from lineal.model.clock import SYSTEM_CLOCK, Clock
from lineal.model.limits import GUESSED_MAX_COUNT, GUESSES_ADDRESS_MAX_COUNT, GUESSES_MAX_COUNT, GUESSES_WINDOW_S
from lineal.server.errors import Refused


class Guesses:
    """For many threads. A guess counts from the moment it is made, so that many at once are no way around it."""

    def __init__(self, clock: Clock = SYSTEM_CLOCK) -> None:
        self._clock = clock
        self._guard = threading.Lock()
        self._made: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def make(self, user: str, address: str) -> None:
        """Counts one. Raises Refused (429) where there were too many."""
        bounds = {f"user {user}": GUESSES_MAX_COUNT, f"address {address}": GUESSES_ADDRESS_MAX_COUNT}
        now_s = self._clock.monotonic_s()
        with self._guard:
            for key, bound in bounds.items():
                began_s, count = self._made.get(key, (now_s, 0))
                if now_s - began_s < GUESSES_WINDOW_S and count >= bound:
                    refused = Refused(429, "too_many_guesses", "too many wrong passwords; wait, then try again")
                    refused.headers["retry-after"] = str(int(began_s + GUESSES_WINDOW_S - now_s) + 1)
                    raise refused
            for key in bounds:
                began_s, count = self._made.pop(key, (now_s, 0))
                if now_s - began_s >= GUESSES_WINDOW_S:
                    began_s, count = now_s, 0
                self._made[key] = (began_s, count + 1)
            while len(self._made) > GUESSED_MAX_COUNT:
                self._made.popitem(last=False)

    def forgive(self, user: str, address: str) -> None:
        """It was the right one."""
        with self._guard:
            self._made.pop(f"user {user}", None)
            kept = self._made.get(f"address {address}")
            if kept is not None:
                self._made[f"address {address}"] = (kept[0], max(0, kept[1] - 1))
