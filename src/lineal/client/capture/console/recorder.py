"""What was printed becomes records of a run: folded, in pieces of a few kilobytes, within a bound."""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

from lineal.client.capture.imports import IMPORTS
from lineal.journal.interrupts import is_within_call
from lineal.journal.journal import JournalClosed, JournalFull
from lineal.model.limits import CONSOLE_LINE_MAX_CHARS, CONSOLE_MAX_BYTES, CONSOLE_RECORD_CHARS, CONSOLE_TAIL_LINES
from lineal.record.records import ConsoleAppended

if TYPE_CHECKING:
    from lineal.client.capture.console.screen import Screen
    from lineal.client.run import Run

Line = tuple[str, int, str]
"""Letter of the stream, ms, text."""
_RECENT_LINES = 100


class Recorder:
    """Of one run. Called from one thread at a time. Never raises."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._screens: dict[str, Screen] = {}
        self._chars = 0
        self._tail: deque[Line] = deque(maxlen=CONSOLE_TAIL_LINES)
        self._left_out = 0
        self._recent: deque[str] = deque(maxlen=_RECENT_LINES)

    @property
    def folder(self) -> str:
        """Where what must wait may lie."""
        return self._run._journal.folder.journals

    @property
    def is_waiting(self) -> bool:
        return any(screen.is_open for screen in self._screens.values())

    @property
    def is_interrupted(self) -> bool:
        """A signal handler finishes the run, while the thread that records may wait for its journal."""
        return is_within_call(self._run._journal)

    def feed(self, letter: str, data: bytes | str, time_ms: int) -> None:
        screen = self._screens.get(letter)
        if screen is None:
            IMPORTS.load(_import_all)
            from lineal.client.capture.console.screen import Screen

            screen = self._screens[letter] = Screen()
        if isinstance(data, str):
            screen.write(data, time_ms)
        else:
            screen.feed(data, time_ms)

    def flush(self, now_ms: int | None) -> None:
        """Records what will not change any more; without `now_ms` everything."""
        lines = [
            (letter, time_ms, text) for letter, screen in self._screens.items() for time_ms, text in screen.take(now_ms)
        ]
        self._record(_in_order(lines) if len(self._screens) > 1 else lines)

    def finish(self, error: BaseException | None) -> None:
        """`error` is on its way out of the run, and Python prints it when the run is over."""
        if error is not None and not isinstance(error, SystemExit | GeneratorExit):
            import traceback

            lines = "".join(traceback.format_exception(error)).splitlines()
            self.flush(None)
            if lines[-1] not in self._recent:
                now_ms = time.time_ns() // 1_000_000
                self._record([("e", now_ms, line[:CONSOLE_LINE_MAX_CHARS]) for line in lines])
        self.flush(None)
        if self._tail:
            tail, self._left_out = list(self._tail), self._left_out - len(self._tail)
            self._tail.clear()
            self._say(tail)
        self.lose("console_limit", self._left_out)

    def lose(self, reason: str, count: int) -> None:
        if count:
            self._run._journal.count_loss(reason, count)

    def _record(self, lines: list[Line]) -> None:
        self._recent.extend(text for _, _, text in lines[-_RECENT_LINES:])
        start = size = 0
        for place, (_, _, text) in enumerate(lines):
            size += len(text) + 1
            if self._chars + size > CONSOLE_MAX_BYTES:
                self._say(lines[start:place])
                self._chars = CONSOLE_MAX_BYTES
                self._left_out += len(lines) - place
                self._tail.extend(lines[place:])
                return
            if size >= CONSOLE_RECORD_CHARS:
                self._say(lines[start : place + 1])
                self._chars += size
                start, size = place + 1, 0
        self._say(lines[start:])
        self._chars += size

    def _say(self, lines: list[Line]) -> None:
        if not lines:
            return
        # Loaded by now, but for a traceback without a line before it.
        from lineal.client.capture.secret_printed import mask_printed

        journal = self._run._journal
        times = [time_ms for _, time_ms, _ in lines]
        record = ConsoleAppended(
            journal.identity.attempt,
            "".join([letter for letter, _, _ in lines]),
            [times[0], *(now - before for now, before in zip(times[1:], times, strict=False))],
            mask_printed("\n".join([text for _, _, text in lines])),
            int(journal.identity.labels.get("rank", 0)) or None,
        )
        try:
            journal.append(record, barrier=False)
        except JournalFull:
            journal.count_loss("disk_refuses", len(lines))
        except JournalClosed:
            pass


def _import_all() -> None:
    """With the first line, which comes in a thread: patterns take the caller of `init` 7 ms to load."""
    import lineal.client.capture.console.screen
    import lineal.client.capture.secret_printed  # noqa: F401


def _in_order(lines: list[Line]) -> list[Line]:
    """By time, and those of one stream as they were printed: a clock that is set back between two must not exchange them."""
    latest: dict[str, int] = {}
    keyed: list[tuple[int, Line]] = []
    for line in lines:
        letter, time_ms, _ = line
        latest[letter] = max(time_ms, latest.get(letter, time_ms))
        keyed.append((latest[letter], line))
    keyed.sort(key=lambda one: one[0])
    return [line for _, line in keyed]
