from __future__ import annotations

import math
import statistics
from typing import Any

from lineal.model.values import ParamValue
from lineal.query.parser import parse_field
from lineal.query.syntax import Field
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.questions import filter_of
from lineal.server.shapes.groups import GroupRuns, GroupsPage, RunGroup, Spread
from lineal.server.shapes.numbers import scalar
from lineal.store.compare import latest_values
from lineal.store.contracts import RunQuery

_LOOKED_AT = 5_000


def group_runs(context: Context, asked: Asked[Any, GroupRuns]) -> GroupsPage:
    """Runs by the values of fields, with the spread of metrics within each group; largest first."""
    body = asked.body
    by = [parse_field(text) for text in body.by]
    metrics = {text: parse_field(text) for text in body.metrics}
    reader = context.reader
    names = None if body.experiments is None else tuple(body.experiments)
    page = reader.list_runs(RunQuery(filter_of(body.filter), limit=_LOOKED_AT, experiments=names))
    run_ids = [run.run_id for run in page.runs]
    groups: dict[tuple[ParamValue, ...], list[tuple[str, dict[str, float | int]]]] = {}
    for one, series in zip(reader.get_details_of(run_ids), reader.list_summaries(run_ids), strict=True):
        key = tuple(_value(field, one.run, one.params, one.tags) for field in by)
        groups.setdefault(key, []).append((one.run.run_id, latest_values(series)))
    found = sorted(groups.items(), key=lambda item: (-len(item[1]), str(item[0])))
    return GroupsPage(
        [
            RunGroup(
                [scalar(value) for value in key],
                len(runs),
                {
                    text: _spread([values[field.name] for _, values in runs if field.name in values])
                    for text, field in metrics.items()
                },
                [run_id for run_id, _ in runs][:100],
            )
            for key, runs in found[: body.limit]
        ],
        len(found),
    )


def _value(field: Field, run: Any, params: dict[str, ParamValue], tags: dict[str, str]) -> ParamValue:
    if field.kind == "param":
        return params.get(field.name)
    if field.kind == "tag":
        return tags.get(field.name)
    return getattr(run, {"experiment": "experiment_name"}.get(field.name, field.name), None)


def _spread(values: list[float | int]) -> Spread:
    finite = [float(value) for value in values if math.isfinite(value)]
    if not finite:
        return Spread(0, None, None, None, None)
    std = statistics.stdev(finite) if len(finite) > 1 else None
    return Spread(len(finite), statistics.fmean(finite), std, min(finite), max(finite))


ENDPOINTS = (
    Endpoint("POST", "/api/v1/runs/groups", group_runs, "Runs by the values of fields", GroupsPage, body=GroupRuns),
)
