"""The end of a run with a server: wait until it has everything, for as long as was allowed, and say what is left."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from lineal.client.guard import Guard
from lineal.model.errors import InvalidInput
from lineal.model.limits import FINISH_DRAIN_S, KIB, MIB, SIGTERM_DRAIN_S

if TYPE_CHECKING:
    from lineal.client.uploader import Uploader

FINISH_VARIABLE = "LINEAL_FINISH_DRAIN_S"
SIGTERM_VARIABLE = "LINEAL_SIGTERM_DRAIN_S"
_QUIET_S = 1.0  # a drain that is over sooner needs no line
_LINE_INTERVAL_S = 0.2


def finish_drain_s() -> float:
    """How long `finish` waits for the server."""
    return _seconds(FINISH_VARIABLE, FINISH_DRAIN_S)


def is_finish_drain_said() -> bool:
    """Whether somebody said how long, so that it is waited for so long whatever is seen of the server."""
    return _number(os.environ.get(FINISH_VARIABLE, "")) is not None


def sigterm_drain_s() -> float:
    """How long a SIGTERM waits for the server."""
    return _seconds(SIGTERM_VARIABLE, SIGTERM_DRAIN_S)


def check_drains() -> None:
    """Raises InvalidInput for a variable that is no number of seconds: at the start, not when training is over."""
    for variable in (FINISH_VARIABLE, SIGTERM_VARIABLE):
        text = os.environ.get(variable)
        if text and _number(text) is None:
            raise InvalidInput(f"{variable} is {text!r:.40}; it is a number of seconds, 0 or more", field=variable)


def drain_run(uploader: Uploader, run_id: str, name: str, timeout_s: float, *, is_asked: bool) -> bool:
    """Whether the server has all of the run. Else says what is left, and how to send it. `is_asked`: somebody said how long."""
    line = _Line(f"lineal: sending run {name!r:.60} to {uploader.address.url}")
    left = None
    try:
        left = uploader.drain(run_id, timeout_s, line.show, is_asked=is_asked)
    except KeyboardInterrupt:
        line.clear()
        say_left(uploader, name, uploader.unsent_bytes(run_id), "interrupted")
        raise
    line.clear()
    if left is not None:
        say_left(uploader, name, left.size_bytes, left.why)
    return left is None


def say_left(uploader: Uploader, name: str, size_bytes: int, why: str) -> None:
    because = f" ({why})" if why else ""
    Guard().warn_once(
        "left",
        f"run {name!r:.60}: {size_text(size_bytes)} are not at {uploader.address.url} yet{because}; they are kept in "
        f"{uploader.folder.root}. To send them: lineal sync {uploader.folder.root}",
    )


def size_text(size_bytes: int) -> str:
    return f"{size_bytes / MIB:,.1f} MiB" if size_bytes >= MIB else f"{size_bytes / KIB:,.1f} KiB"


class _Line:
    """One line on a terminal, drawn over itself; nothing where nobody looks."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._begun_s = self._drawn_s = time.monotonic()
        self._is_drawn = False
        self._is_seen = bool(sys.stderr is not None and sys.stderr.isatty())

    def show(self, size_bytes: int, left_s: float) -> None:
        now_s = time.monotonic()
        if not self._is_seen or now_s - self._begun_s < _QUIET_S or now_s - self._drawn_s < _LINE_INTERVAL_S:
            return
        self._drawn_s, self._is_drawn = now_s, True
        self._write(f"\r\x1b[K{self._text}: {size_text(size_bytes)} left; waiting {left_s:.0f} s at most")

    def clear(self) -> None:
        if self._is_drawn:
            self._write("\r\x1b[K")

    @staticmethod
    def _write(text: str) -> None:
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except (OSError, ValueError):
            pass  # closed meanwhile


def _seconds(variable: str, default: float) -> float:
    found = _number(os.environ.get(variable, ""))
    return default if found is None else found


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < float("inf") else None
