"""`init`, and the current run of this process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from lineal.client import host
from lineal.client.content_id import ContentId
from lineal.client.exits import EXITS
from lineal.client.run import Run
from lineal.client.settings import Settings, resolve
from lineal.journal.journal import Identity, Journal
from lineal.journal.layout import Folder
from lineal.model.errors import Conflict, InvalidInput, NotFound
from lineal.model.ids import check_run_id, new_run_id, new_writer_id
from lineal.model.limits import DESCRIPTION_MAX_CHARS, EXPERIMENT_NAME_MAX_CHARS, NAME_MAX_BYTES
from lineal.model.values import check_name
from lineal.model.vocabulary import Status
from lineal.record.records import AttemptStarted

Resume: TypeAlias = Literal["allow", "must", "never"]


class Known(NamedTuple):
    """What is known of a run id before `init` uses it. `live_attempt`: the attempt that a living primary writer has open."""

    status: Status
    deleted: bool
    experiment: str
    name: str
    live_attempt: str | None
    latest_attempt: str | None
    next_step: int
    content_digest: str | None


Lookup: TypeAlias = Callable[[Folder, str, str], Known | None]
"""(folder, tenant, run id) -> what is known, with everything logged so far taken in."""

_current: Run | None = None


def current_run() -> Run | None:
    """The run that `lineal.log` and friends act on: the one begun last and not finished."""
    return _current


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
) -> Run:
    """See `lineal.init`, which supplies `lookup`."""
    if resume not in (None, "allow", "must", "never"):
        raise InvalidInput(f"resume {resume!r} is not one of 'allow', 'must', 'never'", field="resume")
    settings = resolve(url, tenant)
    settings.folder.check()
    run_id = run_id or settings.run_id
    if run_id is not None:
        check_run_id(run_id)
    elif resume == "must":
        raise InvalidInput("resume='must' needs the run_id to resume", field="run_id")
    experiment = _check_experiment(experiment or settings.experiment)
    if name is not None:
        name = check_name(name, field="name", max_bytes=NAME_MAX_BYTES)
    if description is not None and len(description) > DESCRIPTION_MAX_CHARS:
        raise InvalidInput(
            f"description is longer than {DESCRIPTION_MAX_CHARS} characters: use note=", field="description"
        )
    if parent_run_id is not None:
        check_run_id(parent_run_id, field="parent_run_id")
    if run_id is not None and rank is None:
        rank = host.rank_from_environment()
    forked_from, fork_step = _parse_fork(fork_from)
    _finish_previous_in_notebook()
    known = lookup(settings.folder, settings.tenant, str(run_id)) if run_id is not None else None
    if known is not None:
        _check_known(known, run_id, resume)
        if known.status == "finished" and resume is None and not rank:
            return _finished_run(settings, str(run_id), known)
    elif resume == "must":
        raise NotFound(f"run {run_id!r} does not exist, and resume='must' was asked", field="run_id")

    joins = bool(rank) or (known is not None and known.live_attempt is not None)
    attempt = (
        (known.live_attempt or known.latest_attempt or "") if joins and known else ("" if joins else new_writer_id())
    )
    identity = Identity(
        settings.tenant,
        str(run_id) if run_id is not None else new_run_id(),
        attempt,
        primary=not joins,
        host=host.host_name(),
        boot=host.boot_id(),
        labels={"rank": str(rank)} if rank else {},
    )
    run = _start(settings, identity, experiment, name, known)
    if not joins:
        run._say(
            AttemptStarted(
                attempt,
                known.experiment if known else experiment,
                name,
                description,
                user_id or host.user_id(),
                identity.host,
                os.getpid(),
                parent_run_id,
                forked_from,
                fork_step,
                run_id.digest if isinstance(run_id, ContentId) else None,
                known is not None,
            )
        )
    if params is not None:
        run.log_params(params)
    if tags:
        run.set_tags(tags)
    if note is not None:
        run.set_note(note)
    return run


def _start(settings: Settings, identity: Identity, experiment: str, name: str | None, known: Known | None) -> Run:
    global _current
    journal = Journal(settings.folder, identity, mode=settings.writer_mode)
    run = Run(
        journal,
        experiment=known.experiment if known else experiment,
        name=name or (known.name if known else None),
        primary=identity.primary,
        resumed=known is not None,
        next_step=known.next_step if known else 0,
        on_finish=_forget,
    )
    journal.on_fault = lambda error: run._guard.warn_once(
        "disk", f"{settings.folder.root} refuses writes ({error}); logging goes on in memory, then counts what it drops"
    )
    EXITS.add(run)
    _current = run
    return run


def _forget(run: Run) -> None:
    global _current
    EXITS.remove(run)
    if _current is run:
        _current = None


def _finished_run(settings: Settings, run_id: str, known: Known) -> Run:
    """The same experiment is not recorded twice: a handle whose `finished` tells, and whose `log` refuses with a warning."""
    identity = Identity(settings.tenant, run_id, known.latest_attempt or "", primary=False)
    journal = Journal(settings.folder, identity, mode=settings.writer_mode)
    journal.close()
    return Run(journal, experiment=known.experiment, name=known.name, primary=False, resumed=True, finished=True)


def _check_known(known: Known, run_id: str | None, resume: Resume | None) -> None:
    if resume == "never":
        raise Conflict(f"run {run_id!r} exists already, and resume='never' was asked", field="run_id")
    if known.deleted:
        raise Conflict(f"run {run_id!r} was deleted: restore it first, or use another id", field="run_id")
    if isinstance(run_id, ContentId) and known.content_digest not in (None, run_id.digest):
        raise Conflict(
            f"run {run_id!r} has other content: the first 12 characters of two digests are equal", field="run_id"
        )


def _check_experiment(name: str) -> str:
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
    run_id, separator, step = fork_from.partition("@")
    check_run_id(run_id, field="fork_from")
    if separator and not step.lstrip("-").isdigit():
        raise InvalidInput(f"fork_from {fork_from!r:.80} is not RUN@STEP with a whole step", field="fork_from")
    return run_id, int(step) if separator else None


def _finish_previous_in_notebook() -> None:
    """Running a cell again means a new run, not a second one beside the first."""
    if _current is not None and "IPython" in sys.modules and _in_notebook():
        _current.finish()


def _in_notebook() -> bool:
    shell = sys.modules["IPython"].get_ipython()
    return shell is not None and type(shell).__name__ != "TerminalInteractiveShell"
