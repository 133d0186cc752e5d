"""How far a long digest has come: one line on a terminal's standard error, written over and wiped at the end."""

from __future__ import annotations

import sys
import threading
from time import monotonic

_QUIET_S = 1.0  # nobody needs to be told of what is over by then
_INTERVAL_S = 0.25
_BAR = 24


class Progress:
    """Usable from several threads. Says nothing where standard error is no terminal."""

    def __init__(self, what: str, total_bytes: int) -> None:
        self._what = what
        self._total = max(total_bytes, 1)
        self._done = 0
        self._guard = threading.Lock()
        self._due_s = monotonic() + _QUIET_S
        self._has_drawn = False
        stream = sys.stderr
        self._stream = stream if stream is not None and stream.isatty() else None

    def advance(self, count: int) -> None:
        if self._stream is None:
            return
        with self._guard:
            self._done += count
            now_s = monotonic()
            if now_s < self._due_s:
                return
            self._due_s = now_s + _INTERVAL_S
            self._has_drawn = True
            share = min(1.0, self._done / self._total)
            bar = "#" * round(_BAR * share)
            self._write(
                f"\rlineal: digesting {self._what[-40:]} [{bar:<{_BAR}}] {share:4.0%} of {self._total / 1e9:.1f} GB "
            )

    def end(self) -> None:
        if self._has_drawn:
            self._write("\r\x1b[K")

    def _write(self, text: str) -> None:
        try:
            assert self._stream is not None
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # the terminal is gone
            self._stream = None
