"""What is printed on descriptors 1 and 2, by whomever: Python, native code, children. It arrives from the helper."""

from __future__ import annotations

import contextlib
import functools
import os
import select  # noqa: F401 - what `ready` needs, before there is a thread that would load it
import sys
import threading
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from lineal.client.capture.console.descriptors import Leading
from lineal.client.capture.console.marks import Marks
from lineal.client.capture.console.pump import HEAD, print_all, ready
from lineal.journal.held import Held
from lineal.model.limits import CONSOLE_IDLE_S, CONSOLE_INTERVAL_S, CONSOLE_STOP_WAIT_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineal.client.capture.console.recorder import Recorder

_READ_BYTES = 1024 * 1024
_RECORD_BYTES = 64 * 1024  # what a pipe holds
_NS_PER_MS = 1_000_000
_LOSSES = {"!": "console_disk", "?": "console_target"}


class LedSource:
    """See `start.Source`. There is one helper as long as there is a recorder, and for CONSOLE_IDLE_S after: a process that makes one
    run after the other starts one helper, not thousands."""

    def __init__(self) -> None:
        # Both may be asked for again by a signal handler of the thread that has them.
        self._changing = threading.RLock()  # of who adds and removes
        self._lock = threading.RLock()  # of the recorders, which a thread feeds
        self._recorders: list[Recorder] = []
        self._leading: Leading | None = None
        self._reading: _Reading | None = None
        self._is_led = False  # whether the descriptors lead to the helper now
        self._is_behind = False  # whether something was printed that nobody has waited for

    def add(self, recorder: Recorder) -> None:
        with self._changing:
            flush_streams()
            is_led = self._reading is not None and (self._is_led or self._resume())
            is_interrupted = self._is_interrupted
            if is_led and self._reading is not None and (self._recorders or self._is_behind) and not is_interrupted:
                self._reading.drain()
                self._is_behind = False
            with nullcontext() if is_interrupted else self._lock:
                self._recorders.append(recorder)
            if not is_led:
                try:
                    self._lead(recorder)
                except BaseException:
                    self._recorders.remove(recorder)
                    raise
            elif self._reading is not None:
                self._reading.look()

    def _lead(self, recorder: Recorder) -> None:
        """Raises, with nothing changed, where it cannot be done, or nobody would read: there may be no thread to be had."""
        leading = Leading(recorder.folder)
        try:
            self._reading = _Reading(leading, self._recorders, self._lock, self._retire)
        except BaseException:
            leading.restore()
            leading.close()
            raise
        self._leading, self._is_led = leading, True

    def remove(self, recorder: Recorder) -> None:
        with self._changing:
            if recorder not in self._recorders:
                return
            is_read = False
            try:
                flush_streams()
                self._restore_with_last()
                if not self._is_interrupted:
                    if self._reading is not None:
                        self._reading.drain()
                    is_read = True
            finally:  # also after a Ctrl-C: one that stays would be taken for a run that is open
                self._restore_with_last()
                with nullcontext() if self._is_interrupted else self._lock:
                    self._recorders.remove(recorder)
                if not is_read:
                    self._is_behind = True
                    recorder.lose("console_unread", 1)

    def _restore_with_last(self) -> None:
        if len(self._recorders) == 1 and self._leading is not None:
            self._is_led = False  # first: a signal handler may begin a run in the midst of this
            self._leading.restore()

    @property
    def _is_interrupted(self) -> bool:
        """The thread may wait for a journal that this thread holds, with the lock of the recorders."""
        return any(one.is_interrupted for one in self._recorders)

    def _resume(self) -> bool:
        """Whether the helper of the run before leads on: to the same places, and alive."""
        if self._leading is None or self._reading is None:
            return False
        if self._reading.is_whole and self._leading.lead_again():
            self._is_led = True
            return True
        self._reading.stop()
        self._reading = self._leading = None
        return False

    def _retire(self) -> bool:
        """Asked by the thread, when nobody has recorded for a while."""
        if not self._changing.acquire(blocking=False):
            return False
        try:
            if self._recorders:
                return False
            self._reading = self._leading = None
            return True
        finally:
            self._changing.release()

    def forget(self) -> None:
        """In a forked child, which prints into the pipe as before, and records nothing."""
        if self._leading is not None:
            self._leading.close()


