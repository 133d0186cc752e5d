"""The seam between a run and what it records by itself: begun with the run, finished before its attempt ends.

What takes longer than some microseconds runs in a thread beside the training; `Captures.finish` waits for it, so that a
finished run has all of it. A killed run has what was said until then. What this process has found out for a run before is said at
once: short runs, one after the other, would spend more on threads than on what they say."""

from __future__ import annotations

import _thread
import functools
import os
from collections.abc import Callable, Mapping
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

from lineal.client import host
from lineal.client.capture.console.start import start as console
from lineal.client.capture.imports import IMPORTS
from lineal.client.capture.main_file import remember_main
from lineal.client.capture.pipelines import Pipeline
from lineal.client.capture.resources.start import start as resources
from lineal.client.capture.statements import is_at_hand, say
from lineal.journal.blobs import Blob
from lineal.journal.interrupts import is_within_call, raised_by_handler
from lineal.journal.journal import Identity, Journal
from lineal.journal.numbers import shown
from lineal.model.ids import new_writer_id
from lineal.model.limits import CAPTURE_FINISH_WAIT_S, CAPTURE_SIGNAL_WAIT_S
from lineal.model.vocabulary import PIPELINE_TAG, EndStatus
from lineal.record.records import AttemptStarted, CaptureSet, TagsSet

if TYPE_CHECKING:
    from lineal.client.run import Run

_Value = TypeVar("_Value")
_LOOKED_AT = frozenset(("execution", "code", "environment", "hardware"))
"""Parts that are found out at the beginning, and do not go on with the run."""


class _Taken(Enum):
    NOW = 1
    LATER = 2


class Begun(NamedTuple):
    """How things stood when the run began: a script may change them the moment after."""

    environ: Mapping[str, str]
    pipeline: Pipeline | None
    folder: str


_Step = tuple[str, Callable[[Begun, bool], _Taken]]


class Part(Protocol):
    """What goes on as long as the run does: the console, the resources."""

    def stop(self) -> None: ...


