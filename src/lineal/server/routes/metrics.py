"""One metric of one run."""

from __future__ import annotations

from typing import Any

from lineal.model.errors import NotFound, OverLimit
from lineal.model.limits import SERIES_ANSWER_MAX_ROWS
from lineal.server.context import Context
from lineal.server.curves import read_curves
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.series_columns import series_of
from lineal.server.shapes.series import AskMetric, Series


def get_metric(context: Context, asked: Asked[AskMetric, Any]) -> Series:
    """The series: every point of every attempt, exactly, in order of logging; with `max_points` buckets that say how many points
    each stands for."""
    query = asked.query
    reader = context.reader
    run_id = context.full_id(asked.path["run_id"])
    name = asked.path["name"]
    known = [info for info in reader.list_series(run_id) if info.key.name == name and not info.key.labels]
    if query.max_points is None and sum(info.summary.count for info in known) > SERIES_ANSWER_MAX_ROWS:
        raise OverLimit(
            f"the series has more than {SERIES_ANSWER_MAX_ROWS:,} points: give max_points", field="max_points"
        )
    curves = read_curves(
        reader,
        {run_id: [(name, ())]},
        max_points=query.max_points,
        step_min=query.from_step,
        step_max=query.to_step,
        all_attempts=True,
    )
    if curves:
        return series_of(curves[0])
    if not known:
        raise NotFound(f"run {run_id} has no metric {name!r:.80}", field="name")
    value_type = known[0].key.value_type
    return Series(run_id, name, {}, value_type, True, 0, 0, [], step=[], time_ms=[], value=[])


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/experiments/runs/{run_id}/metrics/{name:text}",
        get_metric,
        "One series",
        Series,
        AskMetric,
        refusals=(404,),
        access="reader",
    ),
)