class _Reading:
    """The thread that takes what the helper sends; where that has died, its place."""

    def __init__(
        self, leading: Leading, recorders: list[Recorder], lock: threading.RLock, retire: Callable[[], bool]
    ) -> None:
        self._leading = leading
        self._recorders = recorders
        self._lock = lock
        self._retire = retire
        self._awake, self._wake = os.pipe()
        self._held = Held(self._awake, self._wake)
        self._is_stopping = False
        self._taken_count = 0
        self._buffer = bytearray()
        self._open = {way.letter: way for way in leading.ways}
        self._marks = Marks(self._open)
        self._has_helper = True
        self._thread = threading.Thread(target=self._run, name="lineal-console", daemon=True)
        self._thread.start()

    @property
    def is_whole(self) -> bool:
        return self._has_helper and self._is_ours and len(self._open) == len(self._leading.ways)

    def look(self) -> None:
        """There are recorders again. Without a terminal there is nothing to do before the next line: each wake is a part of a short run."""
        if self._leading.has_terminal:
            self._nudge()

    def drain(self) -> None:
        """Returns when all that was printed before is with the recorders; or when nothing has come for too long, which is a loss
        that nobody can count, and is said as one."""
        if not self._is_ours:
            self._lose()
            return
        goal = self._marks.send(lambda letter: self._leading.send_mark(letter, CONSOLE_STOP_WAIT_S), tuple(self._open))
        if not self._has_helper:  # else the first mark wakes the thread
            self._nudge()
        taken, until_s = self._taken_count, time.monotonic() + CONSOLE_STOP_WAIT_S
        while not self._marks.have_come(goal):
            self._marks.wait(until_s - time.monotonic())
            if taken != self._taken_count:
                taken, until_s = self._taken_count, time.monotonic() + CONSOLE_STOP_WAIT_S
            elif time.monotonic() >= until_s:
                self._lose()
                break
        self._marks.ring()  # for a drain that this one has interrupted, and whose news it has taken

    def stop(self) -> None:
        self._is_stopping = True
        self._nudge()
        self._thread.join(CONSOLE_STOP_WAIT_S)

    def _nudge(self) -> None:
        with contextlib.suppress(OSError):
            if self._held.has(self._wake):
                os.write(self._wake, b"x")

    # -- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        flush_due_s = 0.0
        try:
            while not self._is_stopping:
                # A terminal's size is looked at as often as lines are recorded.
                was_idle = not self._recorders
                waits = any(one.is_waiting for one in self._recorders) or self._leading.has_terminal
                readable = self._readable(CONSOLE_INTERVAL_S if waits and not was_idle else CONSOLE_IDLE_S)
                if readable is None:
                    self._lose()
                    break
                if not readable and was_idle and not self._recorders and self._retire():
                    break
                if self._awake in readable:
                    os.read(self._awake, 64)
                if self._has_helper and self._leading.record in readable:
                    self._take(os.read(self._leading.record, _RECORD_BYTES))
                elif not self._has_helper:
                    self._pump(readable)
                now_s = time.monotonic()
                if now_s >= flush_due_s or self._marks.are_new:
                    flush_due_s = now_s + CONSOLE_INTERVAL_S
                    self._flush()
                    self._marks.tell()
        except Exception:  # no memory for it: the training goes on, and what it prints is printed
            self._lose()
        finally:
            self._marks.end()
            self._leading.close()
            awake, wake, self._awake, self._wake = self._awake, self._wake, -1, -1
            for descriptor in (awake, wake):
                with contextlib.suppress(OSError):
                    self._held.close(descriptor)

    def _readable(self, wait_s: float | None) -> list[int] | None:
        """None where the program has closed what is read here, and reads files of its own by these numbers, perhaps."""
        try:
            readable = ready(self._sources(), [], wait_s)
        except (OSError, ValueError):
            return None
        return readable if self._is_ours else None

    @property
    def _is_ours(self) -> bool:
        return self._held.has(self._awake, self._wake) and self._leading.is_ours

    def _lose(self) -> None:
        with self._lock:
            for recorder in self._recorders:
                recorder.lose("console_unread", 1)

    def _sources(self) -> list[int]:
        if self._has_helper:
            return [self._awake, self._leading.record]
        return [self._awake, *(way.source for way in self._open.values())]

    def _flush(self) -> None:
        self._leading.fit()
        now_ms = time.time_ns() // _NS_PER_MS
        with self._lock:
            for recorder in self._recorders:
                recorder.flush(now_ms)

    def _take(self, data: bytes) -> None:
        self._taken_count += 1
        if not data:
            self._has_helper = False
            self._leading.take_over()
            return
        buffer = self._buffer
        buffer += data
        place = 0
        with self._lock:
            while len(buffer) - place >= HEAD.size:
                letter, time_ns, length = HEAD.unpack_from(buffer, place)
                end = place + HEAD.size + length
                if len(buffer) < end:
                    break
                self._hear(letter.decode(), time_ns // _NS_PER_MS, bytes(buffer[place + HEAD.size : end]))
                place = end
        del buffer[:place]

    def _hear(self, letter: str, time_ms: int, data: bytes) -> None:
        if letter.islower():
            for recorder in self._recorders:
                recorder.feed(letter, data, time_ms)
        elif letter in _LOSSES:
            for recorder in self._recorders:
                recorder.lose(_LOSSES[letter], int.from_bytes(data, "little"))
        elif data == b"mark":
            self._marks.take(letter.lower())
        else:  # nobody reads what is printed there: whoever prints shall know it
            if self._open.pop(letter.lower(), None) is not None:
                self._leading.leave(letter.lower())
                self._marks.leave(letter.lower())

    def _pump(self, readable: list[int]) -> None:
        """The helper is dead (a memory killer's victim, say): what is in its pipes, and what children still print there."""
        is_empty = True
        for letter, way in list(self._open.items()):
            if way.source not in readable:
                continue
            is_empty = False
            self._taken_count += 1
            lost = mark_count = 0
            try:
                data = os.read(way.source, _READ_BYTES)
                mark_count = data.count(self._leading.mark)  # of a helper that died before it came by
                data = data.replace(self._leading.mark, b"")
                lost = print_all(way.saved, data)
            except OSError:
                data = b""
            self._marks.take(letter, mark_count)
            if data or mark_count:
                with self._lock:
                    for recorder in self._recorders:
                        recorder.feed(letter, data, time.time_ns() // _NS_PER_MS)
                        recorder.lose("console_target", lost)
            else:
                del self._open[letter]
                self._marks.leave(letter)
        if is_empty:
            self._marks.give_up()


def flush_streams() -> None:
    """What Python, and C where it may have any, holds back."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    if "ctypes" in sys.modules:
        with contextlib.suppress(Exception):
            _c_library().fflush(None)


@functools.cache
def _c_library() -> Any:
    import ctypes

    return ctypes.CDLL(None)
