"""A series in a few numbers that can be merged."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from lineal.model.entities import Summary
from lineal.model.limits import STATS_STACK_ROWS
from lineal.series.columns import Block, Columns, Numbers


@dataclass(frozen=True, slots=True)
class Stats:
    """What `Summary` is made from; Python numbers, never numpy's. An int64 series has ints only, and its `total`
    is exact (it may exceed 64 bits). min, max and total leave NaN out; zeros in min and max have no sign."""

    count: int
    nan_count: int
    first: float | int
    last: float | int
    last_step: float | int
    last_ms: int
    min: float | int | None
    max: float | int | None
    total: float | int


def stats_of(columns: Columns) -> Stats:
    """Stats of at least one point; ValueError if there is none. Values are float64 or int64."""
    return _stats(columns.value[np.newaxis], columns.step, columns.time_ms)[0]


def stats_of_block(block: Block) -> list[Stats]:
    """`stats_of` each series of a block, in the layout's order. ValueError if it has no rows."""
    if len(block) >= STATS_STACK_ROWS:
        return [_stats(values[np.newaxis], block.step, block.time_ms)[0] for values in block.values]
    found: dict[int, Stats] = {}
    for dtype in (np.dtype(np.float64), np.dtype(np.int64)):
        places = [place for place, values in enumerate(block.values) if values.dtype == dtype]
        if places:
            matrix = np.concatenate([block.values[place] for place in places]).reshape(len(places), len(block))
            found.update(zip(places, _stats(matrix, block.step, block.time_ms), strict=True))
    return [found[place] for place in range(len(block.values))]


def merge(a: Stats, b: Stats) -> Stats:
    """Stats of both, `b` having been logged after `a`."""
    return Stats(
        count=a.count + b.count,
        nan_count=a.nan_count + b.nan_count,
        first=a.first,
        last=b.last,
        last_step=b.last_step,
        last_ms=b.last_ms,
        min=b.min if a.min is None else a.min if b.min is None else min(a.min, b.min),
        max=b.max if a.max is None else a.max if b.max is None else max(a.max, b.max),
        total=a.total + b.total,
    )


def summary_of(stats: Stats) -> Summary:
    """What a reader sees. `mean` is None if every value is NaN, and not finite where the float64 total is not."""
    numbers = stats.count - stats.nan_count
    return Summary(
        count=stats.count,
        nan_count=stats.nan_count,
        first=stats.first,
        last=stats.last,
        last_step=stats.last_step,
        last_ms=stats.last_ms,
        min=stats.min,
        max=stats.max,
        mean=stats.total / numbers if numbers else None,
    )


def _stats(matrix: Numbers, step: Numbers, time_ms: Numbers) -> list[Stats]:
    """Of each row of a (series, points) matrix of one type."""
    count = matrix.shape[1]
    if not count:
        raise ValueError("no points to sum up")
    sums = _int_sums(matrix) if matrix.dtype == np.int64 else _float_sums(matrix)
    # tolist, not item: it makes Python numbers of every type, objects included.
    [last_step], [last_ms] = step[-1:].tolist(), time_ms[-1:].tolist()
    edges = zip(matrix[:, 0].tolist(), matrix[:, -1].tolist(), strict=True)
    return [
        Stats(count, nans, first, last, last_step, last_ms, least, most, total)
        for (first, last), (nans, least, most, total) in zip(edges, sums, strict=True)
    ]


_Sums = list[tuple[int, float | int | None, float | int | None, float | int]]
"""nan_count, min, max and total of each row."""


def _float_sums(matrix: Numbers) -> _Sums:
    # Overflow to infinity, infinity less infinity and signalling NaN are data here, not faults.
    with np.errstate(all="ignore"):
        least = matrix.min(axis=1) + 0.0
        sums: _Sums = [
            (0, low, high, total)
            for low, high, total in zip(
                least.tolist(),
                (matrix.max(axis=1) + 0.0).tolist(),
                matrix.sum(axis=1).tolist(),
                strict=True,
            )
        ]
        for place in np.flatnonzero(np.isnan(least)).tolist():
            sums[place] = _sums_beside_nan(matrix[place])
    return sums


def _sums_beside_nan(row: npt.NDArray[np.float64]) -> tuple[int, float | None, float | None, float]:
    numbers = row[~np.isnan(row)]
    nans = len(row) - len(numbers)
    if not len(numbers):
        return nans, None, None, 0.0
    return nans, (numbers.min() + 0.0).item(), (numbers.max() + 0.0).item(), numbers.sum().item()


def _int_sums(matrix: Numbers) -> _Sums:
    lows, highs = matrix.min(axis=1).tolist(), matrix.max(axis=1).tolist()
    if max(-min(lows), max(highs)) * matrix.shape[1] < 1 << 63:
        totals = matrix.sum(axis=1).tolist()
    else:
        # The sum may leave 64 bits: add the upper and lower halves of the numbers apart.
        upper, lower = (matrix >> 32).sum(axis=1).tolist(), (matrix & 0xFFFFFFFF).sum(axis=1).tolist()
        totals = [(high << 32) + low for high, low in zip(upper, lower, strict=True)]
    return [(0, low, high, total) for low, high, total in zip(lows, highs, totals, strict=True)]
