"""What users and integrations may touch. `import lineal` hands out these names when they are first asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lineal.client import host, session, stops
from lineal.client.content_id import ContentId, content_id
from lineal.client.given import check_note, check_tags
from lineal.client.run import Run
from lineal.client.session import Known, Resume, current_run
from lineal.client.settings import Settings, resolve
from lineal.journal.journal import Identity, Journal
from lineal.model.errors import Conflict, InvalidInput, Locked, NotFound
from lineal.model.limits import NAME_MAX_BYTES
from lineal.model.values import check_name, texts_of
from lineal.model.vocabulary import END_STATUSES, STOP_TAG, EndStatus, Goal, Lifecycle, is_system
from lineal.record.records import (
    AttemptEnded,
    ExperimentRenamed,
    ExperimentSet,
    NameSet,
    NoteSet,
    Record,
    RunLifecycleSet,
    RunLockSet,
    RunTagsSet,
    TagsSet,
)

if TYPE_CHECKING:
    from lineal.client.model_log import LoggedVersion
    from lineal.local import LocalStore as LocalStore
    from lineal.local import LoggedRun as LoggedRun
    from lineal.local import Runs as Runs
    from lineal.model.lineage import Dataset
    from lineal.model.lineage_graph import LineageGraph
    from lineal.store.comparable import Comparable as Comparable
    from lineal.store.full_difference import FullDifference as FullDifference
    from lineal.store.grouped import Groups as Groups


def init(
    experiment: str | None = None,
    name: str | None = None,
    *,
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
    """Starts (or resumes) a run and makes it the current one. Use it as a context manager, or call `finish`.

    experiment     named set of runs; "Default" (or LINEAL_EXPERIMENT) without one
    name           display name; without one, the first characters of the run id
    params         dict, dataclass, pydantic model, argparse.Namespace, click.Context, OmegaConf, or the path of a YAML, JSON or TOML file
    run_id         your own id (letters, digits, "_", "-"), or `lineal.content_id(...)`; random without one
    resume         what to do with a run_id that exists: None returns a finished run as it is and resumes any other; "allow" resumes
                   or creates; "must" requires it; "never" forbids it
    parent_run_id  the run that this one is a part of
    fork_from      "RUN@STEP": continue another run's curves from that step in a new run
    rank           number of this process among those that share the run_id (found out under torchrun); ranks above 0
                   log their series with the label rank and leave the run's status to rank 0
    url            folder to record in; without one LINEAL_URL, else `.lineal` found upward, else beside `.git`, else here
    tenant         isolation unit within the folder; "default" without one
    capture        what the run records of its circumstances: "all" (without one), "none", or some of execution, code, environment,
                   hardware, console, resources, sources, with commas; "no-console" leaves one out. Nothing that LINEAL_CAPTURE leaves out

    Raises InvalidInput, NotFound or Conflict for arguments that cannot be used, NewerFormat for a folder of a newer
    Lineal. A disk that refuses is warned about and never raised: training goes on."""
    return session.init(
        _find_known,
        experiment=experiment,
        name=name,
        params=params,
        tags=tags,
        note=note,
        description=description,
        run_id=run_id,
        resume=resume,
        parent_run_id=parent_run_id,
        fork_from=fork_from,
        rank=rank,
        user_id=user_id,
        url=url,
        tenant=tenant,
        capture=capture,
    )


def _current() -> Run:
    return current_run() or init()


def log(metrics: Mapping[str, Any], step: int | float | None = None, *, timestamp: int | None = None) -> None:
    """`Run.log` on the current run; starts one if there is none."""
    _current().log(metrics, step, timestamp=timestamp)


def log_params(params: Any) -> None:
    """`Run.log_params` on the current run; starts one if there is none."""
    _current().log_params(params)


def define_metric(
    name: str, *, goal: Goal | None = None, step_metric: str | None = None, unit: str | None = None
) -> None:
    """`Run.define_metric` on the current run; starts one if there is none."""
    _current().define_metric(name, goal=goal, step_metric=step_metric, unit=unit)


def set_tags(tags: Mapping[str, Any]) -> None:
    """`Run.set_tags` on the current run; starts one if there is none."""
    _current().set_tags(tags)


def set_note(text: str) -> None:
    """`Run.set_note` on the current run; starts one if there is none."""
    _current().set_note(text)


def set_json(name: str, content: Any) -> None:
    """`Run.set_json` on the current run; starts one if there is none."""
    _current().set_json(name, content)


def log_artifact(local_path: str | os.PathLike[str], path: str | None = None) -> None:
    """`Run.log_artifact` on the current run; starts one if there is none."""
    _current().log_artifact(local_path, path)


def log_dataset(name: str, data: Any = None, **options: Any) -> Dataset | None:
    """`Run.log_dataset` on the current run; starts one if there is none."""
    return _current().log_dataset(name, data, **options)


def log_model(name: str, model: Any, **options: Any) -> LoggedVersion:
    """`Run.log_model` on the current run; starts one if there is none."""
    return _current().log_model(name, model, **options)


def finish(status: EndStatus = "finished") -> None:
    """Finishes the current run, if there is one."""
    run = current_run()
    if run is not None:
        run.finish(status)


# -- reading ------------------------------------------------------------------------------------

_open_stores: dict[tuple[int, str, str], LocalStore] = {}


def open_store(url: str | os.PathLike[str] | None = None, *, tenant: str | None = None) -> LocalStore:
    """The runs of a folder or a server, for reading; a context manager. Keep it open to ask many questions."""
    settings = resolve(url, tenant)
    return _open(settings)


def _open(settings: Settings) -> LocalStore:
    if settings.server is not None:
        from lineal.remote.store import RemoteStore

        named = settings.tenant if settings.names_tenant else None
        return RemoteStore(settings.server, settings.folder, named, host=host.host_name(), boot=host.boot_id())
    from lineal.local import LocalStore

    return LocalStore(settings.folder.root, settings.tenant, host=host.host_name(), boot=host.boot_id())


def get_run(run_id: str, *, url: str | os.PathLike[str] | None = None, tenant: str | None = None) -> LoggedRun:
    """A run by its id or any unique beginning of it. Raises NotFound, or InvalidInput if several begin so."""
    return shared_store(url, tenant).get_run(run_id)


def runs(
    filter: str = "",
    *,
    order_by: str | Sequence[str] | None = None,
    limit: int = 100,
    offset: int = 0,
    experiment: str | None = None,
    page_token: str | None = None,
    deleted: bool = False,
    url: str | os.PathLike[str] | None = None,
    tenant: str | None = None,
) -> Runs:
    """Runs that match a filter such as "params.lr = 0.1 and (metrics.val/acc > 0.9 or tags.keep is not null)", newest first or
    as `order_by` says ("metrics.val/acc desc, name"). The language is in docs/reference/filter-language.md.

    page_token  the `next_page_token` of the page before
    deleted     those that were put away, instead of the others

    Raises InvalidInput, with the place for a wrong filter or order."""
    return shared_store(url, tenant).runs(
        filter,
        order_by=order_by,
        limit=limit,
        offset=offset,
        experiments=None if experiment is None else [experiment],
        page_token=page_token,
        deleted=deleted,
    )


def group_runs(
    by: str | Sequence[str],
    *,
    metrics: str | Sequence[str] = (),
    order_by: str | Sequence[str] = (),
    filter: str = "",
    experiment: str | None = None,
    deleted: bool = False,
    limit: int = 1_000,
    url: str | os.PathLike[str] | None = None,
    tenant: str | None = None,
) -> Groups:
    """Runs that match, grouped by the values of fields such as "params.lr", with count, mean, standard deviation, min and max of
    fields such as "metrics.val/acc" or "min(metrics.loss)". Largest group first, or as `order_by` says: by the values of a field
    of `by`, by the mean of any other ("metrics.val/acc desc"); what has none comes last.

    Raises InvalidInput, with the place for a wrong filter or field."""
    return shared_store(url, tenant).group_runs(
        by,
        metrics=metrics,
        order_by=order_by,
        filter=filter,
        experiments=None if experiment is None else [experiment],
        deleted=deleted,
        limit=limit,
    )


def diff(
    *run_ids: str,
    metrics: str | Sequence[str] | None = None,
    url: str | os.PathLike[str] | None = None,
    tenant: str | None = None,
) -> FullDifference:
    """In what two to ten runs differ: params, metrics, code, packages, data, hardware, environment, and the first step at which their
    curves part. The patch between two commits is known where the working directory is in a repository that has both.

    metrics  whose curves are looked at; None: all but the machine's

    Raises NotFound, InvalidInput."""
    from lineal.client.repository import LocalRepository

    with LocalRepository() as repository:
        return shared_store(url, tenant).diff(run_ids, metrics=metrics, repository=repository)


def comparable(*run_ids: str, url: str | os.PathLike[str] | None = None, tenant: str | None = None) -> Comparable:
    """Whether it is fair to compare the runs: `is_fair`, the `reasons` why not (other data, other code, another meaning of a metric),
    and what is `unknown`. Raises NotFound, or InvalidInput if several runs begin so."""
    return shared_store(url, tenant).comparable(run_ids)


def shared_store(url: str | os.PathLike[str] | None, tenant: str | None) -> LocalStore:
    """One open store a folder, tenant and process (a forked child must not use its parent's connection)."""
    return _shared(resolve(url, tenant))


def _shared(settings: Settings) -> LocalStore:
    key = (os.getpid(), settings.folder.root, settings.tenant if settings.names_tenant else "")
    store = _open_stores.get(key)
    if store is None:
        store = _open_stores[key] = _open(settings)
    return store


def _find_known(settings: Settings, run_id: str) -> Known | None:
    """What `init` must know of an id that it was given."""
    if settings.server is None and not settings.folder.check():
        return None
    store = _shared(settings)
    store.refresh()
    try:
        details = store.reader().get_details(run_id)
    except NotFound:
        return None
    series = store.reader().list_series(run_id)
    steps = [info.summary.last_step for info in series if not is_system(info.key.name)]
    whole = [int(step) for step in steps if step == step and abs(step) < 2**62]
    latest = max(details.attempts, key=lambda attempt: (attempt.started_ms, attempt.attempt_id), default=None)
    run = details.run
    return Known(
        run.status,
        run.lifecycle == "deleted",
        run.experiment_name,
        run.name,
        store.live_attempt(run_id),
        latest.attempt_id if latest else None,
        latest.started_ms if latest else 0,
        max(whole) + 1 if whole else 0,
        run.content_digest,
        STOP_TAG in details.tags,
    )


def lineage(
    thing: str,
    *,
    kind: str | None = None,
    up: bool = True,
    down: bool = True,
    depth: int | None = None,
    limit: int | None = None,
    url: str | os.PathLike[str] | None = None,
    tenant: str | None = None,
) -> dict[str, Any]:
    """What led to a thing, and what it led to, as GET /api/v1/lineage answers: `subject`, `nodes`, `edges` ("from" what was there before
    "to" what came of it), `is_complete`.

    thing  a run's id or the beginning of one; a dataset's name, NAME@DIGEST, NAME@VERSION or digest; "RUN:path"; "MODEL@alias", "MODEL/3",
           "MODEL/production" or a version's id
    kind   "run", "dataset", "artifact", "logged_model" or "model_version", where it could be several
    depth  links away from it, 10 without one; `limit`: nodes, 300 without one

    Raises NotFound; InvalidInput for what names several things."""
    from lineal.store.lineage_view import lineage_dict

    return lineage_dict(find_lineage(thing, kind, up, down, depth, limit, url, tenant))


def find_lineage(
    thing: str,
    kind: str | None,
    up: bool,
    down: bool,
    depth: int | None,
    limit: int | None,
    url: str | os.PathLike[str] | None,
    tenant: str | None,
) -> LineageGraph:
    """The same, typed."""
    from dataclasses import replace

    from lineal.model.lineage_graph import LineageQuery

    query = LineageQuery(thing, kind, up, down)  # type: ignore[arg-type]
    if depth is not None:
        query = replace(query, depth=depth)
    if limit is not None:
        query = replace(query, limit=limit)
    store = shared_store(url, tenant)
    store.refresh()
    return store.reader().find_lineage(query)


# -- changes from outside of a run --------------------------------------------------------------


def set_experiment(
    name: str,
    *,
    description: str | None = None,
    artifact_location: str | None = None,
    tags: Mapping[str, str | None] | None = None,
    url: str | os.PathLike[str] | None = None,
    tenant: str | None = None,
) -> str:
    """Makes the experiment if it is new, sets what is given, and returns its id."""
    name = session.check_experiment(name)
    description = session.check_description(description)
    record = ExperimentSet(name, description, artifact_location, check_tags(tags) if tags else None)
    say_outside(None, record, url, tenant)
    return shared_store(url, tenant).get_experiment(name).experiment_id


def rename_experiment(
    name: str, new_name: str, *, url: str | os.PathLike[str] | None = None, tenant: str | None = None
) -> None:
    """Calls an experiment otherwise. Its former names go on meaning it. NotFound; Conflict for a name that another one has, or
    had."""
    new_name = session.check_experiment(new_name)
    store = shared_store(url, tenant)
    known = store.get_experiment(name)
    other = store.reader().find_experiment(new_name)
    if other is not None and other.experiment_id != known.experiment_id:
        had = "a former name of" if other.name != new_name else "the name of"
        raise Conflict(f"{new_name!r} is {had} experiment {other.name!r}", field="name")
    if known.name != new_name:
        say_outside(None, ExperimentRenamed(known.first_name, new_name), url, tenant)


def tag_run(
    run_id: str, tags: Mapping[str, Any], *, url: str | os.PathLike[str] | None = None, tenant: str | None = None
) -> None:
    """Sets tags of any run, running or not; None removes one."""
    tag_runs([get_run(run_id, url=url, tenant=tenant).run_id], tags, url=url, tenant=tenant)


def tag_runs(
    run_ids: str | Sequence[str],
    tags: Mapping[str, Any],
    *,
    url: str | os.PathLike[str] | None = None,
    tenant: str | None = None,
) -> None:
    """`tag_run` of many, in one segment. Full ids of runs that exist: nobody looks them up."""
    checked = check_tags(tags)
    ids = texts_of(run_ids, "run_ids")
    _check_unlocked(ids, url, tenant)
    if checked and ids:
        say_outside(None, [RunTagsSet(run_id, checked) for run_id in ids], url, tenant)


def set_run_note(
    run_id: str, text: str, *, url: str | os.PathLike[str] | None = None, tenant: str | None = None
) -> None:
    """The note of any run, by its full id, running or not."""
    _check_unlocked([run_id], url, tenant)
    say_outside(run_id, NoteSet(check_note(text)), url, tenant)


def rename_run(run_id: str, name: str, *, url: str | os.PathLike[str] | None = None, tenant: str | None = None) -> None:
    """Another display name for any run, by its full id."""
    _check_unlocked([run_id], url, tenant)
    say_outside(run_id, NameSet(check_name(name, field="name", max_bytes=NAME_MAX_BYTES)), url, tenant)


def delete_run(run_id: str, *, url: str | os.PathLike[str] | None = None, tenant: str | None = None) -> None:
    """Puts a run away: lists leave it out, `restore_run` brings it back."""
    set_lifecycle([get_run(run_id, url=url, tenant=tenant).run_id], "deleted", url=url, tenant=tenant)


def restore_run(run_id: str, *, url: str | os.PathLike[str] | None = None, tenant: str | None = None) -> None:
    """The opposite of `delete_run`."""
    set_lifecycle([get_run(run_id, url=url, tenant=tenant).run_id], "active", url=url, tenant=tenant)


def set_lifecycle(
    run_ids: str | Sequence[str],
    lifecycle: Lifecycle,
    *,
    url: str | os.PathLike[str] | None = None,
    tenant: str | None = None,
) -> None:
    """Deletes or restores many runs in one journal. Full ids of runs that exist: nobody looks them up."""
    ids = texts_of(run_ids, "run_ids")
    _check_unlocked(ids, url, tenant)
    say_outside(None, [RunLifecycleSet(run_id, lifecycle) for run_id in ids], url, tenant)


def set_lock(
    run_ids: str | Sequence[str],
    locked: bool,
    *,
    url: str | os.PathLike[str] | None = None,
    tenant: str | None = None,
) -> None:
    """Locks or unlocks runs, by their full ids: a locked run refuses changes. Conflict if one still runs."""
    found = {run.run_id: run for run in shared_store(url, tenant).get_runs(run_ids)}
    running = [run_id for run_id, run in found.items() if run.status == "running"]
    if locked and running:
        raise Conflict(f"run {running[0]!r} is still running: end it first", field="run_ids")
    said = [RunLockSet(run_id, locked) for run_id, run in found.items() if run.locked != locked]
    if said:
        say_outside(None, said, url, tenant)


def _check_unlocked(run_ids: Sequence[str], url: str | os.PathLike[str] | None, tenant: str | None) -> None:
    """Locked, if one of them is. What is said of a locked run would only be counted, and nobody would hear of it."""
    if resolve(url, tenant).server is None:
        for run_id in shared_store(url, tenant).locked_among(run_ids):
            raise Locked(f"run {run_id!r} is locked: `lineal runs unlock` opens it", field="run_id")


def set_experiment_lifecycle(
    name: str, lifecycle: Lifecycle, *, url: str | os.PathLike[str] | None = None, tenant: str | None = None
) -> None:
    """Archives an experiment, or brings it back. Its runs stay as they are. NotFound if there is none of that name."""
    shared_store(url, tenant).get_experiment(name)
    say_outside(None, ExperimentSet(name, lifecycle=lifecycle), url, tenant)


def end_run(
    run_id: str, status: EndStatus = "finished", *, url: str | os.PathLike[str] | None = None, tenant: str | None = None
) -> None:
    """Ends a run by its id: one of this process's own, or one whose process is gone."""
    if status not in END_STATUSES:
        raise InvalidInput(f"status {status!r} is not one of {', '.join(END_STATUSES)}", field="status")
    run = session.open_run(run_id)
    if run is not None:
        run.finish(status)
        return
    logged = get_run(run_id, url=url, tenant=tenant)
    _check_unlocked([logged.run_id], url, tenant)
    latest = max(logged.attempts, key=lambda attempt: (attempt.started_ms, attempt.attempt_id), default=None)
    say_outside(logged.run_id, AttemptEnded(latest.attempt_id if latest else "", status), url, tenant)


def stop_run(run_id: str, *, url: str | os.PathLike[str] | None = None, tenant: str | None = None) -> None:
    """Asks a running run to stop: its program sees it in `Run.should_stop`. Conflict if the run is not running."""
    run = get_run(run_id, url=url, tenant=tenant)
    if run.status != "running":
        raise Conflict(f"run {run.run_id!r} is not running: it is {run.status}", field="run_id")
    from datetime import UTC, datetime

    when = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    say_outside(run.run_id, TagsSet({STOP_TAG: when}), url, tenant)


def say_outside(
    run_id: str | None, said: Record | Sequence[Record], url: str | os.PathLike[str] | None, tenant: str | None
) -> None:
    """Statements about a run (or, with None, about the tenant) by a writer of their own. On disk when it returns."""
    settings = resolve(url, tenant)
    identity = Identity(settings.tenant, run_id, "", False, host.host_name(), host.boot_id())
    records: list[Record] = list(said) if isinstance(said, Sequence) else [said]
    if settings.server is not None:
        from lineal.client.login import find_token
        from lineal.client.statement import say
        from lineal.client.transport import Transport

        named = settings.tenant if settings.names_tenant else None
        transport = Transport(settings.server, token=find_token(settings.server), tenant=named)
        try:
            say(transport, identity, records)
        finally:
            transport.close()
        return
    journal = Journal(settings.folder, identity, mode=settings.writer_mode)
    for record in records:
        journal.append(record, barrier=False)
    _tell_stops(settings, run_id, records)
    if not journal.close():
        from lineal.model.errors import NotWritable

        raise NotWritable(f"{settings.folder.root} refuses writes; nothing was changed", field="url")


def _tell_stops(settings: Settings, run_id: str | None, records: Sequence[Record]) -> None:
    """Whoever sets the tag rings the bell of the run's process, whichever way it was set."""
    for record in records:
        if isinstance(record, (TagsSet, RunTagsSet)) and STOP_TAG in record.tags:
            whose = record.run_id if isinstance(record, RunTagsSet) else run_id
            if whose is not None and record.tags[STOP_TAG] is not None:
                stops.ring(settings.folder, settings.tenant, whose)
            elif whose is not None:
                stops.silence(settings.folder, settings.tenant, whose)


__all__ = [
    "Conflict",
    "ContentId",
    "InvalidInput",
    "NotFound",
    "Run",
    "content_id",
    "current_run",
    "define_metric",
    "delete_run",
    "end_run",
    "finish",
    "get_run",
    "group_runs",
    "init",
    "lineage",
    "log",
    "log_artifact",
    "log_dataset",
    "log_model",
    "log_params",
    "open_store",
    "restore_run",
    "runs",
    "set_experiment",
    "set_json",
    "set_note",
    "set_tags",
    "stop_run",
    "tag_run",
]
