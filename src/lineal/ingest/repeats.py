"""Points that a run has already: a client that got no answer says them again, and they must not count twice.

What has a later wall time than all that its series has is new, which costs a comparison. Only what goes back in time is
looked up."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from lineal.ingest.desk import Desk, Later
from lineal.ingest.known_runs import KnownRun, Newest
from lineal.model.entities import SeriesKey
from lineal.store.contracts import SeriesName

_POINTS_MAX_COUNT = 4_096  # of one wall time that are remembered; beyond, they are looked up


class Point(NamedTuple):
    series: SeriesName
    step: int
    time_ms: int
    value: float

    @property
    def place(self) -> tuple[float, float | str]:
        """Step and value as they compare: a NaN is a NaN."""
        return self.step, "nan" if math.isnan(self.value) else self.value


class Span(NamedTuple):
    """What a request says of a series without labels: between which wall times, and what of step and value at the last."""

    first_ms: int
    last_ms: int
    points: Sequence[tuple[float, float | str]]


def spans_of(
    names: Sequence[str], values: Sequence[float], steps: Sequence[int], times_ms: Sequence[int]
) -> dict[str, Span]:
    """By name. Of columns without a point that is there twice."""
    found: dict[str, tuple[int, int, list[tuple[float, float | str]]]] = {}
    for name, value, step, time_ms in zip(names, values, steps, times_ms, strict=True):
        first, last, points = found.get(name, (time_ms, time_ms, []))
        if time_ms > last:
            last, points = time_ms, []
        if time_ms == last:
            points.append((step, value if value == value else "nan"))
        found[name] = (first if first < time_ms else time_ms, last, points)
    return {name: Span(first, last, points) for name, (first, last, points) in found.items()}


def is_all_new(desk: Desk, run: KnownRun, spans: Mapping[str, Span]) -> bool:
    """Whether all is later than what the run has: then it has none of it. Raises Later, as below."""
    for name, span in spans.items():
        newest = _newest(desk, run, (name, ()))
        if newest is not None and span.first_ms <= newest.time_ms:
            return False
    return True


def remember_spans(run: KnownRun, spans: Mapping[str, Span]) -> None:
    """They are appended, and later than all that was there."""
    for name, span in spans.items():
        points = set(span.points) if len(span.points) <= _POINTS_MAX_COUNT else None
        run.newest[name, ()] = Newest(span.last_ms, points)


def fresh_of(desk: Desk, run: KnownRun, points: Sequence[Point]) -> list[Point]:
    """Those that are not there, each once, in their order. Raises Later where only the next transaction can tell."""
    found: list[bool] = []
    doubtful: list[tuple[int, Point]] = []
    seen: set[tuple[SeriesName, int, tuple[float, float | str]]] = set()
    known: dict[SeriesName, Newest | None] = {}
    for point in points:
        identity = (point.series, point.time_ms, point.place)
        is_new = identity not in seen
        seen.add(identity)
        if point.series not in known:
            known[point.series] = _newest(desk, run, point.series)
        newest = known[point.series]
        if is_new and newest is not None and point.time_ms <= newest.time_ms:
            if point.time_ms == newest.time_ms and newest.points is not None:
                is_new = point.place not in newest.points
            else:
                doubtful.append((len(found), point))
        found.append(is_new)
    if doubtful:
        if desk.has_unread_points(run):
            raise Later
        for at, is_there in _looked_up(desk, run, doubtful):
            found[at] = found[at] and not is_there
    return [point for point, is_new in zip(points, found, strict=True) if is_new]


def remember(run: KnownRun, points: Iterable[Point]) -> None:
    """They are appended: in the transaction in which they were fresh."""
    for point in points:
        newest = run.newest.get(point.series)
        if newest is None or point.time_ms > newest.time_ms:
            run.newest[point.series] = Newest(point.time_ms, {point.place})
        elif point.time_ms == newest.time_ms and newest.points is not None:
            newest.points.add(point.place)
            if len(newest.points) > _POINTS_MAX_COUNT:
                newest.points = None


def _newest(desk: Desk, run: KnownRun, series: SeriesName) -> Newest | None:
    """None for a series without points."""
    known = run.newest.get(series)
    if known is not None:
        return known
    assert run.series is not None, "check_series comes first"
    name, labels = series
    if not any(SeriesKey(name, labels, kind) in run.series for kind in ("float64", "int64")):
        return None
    if desk.has_unread_points(run):
        raise Later  # somebody else's, who remembers nothing
    [pieces] = desk.reader.read_buckets([(run.run_id, series)], 1)
    if not pieces:
        return None
    run.newest[series] = newest = Newest(max(int(piece.buckets.time_max.max()) for piece in pieces), None)
    return newest


def _looked_up(desk: Desk, run: KnownRun, doubtful: Sequence[tuple[int, Point]]) -> list[tuple[int, bool]]:
    of_series: dict[SeriesName, list[tuple[int, Point]]] = {}
    for at, point in doubtful:
        of_series.setdefault(point.series, []).append((at, point))
    answers: list[tuple[int, bool]] = []
    for (name, labels), mine in of_series.items():
        steps = [point.step for _, point in mine]
        known: set[tuple[int, tuple[float, float | str]]] = set()
        for piece in desk.reader.read_points(run.run_id, name, labels, step_min=min(steps), step_max=max(steps)):
            columns = piece.columns
            rows = zip(columns.step.tolist(), columns.time_ms.tolist(), columns.value.tolist(), strict=True)
            points = (Point((name, labels), step, time_ms, float(value)) for step, time_ms, value in rows)
            known |= {(point.time_ms, point.place) for point in points}
        answers += [(at, (point.time_ms, point.place) in known) for at, point in mine]
    return answers
