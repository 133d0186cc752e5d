"""Columns kept in memory: read when first asked for, brought up to date by what changed, dropped by age and size."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lineal.model.limits import (
    COLUMNS_MAX_AGE_S,
    COLUMNS_MAX_BYTES,
    COLUMNS_MAX_COUNT,
    MASKS_MAX_BYTES,
    MASKS_MAX_COUNT,
)
from lineal.query.syntax import Comparison, Field
from lineal.series.columns import Int64s
from lineal.store.search.column import Column
from lineal.store.search.numbers import Mask, resized
from lineal.store.search.runs import RunTable
from lineal.store.search.source import NO_RUNS, ColumnSource


class _Held(NamedTuple):
    column: Column
    used_at: float


class _KnownMask(NamedTuple):
    """Which rows satisfy a comparison, right up to a moment of the table."""

    mask: Mask
    moment: int
    values_bytes: int

    @property
    def size_bytes(self) -> int:
        return len(self.mask) + self.values_bytes


class Columns:
    def __init__(self, table: RunTable, clock: Callable[[], float] = time.monotonic) -> None:
        self._table = table
        self._clock = clock
        self._held: OrderedDict[Field, _Held] = OrderedDict()
        self._masks: OrderedDict[Comparison, _KnownMask] = OrderedDict()

    @property
    def size_bytes(self) -> int:
        return sum(held.column.size_bytes for held in self._held.values())

    def get(self, field: Field, source: ColumnSource) -> Column:
        """The field's column, right for the table's moment."""
        held = self._held.pop(field, None)
        table = self._table
        rows = None if held is None or held.column.is_wasteful else table.rows_since(held.column.through)
        if held is None or rows is None:
            column = Column(field, table.capacity)
            self._load(column, source)
        else:
            column = held.column
            column.resize(table.capacity)
            if len(rows):
                self._update(column, source, rows)
        column.through = table.moment
        self._held[field] = _Held(column, self._clock())
        return column

    def mask(self, comparison: Comparison, source: ColumnSource) -> Mask:
        """Which rows satisfy it. Not to be changed."""
        table = self._table
        known = self._masks.pop(comparison, None)
        rows = None if known is None else table.rows_since(known.moment)
        if known is None or rows is None:
            mask = resized(self.get(comparison.field, source).holds(comparison, table.rows), table.capacity, False)
        else:
            mask = known.mask if len(known.mask) == table.capacity else resized(known.mask, table.capacity, False)
            if len(rows):
                mask[rows] = self.get(comparison.field, source).holds(comparison, rows)
        values_bytes = _values_bytes(comparison) if known is None else known.values_bytes
        self._masks[comparison] = _KnownMask(mask, table.moment, values_bytes)
        return mask[: table.count]

    def trim(self) -> None:
        """Drops what nobody asked for in a while, and the longest unused beyond the bound."""
        oldest = self._clock() - COLUMNS_MAX_AGE_S
        size = self.size_bytes
        while self._held:
            field, held = next(iter(self._held.items()))
            fits = size <= COLUMNS_MAX_BYTES and len(self._held) <= COLUMNS_MAX_COUNT
            if held.used_at >= oldest and (fits or len(self._held) == 1):
                break
            size -= held.column.size_bytes
            del self._held[field]
        masks_size = sum(known.size_bytes for known in self._masks.values())
        while len(self._masks) > 1 and (masks_size > MASKS_MAX_BYTES or len(self._masks) > MASKS_MAX_COUNT):
            masks_size -= self._masks.popitem(last=False)[1].size_bytes

    def _load(self, column: Column, source: ColumnSource) -> None:
        table = self._table
        stale = table.number[: table.count][table.is_stale[: table.count]]
        values = source.read_values(column.field, None, stale if column.field.kind == "metric" else NO_RUNS)
        rows = table.rows_of(np.array(values.runs, np.int64))
        column.set(slice(0, 0), rows, values.numbers, values.texts)

    def _update(self, column: Column, source: ColumnSource, rows: Int64s) -> None:
        table = self._table
        numbers = table.number[rows]
        stale = numbers[table.is_stale[rows]] if column.field.kind == "metric" else NO_RUNS
        values = source.read_values(column.field, numbers, stale)
        column.set(rows, table.rows_of(np.array(values.runs, np.int64)), values.numbers, values.texts)


def _values_bytes(comparison: Comparison) -> int:
    """Roughly what the right side takes: a list of 10,000 texts is a megabyte, whatever the number of runs."""
    value = comparison.value
    values = value if isinstance(value, tuple) else (value,)
    return sum(64 + len(one) if isinstance(one, str) else 64 for one in values)
