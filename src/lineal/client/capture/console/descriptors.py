"""Descriptors 1 and 2 of this process, led through the helper `pump.py`, and back."""

from __future__ import annotations

import os
import signal
import sys
import types
from typing import Any, NamedTuple

from lineal.client.capture.console.pump import EXTPROC, ready
from lineal.journal.held import Held

_PIPE_BYTES = 1024 * 1024
_HELPER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pump.py")
_SHELL = "/bin/sh"
_METHODS = (types.MethodType, types.BuiltinMethodType)
_HELD_MAX_COUNT = 100
_TELLS_MODES = sys.platform == "linux"
"""Whether the helper learns that somebody has changed the modes of a pseudo-terminal."""


class Led(NamedTuple):
    """One way out: the descriptors (1, 2 or both) that lead into it, a letter, what they were, our two ends of the pipe or
    pseudo-terminal."""

    letter: str
    numbers: tuple[int, ...]
    saved: int
    source: int
    entrance: int
    is_terminal: bool


class Leading:
    """Raises OSError where it cannot be done: then nothing has changed."""

    def __init__(self, folder: str) -> None:
        self.mark = b"\0" + os.urandom(16)
        self.ways: list[Led] = []
        self.record = -1
        self._held = Held()
        record, record_entrance = map(_raised, os.pipe())
        self.record = record
        self._held.add(record)
        try:
            for letter, numbers in _streams():
                way = _lead(letter, numbers)
                self.ways.append(way)
                self._held.add(way.saved, way.source, way.entrance)
            if not self.ways:
                raise OSError("neither stdout nor stderr is open")
            _spawn(self.ways, record_entrance, self.mark, folder)
        except BaseException:
            self.close()
            raise
        finally:
            os.close(record_entrance)
        for way in self.ways:
            for number in way.numbers:
                os.dup2(way.entrance, number)

    @property
    def is_ours(self) -> bool:
        """Nobody has closed what this process leads its output by."""
        return self._held.has(self.record, *(way.source for way in self.ways if way.source >= 0))

    def restore(self) -> None:
        """The descriptors are what they were, unless the program has made something else of them meanwhile."""
        for way in self.ways:
            for number in way.numbers:
                if self._held.has(way.saved, way.entrance) and _is_same(number, way.entrance):
                    os.dup2(way.saved, number)

    def lead_again(self) -> bool:
        """After `restore`: as before, if the descriptors still are what they were then, and no other has been opened."""
        if _streams() != [(way.letter, way.numbers) for way in self.ways]:
            return False
        if not all(_is_same(number, way.saved) for way in self.ways for number in way.numbers):
            return False
        for way in self.ways:
            if way.is_terminal:
                _copy_size(way.saved, way.entrance)
            for number in way.numbers:
                os.dup2(way.entrance, number)
        return True

    def send_mark(self, letter: str, timeout_s: float) -> bool:
        """Behind everything that was printed into that way; whether it could be."""
        for way in self.ways:
            try:
                if way.letter == letter and ready([], [way.entrance], timeout_s) and self._held.has(way.entrance):
                    os.write(way.entrance, self.mark)
                    return True
            except OSError:  # nobody reads it any more
                pass
        return False

    def fit(self) -> None:
        """A pseudo-terminal is as large as the terminal behind it. Whoever has been told that this has changed asked too early, and is
        told again."""
        changed = [way for way in self.ways if way.is_terminal and _copy_size(way.saved, way.entrance)]
        for way in changed[:1]:
            try:
                os.killpg(os.tcgetpgrp(way.saved), signal.SIGWINCH)
            except OSError:  # not the terminal of this session
                pass

    @property
    def has_terminal(self) -> bool:
        return any(way.is_terminal for way in self.ways)

    def take_over(self) -> None:
        """The helper is dead: what is printed comes without packets from here on."""
        self.restore()
        for way in self.ways:
            if way.is_terminal and _TELLS_MODES and way.source >= 0:
                _tell_modes(way.source, False)

    def leave(self, letter: str) -> None:
        """Nobody reads this way any more: whoever prints there shall know it."""
        for place, way in enumerate(self.ways):
            if way.letter == letter:
                self.ways[place] = way._replace(source=-1)  # first: the number may soon be a file's of the program
                self._let_go(way.source)

    def close(self) -> None:
        while self.ways:
            way = self.ways.pop()
            for descriptor in (way.saved, way.source, way.entrance):
                self._let_go(descriptor)
        record, self.record = self.record, -1
        self._let_go(record)

    def _let_go(self, descriptor: int) -> None:
        if descriptor >= 0:
            try:
                self._held.close(descriptor)
            except OSError:
                pass


def can_lead() -> bool:
    """Whether what Python prints goes to descriptors 1 and 2 (it does not in notebooks, nor where a test runner takes it), and there
    is an interpreter to run the helper. Process 1 of a container takes everybody with it when it ends, the helper, too."""
    name = os.path.basename(sys.executable or "")
    if os.name != "posix" or os.getpid() == 1 or not name.startswith(("python", "pypy")) or hasattr(sys, "frozen"):
        return False
    if sys.flags.interactive or hasattr(sys, "ps1"):
        return False
    known = ((sys.stdout, sys.__stdout__, 1), (sys.stderr, sys.__stderr__, 2))
    return all(
        now is None or (_number_of(at_first) == number and (now is at_first or _passes_on(now, at_first)))
        for now, at_first, number in known
    )


