"""`init`, and the current run of this process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from lineal.client import host, reproducing, stops
from lineal.client.content_id import ContentId
from lineal.client.exits import EXITS
from lineal.client.given import check_note, check_tags
from lineal.client.guard import Guard
from lineal.client.run import Run
from lineal.client.settings import ATTEMPT_VARIABLE, NAME_VARIABLE, Settings, resolve
from lineal.client.sources import Sources, read_source
from lineal.journal.journal import Identity, Journal
from lineal.model.errors import Conflict, InvalidInput, NotFound
from lineal.model.frozen import replace
from lineal.model.ids import check_run_id, is_run_id, new_run_id, new_writer_id
from lineal.model.limits import DESCRIPTION_MAX_CHARS, EXPERIMENT_NAME_MAX_CHARS, NAME_MAX_BYTES
from lineal.model.values import INT64_MAX, INT64_MIN, check_name, clean_text
from lineal.model.vocabulary import STOP_TAG, Status
from lineal.record.records import AttemptStarted, TagsSet

if TYPE_CHECKING:
    from lineal.client.capture.pipelines import Pipeline
    from lineal.client.uploader import Uploader

Resume: TypeAlias = Literal["allow", "must", "never"]


class Known(NamedTuple):
    """What is known of a run id before `init` uses it. `live_attempt`: the attempt that a living primary writer has open."""

    status: Status
    deleted: bool
    experiment: str
    name: str
    live_attempt: str | None
    latest_attempt: str | None
    latest_started_ms: int
    next_step: int
    content_digest: str | None
    stop_asked: bool = False


Lookup: TypeAlias = Callable[[Settings, str], Known | None]
"""(settings, run id) -> what is known, with everything logged so far taken in."""

_current: Run | None = None


def current_run() -> Run | None:
    """The run that `lineal.log` and friends act on: the one begun last and not finished."""
    return _current


def open_run(run_id: str) -> Run | None:
    """This process's own run of that id, if it is not finished."""
    return EXITS.find(run_id)


def init(
    lookup: Lookup,
    *,
    experiment: str | None = None,
    name: str | None = None,
    params: Any = None,
    tags: Mapping[str, Any] | None = None,
    note: str | None = None,
    description: str | None = None,
    run_id: str | None = None,
    resume: Resume | None = None,
    parent_run_id: str | None = None,
    fork_from: str | None = None,
    rank: int | None = None,
    user_id: str | None = None,
    url: str | os.PathLike[str] | None = None,
    tenant: str | None = None,
    capture: str | None = None,
) -> Run:
    """See `lineal.init`, which supplies `lookup`."""
    if reproducing.original() is not None:
        url, tenant, parent_run_id = None, None, reproducing.parent_for(parent_run_id)
        run_id, resume = reproducing.run_id_for(run_id), None if resume == "must" else resume
    settings = resolve(url, tenant, capture)
    settings.folder.check()
    run_id = run_id or settings.run_id
    if rank is None and run_id is not None:
        rank = host.rank_from_environment()
    pipeline = None
    if parent_run_id is None:
        parent_run_id, pipeline = _parent_of(settings, run_id)
    _check_identity(run_id, resume, rank, parent_run_id)
    forked_from, fork_step = _parse_fork(fork_from)
    # All that may be refused is read before the run begins, so that a refusal leaves nothing half done.
    start = AttemptStarted(
        attempt=new_writer_id(),
        experiment=check_experiment(experiment or settings.experiment),
        name=None if name is None else check_name(name, field="name", max_bytes=NAME_MAX_BYTES),
        description=check_description(description),
        user_id=host.user_id() if user_id is None else _check_text(user_id, "user_id"),
        host=host.host_name(),
        pid=os.getpid(),
        parent_run_id=parent_run_id,
        forked_from=forked_from,
        fork_step=fork_step,
        content_digest=run_id.digest if isinstance(run_id, ContentId) else None,
    )
    read = None if params is None else read_source(params)
    said_tags = reproducing.tags() | (check_tags(tags) if tags else {})
    said_note = None if note is None else check_note(note)
    _finish_previous_in_notebook()
    known = None
    if run_id is not None:
        known = None if url or tenant else _tracked(settings, str(run_id))
        known = known or _look_up(lookup, settings, str(run_id), resume)
    if known is not None:
        _check_known(known, run_id, resume)
        # A late rank still has its say, unless the id says that the experiment is done.
        if known.status == "finished" and resume is None and (not rank or isinstance(run_id, ContentId)):
            return _finished_run(settings, str(run_id), known)
    run = _begin(settings, start, None if run_id is None else str(run_id), rank or 0, known)
    is_tracked = known is not None and ATTEMPT_VARIABLE in os.environ and not run.primary
    if is_tracked:
        _join_tracked(run, experiment, name)
    run._sources = Sources(run) if "sources" in settings.capture else None
    if read is not None:
        run._say_params(*read)
    if said_tags:
        run.set_tags(said_tags)
    if said_note is not None:
        run.set_note(said_note)
    if settings.capture and not is_tracked:  # what began the command looks at all that it starts
        from lineal.client.capture.start import Captures

        # The run has it before it begins: a Ctrl-C in the midst of that ends what has begun.
        run._captures = captures = Captures(run, settings.capture)
        captures.begin(dict(os.environ), pipeline)
    return run


