"""Other programs, asked for their answer, without becoming children of the program that is recorded: a training may well call
os.wait() for its own. A shell runs the asked program, started so that nobody here meets it (`unseen.py`); how the program ended comes
through a pipe. Where that cannot be had, the shell leaves the asked program to init and ends within milliseconds: for that long
it is a child, and a program that sits in os.wait() just then is mostly handed its number."""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lineal.client.capture.unseen import start_unseen
from lineal.journal.blobs import sha256
from lineal.journal.held import Held

_PIECE_BYTES = 1 << 16
_ERRORS_MAX_BYTES = 1 << 16
_ABOVE_STANDARD = 10
_SHELL = "/bin/sh"
_SCRIPT = '"$@" 3>&-; echo $? >&3'
_LEAVING = f"( {_SCRIPT} ) &"
# Python ignores the first two, and a program may ignore SIGCHLD: then the shell would not learn how its own ended.
_DEFAULTS = (signal.SIGPIPE, signal.SIGXFSZ, signal.SIGCHLD)
_REAP_TRIES = 50


class TookTooLong(Exception):
    """The program was ended."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`code` is None where the program was ended before it said all; 127 and 126 where it could not be run. `output` is None where it
    is larger than was asked for; `digest` is then the SHA-256 of it, if it ended well and within what was to be hashed."""

    code: int | None
    output: bytes | None
    errors: bytes
    digest: str | None = None


def ask(
    command: Sequence[str], environ: Mapping[str, str], deadline_s: float, max_bytes: int, hashed_max_bytes: int = 0
) -> Answer:
    """Never more than `max_bytes` of the answer in memory. `deadline_s` is of time.monotonic(). Raises TookTooLong, and OSError where
    nothing can be started."""
    held = Held()
    ends: list[int] = []
    try:
        reading: list[int] = []
        writing: list[int] = []
        for _ in range(3):
            for end, kept in zip(os.pipe(), (reading, writing), strict=True):
                ends.append(end)
                held.add(end)
                # A program that closed its standard streams has pipes of these numbers.
                kept.append(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _ABOVE_STANDARD))
                ends.append(kept[-1])
                held.add(kept[-1])
                os.close(end)
                ends.remove(end)
        group = _start(command, environ, writing)
        for end in writing:
            held.close(end)
            ends.remove(end)
        return _Conversation(group, deadline_s, max_bytes, hashed_max_bytes).read(*reading)
    finally:
        for end in ends:
            with contextlib.suppress(OSError):
                held.close(end)


def _start(command: Sequence[str], environ: Mapping[str, str], writing: Sequence[int]) -> int:
    """The process group, which is the number of the shell."""
    words = ["sh", "-c", _SCRIPT, "sh", *command]
    return start_unseen(_SHELL, words, environ, writing, _DEFAULTS) or _start_seen(command, environ, writing)


def _start_seen(command: Sequence[str], environ: Mapping[str, str], writing: Sequence[int]) -> int:
    """Not by `subprocess`: that waits for a pipe of its own to be closed, and a worker that is forked just then keeps it open."""
    group = os.posix_spawn(
        _SHELL,
        ["sh", "-c", _LEAVING, "sh", *command],
        environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            *((os.POSIX_SPAWN_DUP2, end, number) for number, end in enumerate(writing, 1)),
        ],
        setpgroup=0,
        setsigmask=(),
        setsigdef=_DEFAULTS,
    )
    with contextlib.suppress(ChildProcessError):  # somebody waits for all children
        os.waitpid(group, 0)
    return group


class _Conversation:
    def __init__(self, group: int, deadline_s: float, max_bytes: int, hashed_max_bytes: int) -> None:
        self._group = group
        self._deadline_s = deadline_s
        self._max_bytes, self._hashed_max_bytes = max_bytes, max(max_bytes, hashed_max_bytes)
        self._hashed = sha256()
        self._size = 0

    def read(self, output_end: int, errors_end: int, code_end: int) -> Answer:
        """Until the program has ended and nothing more is to be read: the end of the pipes may be far, as a worker that was forked
        in the meantime keeps them open."""
        output, errors, code = bytearray(), bytearray(), bytearray()
        has_ended = False
        with selectors.DefaultSelector() as selector:
            for end, kept in ((output_end, output), (errors_end, errors), (code_end, code)):
                os.set_blocking(end, False)
                selector.register(end, selectors.EVENT_READ, kept)
            while True:
                left_s = max(0.0, self._deadline_s - time.monotonic())
                ready = selector.select(0 if has_ended else left_s)
                if has_ended and not ready:
                    break
                if not ready or left_s == 0:
                    self._kill()
                    if self._size > self._max_bytes:
                        break  # only the digest is wanted, and not at any price
                    raise TookTooLong
                for key, _ in ready:
                    piece = os.read(key.fd, _PIECE_BYTES)
                    key.data.extend(piece)
                    if not piece:
                        selector.unregister(key.fd)
                    if key.data is code:
                        has_ended = not piece or piece.endswith(b"\n")
                        if piece and has_ended:
                            selector.unregister(key.fd)
                del errors[_ERRORS_MAX_BYTES:]
                self._count(output)
                if self._size > self._hashed_max_bytes:
                    self._kill()
                    has_ended = False
                    break
                if not selector.get_map():
                    break
        self._reap()
        ended_with = int(code) if has_ended and code.endswith(b"\n") else None
        if self._size > self._max_bytes:
            return Answer(ended_with, None, bytes(errors), self._hashed.hexdigest() if ended_with == 0 else None)
        return Answer(ended_with, bytes(output), bytes(errors))

    def _count(self, output: bytearray) -> None:
        if self._size > self._max_bytes or len(output) > self._max_bytes:
            self._size = len(output) + (self._size if self._size > self._max_bytes else 0)
            self._hashed.update(bytes(output))
            output.clear()
        else:
            self._size = len(output)

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._group, signal.SIGKILL)
        self._reap()

    def _reap(self) -> None:
        """The first process of a container is init itself: what was left to init is its child."""
        for _ in range(_REAP_TRIES):
            try:
                pid, _ = os.waitpid(-self._group, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                time.sleep(0.001)
