"""Points and buckets as the store has them: what a program reads through a server that it could read from a folder."""

from __future__ import annotations

from typing import Any

from lineal.model.errors import OverLimit
from lineal.model.limits import SERIES_ANSWER_MAX_ROWS
from lineal.server.answers import Content
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.piece_bytes import MEDIA_TYPE, piece_bytes
from lineal.server.shapes.numbers import given
from lineal.server.shapes.series import AskPieces
from lineal.store.contracts import SeriesName


def read_pieces(context: Context, asked: Asked[Any, AskPieces]) -> Content:
    """Of each series its pieces (one a writer of an attempt), as bytes: every point, or with `max_points` buckets. What a fork
    continues is with the run that it was forked from."""
    body = asked.body
    reader = context.reader
    wanted: list[tuple[str, SeriesName]] = [
        (one.run_id, (one.name, tuple(sorted(one.labels.items())))) for one in body.series
    ]
    step_min = None if body.step_min is None else given(body.step_min)
    step_max = None if body.step_max is None else given(body.step_max)
    if body.max_points is not None:
        if body.max_points * len(wanted) > SERIES_ANSWER_MAX_ROWS:
            raise OverLimit(f"an answer has at most {SERIES_ANSWER_MAX_ROWS:,} rows: ask for fewer", field="max_points")
        summed = reader.read_buckets(wanted, body.max_points, step_min=step_min, step_max=step_max)
        return Content(piece_bytes(wanted, summed), MEDIA_TYPE)
    if step_min is None and step_max is None:
        _bound(context, wanted)
    return Content(piece_bytes(wanted, reader.read_points_of(wanted, step_min=step_min, step_max=step_max)), MEDIA_TYPE)


def _bound(context: Context, wanted: list[tuple[str, SeriesName]]) -> None:
    """What exact points would come to is known before one is read."""
    run_ids = list(dict.fromkeys(run_id for run_id, _ in wanted))
    summaries = dict(zip(run_ids, context.reader.list_summaries(run_ids), strict=True))
    names = set(wanted)
    rows = sum(
        info.summary.count
        for run_id in run_ids
        for info in summaries[run_id]
        if (run_id, (info.key.name, info.key.labels)) in names
    )
    if rows > SERIES_ANSWER_MAX_ROWS:
        raise OverLimit(
            f"these are {rows:,} points, and an answer has at most {SERIES_ANSWER_MAX_ROWS:,}: ask for a range of steps, for "
            "fewer series, or give max_points",
            field="max_points",
        )


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/runs/pieces",
        read_pieces,
        "Points as they are stored",
        body=AskPieces,
        media={MEDIA_TYPE: None},
        refusals=(404,),
        access="reader",
    ),
)
