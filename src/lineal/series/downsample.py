"""Points summed up into buckets, and buckets into fewer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from lineal.series.columns import Buckets, Columns, Int64s, Numbers
from lineal.series.mixed import join_rounded
from lineal.series.reduce import largest, nan_counts, plain, smallest
from lineal.series.steps import Mask, at_or_above, at_or_below

_FIELDS = tuple(field.name for field in fields(Buckets))


def bucketize(columns: Columns, max_points: int) -> Buckets:
    """At most `max_points` buckets of equal count (the last one smaller); each point its own bucket if they fit.

    NaN is counted and left out of min and max, infinities are kept; zeros in min and max have no sign. Objects
    (see `mixed.join_exact`) become float64. ValueError if max_points < 1."""
    return bucketize_at(columns, _equal_starts(len(columns), max_points))


def bucketize_at(columns: Columns, starts: Int64s) -> Buckets:
    """Buckets of the points from each start to the next; `starts` (k,) rises from 0, empty if there are no points."""
    step, time_ms, value = _real(columns.step), columns.time_ms, _real(columns.value)
    if len(starts) == len(columns):
        ones = np.ones(len(starts), np.int64)
        extreme, step = plain(value), plain(step)
        nans = nan_counts(value, starts)
        return Buckets(ones, nans, extreme, extreme, value, value, step, step, time_ms, time_ms)
    ends = np.append(starts[1:], len(columns))
    return Buckets(
        count=ends - starts,
        nan_count=nan_counts(value, starts),
        min=smallest(value, starts),
        max=largest(value, starts),
        first=value[starts],
        last=value[ends - 1],
        step_min=smallest(step, starts),
        step_max=largest(step, starts),
        time_min=smallest(time_ms, starts),
        time_max=largest(time_ms, starts),
    )


def coarsen(buckets: Buckets, max_points: int) -> Buckets:
    """At most `max_points` buckets, each of equally many neighbours (the last of fewer); the same object if they
    fit. ValueError if max_points < 1."""
    return coarsen_at(buckets, _equal_starts(len(buckets), max_points))


def coarsen_at(buckets: Buckets, starts: Int64s) -> Buckets:
    """One bucket of those from each start to the next; `starts` (k,) rises from 0, empty if there are no buckets."""
    if len(starts) == len(buckets):
        return buckets
    ends = np.append(starts[1:], len(buckets))
    return Buckets(
        count=np.add.reduceat(buckets.count, starts),
        nan_count=np.add.reduceat(buckets.nan_count, starts),
        min=smallest(buckets.min, starts),
        max=largest(buckets.max, starts),
        first=buckets.first[starts],
        last=buckets.last[ends - 1],
        step_min=smallest(buckets.step_min, starts),
        step_max=largest(buckets.step_max, starts),
        time_min=smallest(buckets.time_min, starts),
        time_max=largest(buckets.time_max, starts),
    )


def concat_buckets(pieces: Sequence[Buckets]) -> Buckets:
    """One Buckets of all, in the order given; the piece itself if it is alone. Steps or values of both types become
    float64 (`mixed.join_rounded`). ValueError if there is none."""
    if len(pieces) == 1:
        return pieces[0]
    return Buckets(*(join_rounded([getattr(piece, name) for piece in pieces]) for name in _FIELDS))


def slice_buckets(buckets: Buckets, step_min: float | None, step_max: float | None) -> Buckets:
    """The buckets whose range of steps touches the given one (both ends included; None is open). A bucket on the
    edge also counts points outside: cut points, not buckets, where counts must be exact."""
    if step_min is None and step_max is None:
        return buckets
    keep = np.ones(len(buckets), np.bool_)
    if step_min is not None:
        keep &= at_or_above(buckets.step_max, step_min)
    if step_max is not None:
        keep &= at_or_below(buckets.step_min, step_max)
    return buckets if keep.all() else take_buckets(buckets, keep)


def take_buckets(buckets: Buckets, rows: Mask | Int64s) -> Buckets:
    """The buckets that are marked, or at the given places, in that order."""
    return Buckets(*(getattr(buckets, name)[rows] for name in _FIELDS))


def _equal_starts(rows: int, max_groups: int) -> Int64s:
    if max_groups < 1:
        raise ValueError(f"{max_groups} buckets were asked for")
    return np.arange(0, rows, max(1, -(-rows // max_groups)))


def _real(numbers: Numbers) -> Numbers:
    return numbers.astype(np.float64) if numbers.dtype == object else numbers
