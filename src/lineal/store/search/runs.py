"""The runs of a tenant as rows of columns, and what changed of them since when."""

from __future__ import annotations

from collections import deque

import numpy as np

from lineal.series.columns import Int64s, Numbers
from lineal.store.search.numbers import resized
from lineal.store.search.source import NO_RUNS, ColumnSource, RunRows

CHANGES_MAX_COUNT = 256  # refreshes whose changed rows are remembered: a column asked for later is read anew
CHANGED_SHARE = 8  # more than a row of so many changed: to read all of them is cheaper


class RunTable:
    """`moment` counts refreshes that changed anything. Arrays are longer than `count`, so that runs can be added."""

    def __init__(self) -> None:
        self.count = 0
        self.capacity = 0
        self.moment = 0
        self.change_number: int | None = None
        self.number: Int64s = NO_RUNS
        self.started_ms: Int64s = NO_RUNS
        self.experiment: Int64s = NO_RUNS
        self.is_deleted: Numbers = np.empty(0, np.bool_)
        self.is_stale: Numbers = np.empty(0, np.bool_)
        self._changed: deque[tuple[int, Int64s]] = deque(maxlen=CHANGES_MAX_COUNT)
        self._order: Int64s | None = None

    @property
    def size_bytes(self) -> int:
        return self.capacity * 26

    @property
    def rows(self) -> slice:
        return slice(0, self.count)

    def refresh(self, source: ColumnSource) -> None:
        """Brings the table to the source's moment, which is never before the last one's."""
        now = source.change_number()
        if now == self.change_number:
            return
        changed = source.read_runs(self.change_number)
        self.change_number = now
        if len(changed.number):
            self.moment += 1
            self._changed.append((self.moment, self._put(changed)))

    def rows_since(self, moment: int) -> Int64s | None:
        """Rows changed after that moment; None if they are too many, or not known any more."""
        if moment == self.moment:
            return NO_RUNS
        if not self._changed or self._changed[0][0] > moment + 1 or moment < 0:
            return None
        later = [rows for at, rows in self._changed if at > moment]
        rows = later[0] if len(later) == 1 else np.unique(np.concatenate(later))
        return None if len(rows) * CHANGED_SHARE > self.count else rows

    def rows_of(self, numbers: Int64s) -> Int64s:
        """Where runs stand; they must be known."""
        known = self.number[: self.count]
        if len(numbers) == len(known) and np.array_equal(numbers, known):
            return np.arange(self.count)
        if self._order is None:
            return np.searchsorted(known, numbers)
        return self._order[np.searchsorted(known, numbers, sorter=self._order)]

    def _put(self, changed: RunRows) -> Int64s:
        """The rows that these runs stand in now."""
        is_known = self._knows(changed.number)
        fresh = int((~is_known).sum())
        rows = np.empty(len(changed.number), np.int64)
        if is_known.any():
            rows[is_known] = self.rows_of(changed.number[is_known])
        if fresh:
            rows[~is_known] = np.arange(self.count, self.count + fresh)
            last = self.number[self.count - 1] if self.count else -1
            in_order = self._order is None and bool(changed.number[~is_known][0] > last)
            self._grow(self.count + fresh)
            self.count += fresh
            self.number[rows] = changed.number
            # Numbers that came late: several may write, and commit in another order.
            self._order = None if in_order else np.argsort(self.number[: self.count], kind="stable")
        self.started_ms[rows] = changed.started_ms
        self.experiment[rows] = changed.experiment
        self.is_deleted[rows] = changed.is_deleted
        self.is_stale[rows] = changed.is_stale
        return rows

    def _knows(self, numbers: Int64s) -> Numbers:
        known = self.number[: self.count]
        if not len(known):
            return np.zeros(len(numbers), np.bool_)
        places = np.minimum(np.searchsorted(known, numbers, sorter=self._order), len(known) - 1)
        found: Numbers = known[places if self._order is None else self._order[places]] == numbers
        return found

    def _grow(self, count: int) -> None:
        if count <= self.capacity:
            return
        # Room for an eighth more, so that runs that arrive one by one do not copy everything each time.
        self.capacity = count + count // 8 + 64
        for name in ("number", "started_ms", "experiment", "is_deleted", "is_stale"):
            setattr(self, name, resized(getattr(self, name), self.capacity, 0))
