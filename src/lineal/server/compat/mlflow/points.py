"""Points as MLflow's clients say them: checked, and in the order that tells which is the latest.

A batch of 1,000 is the usual request, so that what is plain (floats, known names, no labels, nothing twice) goes by columns, without an
object a point."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise
from typing import Any, NamedTuple

from lineal.ingest.desk import Desk
from lineal.ingest.known_runs import KnownRun
from lineal.ingest.repeats import Point, Span, fresh_of, is_all_new, remember, remember_spans, spans_of
from lineal.ingest.rows import Metrics, Rows, read_metrics
from lineal.model.entities import Layout, SeriesKey
from lineal.model.values import INT64_MAX, INT64_MIN
from lineal.model.vocabulary import Labels
from lineal.server.compat.mlflow.errors import invalid_value
from lineal.server.compat.mlflow.given import as_double, as_int
from lineal.server.compat.mlflow.names import are_known_keys, check_key

_LABELS = ("model_id", "dataset_name", "dataset_digest")


@dataclass(frozen=True, slots=True)
class Batch:
    """Of one request, each series in the order that tells which is the latest. `spans`: by name, where all points are plain and differ
    from one another; else None."""

    names: Sequence[str]
    values: Sequence[float]
    steps: Sequence[int]
    times_ms: Sequence[int]
    labels: Sequence[Labels] | None
    spans: Mapping[str, Span] | None
    metrics: Metrics
    now_ms: int

    def points(self) -> list[Point]:
        labels = self.labels or [()] * len(self.names)
        rows = zip(self.names, labels, self.steps, self.times_ms, self.values, strict=True)
        return [Point((name, of), step, time_ms, value) for name, of, step, time_ms, value in rows]

    def fresh(self, desk: Desk, run: KnownRun) -> Fresh:
        """Without what the run has already. Raises Later, OverLimit."""
        if not self.names:
            return Fresh(self.metrics)
        desk.check_series(run, self.metrics)
        if self.spans is not None and is_all_new(desk, run, self.spans):
            return Fresh(self.metrics, spans=self.spans)
        points = self.points()
        fresh = fresh_of(desk, run, points)
        return Fresh(self.metrics if len(fresh) == len(points) else _metrics_of(fresh, self.now_ms), fresh)


class Fresh(NamedTuple):
    metrics: Metrics
    points: Sequence[Point] = ()
    spans: Mapping[str, Span] = {}

    def remember(self, run: KnownRun) -> None:
        """They are appended: in the transaction in which they were fresh."""
        remember(run, self.points)
        remember_spans(run, self.spans)


def batch_of(entries: Sequence[Mapping[str, Any]], *, one: bool = False) -> Batch:
    """Raises MlflowError."""
    now_ms = time.time_ns() // 1_000_000
    columns = _plain(entries)
    if columns is None:
        return _odd_batch(entries, one, now_ms)
    names, values, steps, times = columns
    places = list(zip(steps, times, strict=True))
    if any(a > b for a, b in pairwise(places)):
        order = sorted(range(len(places)), key=places.__getitem__)
        names, values, steps, times = ([column[at] for at in order] for column in columns)  # type: ignore[assignment]
    if len(set(zip(names, steps, times, strict=True))) != len(names):
        return _odd_batch(entries, one, now_ms)
    metrics = read_metrics(names, values, steps, times, now_ms)
    return Batch(names, values, steps, times, None, spans_of(names, values, steps, times), metrics, now_ms)


def _plain(entries: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[float], list[int], list[int]] | None:
    """Columns, if there is nothing odd about any of them."""
    try:
        names = [entry["key"] for entry in entries]
        values = [entry["value"] for entry in entries]
        steps = [entry["step"] for entry in entries]
        times = [entry["timestamp"] for entry in entries]
    except KeyError:
        return None
    is_plain = (
        set(map(type, values)) == {float}
        and set(map(type, steps)) == set(map(type, times)) == {int}
        and min(times) >= 0
        and max(times) <= INT64_MAX
        and min(steps) >= INT64_MIN
        and max(steps) <= INT64_MAX
        and are_known_keys(names)
        and not any("model_id" in entry for entry in entries)
    )
    return (names, values, steps, times) if is_plain else None


def _odd_batch(entries: Sequence[Mapping[str, Any]], one: bool, now_ms: int) -> Batch:
    points: list[Point] = []
    for at, entry in enumerate(entries):
        key, value, time_ms, step = _checked(entry, "" if one else f"metrics[{at}].")
        point = Point((key, ()), step, time_ms, value)
        points.append(point)
        if entry.get("model_id"):
            labels = tuple(sorted((name, str(entry[name])) for name in _LABELS if entry.get(name)))
            points.append(point._replace(series=(key, labels)))
    if len({point[:3] for point in points}) == len(points):
        points.sort(key=_by_place)  # what stood side by side stays there, so that it becomes rows
    else:
        points.sort(key=_latest_last)
    return Batch(
        [point.series[0] for point in points],
        [point.value for point in points],
        [point.step for point in points],
        [point.time_ms for point in points],
        [point.series[1] for point in points],
        None,
        _metrics_of(points, now_ms),
        now_ms,
    )


def _by_place(point: Point) -> tuple[int, int]:
    return point.step, point.time_ms


def _checked(entry: Mapping[str, Any], where: str) -> tuple[str, float, int, int]:
    """Key, value, time and step. Raises MlflowError."""
    key = check_key(text_of(entry.get("key"), f"{where}name"), f"{where}name", "Metric name")
    value = _value(entry, key, where)
    try:
        step = as_int(entry.get("step") or 0)
        time_ms = as_int(entry["timestamp"])
    except (ValueError, OverflowError):
        raise invalid_value(f"{where}timestamp", entry.get("timestamp")) from None
    if time_ms < 0:
        raise invalid_value(
            f"{where}timestamp",
            time_ms,
            f"metric '{key}' (value={value}). Timestamp must be a nonnegative long (64-bit integer) ",
        )
    return key, value, time_ms, step


def text_of(value: Any, place: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise invalid_value(place, value)
    return value


def _value(entry: Mapping[str, Any], key: str, where: str) -> float:
    try:
        return as_double(entry["value"])
    except (ValueError, OverflowError):
        raise invalid_value(
            f"{where}value",
            entry["value"],
            f"(timestamp={entry.get('timestamp')}). Please specify value as a valid double (64-bit floating point)",
        ) from None


def _latest_last(point: Point) -> tuple[int, int, bool, float]:
    is_number = not math.isnan(point.value)
    return point.step, point.time_ms, is_number, point.value if is_number else 0.0


def _metrics_of(points: Sequence[Point], now_ms: int) -> Metrics:
    """As rows; of a logged model's points the labels say whose they are."""
    of_labels: dict[Labels, list[Point]] = {}
    for point in points:
        of_labels.setdefault(point.series[1], []).append(point)
    rows: list[Rows] = []
    count = 0
    for labels, mine in of_labels.items():
        part = read_metrics(
            [point.series[0] for point in mine],
            [point.value for point in mine],
            [point.step for point in mine],
            [point.time_ms for point in mine],
            now_ms,
        )
        # Sequence numbers go by the place in the request, and no two rows may share one.
        placed = [replace(one, order=one.order + count) for one in part.rows] if count else part.rows
        rows += [replace(one, layout=_labelled(one.layout, labels)) for one in placed] if labels else placed
        count += part.point_count
    return Metrics(tuple(rows), count, 0)


@lru_cache(maxsize=256)
def _labelled(layout: Layout, labels: Labels) -> Layout:
    return Layout(layout.step_type, tuple(SeriesKey(key.name, labels, key.value_type) for key in layout.series))


NOTHING = batch_of(())