class Captures:
    """What one run records by itself, in the process that began it: a forked child's copy does nothing."""

    def __init__(self, run: Run, wanted: frozenset[str]) -> None:
        self._run = run
        self._wanted = wanted
        self._pid = os.getpid()
        self._parts: list[Part] = []
        self._parent: Run | None = None
        self._looking: _thread.LockType | None = None
        self._begun: Begun | None = None
        self._has_all_hardware = self._has_all_environment = False
        self._kept: Mapping[str, Blob] = {}
        self._code_kind = self._code_digest = self._looks_at = ""

    def begin(self, environ: Mapping[str, str], pipeline: Pipeline | None) -> None:
        """Says at once what costs microseconds, and has the rest looked at. Never raises."""
        if "resources" in self._wanted:
            self._guarded("resources", lambda: self._parts.append(resources(self._run, environ)))
        if "console" in self._wanted:
            self._guarded("the console", lambda: self._parts.append(console(self._run, environ)))
        if not self._run.primary:  # what others say of the same attempt would replace it
            return
        if pipeline is not None:
            self._guarded("the pipeline's run", lambda: self._open_parent(pipeline))
        if self._wanted & _LOOKED_AT:
            remember_main()
            self._begun = begun = Begun(environ, pipeline, _folder())
            steps = [step for step in self._steps() if step[0] in self._wanted]
            if IMPORTS.has(_import_all):
                steps = self._take(steps, begun, at_once=True)
            if steps:
                self._guarded("the look at code and environment", lambda: self._look_behind(steps, begun))

    def finish(self) -> None:
        """Returns when everything is recorded, or has taken too long, which is said. Never raises."""
        if os.getpid() != self._pid:
            return
        for part in reversed(self._parts):
            self._guarded(type(part).__name__, part.stop)
        begun = self._begun
        if begun is None or not self._has_looked() or self._run.signalled is not None:
            return
        if self._code_kind not in ("", "git"):
            self._guarded("code", lambda: self._say_code_again(begun))

    def end_by_signal(self, status: EndStatus, timeout_s: float) -> None:
        if self._parent is not None and os.getpid() == self._pid:
            self._parent.end_by_signal(status, timeout_s)

    def finish_parent(self, status: EndStatus, timeout_s: float | None) -> None:
        if self._parent is not None and os.getpid() == self._pid:
            self._parent.finish(status, timeout_s=timeout_s)

    # -- within ---------------------------------------------------------------------------------

    def _has_looked(self) -> bool:
        """Waits for the look behind; if that takes too long, it is said."""
        if self._looking is None:
            return True
        # A process that was told to end has little time, and its journal comes first.
        wait_s = CAPTURE_FINISH_WAIT_S if self._run.signalled is None else CAPTURE_SIGNAL_WAIT_S
        if is_within_call(self._run._journal):  # that look may wait for what this thread holds
            wait_s = 0.0
        if self._looking.acquire(timeout=wait_s):
            return True
        what = f" ({self._looks_at})" if self._looks_at else ""
        self._run._refuse("not_captured", f"code and environment were still being read{what} when the run ended")
        return False

    def _look_behind(self, steps: list[_Step], begun: Begun) -> None:
        # Not a Thread, whose start waits until it has run, which costs the training up to 5 ms.
        done = _thread.allocate_lock()
        done.acquire()

        def look() -> None:
            try:
                self._look(steps, begun)
            finally:
                done.release()

        _thread.start_new_thread(look, ())
        self._looking = done

    def _look(self, steps: list[_Step], begun: Begun) -> None:
        """In a thread of its own."""
        IMPORTS.load(_import_all)
        self._take(steps, begun, at_once=False)

    def _steps(self) -> tuple[_Step, ...]:
        """By part. First what asks nobody: git, a driver or conda may never answer."""
        return (
            ("execution", self._say_execution),
            ("environment", self._say_environment),
            ("hardware", self._say_hardware),
            ("code", self._say_code),
            ("hardware", self._say_gpus),
            ("environment", self._say_conda),
        )

    def _take(self, steps: list[_Step], begun: Begun, *, at_once: bool) -> list[_Step]:
        """Those that are left."""
        left: list[_Step] = []
        for step in steps:
            part, act = step
            if not at_once:
                self._looks_at = part
            if self._guarded(part, functools.partial(act, begun, at_once)) is _Taken.LATER:
                left.append(step)
        return left

    # -- the steps: one that is to be taken at once, and would take longer than microseconds, is not taken -------

    def _say_execution(self, begun: Begun, at_once: bool) -> _Taken:
        from lineal.client.capture.execution import execution_content

        self._say("execution", execution_content(begun.environ, begun.pipeline, begun.folder))
        return _Taken.NOW

    def _say_code(self, begun: Begun, at_once: bool) -> _Taken:
        from lineal.client.capture.code import code, known_code

        own = self._run.folder
        found = known_code(begun.folder, own) if at_once else code(begun.environ, begun.folder, own)
        if found is None or (at_once and not is_at_hand(self._run, "code", found)):
            return _Taken.LATER
        self._code_kind, self._code_digest = found.content["kind"], found.content["digest"]
        say(self._run, "code", found)
        return _Taken.NOW

    def _say_code_again(self, begun: Begun) -> None:
        """Modules imported and cells executed since: of what no repository has, more may be known by now."""
        from lineal.client.capture.code import code

        found = code(begun.environ, begun.folder, self._run.folder)
        if found.content["digest"] != self._code_digest:
            say(self._run, "code", found)

    def _say_environment(self, begun: Begun, at_once: bool) -> _Taken:
        from lineal.client.capture.environment import environment, known_environment

        known = known_environment(begun.environ)
        if at_once and (known is None or not is_at_hand(self._run, "environment", known[0])):
            return _Taken.LATER
        if known is None:
            found = environment(begun.environ)
        else:
            found, self._has_all_environment = known
        self._kept = say(self._run, "environment", found)
        return _Taken.NOW

    def _say_conda(self, begun: Begun, at_once: bool) -> _Taken:
        from lineal.client.capture.environment import whole_environment

        if self._has_all_environment:
            return _Taken.NOW
        if at_once:
            return _Taken.LATER
        found = whole_environment(begun.environ)
        if found is not None and not found.files.keys() <= self._kept.keys():
            say(self._run, "environment", found, self._kept)
        return _Taken.NOW

    def _say_hardware(self, begun: Begun, at_once: bool) -> _Taken:
        from lineal.client.capture.hardware import own_hardware_at_once

        content, self._has_all_hardware = own_hardware_at_once()
        self._say("hardware", content)
        return _Taken.NOW

    def _say_gpus(self, begun: Begun, at_once: bool) -> _Taken:
        from lineal.client.capture.hardware import own_hardware

        if self._has_all_hardware:
            return _Taken.NOW
        if at_once:
            return _Taken.LATER
        self._say("hardware", own_hardware())
        return _Taken.NOW

    def _say(self, part: str, content: dict[str, Any]) -> None:
        self._run._say(CaptureSet(self._run._journal.identity.attempt, part, content))

    def _open_parent(self, pipeline: Pipeline) -> None:
        """The run that stands for the pipeline. Every step opens an attempt of it, and ends it as it ends itself: while a step
        runs, the pipeline does, and it is as the step that began last. Nothing else is known of it here."""
        run = self._run
        own = run._journal.identity
        attempt = new_writer_id()
        identity = Identity(own.tenant, pipeline.parent_run_id, attempt, primary=True, host=own.host, boot=own.boot)
        journal = Journal(run._journal.folder, identity, mode=run._journal.mode, on_open=run._journal.on_open)
        self._parent = type(run)(
            journal, experiment=run.experiment, name=pipeline.title, primary=True, uploader=run._uploader
        )
        start = AttemptStarted(
            attempt=attempt,
            experiment=run.experiment,
            name=pipeline.title,
            user_id=host.user_id(),
            host=host.host_name(),
            pid=os.getpid(),
        )
        self._parent._say(start)
        self._parent._say(TagsSet({PIPELINE_TAG: pipeline.name}))

    def _guarded(self, what: str, act: Callable[[], _Value]) -> _Value | None:
        """Training goes on, whatever becomes of what is recorded beside it."""
        try:
            return act()
        except Exception as error:
            if raised_by_handler(error):
                raise
            self._run._refuse("not_captured", f"{what} of the run is not recorded: {shown(error)}", detail=what)
            return None


def _import_all() -> None:
    """What the thread needs is loaded in the thread, since patterns and modules take 20 ms; all of it, also what others would load
    when they first need it: a fork in the midst of that leaves the child a module that it waits for without an end."""
    import hashlib  # noqa: F401
    import mimetypes  # noqa: F401
    import sysconfig

    import lineal.client.capture.code
    import lineal.client.capture.environment
    import lineal.client.capture.execution
    import lineal.client.capture.hardware
    from lineal.client.capture import unseen

    sysconfig.get_paths()
    unseen.library()
    lineal.client.capture.hardware.gpu_library()


def _folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # removed meanwhile
        return ""
