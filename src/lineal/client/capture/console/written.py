"""What Python writes to `sys.stdout` and `sys.stderr`, where that does not reach descriptors: in notebooks, under test runners.

The streams stay what they are, and write as ever: only that they are heard."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from lineal.model.limits import CONSOLE_INTERVAL_S, CONSOLE_WAITING_MAX_CHARS

if TYPE_CHECKING:
    from lineal.client.capture.console.recorder import Recorder

_NS_PER_MS = 1_000_000


class WrittenSource:
    """See `start.Source`."""

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._lock = threading.RLock()  # a signal handler of the thread that has it may ask for it again
        self._recorders: list[Recorder] = []
        self._waiting: deque[tuple[str, int, str]] = deque()
        self._waiting_chars = 0
        self._left_out = 0
        self._heard: list[tuple[Any, Callable[..., Any], Callable[..., Any] | None]] = []
        self._within = threading.local()
        self._news = threading.Event()
        self._is_needed = False

    @contextlib.contextmanager
    def _turn(self) -> Iterator[None]:
        """Nobody else looks; or, in a signal handler within a journal's call, which the thread may be waiting for: somebody may."""
        is_mine = self._lock.acquire(blocking=not any(one.is_interrupted for one in self._recorders))
        try:
            yield
        finally:
            if is_mine:
                self._lock.release()

    def add(self, recorder: Recorder) -> None:
        with self._turn():
            self._hand_out()
            self._recorders.append(recorder)
            if not self._is_needed:
                self._is_needed = True
                self._listen()
                threading.Thread(target=self._run, name="lineal-console", daemon=True).start()
                if "IPython" in sys.modules:
                    from lineal.client.capture.console.shell import follow

                    follow(self._listen_again, self._add_error)

    def remove(self, recorder: Recorder) -> None:
        with self._turn():
            if recorder not in self._recorders:
                return
            self._hand_out()
            self._recorders.remove(recorder)
            if not self._recorders:
                self._is_needed = False
                self._news.set()
                self._heard = [heard for heard in reversed(self._heard) if not _take_back(*heard)][::-1]

    def forget(self) -> None:
        """A forked child's `write` knows by its process that nobody listens."""

    def _listen(self, is_again: bool = False) -> None:
        # Of one that is redirected for a while, what comes after, too.
        streams = [(sys.stdout, "o"), (sys.stderr, "e")]
        if not any(hasattr(stream, "watch_fd_thread") for stream, _ in streams):
            # Else a notebook's kernel reads what is printed there, and writes it to the others.
            streams += [(sys.__stdout__, "o"), (sys.__stderr__, "e")]
        for stream, letter in streams:
            is_kept_back = is_again and isinstance(
                stream, io.StringIO
            )  # for whom the shell runs this cell: `%%capture`
            if not is_kept_back and not self._hears(stream):
                self._hear(stream, letter)

    def _hears(self, stream: Any) -> bool:
        """Somebody may have put back a `write` of before; IPython's own passes on to ours. Nothing is called: it might print."""
        known = [hearer for heard, hearer, _ in self._heard if heard is stream]
        if not known or _leads_to(vars(stream).get("write"), known):
            return bool(known)
        self._heard = [heard for heard in self._heard if heard[0] is not stream]
        return False

    def _listen_again(self) -> None:
        if self._is_needed and os.getpid() == self._pid:
            with self._turn():
                self._listen(is_again=True)

    def _add_error(self, text: str) -> None:
        if self._is_needed and os.getpid() == self._pid:
            self._take("e", text)

    def _hear(self, stream: Any, letter: str) -> None:
        """Some streams let nobody listen."""
        with contextlib.suppress(AttributeError, TypeError):
            original = stream.write
            own = vars(stream).get("write")  # the program may have put one there

            def write(text: Any, *more: Any) -> Any:
                outer = getattr(self._within, "hearer", None)
                self._within.hearer = write
                try:
                    done = original(text, *more)
                finally:
                    self._within.hearer = outer
                # What is passed on, to another stream or to one of ours below, has been printed once; a signal handler prints anew.
                is_first = outer is None or outer is write
                if is_first and self._is_needed and isinstance(text, str) and os.getpid() == self._pid:
                    self._take(letter, text)
                return done

            stream.write = write
            self._heard.append((stream, write, own))

    def _take(self, letter: str, text: str) -> None:
        """No lock: a signal handler may print, too."""
        if self._waiting_chars > CONSOLE_WAITING_MAX_CHARS:
            self._left_out += text.count("\n")
            return
        self._waiting_chars += len(text)
        self._waiting.append((letter, time.time_ns() // _NS_PER_MS, text))
        if not self._news.is_set():
            self._news.set()

    def _hand_out(self) -> None:
        while self._waiting:
            letter, time_ms, text = self._waiting.popleft()
            self._waiting_chars -= len(text)
            for recorder in self._recorders:
                recorder.feed(letter, text, time_ms)
        if self._left_out:
            left_out, self._left_out = self._left_out, 0
            for recorder in self._recorders:
                recorder.lose("console_waiting", left_out)

    def _run(self) -> None:
        while self._is_needed:
            with self._lock:
                waits = any(one.is_waiting for one in self._recorders)
            self._news.wait(CONSOLE_INTERVAL_S if waits else None)
            self._news.clear()
            time.sleep(CONSOLE_INTERVAL_S)
            with self._lock:
                self._hand_out()
                for recorder in self._recorders:
                    recorder.flush(time.time_ns() // _NS_PER_MS)


def _leads_to(write: Any, known: list[Callable[..., Any]], depth: int = 4) -> bool:
    """Whether it is one of them, or a function around one."""
    if any(write is one for one in known):
        return True
    cells = getattr(write, "__closure__", None) if depth else None
    for cell in cells or ():
        with contextlib.suppress(ValueError):  # an empty one
            if callable(cell.cell_contents) and _leads_to(cell.cell_contents, known, depth - 1):
                return True
    return False


def _take_back(stream: Any, hearer: Callable[..., Any], own: Callable[..., Any] | None) -> bool:
    """Whether it could be: somebody else may have put his own over it."""
    if vars(stream).get("write") is not hearer:
        return False
    if own is None:
        del stream.write
    else:
        stream.write = own
    return True
