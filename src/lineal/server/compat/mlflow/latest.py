"""Which point of a metric is the latest: MLflow's order is by step, then time, then value, whenever a point was logged. Ours
is the one logged last; they differ where steps went back."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from lineal.model.entities import SeriesInfo
from lineal.server.compat.mlflow.given import number
from lineal.store.contracts import SeriesName, TenantReader

Order = tuple[float, int, bool, float]
_LOOKED_AT_MAX_COUNT = 10_000  # points of a series: a script that never says a step logs all of them at 0


def latest_of(
    reader: TenantReader, run_ids: Sequence[str], summaries: Sequence[Sequence[SeriesInfo]]
) -> list[list[dict[str, Any]]]:
    """Of each run, its metrics. Labelled series are those of logged models, who have them besides."""
    points: list[dict[str, tuple[Order, dict[str, Any]]]] = []
    doubtful: list[tuple[int, SeriesInfo]] = []
    for at, series in enumerate(summaries):
        points.append({})
        twice = _names_of_two_types(series)
        for info in series:
            if info.key.labels:
                continue
            if info.summary.count == 1 and info.key.name not in twice:
                summary = info.summary
                _keep(points[at], info.key.name, summary.last_step, summary.last_ms, summary.last)
            else:
                doubtful.append((at, info))
    names: list[tuple[str, SeriesName]] = [(run_ids[at], (info.key.name, ())) for at, info in doubtful]
    for (at, info), ends in zip(doubtful, _ends(reader, names), strict=True):
        summary, name = info.summary, info.key.name
        is_last = ends is None or (summary.last_step >= ends.step and summary.last_ms >= ends.time_ms)
        if ends is None or (is_last and not ends.may_tie):
            _keep(points[at], name, summary.last_step, summary.last_ms, summary.last)
            continue
        for piece in reader.read_points(run_ids[at], name, step_min=ends.step, step_max=ends.step):
            columns = piece.columns
            rows = zip(columns.step.tolist(), columns.time_ms.tolist(), columns.value.tolist(), strict=True)
            for step, time_ms, value in rows:
                _keep(points[at], name, step, time_ms, value)
    return [[point for _, point in of_run.values()] for of_run in points]


def _names_of_two_types(series: Sequence[SeriesInfo]) -> set[str]:
    names = [info.key.name for info in series if not info.key.labels]
    return {name for name in names if names.count(name) > 1} if len(set(names)) != len(names) else set()


class _Ends(NamedTuple):
    """The highest step and the latest time of a series: where the last point has both, no other comes after it, unless several have
    (`may_tie`: there are more points than steps, and few enough to be looked at)."""

    step: float
    time_ms: int
    may_tie: bool


def _ends(reader: TenantReader, names: Sequence[tuple[str, SeriesName]]) -> list[_Ends | None]:
    found: list[_Ends | None] = []
    for pieces in reader.read_buckets(names, 1) if names else ():
        buckets = [piece.buckets for piece in pieces]
        if not buckets:
            found.append(None)
            continue
        step = max(float(one.step_max.max()) for one in buckets)
        steps = step - min(float(one.step_min.min()) for one in buckets) + 1
        count = sum(int(one.count.sum()) for one in buckets)
        time_ms = max(int(one.time_max.max()) for one in buckets)
        found.append(_Ends(step, time_ms, steps < count <= _LOOKED_AT_MAX_COUNT))
    return found


def _keep(
    points: dict[str, tuple[Order, dict[str, Any]]], name: str, step: float, time_ms: int, value: float | int
) -> None:
    is_number = not math.isnan(value)
    order = (step, time_ms, is_number, float(value) if is_number else 0.0)
    known = points.get(name)
    if known is None or order >= known[0]:
        points[name] = (
            order,
            {"key": name, "value": number(float(value)), "timestamp": time_ms, "step": int(step)},
        )
