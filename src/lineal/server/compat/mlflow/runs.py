"""runs/create, update, get, delete, restore."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lineal.formats.mlflow_tags import SOURCE_TAGS, captures_of, tells_less
from lineal.ingest.desk import Desk, Later, Said
from lineal.ingest.known_runs import KnownRun, late_attempt, request_writer
from lineal.ingest.reserve import Freeing
from lineal.model.entities import Experiment
from lineal.model.errors import NotFound
from lineal.model.ids import new_run_id
from lineal.model.limits import NAME_MAX_BYTES
from lineal.model.values import check_name
from lineal.model.vocabulary import EndStatus, Lifecycle
from lineal.record.records import (
    AttemptEnded,
    AttemptStarted,
    CaptureSet,
    ExperimentSet,
    NameSet,
    NoteSet,
    Record,
    RunLifecycleSet,
    TagsSet,
)
from lineal.server.answers import Content, Submitted
from lineal.server.compat.mlflow.answers import answer, said
from lineal.server.compat.mlflow.errors import MlflowError, invalid_value
from lineal.server.compat.mlflow.experiment_ids import DEFAULT_NUMBER, meant_experiment, number_of, unmade
from lineal.server.compat.mlflow.experiments import NOTE_TAG
from lineal.server.compat.mlflow.given import Param, given
from lineal.server.compat.mlflow.names import TAG_MAX_CHARS, check_key, cut
from lineal.server.compat.mlflow.run_names import invented_name
from lineal.server.compat.mlflow.run_view import (
    END_OF,
    NAME_TAG,
    PARENT_TAG,
    artifact_uri,
    no_run,
    read_info,
    read_run,
)
from lineal.server.context import Context
from lineal.server.endpoint import Asked

RUN_ID = Param("run_id", required=True)
_STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}


def create_run(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(
        asked,
        Param("experiment_id"),
        Param("start_time", "int"),
        Param("run_name"),
        Param("user_id"),
        Param("tags", "list"),
    )
    tags = given_tags(values.get("tags", []))
    name, tag = values.get("run_name") or "", tags.pop(NAME_TAG, None) or ""
    if name and tag and name != tag:
        raise MlflowError(
            "Both 'run_name' argument and 'mlflow.runName' tag are specified, but with different values"
            f" (run_name='{name}', mlflow.runName='{tag}')."
        )
    name = given_run_name(name or tag or invented_name())
    run_id = new_run_id()
    user = values.get("user_id") or context.principal.user

    def work(desk: Desk) -> Said:
        experiment = meant_experiment(desk, values.get("experiment_id") or DEFAULT_NUMBER)
        if experiment.lifecycle != "active":
            raise _not_active(experiment)
        if context.artifact_root and experiment == unmade(desk.tenant):
            experiment = replace(experiment, artifact_location=f"{context.artifact_root}/{DEFAULT_NUMBER}")
            desk.say_of_tenant([ExperimentSet(experiment.name, artifact_location=experiment.artifact_location)])
        parent = tags.get(PARENT_TAG)
        # A run began, as far as anybody can tell here, when it was heard of at the latest: a clock may be ahead.
        started_ms = max(0, min(values.get("start_time", desk.time_ms), desk.time_ms))
        start = AttemptStarted(
            request_writer(desk.tenant, run_id),
            experiment.first_name,
            name,
            None,
            user,
            parent_run_id=parent if parent and desk.find_run(parent) is not None else None,
            started_ms=started_ms,
        )
        run = desk.start_run(run_id, start)
        run.started_ms = started_ms
        if tags:
            desk.say(run, [*tag_records(tags), *capture_records(run, tags)])
        info = {
            "run_id": run_id,
            "run_uuid": run_id,
            "run_name": name,
            "experiment_id": number_of(experiment),
            "user_id": user or "",
            "status": "RUNNING",
            "start_time": started_ms,
            "artifact_uri": artifact_uri(experiment, run_id),
            "lifecycle_stage": "active",
        }
        shown = [{"key": key, "value": value} for key, value in {**tags, NAME_TAG: name}.items()]
        return said(run={"info": info, "data": {"tags": shown}, "inputs": {}})

    return context.submit(work)


def _not_active(experiment: Experiment) -> MlflowError:
    return MlflowError(
        f"The experiment {number_of(experiment)} must be in the 'active' state. Current state is deleted."
    )


def given_tags(entries: list[dict[str, Any]], place: str = "") -> dict[str, str]:
    tags: dict[str, str] = {}
    for at, entry in enumerate(entries):
        where = f"{place}[{at}].key" if place else "key"
        key = check_key(_text_or_none(entry.get("key")), where, where)
        value = entry.get("value")
        tags[key] = cut("" if value is None else str(value), TAG_MAX_CHARS)
    return tags


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def given_run_name(name: str) -> str:
    return check_name(name, field="run_name", max_bytes=NAME_MAX_BYTES)


def tag_records(tags: Mapping[str, str | None]) -> list[Record]:
    """A note is a tag there and something of its own here: it becomes both."""
    records: list[Record] = [TagsSet(dict(tags))]
    if NOTE_TAG in tags:
        records.append(NoteSet(tags[NOTE_TAG] or ""))
    return records


def capture_records(run: KnownRun, tags: Mapping[str, str]) -> list[Record]:
    """What the tags tell of the run's code, and of how it was started. `tags`: all that the run has."""
    return [CaptureSet(run.attempt, part, content) for part, content in captures_of(tags).items()]


