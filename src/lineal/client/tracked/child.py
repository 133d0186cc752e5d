"""A child process as a shell would have it: it has our terminal and our files, and gets the signals that we get.

Signals are blocked in this process and waited for, so that none is lost between two steps, and so that it can be told who
sent them: what the terminal sends (Ctrl-C) has reached the child already, and is not sent twice."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, NoReturn

from lineal.model.errors import InvalidInput

FORWARDED = frozenset([signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2])
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT)
_RESET = [signal.SIGPIPE, signal.SIGXFSZ]  # Python ignores these; the child shall not


class Ended(NamedTuple):
    """How the child ended: `code` as it exited, or the signal that killed it. `told`: signals that it was sent before."""

    code: int
    signal: int
    told: frozenset[int]

    @property
    def exit_status(self) -> int:
        """As a shell has it."""
        return 128 + self.signal if self.signal else self.code

    @property
    def was_killed(self) -> bool:
        """From outside: by a signal that asks for an end, or with the status of a program that obeyed one."""
        if self.signal:
            return self.signal in (*_ENDING, signal.SIGKILL)
        return self.code != 0 and any(self.told & {number} for number in _ENDING)


class CannotStart(Exception):
    """`status`: 127 for a command that is not there, 126 for one that may not be run."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.message = message
        self.status = status


def check_command(command: Sequence[str]) -> None:
    """Raises CannotStart before anything is begun for it."""
    if not command or not command[0]:
        raise InvalidInput("no command is given: lineal track -- python train.py", field="command")
    if shutil.which(command[0]) is not None:
        return
    name = command[0]
    found = name if os.sep in name else shutil.which(name, mode=os.F_OK)
    if found and os.path.exists(found):
        what = "is a folder" if os.path.isdir(found) else "may not be run"
        raise CannotStart(f"{name} {what}", 126)
    raise CannotStart(f"{name}: there is no such command", 127)


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Nothing interrupts what is within; what arrives waits for `Child.wait`. Threads begun within are spared, too."""
    earlier = signal.signal(signal.SIGCHLD, _nothing)  # some systems drop a signal that nobody would handle
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {*FORWARDED, signal.SIGCHLD})
    try:
        yield
    finally:
        with contextlib.suppress(InterruptedError):
            while signal.sigpending() & FORWARDED:  # they were meant for the child, which is gone
                signal.sigwait(signal.sigpending() & FORWARDED)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGCHLD, earlier if earlier is not None else signal.SIG_DFL)


class Child:
    """Started within `signals_held`."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], *, hides_output: bool = False) -> None:
        """`hides_output`: what it writes on standard output goes to standard error."""
        actions = [(os.POSIX_SPAWN_DUP2, 2, 1)] if hides_output else []
        try:
            self.pid = os.posix_spawnp(
                command[0], list(command), dict(environ), file_actions=actions, setsigmask=[], setsigdef=_RESET
            )
        except OSError as error:
            status = 127 if isinstance(error, FileNotFoundError) else 126
            raise CannotStart(f"{command[0]}: {error.strerror}", status) from None
        self._told: set[int] = set()

    def wait(self, on_told: Callable[[int], object]) -> Ended:
        """`on_told(signal)` is called before a signal that asks for an end is passed on."""
        while True:
            ended = self._ended()
            if ended is not None:
                return ended
            number, is_from_kernel = _next_signal()
            if number == signal.SIGCHLD:
                continue
            self._told.add(number)
            if number in _ENDING:
                on_told(number)
            if not (number in _FROM_TERMINAL and is_from_kernel):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.pid, number)

    def _ended(self) -> Ended | None:
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        if pid == 0:
            return None
        if os.WIFSIGNALED(status):
            return Ended(0, os.WTERMSIG(status), frozenset(self._told))
        return Ended(os.waitstatus_to_exitcode(status), 0, frozenset(self._told))


def end_as(ended: Ended) -> NoReturn:
    """Ends this process as the child ended, by the same signal too: a shell stops its loop at Ctrl-C only then."""
    if ended.signal:
        with contextlib.suppress(ImportError, ValueError, OSError):
            import resource

            resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
        with contextlib.suppress(OSError, ValueError):  # SIGKILL has no handler
            signal.signal(ended.signal, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {ended.signal})
        os.kill(os.getpid(), ended.signal)
    os._exit(ended.exit_status)  # process 1 of a container survives its own default signals


def _next_signal() -> tuple[int, bool]:
    """Waits for one. Whether the kernel sent it, as it does for the terminal."""
    waited = {*FORWARDED, signal.SIGCHLD}
    wait = getattr(signal, "sigwaitinfo", None)
    if wait is not None:
        try:
            said = wait(waited)
        except InterruptedError:
            return signal.SIGCHLD, False
        return said.si_signo, said.si_code > 0
    number = signal.sigwait(waited)
    return number, _is_in_foreground()


def _is_in_foreground() -> bool:
    """Where it cannot be told who sent a signal: whether Ctrl-C would have reached the child, too."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)


def _nothing(number: int, frame: object) -> None:
    """A handler, so that the signal is kept."""
