"""How a process ends, seen from inside: signals, exceptions, sys.exit, the interpreter's end. Each leaves a true status.

What cannot be seen (SIGKILL, os._exit, a crash in C) leaves no end in the journal; the lock on the writer is gone then,
and the reader says `lost`. A bare `raise SystemExit(3)` outside of `with` is seen as a normal end: CPython does not
tell exit handlers the status."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from lineal.model.limits import SIGNAL_SYNC_TIMEOUT_S
from lineal.model.vocabulary import EndStatus

if TYPE_CHECKING:
    from lineal.client.run import Run


class Exits:
    """Hooks of one process, set when its first run starts. Earlier handlers keep working and keep their say."""

    def __init__(self) -> None:
        self._runs: list[Run] = []
        self._installed_in: int | None = None
        self._sigterm_hooked = False
        self._ended_by: BaseException | None = None
        self._previous_sigterm: Any = None
        self._held_back: dict[int, set[int | signal.Signals]] = {}
        self._previous_excepthook: Callable[..., Any] = sys.excepthook
        self._previous_exit: Callable[..., NoReturn] = sys.exit

    def add(self, run: Run) -> None:
        self._runs.append(run)
        if self._installed_in is None:
            self._installed_in = os.getpid()
            self._install()
        self._hook_sigterm()

    def latest(self) -> Run | None:
        """The run begun last of those that are not finished."""
        return self._runs[-1] if self._runs else None

    def find(self, run_id: str) -> Run | None:
        return next((run for run in self._runs if run.run_id == run_id), None)

    def remove(self, run: Run) -> None:
        if run in self._runs:
            self._runs.remove(run)

    def _install(self) -> None:
        atexit.register(self._at_exit)
        self._previous_excepthook, sys.excepthook = sys.excepthook, self._excepthook
        self._previous_exit, sys.exit = sys.exit, self._exit

    def _hook_sigterm(self) -> None:
        """Only the main thread may set handlers: a first run that begins in another leaves it to the next one."""
        if self._sigterm_hooked or threading.current_thread() is not threading.main_thread():
            return
        self._sigterm_hooked = True
        earlier = signal.getsignal(signal.SIGTERM)
        if earlier is not signal.SIG_IGN and earlier is not None:
            self._previous_sigterm = earlier
            signal.signal(signal.SIGTERM, self._on_sigterm)

    def before_fork(self) -> None:
        """No SIGTERM reaches a child that still has our handler: CPython forgets what arrives before its own fork hooks."""
        if self._sigterm_hooked:
            self._held_back[threading.get_ident()] = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def after_fork(self) -> None:
        mask = self._held_back.pop(threading.get_ident(), None)
        if mask is not None:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)

    def after_fork_in_child(self) -> None:
        """A child has the handler that it would have without us. What it wrote is in the file; its parent sends that and says
        the status. A Python handler in a worker would make `Pool.terminate` hang now and then: a signal that comes just
        before the worker waits for a semaphore is only seen after the wait."""
        if self._sigterm_hooked and signal.getsignal(signal.SIGTERM) == self._on_sigterm:
            signal.signal(signal.SIGTERM, self._previous_sigterm)
            self._sigterm_hooked = False
        self.after_fork()
        self._held_back.clear()

    def _on_sigterm(self, number: int, frame: FrameType | None) -> None:
        for run in list(self._runs):
            run.end_by_signal("killed", SIGNAL_SYNC_TIMEOUT_S)
        self._drain()
        if callable(self._previous_sigterm):
            self._previous_sigterm(number, frame)
            return
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTERM)
        os._exit(128 + signal.SIGTERM)  # process 1 of a container is not killed by its own default SIGTERM

    def _drain(self) -> None:
        """What a server lacks, all runs within one time."""
        runs = [run for run in self._runs if run._has_server]
        if not runs:
            return
        from lineal.client.drain import sigterm_drain_s

        until_s = time.monotonic() + sigterm_drain_s()
        for run in runs:
            run._drain_after_signal(until_s - time.monotonic())

    def _excepthook(self, kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        self._ended_by = error
        self._previous_excepthook(kind, error, traceback)

    def _exit(self, status: Any = None, /) -> NoReturn:
        try:
            self._previous_exit(status)
        except SystemExit as error:
            if threading.current_thread() is threading.main_thread():
                self._ended_by = error
            raise

    def _at_exit(self) -> None:
        from lineal.client.run import judge

        if isinstance(self._ended_by, SystemExit) and _was_caught(self._ended_by):
            self._ended_by = None
        for run in list(self._runs):
            status: EndStatus
            status, text = judge(self._ended_by)
            if run.signalled is not None and (status == "finished" or isinstance(self._ended_by, SystemExit)):
                status, text = run.signalled, None
            run.finish(status, error=text)
        if isinstance(self._ended_by, KeyboardInterrupt) and self._ended_by is getattr(sys, "last_value", None):
            _end_as_interrupted()


def _end_as_interrupted() -> None:
    """CPython notes that nobody caught a Ctrl-C, for the exit status, when the program's code ends by it; and forgets it when
    any code is run from text meanwhile, in whatever thread: as modules with named tuples and dataclasses do when they are loaded,
    those of the look at code and environment among them (`run_eval_code_obj` in pythonrun.c). So that it is noted again."""
    if hasattr(sys, "ps1") or sys.flags.interactive or sys.flags.inspect:
        return
    try:
        exec("raise KeyboardInterrupt", {})
    except KeyboardInterrupt:
        pass


def _was_caught(error: SystemExit) -> bool:
    """Whether some frame caught it for good: that one is the outermost in its traceback, and ended by returning."""
    traceback = error.__traceback__
    if traceback is None:
        return False
    from opcode import opname

    frame = traceback.tb_frame
    return opname[frame.f_code.co_code[frame.f_lasti]].startswith("RETURN")


EXITS = Exits()
os.register_at_fork(
    before=EXITS.before_fork, after_in_parent=EXITS.after_fork, after_in_child=EXITS.after_fork_in_child
)
