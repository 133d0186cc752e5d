"""The handle a training script holds: it turns calls into records and hands them to its journal."""

from __future__ import annotations

import _thread
import contextlib
import itertools
import os
from collections.abc import Mapping
from time import monotonic, time_ns
from types import TracebackType
from typing import TYPE_CHECKING, Any

from lineal.client import stops
from lineal.client.artifacts import ArtifactKeeping
from lineal.client.attach import attach
from lineal.client.given import check_note, check_tags, flattened, split, tail_of
from lineal.client.guard import Guard
from lineal.client.inputs import InputNaming
from lineal.client.params import Params, within_bound
from lineal.client.sources import Source, Sources, read_source
from lineal.journal.interrupts import raised_by_handler
from lineal.journal.journal import Journal, JournalClosed, JournalFull
from lineal.journal.numbers import NotExact, exact_number, shown
from lineal.model.errors import InvalidInput, OverLimit
from lineal.model.limits import (
    DOCUMENT_MAX_BYTES,
    DOCUMENT_MAX_DEPTH,
    NAME_MAX_BYTES,
    STOP_LOOK_INTERVAL_S,
)
from lineal.model.values import (
    INT64_MAX,
    INT64_MIN,
    ParamValue,
    check_name,
    is_deeper,
    to_json,
    value_text,
)
from lineal.model.vocabulary import END_STATUSES, EndStatus, Goal
from lineal.record.records import (
    AttemptEnded,
    DocumentSet,
    MetricDefined,
    NameSet,
    NoteSet,
    ParamsSet,
    Record,
    TagsSet,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineal.client.capture.start import Captures
    from lineal.client.uploader import Uploader

_NS_PER_MS = 1_000_000
PARAMS_DOCUMENT = "params"
_HOW_TO_ADD = "lineal.init(run_id=..., resume='allow') adds to a finished run"


class Run(ArtifactKeeping, InputNaming):
    """One execution. Made by `lineal.init`; usable from any thread, in forked children, and (pickled) in spawned ones.

    Methods that log never raise for a fault of Lineal's or of the disk: what is lost is counted and said at `finish`.
    They raise for a mistake of the caller that would lose more than one value (a missing file, a status that does not exist)."""

    def __init__(
        self,
        journal: Journal,
        *,
        experiment: str,
        name: str | None,
        primary: bool,
        resumed: bool = False,
        next_step: int = 0,
        finished: bool = False,
        on_finish: Callable[[Run], None] | None = None,
        uploader: Uploader | None = None,
    ) -> None:
        self._journal = journal
        self._append = journal.append_points
        self._steps = itertools.count(next_step)
        self._last_step: int | None = None
        self._guard = Guard()
        self._params: dict[str, ParamValue] = {}
        self._tag_names: set[str] = set()
        self._params_whole: dict[str, Any] = {}
        self._experiment = experiment
        self._name = name
        self._primary = primary
        self._resumed = resumed
        self._finished = finished
        self._finish_calls = itertools.count()  # next() is atomic: a lock could be held at a fork
        self._on_finish = on_finish
        self._uploader = uploader
        self._stop_due_s = 0.0
        self._stop_asked = False
        self._captures: Captures | None = None
        self._sources: Sources | None = None
        self.signalled: EndStatus | None = None

    # -- who am I -------------------------------------------------------------------------------

    @property
    def experiment(self) -> str:
        return self._experiment

    @property
    def name(self) -> str:
        return self._name or self.run_id[:8]

    @property
    def finished(self) -> bool:
        """True after `finish`, and from the start for a run that `init` found finished already."""
        return self._finished

    @property
    def resumed(self) -> bool:
        return self._resumed

    @property
    def primary(self) -> bool:
        """Whether this writer decides the run's status; ranks above 0 and forked children do not."""
        return self._primary and self._journal.identity.primary

    def __repr__(self) -> str:
        return (
            f"<lineal.Run {self.name!r} {self.run_id} of {self._experiment!r}{' (finished)' if self._finished else ''}>"
        )

    @property
    def should_stop(self) -> bool:
        """Whether somebody asked this run to stop (`lineal runs stop`, the page). Ask it in every step: it looks once a second."""
        now_s = monotonic()
        if now_s >= self._stop_due_s:
            self._stop_due_s = now_s + STOP_LOOK_INTERVAL_S
            if self._uploader is not None:
                self._stop_asked = self._uploader.should_stop(self.run_id)
            else:
                self._stop_asked = os.path.exists(stops.bell(self._journal.folder, self.tenant, self.run_id))
        return self._stop_asked

    # -- points ---------------------------------------------------------------------------------

    def log(self, metrics: Mapping[str, Any], step: int | float | None = None, *, timestamp: int | None = None) -> None:
        """Records the values of some metrics at one step.

        metrics    name -> int, float, bool, numpy or torch scalar; NaN and infinities are fine; nested mappings are joined by "/"
        step       any order, int or float; without it, one more than this process's last
        timestamp  ms since the epoch; without it, now

        Returns in microseconds and never raises: a value that is no number is refused by name, counted and said once."""
        try:
            if step is None:
                step = self._next_step()
            else:
                self._last_step = step  # type: ignore[assignment]
            when_ns = time_ns() if timestamp is None else int(timestamp) * _NS_PER_MS
            if self._append(metrics, step, when_ns):
                return
        except Exception as error:
            if raised_by_handler(error):
                raise
        self._log_slowly(metrics, step, timestamp)

    def _next_step(self) -> int:
        last = self._last_step
        if last is not None:
            self._last_step = None
            with contextlib.suppress(Exception):
                if INT64_MIN <= last < INT64_MAX:
                    self._steps = itertools.count(int(last) + 1)
        return next(self._steps)

    def _log_slowly(self, metrics: Any, step: Any, timestamp: Any) -> None:
        """The road of odd values: converts what can be converted exactly, refuses the rest one by one."""
        try:
            when_ns = time_ns() if timestamp is None else int(timestamp) * _NS_PER_MS
            if not INT64_MIN <= when_ns <= INT64_MAX:
                raise NotExact("not_a_number", "the timestamp is beyond the year 2262")
            if not isinstance(metrics, Mapping):
                raise NotExact(
                    "not_a_mapping", f"log() takes a dict of names and numbers, not {type(metrics).__name__}"
                )
            step = exact_number(step)
        except Exception as error:
            if raised_by_handler(error):
                raise
            why = error if isinstance(error, NotExact) else shown(error)
            self._refuse(getattr(error, "reason", "not_a_number"), f"log(step={shown(step)}): {why}")
            return
        good: dict[str, int | float] = {}
        try:
            for name, value in flattened("", metrics):
                self._take(name, value, good)
            if good and not self._append_whole(good, step, when_ns):
                for name, number in good.items():
                    self._append({name: number}, step, when_ns)
        except JournalClosed:
            self._refuse(
                "after_finish", f"run {self.name!r} is finished: log() is not recorded ({_HOW_TO_ADD})", len(good)
            )
        except JournalFull:
            self._journal.count_loss("disk_refuses", len(good))
        except InvalidInput as error:
            self._refuse("name_over_limit", error.message, len(good))
        except Exception as error:
            if raised_by_handler(error):
                raise
            self._refuse("internal_fault", f"log() failed: {shown(error)}", len(good) or 1)

    def _append_whole(self, good: dict[str, int | float], step: int | float, when_ns: int) -> bool:
        """False if it has to be recorded name by name: too many layouts, or a definition larger than a frame may be."""
        try:
            return self._append(good, step, when_ns)
        except OverLimit:
            if len(good) == 1:
                raise
            return False

    def _take(self, name: Any, value: Any, good: dict[str, int | float]) -> None:
        try:
            clean = check_name(name, field="metric name", max_bytes=NAME_MAX_BYTES)
            number = exact_number(value)
            if good.setdefault(clean, number) is not number:
                raise NotExact("same_name", "two values of one call come out under this name; the first is kept")
        except NotExact as error:
            self._refuse(error.reason, f"metric {shown(name)}: {error}")
        except InvalidInput as error:
            self._refuse("bad_name", error.message)
        except Exception as error:
            if raised_by_handler(error):
                raise
            self._refuse("bad_name", f"metric {shown(name)}: {shown(error)}")

    def log_metric(self, key: str, value: Any, step: int | float | None = None, timestamp: int | None = None) -> None:
        """One metric; see `log`."""
        self.log({key: value}, step, timestamp=timestamp)

    def define_metric(
        self, name: str, *, goal: Goal | None = None, step_metric: str | None = None, unit: str | None = None
    ) -> None:
        """Declares which direction is better (`goal` "min" or "max"), what to draw the metric over, and its unit."""
        if goal not in (None, "min", "max"):
            raise InvalidInput(f"goal {goal!r} is not one of 'min', 'max'", field="goal")
        name = check_name(name, field="metric name", max_bytes=NAME_MAX_BYTES)
        if step_metric is not None:
            step_metric = check_name(step_metric, field="step_metric", max_bytes=NAME_MAX_BYTES)
        if unit is not None:
            unit = check_name(unit, field="unit", max_bytes=NAME_MAX_BYTES)
        self._say(MetricDefined(name, goal, step_metric, unit))

    # -- params, tags, words --------------------------------------------------------------------

    def log_params(self, params: Any) -> None:
        """Records params from a dict, dataclass, pydantic model, argparse.Namespace, click.Context, OmegaConf config, or a YAML, JSON or
        TOML path. All but a dict are named as the source, and a file is kept.

        A param is written once: another value for a known name is recorded as a conflict and the first value stands."""
        self._say_params(*read_source(params))

    def _say_params(self, read: Params, source: Source | None = None) -> None:
        """`log_params` of what was read already."""
        if source is not None and self._sources is not None:
            self._sources.say(source, read)
        read = within_bound(read, self._params)
        for name, why in read.refused.items():
            self._refuse("param_refused", why, detail=name)
        for name, value in read.flat.items():
            known = self._params.setdefault(name, value)
            if type(known) is not type(value) or value_text(known) != value_text(value):
                self._guard.warn_once(
                    f"param {name}",
                    f"param {name!r:.60} was {known!r:.60} already; the new value {value!r:.60} is kept as a conflict",
                )
        attempt = self._journal.identity.attempt
        if read.flat:
            for part in split(read.flat):
                self._say(ParamsSet(attempt, part))
        if read.whole is not None:
            self._params_whole = {**self._params_whole, **read.whole}
            fits = not is_deeper(self._params_whole, DOCUMENT_MAX_DEPTH)
            if fits and len(to_json(self._params_whole)) <= DOCUMENT_MAX_BYTES:
                self._say(DocumentSet(PARAMS_DOCUMENT, self._params_whole))

    def log_param(self, key: str, value: Any) -> None:
        self.log_params({key: value})

    def set_tags(self, tags: Mapping[str, Any]) -> None:
        """Sets tags; values become text; None removes a tag."""
        checked = check_tags(tags, self._tag_names)
        for part in split(checked) if checked else ():
            self._say(TagsSet(part))

    def set_tag(self, key: str, value: Any) -> None:
        self.set_tags({key: value})

    def set_note(self, text: str) -> None:
        """Free Markdown text of the run; replaces the note before."""
        self._say(NoteSet(check_note(text)))

    def set_name(self, name: str) -> None:
        self._name = check_name(name, field="name", max_bytes=NAME_MAX_BYTES)
        self._say(NameSet(self._name))

    def set_json(self, name: str, content: Any) -> None:
        """Keeps a JSON document under the run; replaces the document of that name."""
        name = check_name(name, field="document name", max_bytes=NAME_MAX_BYTES)
        if name == PARAMS_DOCUMENT:
            raise InvalidInput(f"the document {name!r} is Lineal's own: the params as they were nested", field="name")
        if is_deeper(content, DOCUMENT_MAX_DEPTH):
            raise OverLimit(
                f"document {name!r:.60} is nested more than {DOCUMENT_MAX_DEPTH} levels deep", field="content"
            )
        try:
            size = len(to_json(content).encode())
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInput(f"document {name!r:.60} is not JSON: {error}", field="content") from None
        if size > DOCUMENT_MAX_BYTES:
            raise OverLimit(
                f"document {name!r:.60} has {size:,} bytes; the limit is {DOCUMENT_MAX_BYTES:,}", field="content"
            )
        self._say(DocumentSet(name, content))

    # -- the end --------------------------------------------------------------------------------

    def finish(
        self, status: EndStatus = "finished", *, error: str | None = None, timeout_s: float | None = None
    ) -> None:
        """Ends the run and returns when everything is on disk and, with a server, when that has it. A second call changes nothing.

        timeout_s  how long to wait for the server at most; without it LINEAL_FINISH_DRAIN_S, else 30. What it does not have by
                   then stays in the folder, and `lineal sync` sends it"""
        if status not in END_STATUSES:
            raise InvalidInput(f"status {status!r} is not one of {', '.join(END_STATUSES)}", field="status")
        if self._finished or next(self._finish_calls):
            return
        self._finished = True
        try:
            if self._captures is not None:
                self._captures.finish()
        finally:
            self._end(status, error, timeout_s)

    def _end(self, status: EndStatus, error: str | None, timeout_s: float | None) -> None:
        try:
            if self.primary:
                self._say(AttemptEnded(self._journal.identity.attempt, status, _masked(tail_of(error))))
            if not self._journal.close():
                self._guard.warn_once(
                    "finish",
                    f"run {self.name!r}: not everything could be written to {self.folder}; see `lineal doctor`",
                )
        except Exception as fault:
            self._guard.warn_once("finish", f"run {self.name!r} could not be closed: {fault!r:.200}")
        try:
            self._drain(timeout_s)
            if self._captures is not None:
                self._captures.finish_parent(status, timeout_s)
        finally:
            if self._on_finish is not None:
                self._on_finish(self)

    def _drain(self, timeout_s: float | None) -> None:
        if self._uploader is None:
            return
        from lineal.client import drain

        seconds = drain.finish_drain_s() if timeout_s is None else max(0.0, timeout_s)
        is_asked = timeout_s is not None or drain.is_finish_drain_said()
        drain.drain_run(self._uploader, self.run_id, self.name, seconds, is_asked=is_asked)

    @property
    def _has_server(self) -> bool:
        return self._uploader is not None

    def _drain_after_signal(self, timeout_s: float) -> None:
        """With a server: waits until that has what was said so far."""
        if self._uploader is not None and not self._finished:
            self._drain(timeout_s)

    def end_by_signal(self, status: EndStatus, timeout_s: float) -> None:
        """From a signal handler: the status is on disk within the timeout; the run stays usable if the process survives."""
        if self._finished or not self.primary:
            return
        self.signalled = status
        record = AttemptEnded(self._journal.identity.attempt, status)
        said = _thread.allocate_lock()
        said.acquire()

        def say() -> None:
            try:
                self._journal.append_urgently(record, timeout_s / 2)
            finally:
                said.release()

        # Not a Thread: the handler may have interrupted the start of another, whose lock it would wait for.
        _thread.start_new_thread(say, ())
        said.acquire(timeout=timeout_s)
        if self._captures is not None:
            self._captures.end_by_signal(status, timeout_s)

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        status, text = judge(error)
        if self.signalled is not None and status == "finished" and isinstance(error, SystemExit):
            status = self.signalled
        self.finish(status, error=text)

    def __reduce__(self) -> tuple[Any, ...]:
        """A spawned process gets a writer of its own on the same run."""
        identity = self._journal.identity
        server = None if self._uploader is None else (self._uploader.address.url, self._uploader.tenant)
        known = (self.folder, identity, self._experiment, self._name, self._journal.mode, self._finished, server)
        return (attach, known)

    # -- within ---------------------------------------------------------------------------------

    def _say(self, record: Record) -> None:
        """Records anything but points. Never raises."""
        try:
            self._journal.append(record)
        except JournalClosed:
            self._refuse(
                "after_finish",
                f"run {self.name!r} is finished: {type(record).__name__} is not recorded ({_HOW_TO_ADD})",
            )
        except JournalFull:
            self._journal.count_loss("disk_refuses", detail=type(record).__name__)
        except Exception as error:
            if raised_by_handler(error):
                raise
            self._refuse("internal_fault", f"{type(record).__name__} was not recorded: {shown(error)}")

    def _refuse(self, reason: str, message: str, count: int = 1, *, detail: str | None = None) -> None:
        self._journal.count_loss(reason, count, detail or message[:200])
        self._guard.warn_once(reason, f"{message} (further ones are counted, not repeated)")


def _masked(error: str | None) -> str | None:
    """A traceback shows what was called with what: an address with its password, say."""
    if error is None:
        return None
    from lineal.client.capture.secret_printed import mask_printed

    return mask_printed(error)


def judge(error: BaseException | None) -> tuple[EndStatus, str | None]:
    """The status that an exception leaving the run means, and the traceback to keep."""
    if error is None:
        return "finished", None
    if isinstance(error, KeyboardInterrupt):
        return "killed", None
    if isinstance(error, SystemExit):
        return ("finished", None) if error.code in (None, 0) else ("failed", f"SystemExit: {error.code}")
    import traceback

    return "failed", "".join(traceback.format_exception(error))
