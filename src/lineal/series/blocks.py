"""Blocks joined, cut, and read by series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineal.model.entities import SeriesKey
from lineal.series.columns import Block, Columns
from lineal.series.mixed import join_exact
from lineal.series.steps import Mask, at_or_above, at_or_below


def concat(blocks: Sequence[Block]) -> Block:
    """One block of all rows, in the order given; the block itself if it is alone. ValueError if there is none, or
    if layouts differ."""
    if not blocks:
        raise ValueError("no blocks to join")
    first = blocks[0]
    if len(blocks) == 1:
        return first
    if any(block.layout is not first.layout and block.layout != first.layout for block in blocks):
        raise ValueError("blocks of different layouts cannot be joined")
    return Block(
        first.layout,
        np.concatenate([block.seq for block in blocks]),
        np.concatenate([block.step for block in blocks]),
        np.concatenate([block.time_ms for block in blocks]),
        tuple(np.concatenate(arrays) for arrays in zip(*(block.values for block in blocks), strict=True)),
    )


def split(block: Block, rows: int) -> list[Block]:
    """Blocks of `rows` rows, the last one shorter; views, nothing is copied. [] for an empty block.
    ValueError if rows < 1."""
    if rows < 1:
        raise ValueError(f"blocks of {rows} rows")
    if 0 < len(block) <= rows:
        return [block]
    return [_rows(block, slice(start, start + rows)) for start in range(0, len(block), rows)]


def columns_of(block: Block, key: SeriesKey) -> Columns | None:
    """The points of one series, sharing the block's arrays; None if the layout does not have it."""
    try:
        index = block.layout.series.index(key)
    except ValueError:
        return None
    return Columns(block.seq, block.step, block.time_ms, block.values[index])


def concat_columns(pieces: Sequence[Columns]) -> Columns:
    """One Columns of all points, in the order given; the piece itself if it is alone. Steps or values of both types
    are joined by `mixed.join_exact`. ValueError if there is none."""
    if len(pieces) == 1:
        return pieces[0]
    if not pieces:
        raise ValueError("no columns to join")
    return Columns(
        np.concatenate([piece.seq for piece in pieces]),
        join_exact([piece.step for piece in pieces]),
        np.concatenate([piece.time_ms for piece in pieces]),
        join_exact([piece.value for piece in pieces]),
    )


def slice_steps(columns: Columns, step_min: float | None, step_max: float | None) -> Columns:
    """The points whose step lies within the range, both ends included; None is open. Without a bound every point,
    with one no point whose step is NaN. Views where the points kept are neighbours."""
    if step_min is None and step_max is None:
        return columns
    keep = np.ones(len(columns), np.bool_)
    if step_min is not None:
        keep &= at_or_above(columns.step, step_min)
    if step_max is not None:
        keep &= at_or_below(columns.step, step_max)
    return select(columns, keep)


def select(columns: Columns, keep: Mask) -> Columns:
    """The points marked in `keep` (n,), in order; `columns` itself if all are, views if they are neighbours."""
    count = int(np.count_nonzero(keep))
    if count == len(columns):
        return columns
    start = int(keep.argmax()) if count else 0
    rows: slice | Mask = slice(start, start + count)
    if not keep[start : start + count].all():
        rows = keep
    return Columns(columns.seq[rows], columns.step[rows], columns.time_ms[rows], columns.value[rows])


def _rows(block: Block, rows: slice) -> Block:
    return Block(
        block.layout,
        block.seq[rows],
        block.step[rows],
        block.time_ms[rows],
        tuple(values[rows] for values in block.values),
    )