def later_captures(desk: Desk, run: KnownRun, tags: Mapping[str, str]) -> list[Record]:
    """The same where tags are set of a run that is there."""
    if not SOURCE_TAGS & tags.keys():
        return []
    try:
        known = desk.reader.get_details(run.run_id).tags
        kept = {one.part: one.content for one in reversed(desk.reader.list_captures(run.run_id))}  # the latest is last
    except NotFound:  # this transaction made it
        raise Later from None
    told = captures_of({**known, **tags})
    return [
        CaptureSet(run.attempt, part, content)
        for part, content in told.items()
        if part not in kept or tells_less(part, kept[part])
    ]


def name_records(run: KnownRun, name: str) -> list[Record]:
    """The tag that mirrors a name comes back with the next one."""
    back: list[Record] = [TagsSet({NAME_TAG: None})] if NAME_TAG in run.tags else []
    return [*back, NameSet(name)]


def get_run(context: Context, asked: Asked[Any, None]) -> Content:
    return answer(run=read_run(context, given(asked, RUN_ID)["run_id"]))


def active_run(desk: Desk, run_id: str) -> KnownRun:
    """One that may be written to: neither it nor its experiment is deleted."""
    run = desk.find_run(run_id)
    if run is None:
        raise no_run(run_id)
    if run.lifecycle != "active" or desk.is_put_away(run):
        raise MlflowError(f"The run {run_id} must be in the 'active' state. Current state is deleted.")
    return desk.get_run(run_id)


def update_run(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, RUN_ID, Param("end_time", "int"), Param("status", "any"), Param("run_name"))
    run_id = values["run_id"]
    status = _status(values["status"]) if "status" in values else None
    name = given_run_name(values["run_name"]) if values.get("run_name") else None

    def work(desk: Desk) -> Said:
        run = active_run(desk, run_id)
        if name is not None:
            desk.say(run, name_records(run, name))
        if status in END_OF:
            _end(desk, run, END_OF[status], values.get("end_time"))
        elif status is not None:
            _resume(desk, run)
        elif "end_time" in values and run.end_status is not None:
            _end(desk, run, run.end_status, values["end_time"])
        return said()

    def info(after: Context) -> Content:
        return answer(run_info=read_info(after.reader, run_id))

    return context.submit(work, info)


def _status(value: Any) -> str:
    """A name of protobuf's enum, or its number."""
    name = _STATUSES.get(value) if isinstance(value, int) else value
    if name not in _STATUSES.values():
        raise invalid_value("status", value)
    return str(name)


def _end(desk: Desk, run: KnownRun, status: EndStatus, ended_ms: int | None) -> None:
    """The later word stands, and so it must not be earlier than the one before."""
    ended_ms = desk.time_ms if ended_ms is None else max(0, ended_ms)
    if run.ended_ms is not None:
        if run.end_status == status and run.ended_ms == ended_ms:
            return
        ended_ms = max(ended_ms, run.ended_ms)
    desk.say(run, [AttemptEnded(run.attempt, status, ended_ms=ended_ms)])


def _resume(desk: Desk, run: KnownRun) -> None:
    """RUNNING again: another attempt, unless it runs."""
    if run.end_status is None:
        return
    experiment = desk.experiment_of(run)
    attempt = late_attempt(run.attempt)
    while attempt in run.attempts:
        attempt = late_attempt(attempt)
    # Attempts are ordered by their start, which a clock that was set back must not turn around.
    started_ms = max(desk.time_ms, run.started_ms + len(run.attempts))
    desk.say(run, [AttemptStarted(attempt, experiment, resumed=True, started_ms=started_ms)])
    run.attempts.append(attempt)
    run.status, run.ended_ms = "running", None


def delete_run(context: Context, asked: Asked[Any, None]) -> Submitted:
    return context.submit(Freeing(_setting(given(asked, RUN_ID)["run_id"], "deleted")))


def restore_run(context: Context, asked: Asked[Any, None]) -> Submitted:
    return context.submit(_setting(given(asked, RUN_ID)["run_id"], "active"))


def _setting(run_id: str, lifecycle: Lifecycle) -> Any:
    def work(desk: Desk) -> Said:
        run = desk.find_run(run_id)
        if run is None:
            raise no_run(run_id)
        if run.lifecycle != lifecycle:
            desk.say_of_tenant([RunLifecycleSet(run_id, lifecycle)])
        return said()

    return work
