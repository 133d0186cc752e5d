"""The seam: what this process prints is recorded from here until `stop`.

All runs that are open record what is printed: whoever nests them, or has two at once, finds it with each."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

from lineal.client.capture.console.descriptors import can_lead
from lineal.client.capture.console.recorder import Recorder

if TYPE_CHECKING:
    from lineal.client.run import Run

LEVEL = "LINEAL_CONSOLE"
"""descriptors, python, or neither: what suits the process."""


class Source(Protocol):
    """Where it comes from."""

    def add(self, recorder: Recorder) -> None: ...

    def remove(self, recorder: Recorder) -> None:
        """When it has all that was printed before. Waits for no child, and not for a reader that stands still."""
        ...

    def forget(self) -> None:
        """In a forked child: what there is belongs to its parent."""
        ...


class RunConsole:
    """What one run records, in the process that began it."""

    def __init__(self, source: Source, recorder: Recorder) -> None:
        self._source = source
        self._recorder = recorder
        self._pid = os.getpid()
        self._stops = threading.Lock()

    def stop(self) -> None:
        """A second call, and a forked child's, do nothing."""
        if os.getpid() == self._pid and self._stops.acquire(blocking=False):
            try:
                self._source.remove(self._recorder)
            finally:
                self._recorder.finish(sys.exc_info()[1])


_lock = threading.RLock()  # a signal handler may begin a run, too
_sources: dict[str, Source] = {}


def start(run: Run, environ: Mapping[str, str]) -> RunConsole:
    said = environ.get(LEVEL, "")
    recorder = Recorder(run)
    with _lock:
        level = said if said in ("descriptors", "python") else "descriptors" if can_lead() else "python"
        source = _sources.get(level) or _sources.setdefault(level, _make(level))
        try:
            source.add(recorder)
        except OSError:  # no descriptors, no room for another process ...
            source = _sources.get("python") or _sources.setdefault("python", _make("python"))
            source.add(recorder)
    return RunConsole(source, recorder)


def _make(level: str) -> Source:
    if level == "descriptors":
        from lineal.client.capture.console.led import LedSource

        return LedSource()
    from lineal.client.capture.console.written import WrittenSource

    return WrittenSource()


def _after_fork_in_child() -> None:
    global _lock
    _lock = threading.RLock()
    for source in _sources.values():
        source.forget()
    _sources.clear()


os.register_at_fork(after_in_child=_after_fork_in_child)
