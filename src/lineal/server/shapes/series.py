"""Points for charts and for programs."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from lineal.model.limits import REQUEST_SERIES_MAX_COUNT, SERIES_ANSWER_MAX_ROWS, SERIES_POINTS_MAX_COUNT
from lineal.server.shapes.numbers import Number
from lineal.server.shapes.runs import RunIds


class SeriesName(Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    labels: dict[str, str] = {}


class AskSeries(Struct, frozen=True, forbid_unknown_fields=True):
    """Curves of many runs. `metrics` are names, with every set of labels; `series` names one set. `max_points` bounds the rows of a
    series; 0 asks for every point. Rows have steps and times, whatever they are drawn by."""

    run_ids: RunIds
    metrics: Annotated[list[str], Meta(max_length=REQUEST_SERIES_MAX_COUNT)] = []
    series: Annotated[list[SeriesName], Meta(max_length=REQUEST_SERIES_MAX_COUNT)] = []
    max_points: Annotated[int, Meta(ge=0, le=SERIES_POINTS_MAX_COUNT)] = 500
    step_min: Number | None = None
    step_max: Number | None = None


class Series(Struct, frozen=True, omit_defaults=True):
    """A curve. With `exact`, each row is a point (`step`, `time_ms`, `value`); else a row sums up `count` points, `nan_count` of
    which are NaN and left out of `min` and `max`. `attempts` are the attempts that the rows come from."""

    run_id: str
    name: str
    labels: dict[str, str]
    value_type: Literal["float64", "int64"]
    exact: bool
    row_count: int
    point_count: int
    attempts: list[str]
    step: list[Number] | None = None
    time_ms: list[int] | None = None
    value: list[Number] | None = None
    step_min: list[Number] | None = None
    step_max: list[Number] | None = None
    time_min: list[int] | None = None
    time_max: list[int] | None = None
    first: list[Number] | None = None
    last: list[Number] | None = None
    min: list[Number] | None = None
    max: list[Number] | None = None
    count: list[int] | None = None
    nan_count: list[int] | None = None


class SeriesAnswer(Struct, frozen=True):
    """A run without a metric is absent."""

    series: list[Series]


class OneSeries(Struct, frozen=True, forbid_unknown_fields=True):
    """By the run's full id."""

    run_id: str
    name: str
    labels: dict[str, str] = {}


class AskPieces(Struct, frozen=True, forbid_unknown_fields=True):
    """Steps between `step_min` and `step_max`, both included. Without `max_points`: every point."""

    series: Annotated[list[OneSeries], Meta(min_length=1, max_length=REQUEST_SERIES_MAX_COUNT)]
    max_points: Annotated[int, Meta(ge=1, le=SERIES_ANSWER_MAX_ROWS)] | None = None
    step_min: Number | None = None
    step_max: Number | None = None


class AskMetric(Struct, frozen=True):
    """Steps between `from_step` and `to_step`, both included. Without `max_points`: every point, exactly."""

    from_step: int | float | None = None
    to_step: int | float | None = None
    max_points: Annotated[int, Meta(ge=1, le=SERIES_POINTS_MAX_COUNT)] | None = None
