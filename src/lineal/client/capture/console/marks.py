"""By what it is known that everything printed before has been read: marks, behind it in each way. They are sent by whoever waits, and
come by in the thread that reads.

A signal handler may send some in the midst of anything here, and wait for them. So nothing takes a lock: a `threading.Event` has one."""

from __future__ import annotations

import _thread
import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping


class Marks:
    """Use from the thread that reads, and from those that wait for it."""

    def __init__(self, letters: Iterable[str]) -> None:
        self._sent = dict.fromkeys(letters, 0)
        self._seen = dict(self._sent)
        self._told = dict(self._sent)
        self._bell = _thread.allocate_lock()  # released: more of them have come
        self._bell.acquire()
        self._open_count = 0
        self.are_new = False

    def send(self, send: Callable[[str], bool], letters: Iterable[str]) -> dict[str, int]:
        """How many must have come by of each way; but for those into which none could be sent."""
        goal: dict[str, int] = {}
        # Of those that were interrupted here, or left by a Ctrl-C, it is not known whether theirs was sent: one more for each.
        self._open_count += 1
        count = self._open_count
        for letter in letters:
            for _ in range(count):
                if not send(letter):
                    break
                self._sent[letter] += 1
            else:
                goal[letter] = self._sent[letter]
        self._open_count -= 1
        return goal

    def have_come(self, goal: Mapping[str, int]) -> bool:
        told = self._told
        return all(told.get(letter, count) >= count for letter, count in goal.items())

    def wait(self, timeout_s: float) -> None:
        """For news, which may be old ones."""
        self._bell.acquire(timeout=max(0.0, timeout_s))

    def ring(self) -> None:
        with contextlib.suppress(RuntimeError):  # it rings already
            self._bell.release()

    # -- the thread -----------------------------------------------------------------------------

    def take(self, letter: str, count: int = 1) -> None:
        if letter in self._seen and count:
            self._seen[letter] += count
            self.are_new = True

    def leave(self, letter: str) -> None:
        """None comes there any more."""
        self._seen.pop(letter, None)
        self.are_new = True

    def give_up(self) -> None:
        """Whatever was sent and has not come is lost."""
        for letter, count in self._seen.items():
            self._seen[letter] = max(count, self._sent[letter])
        self.are_new = True

    def tell(self) -> None:
        """What was read before is with the recorders."""
        if self.are_new:
            self.are_new = False
            self._told = dict(self._seen)
            self.ring()

    def end(self) -> None:
        self._seen.clear()
        self.are_new = True
        self.tell()