def _parent_of(settings: Settings, run_id: str | None) -> tuple[str | None, Pipeline | None]:
    """What the environment says that the run is a part of: a run, or a pipeline, for which a run stands."""
    if settings.parent_run_id is not None:
        return (None if settings.parent_run_id == run_id else settings.parent_run_id), None
    if not settings.capture:
        return None, None
    from lineal.client.capture.pipelines import find_pipeline

    pipeline = find_pipeline(os.environ)
    return (None, None) if pipeline is None else (pipeline.parent_run_id, pipeline)


def _tracked(settings: Settings, run_id: str) -> Known | None:
    """What `lineal track` says of the run in whose command this process is: that it lives. Nobody need be asked, so that a
    server which is away is no reason to take the run over."""
    attempt = os.environ.get(ATTEMPT_VARIABLE)
    if not attempt or run_id != settings.run_id or not is_run_id(attempt):
        return None
    name = os.environ.get(NAME_VARIABLE) or ""
    return Known("running", False, settings.experiment, name, attempt, attempt, 0, 0, None)


def _join_tracked(run: Run, experiment: str | None, name: str | None) -> None:
    """A name is taken unless the command line gave one; the experiment is what it was begun in."""
    if name is not None and not os.environ.get(NAME_VARIABLE):
        run.set_name(name)
    if experiment is not None and experiment != run.experiment:
        run._guard.warn_once(
            "tracked",
            f"this process belongs to run {run.run_id[:8]} of experiment {run.experiment!r}, which `lineal track` began: "
            f"lineal track --experiment {experiment!r} begins it there",
        )


def _look_up(lookup: Lookup, settings: Settings, run_id: str, resume: Resume | None) -> Known | None:
    """What is known of the run. A store that cannot be read must not keep training from starting: unless the caller insists
    on what is in it, the run is recorded as far as this process knows it."""
    try:
        known = lookup(settings, run_id)
    except Exception as error:
        if resume in ("must", "never"):
            raise
        Guard().warn_once(
            "lookup", f"whether run {run_id!r} exists cannot be read ({error}); it is recorded all the same"
        )
        return None
    if known is None and resume == "must":
        raise NotFound(f"run {run_id!r} does not exist, and resume='must' was asked", field="run_id")
    return known


def _begin(settings: Settings, start: AttemptStarted, run_id: str | None, rank: int, known: Known | None) -> Run:
    """A primary writer opens an attempt; a rank above 0, or a process beside a living primary, joins the one there is."""
    global _current
    live = known.live_attempt if known is not None else None
    joins = rank > 0 or live is not None
    joined = live or (known.latest_attempt if known is not None else None) or ""
    if known is not None and known.latest_attempt is None:
        known = None  # only mentioned so far, by a rank that was up before this one
    identity = Identity(
        settings.tenant,
        run_id or new_run_id(),
        joined if joins else start.attempt,
        primary=not joins,
        host=host.host_name(),
        boot=host.boot_id(),
        labels={"rank": str(rank)} if rank else {},
    )
    # An attempt that resumes comes after the one before it, whatever the clock says.
    not_before_ns = (known.latest_started_ms + 1) * 1_000_000 if known is not None else 0
    uploader = _uploader(settings)
    journal = Journal(
        settings.folder,
        identity,
        mode=settings.writer_mode,
        on_open=None if uploader is None else uploader.add,
        not_before_ns=not_before_ns,
    )
    run = Run(
        journal,
        experiment=known.experiment if known else start.experiment,
        name=start.name or (known.name if known else None),
        primary=identity.primary,
        resumed=known is not None,
        next_step=known.next_step if known else 0,
        on_finish=_forget,
        uploader=uploader,
    )
    journal.on_fault = lambda error: run._guard.warn_once(
        "disk", f"{settings.folder.root} refuses writes ({error}); logging goes on in memory, then counts what it drops"
    )
    EXITS.add(run)
    _current = run
    if not joins:
        run._say(replace(start, experiment=run.experiment, resumed=known is not None))
        if known is not None and known.stop_asked:  # of the attempt before, not of this one
            stops.silence(settings.folder, identity.tenant, run.run_id)
            run._say(TagsSet({STOP_TAG: None}))
    return run


