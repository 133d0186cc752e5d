"""One run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec

from lineal.model.entities import RunDetails, SeriesInfo
from lineal.model.values import from_json
from lineal.query.syntax import Comparison, Field
from lineal.server.answers import Content
from lineal.server.changes import edit_run, edits_of
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes import runs as shapes
from lineal.server.shapes.numbers import plain, scalar
from lineal.server.views import (
    artifact_of,
    artifact_use_of,
    attempt_of,
    dataset_of,
    model_use_of,
    row_of,
    series_of,
    version_use_of,
)
from lineal.store.contracts import RunQuery, TenantReader

_CHILDREN_MAX_COUNT = 100


def get_run(context: Context, asked: Asked[Any, None]) -> shapes.RunDetail:
    """Everything but its points. The beginning of an id is enough where only one begins so."""
    return describe(context.reader, context.tenant, context.full_id(asked.path["run_id"]))


def change_run(context: Context, asked: Asked[Any, shapes.EditRun]) -> shapes.RunDetail:
    """Sets the name, the note, tags; a tag of null is removed."""
    run_id = context.known_id(asked.path["run_id"])
    edit_run(context, run_id, edits_of(asked.body))
    with context.source.opened() as store:
        return describe(store.tenant(context.tenant), context.tenant, run_id)


def get_document(context: Context, asked: Asked[Any, None]) -> Content:
    """A JSON document of the run."""
    text = context.reader.get_document(context.full_id(asked.path["run_id"]), asked.path["name"])
    return Content(msgspec.json.encode(plain(from_json(text))), "application/json")


def describe(reader: TenantReader, tenant: str, run_id: str) -> shapes.RunDetail:
    details = reader.get_details(run_id)
    if details.datasets:  # whole, for their counts
        details = replace(details, datasets=reader.list_dataset_uses([run_id])[0])
    return detail_of(details, reader.list_series(run_id), tenant, _children(reader, run_id))


def detail_of(
    details: RunDetails, series: Sequence[SeriesInfo], tenant: str, children: list[shapes.ChildRun]
) -> shapes.RunDetail:
    row = row_of(details, series, tenant)
    return shapes.RunDetail(
        **{name: getattr(row, name) for name in row.__struct_fields__},
        note=details.note,
        forked_from=details.run.forked_from,
        fork_step=details.run.fork_step,
        content_digest=details.run.content_digest,
        attempts=[attempt_of(attempt) for attempt in details.attempts],
        series=[series_of(info) for info in series],
        artifacts=[artifact_of(artifact) for artifact in details.artifacts],
        metric_definitions={
            name: shapes.MetricDefinition(one.goal, one.step_metric, one.unit)
            for name, one in details.metric_definitions.items()
        },
        conflicts=[
            shapes.ParamConflict(one.name, scalar(one.kept), scalar(one.refused), one.attempt_id)
            for one in details.conflicts
        ],
        losses=details.losses,
        document_names=details.document_names,
        console_line_count=details.console_line_count,
        datasets=[dataset_of(use) for use in details.datasets],
        models=[model_use_of(use) for use in details.models],
        artifact_uses=[artifact_use_of(use) for use in details.artifact_uses],
        version_uses=[version_use_of(use) for use in details.version_uses],
        children=children,
    )


def _children(reader: TenantReader, run_id: str) -> list[shapes.ChildRun]:
    of_parent = Comparison(Field("attribute", "parent_run_id"), "=", run_id)
    found = reader.list_runs(RunQuery(of_parent, limit=_CHILDREN_MAX_COUNT)).runs
    return [shapes.ChildRun(run.run_id, run.name, run.status) for run in found]


ENDPOINTS = (
    Endpoint(
        "GET", "/api/v1/runs/{run_id}", get_run, "One run, whole", shapes.RunDetail, refusals=(404,), access="reader"
    ),
    Endpoint(
        "PATCH",
        "/api/v1/runs/{run_id}",
        change_run,
        "Name, note and tags of a run",
        shapes.RunDetail,
        body=shapes.EditRun,
        refusals=(404, 409),
        access="writer",
    ),
    Endpoint(
        "GET",
        "/api/v1/runs/{run_id}/documents/{name:text}",
        get_document,
        "A JSON document of a run",
        Any,
        refusals=(404,),
        access="reader",
    ),
)
