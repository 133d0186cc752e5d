"""Runs are started, told of, and ended by requests."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

import msgspec

from lineal.ingest.desk import Desk, Later, Said
from lineal.ingest.group_commit import Work
from lineal.ingest.known_runs import KnownRun, request_writer
from lineal.ingest.rows import Metrics, read_metrics
from lineal.model.errors import Conflict, NotFound
from lineal.model.ids import check_run_id, new_run_id
from lineal.model.limits import BATCH_BODY_MAX_BYTES
from lineal.model.values import ParamValue, clean_text, value_text
from lineal.record.records import AttemptEnded, AttemptStarted, ParamsSet, Record, TagsSet
from lineal.server.answers import Submitted
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.given import first_tags, given_name, given_params, given_tags
from lineal.server.shapes import writes as shapes
from lineal.server.shapes.runs import Run
from lineal.server.views import list_rows, run_of
from lineal.store.run_view import iso_time

_to_json = msgspec.json.Encoder().encode
_NONE = Metrics((), 0, 0)


def create_run(context: Context, asked: Asked[Any, shapes.CreateRun]) -> Submitted:
    """A running run. The same `run_id` again answers the run that there is, whatever else is said."""
    body = asked.body
    run_id = new_run_id() if body.run_id is None else check_run_id(body.run_id)
    name = None if body.name is None else given_name(body.name)
    tags = first_tags(body.tags or {})
    description = clean_text(body.description or "")

    def work(desk: Desk) -> Said:
        known = desk.find_run(run_id)
        if known is not None and known.lifecycle == "deleted":
            raise Conflict(f"run {run_id!r:.80} is deleted, and its id is not given again: restore it", field="run_id")
        if known is not None:
            if desk.reader.find_run_ids(run_id, limit=1) != [run_id]:
                raise Later  # this transaction has made it, and readers do not see it yet
            [row] = list_rows(desk.reader, desk.tenant, [run_id])
            return Said(200, _to_json(run_of(row)))
        experiment = desk.get_experiment(body.experiment_id)
        if experiment.lifecycle == "deleted":
            raise Conflict(f"experiment {experiment.name!r:.80} is deleted: restore it first", field="experiment_id")
        if body.parent_run_id is not None and desk.find_run(body.parent_run_id) is None:
            raise NotFound(f"no run {body.parent_run_id!r:.80}", field="parent_run_id")
        start = AttemptStarted(
            request_writer(desk.tenant, run_id),
            experiment.first_name,
            name,
            description or None,
            context.principal.user if body.user_id is None else clean_text(body.user_id),
            parent_run_id=body.parent_run_id,
        )
        run = desk.start_run(run_id, start)
        if tags:
            desk.say(run, [TagsSet(tags)])
        made = Run(
            run_id,
            experiment.experiment_id,
            body.parent_run_id,
            run_id[:8] if name is None else name,
            description,
            "running",
            start.user_id,
            iso_time(desk.time_ms),
            None,
            None,
            {},
            {},
            {key: value for key, value in tags.items() if value is not None},
            f"lineal:///{desk.tenant}/{run_id}/artifacts",
            "active",
        )
        return Said(201, _to_json(made))

    return context.submit(work)


def log_metrics(context: Context, asked: Asked[Any, shapes.LogMetrics]) -> Submitted:
    """One value of each metric, at one step."""
    body = asked.body
    count = len(body.metrics)
    steps, times = [body.step] * count, [body.timestamp] * count
    metrics = read_metrics(list(body.metrics), list(body.metrics.values()), steps, times, _now_ms())
    return context.submit(_logging(asked, "Metrics logged", count, metrics))


def log_params(context: Context, asked: Asked[Any, shapes.LogParams]) -> Submitted:
    """A param is written once: another value for one is refused, and then nothing of the request is kept."""
    params = given_params(asked.body.params)
    return context.submit(_logging(asked, "Parameters logged", len(params), params=params))


def log_batch(context: Context, asked: Asked[Any, shapes.LogBatch]) -> Submitted:
    """Metrics, params and tags: all of them, or with a refusal nothing."""
    body = asked.body
    entries, param_entries, tag_entries = body.metrics or [], body.params or [], body.tags or []
    metrics = read_metrics(
        [one.key for one in entries],
        [one.value for one in entries],
        [one.step for one in entries],
        [one.timestamp for one in entries],
        _now_ms(),
    )
    params: dict[str, ParamValue] = {}
    for entry in param_entries:
        if entry.key in params and value_text(params[entry.key]) != value_text(entry.value):
            raise Conflict(f"param {entry.key!r:.80} is given two values", field=f"params.{entry.key:.80}")
        params.setdefault(entry.key, entry.value)
    tags = given_tags({entry.key: entry.value for entry in tag_entries})
    count = len(entries) + len(param_entries) + len(tag_entries)
    return context.submit(_logging(asked, "Batch logged", count, metrics, given_params(params), tags))


def end_run(context: Context, asked: Asked[shapes.AskEnd, None]) -> Submitted:
    """Said again, the later word stands."""

    def work(desk: Desk) -> Said:
        run = desk.get_run(asked.path["run_id"])
        status = asked.query.status
        if run.end_status != status:
            desk.say(run, [AttemptEnded(run.attempt, status)])
        ended_ms = desk.time_ms if run.ended_ms is None else run.ended_ms
        seconds = max(0, ended_ms - run.started_ms) / 1000
        return Said(200, _to_json(shapes.RunEnded("Run ended", run.run_id, status, seconds)))

    return context.submit(work)


def _logging(
    asked: Asked[Any, Any],
    message: str,
    count: int,
    metrics: Metrics = _NONE,
    params: dict[str, ParamValue] | None = None,
    tags: Mapping[str, str | None] | None = None,
) -> Work:
    run_id = asked.path["run_id"]

    def work(desk: Desk) -> Said:
        run = desk.get_run(run_id)
        if params:
            desk.check_params(run, params)
        if metrics.rows:
            desk.check_series(run, metrics)
        speak(desk, run, metrics, params or {}, tags or {})
        return Said(200, _to_json(shapes.Logged(message, run.run_id, count)))

    return work


def speak(
    desk: Desk, run: KnownRun, metrics: Metrics, params: dict[str, ParamValue], tags: Mapping[str, str | None]
) -> None:
    ending = desk.reopen(run) if params or metrics.point_count else None
    records: list[Record] = []
    if params:
        records.append(ParamsSet(run.attempt, params))
    if tags:
        records.append(TagsSet(dict(tags)))
    if records:
        desk.say(run, records)
    desk.append(run, metrics)
    if ending is not None:
        desk.say(run, [ending])


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


_RUN = "/api/v1/experiments/runs/{run_id}"
ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/experiments/runs",
        create_run,
        "Start a run",
        Run,
        body=shapes.CreateRun,
        made=True,
        also=(200,),
        refusals=(404, 409),
        access="writer",
    ),
    Endpoint(
        "POST",
        f"{_RUN}/log-metrics",
        log_metrics,
        "Log metrics",
        shapes.Logged,
        body=shapes.LogMetrics,
        refusals=(404, 409),
        body_max_bytes=BATCH_BODY_MAX_BYTES,
        access="writer",
    ),
    Endpoint(
        "POST",
        f"{_RUN}/log-params",
        log_params,
        "Log params",
        shapes.Logged,
        body=shapes.LogParams,
        refusals=(404, 409),
        access="writer",
    ),
    Endpoint(
        "POST",
        f"{_RUN}/log-batch",
        log_batch,
        "Log metrics, params and tags",
        shapes.Logged,
        body=shapes.LogBatch,
        refusals=(404, 409),
        body_max_bytes=BATCH_BODY_MAX_BYTES,
        access="writer",
    ),
    Endpoint(
        "POST",
        f"{_RUN}/end",
        end_run,
        "End a run",
        shapes.RunEnded,
        shapes.AskEnd,
        refusals=(404, 409),
        access="writer",
    ),
)