def _uploader(settings: Settings) -> Uploader | None:
    """What sends this run's journal; None for a folder. Everything that it needs is imported here, in the caller's thread."""
    if settings.server is None:
        return None
    from lineal.client import outbox
    from lineal.client.connecting import check_ca
    from lineal.client.drain import check_drains
    from lineal.client.uploader import uploader_for

    check_drains()
    check_ca()
    outbox.prepare(settings.folder, settings.server)
    return uploader_for(settings)


def _forget(run: Run) -> None:
    global _current
    EXITS.remove(run)
    if _current is run:
        _current = EXITS.latest()


def _finished_run(settings: Settings, run_id: str, known: Known) -> Run:
    """The same experiment is not recorded twice: a handle whose `finished` tells, and whose `log` refuses with a warning."""
    identity = Identity(settings.tenant, run_id, known.latest_attempt or "", primary=False)
    journal = Journal(settings.folder, identity, mode=settings.writer_mode)
    journal.close()
    return Run(journal, experiment=known.experiment, name=known.name, primary=False, resumed=True, finished=True)


def _check_identity(run_id: str | None, resume: Resume | None, rank: object, parent_run_id: str | None) -> None:
    if resume not in (None, "allow", "must", "never"):
        raise InvalidInput(f"resume {resume!r} is not one of 'allow', 'must', 'never'", field="resume")
    if run_id is not None:
        check_run_id(run_id)
    elif resume == "must":
        raise InvalidInput("resume='must' needs the run_id to resume", field="run_id")
    _check_rank(rank)
    if rank and run_id is None:
        raise InvalidInput("a rank above 0 needs the run_id (or LINEAL_RUN_ID) that all ranks share", field="rank")
    if parent_run_id is not None:
        check_run_id(parent_run_id, field="parent_run_id")
        if parent_run_id == run_id:
            raise InvalidInput("a run cannot be its own parent", field="parent_run_id")


def check_description(description: str | None) -> str | None:
    if description is None:
        return None
    text = _check_text(description, "description")
    if len(text) > DESCRIPTION_MAX_CHARS:
        raise InvalidInput(
            f"description is longer than {DESCRIPTION_MAX_CHARS} characters: use note=", field="description"
        )
    return text


def _check_known(known: Known, run_id: str | None, resume: Resume | None) -> None:
    if resume == "never":
        raise Conflict(f"run {run_id!r} exists already, and resume='never' was asked", field="run_id")
    if known.deleted:
        raise Conflict(f"run {run_id!r} was deleted: restore it first, or use another id", field="run_id")
    if isinstance(run_id, ContentId) and known.content_digest not in (None, run_id.digest):
        raise Conflict(
            f"run {run_id!r} has other content: the first 12 characters of two digests are equal", field="run_id"
        )


def check_experiment(name: str) -> str:
    name = check_name(name, field="experiment", max_bytes=4 * EXPERIMENT_NAME_MAX_CHARS)
    if len(name) > EXPERIMENT_NAME_MAX_CHARS:
        raise InvalidInput(
            f"experiment {name!r:.60}... is longer than {EXPERIMENT_NAME_MAX_CHARS} characters", field="experiment"
        )
    return name


def _parse_fork(fork_from: str | None) -> tuple[str | None, int | None]:
    """ "RUN@STEP" or "RUN"."""
    if fork_from is None:
        return None, None
    run_id, separator, step = _check_text(fork_from, "fork_from").partition("@")
    check_run_id(run_id, field="fork_from")
    if not separator:
        return run_id, None
    if not step.removeprefix("-").isdecimal() or not INT64_MIN <= int(step[:40]) <= INT64_MAX:
        raise InvalidInput(f"fork_from {fork_from!r:.80} is not RUN@STEP with a whole step", field="fork_from")
    return run_id, int(step)


def _check_rank(rank: object) -> None:
    if rank is not None and not (isinstance(rank, int) and rank >= 0):
        raise InvalidInput(f"rank {rank!r:.80} is not 0, 1, 2 ...", field="rank")


def _check_text(text: object, field: str) -> str:
    if not isinstance(text, str):
        raise InvalidInput(f"{field} {text!r:.80} is not a string but {type(text).__name__}", field=field)
    return clean_text(text)


def _finish_previous_in_notebook() -> None:
    """Running a cell again means a new run, not a second one beside the first."""
    if _current is not None and "IPython" in sys.modules and _in_notebook():
        _current.finish()


def _in_notebook() -> bool:
    shell = sys.modules["IPython"].get_ipython()
    return shell is not None and type(shell).__name__ != "TerminalInteractiveShell"
