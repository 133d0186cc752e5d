"""A range of steps of a long series: whole buckets of the pyramid inside, exact points at the edges."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from lineal.series.blocks import concat_columns, slice_steps
from lineal.series.columns import Buckets, Columns
from lineal.series.downsample import bucketize, take_buckets
from lineal.series.steps import at_or_above, at_or_below
from lineal.store.sql.ranges import Range

EXACT_MAX_POINTS = 4 * 65_536  # decoded in 2 ms; fewer points than this in the range are read one by one
EDGES_MAX_COUNT = 64  # buckets that lie half in the range: two, unless steps go back


class BlockHead(NamedTuple):
    """A stored block without its columns. step_min and step_max are None if a step is NaN."""

    pk: int
    layout: int
    row_count: int
    first_seq: int
    last_seq: int
    step_min: Any
    step_max: Any

    def touches(self, steps: Range) -> bool:
        if self.step_min is None:
            return True
        if steps.low is not None and not self.step_max >= steps.low:
            return False
        return steps.high is None or bool(self.step_min <= steps.high)


def zoom(
    buckets: Buckets, blocks: list[BlockHead], steps: Range, read: Callable[[BlockHead], Columns]
) -> list[Buckets] | None:
    """The pyramid's buckets cut to the range, in order; None if exact points are cheaper, or the only way.

    `blocks` hold the pyramid's points, in its order and no others; `read` gives a block's points of the series."""
    touching, inside = _touching(buckets, steps), _inside(buckets, steps)
    edges = touching & ~inside
    in_order = all(one.last_seq < two.first_seq for one, two in pairwise(blocks))
    complete = sum(block.row_count for block in blocks) == int(buckets.count.sum())
    if int(buckets.count[touching].sum()) <= EXACT_MAX_POINTS or edges.sum() > EDGES_MAX_COUNT:
        return None
    if not in_order or not complete:
        return None
    ends = np.cumsum(buckets.count)
    block_ends = np.cumsum([block.row_count for block in blocks])
    pieces: list[Buckets] = []
    for start, stop in _neighbours(edges, touching):
        if not edges[start]:
            pieces.append(take_buckets(buckets, np.arange(start, stop)))
            continue
        for place in range(start, stop):
            end = int(ends[place])
            points = _rows(blocks, block_ends, end - int(buckets.count[place]), end, read)
            points = slice_steps(points, steps.low, steps.high)
            if len(points):
                pieces.append(bucketize(points, 1))
    return pieces


def _rows(
    blocks: list[BlockHead], block_ends: Any, start: int, end: int, read: Callable[[BlockHead], Columns]
) -> Columns:
    """The points from one place in the series to another."""
    pieces = []
    first = int(np.searchsorted(block_ends, start, side="right"))
    last = int(np.searchsorted(block_ends, end, side="left"))
    for place in range(first, last + 1):
        offset = int(block_ends[place]) - blocks[place].row_count
        rows = slice(max(0, start - offset), end - offset)
        columns = read(blocks[place])
        pieces.append(Columns(columns.seq[rows], columns.step[rows], columns.time_ms[rows], columns.value[rows]))
    return concat_columns(pieces)


def _neighbours(edges: Any, touching: Any) -> list[tuple[int, int]]:
    """(start, stop) of each run of neighbours that touch the range and are all edges, or all not."""
    places = np.flatnonzero(touching)
    if not len(places):
        return []
    cuts = np.flatnonzero((np.diff(places) != 1) | (edges[places][1:] != edges[places][:-1])) + 1
    return [(int(group[0]), int(group[-1]) + 1) for group in np.split(places, cuts)]


def _touching(buckets: Buckets, steps: Range) -> Any:
    keep = np.ones(len(buckets), np.bool_)
    if steps.low is not None:
        keep &= at_or_above(buckets.step_max, steps.low)
    if steps.high is not None:
        keep &= at_or_below(buckets.step_min, steps.high)
    return keep


def _inside(buckets: Buckets, steps: Range) -> Any:
    keep = np.ones(len(buckets), np.bool_)
    if steps.low is not None:
        keep &= at_or_above(buckets.step_min, steps.low)
    if steps.high is not None:
        keep &= at_or_below(buckets.step_max, steps.high)
    return keep