def _passes_on(stream: Any, target: Any) -> bool:
    """Whether the program has put one in place of another that writes to that in its turn, as those do that keep a file beside the
    terminal: it holds that, or its `write`. Nothing of the program's is called, which might print. A notebook's is left alone: it reads
    the descriptors itself."""
    try:
        held = vars(stream)
    except TypeError:  # it has slots, or is a module ...
        return False
    if "watch_fd_thread" in held or hasattr(type(stream), "watch_fd_thread"):
        return False
    return any(_is_of(one, target) for one in list(held.values()))


def _is_of(held: Any, target: Any) -> bool:
    if type(held) in (list, tuple, set):
        return any(_is_of(one, target) for one in list(held)[:_HELD_MAX_COUNT])
    return held is target or (type(held) in _METHODS and held.__self__ is target)


def _number_of(stream: object) -> int:
    try:
        return int(stream.fileno())  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return -1


def _streams() -> list[tuple[str, tuple[int, ...]]]:
    """Where both go to one place, they share a way: two would get out of step."""
    # Of a number that was closed when Python began, any file may have become the owner since.
    known = [
        number for number in (1, 2) if (sys.__stdout__, sys.__stderr__)[number - 1] is not None and _is_open(number)
    ]
    if known == [1, 2] and _is_same(1, 2) and not _is_null(1):
        return [("b", (1, 2))]
    return [("oe"[number - 1], (number,)) for number in known]


def _lead(letter: str, numbers: tuple[int, ...]) -> Led:
    saved = _dup(numbers[0])
    is_terminal = os.isatty(saved)
    try:
        source, entrance = os.openpty() if is_terminal else os.pipe()
    except BaseException:
        _close(saved)
        raise
    # Above the standard numbers: where one of those was closed, a pipe may get it.
    source, entrance = _raised(source), _raised(entrance)
    if is_terminal:
        _make_alike(saved, entrance)
        if _TELLS_MODES:
            _tell_modes(source, True)
    else:
        import fcntl

        try:
            fcntl.fcntl(entrance, getattr(fcntl, "F_SETPIPE_SZ", 1031), _PIPE_BYTES)
        except OSError:
            pass
    return Led(letter, numbers, saved, source, entrance, is_terminal)


def _raised(descriptor: int) -> int:
    if descriptor > 2:
        return descriptor
    raised = _dup(descriptor)
    os.close(descriptor)
    return raised


def _dup(descriptor: int) -> int:
    """Above the standard numbers, and not inherited."""
    import fcntl

    return fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 3)


def _spawn(ways: list[Led], record: int, mark: bytes, folder: str) -> None:
    """By a shell that ends at once: the program's `os.wait()` must not meet a child that it does not know, and an interpreter takes
    10 ms to begin before it could fork."""
    given = [record, *(descriptor for way in ways for descriptor in (way.source, way.saved))]
    first = max(given) + 1
    numbers = {descriptor: first + place for place, descriptor in enumerate(given)}
    arguments = [
        f"{way.letter}:{numbers[way.source]}:{numbers[way.saved]}:{int(way.is_terminal and _TELLS_MODES)}"
        for way in ways
    ]
    null = os.path.devnull
    actions = [
        *((os.POSIX_SPAWN_DUP2, descriptor, number) for descriptor, number in numbers.items()),
        (os.POSIX_SPAWN_OPEN, 0, null, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, null, os.O_WRONLY, 0),
        (os.POSIX_SPAWN_OPEN, 2, null, os.O_WRONLY, 0),
    ]
    helper = [sys.executable, "-I", "-S", _HELPER, *arguments, str(numbers[record]), mark.hex(), folder]
    shell = os.posix_spawn(
        _SHELL,
        [_SHELL, "-c", '"$@" &', _SHELL, *helper],
        os.environ,
        file_actions=actions,
        # What ends the program shall not end its reader: that ends when nobody is left who prints.
        setsigmask=[signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP],
    )
    try:
        os.waitpid(shell, 0)
    except ChildProcessError:  # the program has been faster, or wants to know of no child
        pass


def _make_alike(terminal: int, pseudo: int) -> None:
    """What is printed reaches the terminal's own driver unchanged, which does to it what it always does."""
    import termios

    settings = termios.tcgetattr(terminal)
    settings[1] &= ~termios.OPOST
    if _TELLS_MODES:
        settings[3] |= EXTPROC
    termios.tcsetattr(pseudo, termios.TCSANOW, settings)
    _copy_size(terminal, pseudo)


def _tell_modes(source: int, is_wanted: bool) -> None:
    """Packet mode: each read begins with a byte that says of what it is."""
    import fcntl
    import struct
    import termios

    fcntl.ioctl(source, termios.TIOCPKT, struct.pack("i", is_wanted))


def _copy_size(terminal: int, pseudo: int) -> bool:
    """Whether it was another."""
    import fcntl
    import termios

    try:
        size = fcntl.ioctl(terminal, termios.TIOCGWINSZ, bytes(8))
        if size != fcntl.ioctl(pseudo, termios.TIOCGWINSZ, bytes(8)):
            fcntl.ioctl(pseudo, termios.TIOCSWINSZ, size)
            return True
    except OSError:
        pass
    return False


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def _is_same(one: int, other: int) -> bool:
    try:
        return os.path.samestat(os.fstat(one), os.fstat(other))
    except OSError:
        return False


def _is_null(number: int) -> bool:
    try:
        return os.path.samestat(os.fstat(number), os.stat(os.path.devnull))
    except OSError:
        return False


def _close(descriptor: int) -> None:
    if descriptor >= 0:
        try:
            os.close(descriptor)
        except OSError:
            pass
