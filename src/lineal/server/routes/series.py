"""Curves of many runs."""

from __future__ import annotations

from typing import Any

from lineal.model.entities import SeriesInfo
from lineal.model.errors import InvalidInput, OverLimit
from lineal.model.limits import SERIES_ANSWER_MAX_ROWS
from lineal.server.answers import Content
from lineal.server.context import Context
from lineal.server.curves import read_curves
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.series_bytes import MEDIA_TYPE, series_bytes
from lineal.server.series_columns import series_of
from lineal.server.shapes.numbers import given
from lineal.server.shapes.series import AskSeries, SeriesAnswer
from lineal.store.contracts import SeriesName


def read_series(context: Context, asked: Asked[Any, AskSeries]) -> SeriesAnswer | Content:
    """Curves for charts: of each, every point if they fit `max_points`, else buckets that leave nothing out. A later attempt of
    a run replaces the steps that it covers. `Accept: application/vnd.lineal.series` answers with columns as bytes."""
    body = asked.body
    names: list[SeriesName] = [(name, ()) for name in body.metrics]
    names += [(one.name, tuple(sorted(one.labels.items()))) for one in body.series]
    if not names:
        raise InvalidInput("name metrics or series", field="metrics")
    reader = context.reader
    run_ids = list(dict.fromkeys(context.full_id(run_id) for run_id in body.run_ids))
    summaries = dict(zip(run_ids, reader.list_summaries(run_ids), strict=True))
    wanted = {run_id: _wanted(names, set(body.metrics), summaries[run_id]) for run_id in run_ids}
    if body.max_points == 0:
        _bound(wanted, summaries)
    elif body.max_points * sum(map(len, wanted.values())) > SERIES_ANSWER_MAX_ROWS:
        raise OverLimit(f"an answer has at most {SERIES_ANSWER_MAX_ROWS:,} rows: ask for fewer", field="max_points")
    curves = read_curves(
        reader,
        wanted,
        max_points=body.max_points or None,
        step_min=None if body.step_min is None else given(body.step_min),
        step_max=None if body.step_max is None else given(body.step_max),
    )
    if MEDIA_TYPE in asked.headers.get("accept", ""):
        return Content(series_bytes(curves), MEDIA_TYPE, {"vary": "accept"})
    return SeriesAnswer([series_of(curve) for curve in curves])


def _wanted(names: list[SeriesName], metrics: set[str], series: list[SeriesInfo]) -> list[SeriesName]:
    """The names, and of each metric the labelled series that the run has: those of other ranks, say."""
    labelled = [(info.key.name, info.key.labels) for info in series if info.key.labels and info.key.name in metrics]
    return list(dict.fromkeys([*names, *labelled]))


def _bound(wanted: dict[str, list[SeriesName]], summaries: dict[str, list[SeriesInfo]]) -> None:
    """What exact points would come to is known before one is read."""
    rows = sum(
        info.summary.count
        for run_id, names in wanted.items()
        for info in summaries[run_id]
        if (info.key.name, info.key.labels) in names
    )
    if rows > SERIES_ANSWER_MAX_ROWS:
        raise OverLimit(
            f"these are {rows:,} points, and an answer has at most {SERIES_ANSWER_MAX_ROWS:,}: ask for fewer runs or "
            "metrics, or give max_points",
            field="max_points",
        )


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/runs/series",
        read_series,
        "Curves of runs",
        SeriesAnswer,
        body=AskSeries,
        media={MEDIA_TYPE: None},
        refusals=(404,),
        finds=True,
        access="reader",
    ),
)
