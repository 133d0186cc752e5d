"""Where curves that were equal part: the first step at which two runs did not log the same value, bit for bit."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from lineal.model.entities import SeriesInfo
from lineal.model.limits import DIFF_POINTS_MAX_COUNT, DIFF_ROWS_MAX_COUNT
from lineal.model.vocabulary import Labels, is_system
from lineal.store.contracts import TenantReader

if TYPE_CHECKING:
    from lineal.series.merge import History

Curve: TypeAlias = tuple[str, Labels]
_SMALL, _TOGETHER = 2_000, 100  # points of curves that are read together, and how many of these
_HEAD_BUCKETS = 64  # curves that part do so early, mostly: the first part of one is read before all of it


@dataclass(frozen=True, slots=True)
class Parting:
    """Of a curve that all the runs have. `step` None: they are equal, bit for bit. `values`: what each logged at that step, the runs
    without a point there left out. Of a step that a run logged again, its last word counts."""

    metric: str
    labels: Labels
    step: float | int | None
    values: dict[str, float | int]


@dataclass(frozen=True, slots=True)
class Partings:
    """`left_out`: curves that there was no room to read, by name."""

    found: tuple[Parting, ...]
    left_out: tuple[str, ...] = ()


def find_partings(
    reader: TenantReader,
    run_ids: Sequence[str],
    series: Sequence[Sequence[SeriesInfo]],
    names: Sequence[str] | None = None,
) -> Partings:
    """Of the metrics named, or of all but the machine's; the smallest curves first, as far as the bound goes."""
    counts = _common(series, names)
    ordered = sorted(counts, key=lambda one: (counts[one], one))
    chosen, left_out = ordered[:DIFF_ROWS_MAX_COUNT], [curve[0] for curve in ordered[DIFF_ROWS_MAX_COUNT:]]
    found: list[Parting] = []
    budget = DIFF_POINTS_MAX_COUNT
    small = [curve for curve in chosen if counts[curve] <= _SMALL]
    for first in range(0, len(small), _TOGETHER):
        some = small[first : first + _TOGETHER]
        if sum(counts[curve] for curve in some) > budget:
            left_out += [curve[0] for curve in some]
            continue
        budget -= sum(counts[curve] for curve in some)
        found += [
            one or Parting(*curve, None, {}) for curve, one in zip(some, _first(reader, run_ids, some), strict=True)
        ]
    for curve in chosen[len(small) :]:
        # The head of a long curve is a part of its points that is small enough for any budget.
        [parting] = _first(reader, run_ids, [curve], _head_of(reader, run_ids, curve))
        if parting is None and counts[curve] > budget:
            left_out.append(curve[0])
            continue
        if parting is None:
            budget -= counts[curve]
            [parting] = _first(reader, run_ids, [curve])
        found.append(parting or Parting(*curve, None, {}))
    found.sort(key=lambda one: (one.metric, one.labels))
    return Partings(tuple(found), tuple(dict.fromkeys(left_out)))


def _common(series: Sequence[Sequence[SeriesInfo]], names: Sequence[str] | None) -> dict[Curve, int]:
    """Curves that all runs have -> their points, of all runs."""
    totals: dict[Curve, list[int]] = {}
    for place, infos in enumerate(series):
        for info in infos:
            if (names is None and is_system(info.key.name)) or (names is not None and info.key.name not in names):
                continue
            of_runs = totals.setdefault((info.key.name, info.key.labels), [0] * len(series))
            of_runs[place] += info.summary.count
    return {curve: sum(of_runs) for curve, of_runs in totals.items() if all(of_runs)}


def _head_of(reader: TenantReader, run_ids: Sequence[str], curve: Curve) -> float | int | None:
    """A step up to which there are few points, of all the runs."""
    ends = [
        bucket
        for pieces in reader.read_buckets([(run_id, curve) for run_id in run_ids], _HEAD_BUCKETS)
        for piece in pieces
        for bucket in [piece.buckets.step_max.min()]
    ]
    finite = [end for end in ends if math.isfinite(end)]
    return min(finite).item() if finite else None


def _first(
    reader: TenantReader, run_ids: Sequence[str], curves: Sequence[Curve], step_max: float | int | None = None
) -> Iterator[Parting | None]:
    """Where each of them parts, up to that step."""
    from lineal.series.merge import latest_attempt_wins, merge_pieces

    read = reader.read_points_of([(run_id, curve) for curve in curves for run_id in run_ids], step_max=step_max)
    for place, curve in enumerate(curves):
        of_runs = read[place * len(run_ids) : (place + 1) * len(run_ids)]
        histories = [merge_pieces(latest_attempt_wins(pieces), *curve) for pieces in of_runs]
        yield None if are_equal(histories) else _parting_of(curve, run_ids, list(map(by_step, histories)))


def are_equal(histories: Sequence[History]) -> bool:
    """Logged alike: most curves of a run made again are, and it is seen at once."""
    return len(
        {(one.step.dtype.str, one.step.tobytes(), one.value.dtype.str, one.value.tobytes()) for one in histories}
    ) == 1 and (histories[0].value.dtype != object and histories[0].step.dtype != object)


def _parting_of(
    curve: Curve, run_ids: Sequence[str], points: Sequence[dict[float | int, float | int]]
) -> Parting | None:
    for step in _steps(points):
        values = {run_id: known[step] for run_id, known in zip(run_ids, points, strict=True) if step in known}
        if len(values) < len(run_ids) or len({bits_of(value) for value in values.values()}) > 1:
            return Parting(*curve, step, values)
    return None


def by_step(history: History) -> dict[float | int, float | int]:
    return dict(zip(history.step.tolist(), history.value.tolist(), strict=True))


def _steps(points: Sequence[dict[float | int, float | int]]) -> Iterator[float | int]:
    """Of all, in order; a step that is no number is no place on a curve."""
    yield from sorted({step for known in points for step in known if step == step})


def bits_of(value: float | int) -> tuple[str, object]:
    """1 and 1.0 are told apart, and 0.0 from -0.0; NaN is NaN."""
    if isinstance(value, float):
        return ("float64", "NaN" if math.isnan(value) else value.hex())
    return ("int64", value)
