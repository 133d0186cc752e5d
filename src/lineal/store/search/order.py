"""A page of runs in order, without sorting those that are not on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lineal.series.columns import Int64s
from lineal.store.search.column import Column
from lineal.store.search.numbers import Keys

Step: TypeAlias = Callable[[Int64s], list[tuple[Int64s, Keys]]]
"""Rows -> bands of them, one after another, each with the arrays that order its rows."""
SORT_ALL_UP_TO = 2_000  # fewer rows are sorted at once: cheaper than to look for those in question


def by_column(column: Column, descending: bool) -> Step:
    return lambda rows: column.bands(rows, descending)


def by_keys(keys_of: Callable[[Int64s], Keys]) -> Step:
    return lambda rows: [(rows, keys_of(rows))]


def window(rows: Int64s, steps: Sequence[Step], start: int, stop: int) -> Int64s:
    """Rows at the places start to stop of the order, in that order. What no step tells apart stays as given."""
    start, stop = max(start, 0), min(stop, len(rows))
    if start >= stop:
        return rows[:0]
    if not steps:
        return rows[start:stop]
    found: list[Int64s] = []
    at = 0
    for band, keys in steps[0](rows):
        if at < stop and at + len(band) > start:
            found.append(_of_keys(band, keys, steps[1:], start - at, stop - at))
        at += len(band)
    return np.concatenate(found) if len(found) != 1 else found[0]


def _of_keys(rows: Int64s, keys: Keys, steps: Sequence[Step], start: int, stop: int) -> Int64s:
    start, stop = max(start, 0), min(stop, len(rows))
    if start >= stop:
        return rows[:0]
    if not keys:
        return window(rows, steps, start, stop)
    if len(rows) > SORT_ALL_UP_TO:
        return _of_many(rows, keys, steps, start, stop)
    order = np.lexsort(keys[::-1])
    ordered = [key[order] for key in keys]
    return _ties(rows[order], ordered, steps, start, stop)


def _of_many(rows: Int64s, keys: Keys, steps: Sequence[Step], start: int, stop: int) -> Int64s:
    """Only what lies between the values at both ends is sorted."""
    key, rest = keys[0], keys[1:]
    ends = np.partition(key, (start, stop - 1) if stop - 1 > start else start)
    low, high = ends[start], ends[stop - 1]
    if low == high:
        tied = key == low
        before = int((key < low).sum())
        return _of_keys(rows[tied], [one[tied] for one in rest], steps, start - before, stop - before)
    found = []
    at_low = key == low
    before = int((key < low).sum())
    found.append(_of_keys(rows[at_low], [one[at_low] for one in rest], steps, start - before, stop - before))
    between = (key > low) & (key < high)
    if between.any():
        inner = [one[between] for one in keys]
        order = np.lexsort(inner[::-1])
        found.append(_ties(rows[between][order], [one[order] for one in inner], steps, 0, int(between.sum())))
    at_high = key == high
    before = int((key < high).sum())
    found.append(_of_keys(rows[at_high], [one[at_high] for one in rest], steps, start - before, stop - before))
    return np.concatenate(found)


def _ties(rows: Int64s, ordered: list[npt.NDArray[Any]], steps: Sequence[Step], start: int, stop: int) -> Int64s:
    """Rows are sorted by these keys; equal ones are told apart by the steps that follow, where they are in question."""
    is_first = np.ones(len(rows), np.bool_)
    is_first[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in ordered])
    begins = np.flatnonzero(is_first)
    if len(begins) == len(rows) or not steps:
        return rows[start:stop]
    ends = np.append(begins[1:], len(rows))
    found = rows.copy()
    for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
        if end - begin > 1 and begin < stop and end > start:
            found[begin:end] = window(rows[begin:end], steps, 0, end - begin)
    return found[start:stop]
