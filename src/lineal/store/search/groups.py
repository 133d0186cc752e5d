"""Runs put together by the values of some fields, and what their metrics spread over."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lineal.model.values import ParamValue
from lineal.query.grouping import group_value
from lineal.series.columns import Int64s, Numbers
from lineal.store.contracts import Spread
from lineal.store.search.column import Column
from lineal.store.search.numbers import Keys
from lineal.store.search.order import Step, by_keys, window

_SMALL_RANGE = 1 << 20  # whole numbers within so many need no sorting
_FLAGS = ("False", "True")


class Groups(NamedTuple):
    """`members`: rows of each group."""

    members: list[Int64s]
    total: int


class GroupOrder(NamedTuple):
    """By the values of a column that the rows are put together by, or by the mean of any."""

    column: Column
    is_mean: bool
    descending: bool


def group_rows(rows: Int64s, columns: Sequence[Column], limit: int, order: Sequence[GroupOrder] = ()) -> Groups:
    """The first groups: as `order` says, then largest first, then by their values."""
    if not len(rows):
        return Groups([], 0)
    code = np.zeros(len(rows), np.int64)
    for column in columns:
        mine = _codes(column, rows)
        code = _compact(code * (int(mine.max()) + 1) + mine)
    count = np.bincount(code)
    some = np.empty(len(count), np.int64)
    some[code] = rows
    by_count = np.empty(int(rows.max()) + 1, np.int64)
    by_count[some] = -count
    steps: list[Step] = []
    for one in order:
        if one.is_mean:
            steps.append(_by_mean(one, rows, code, some))
        else:
            steps += [_by_value(one.column, one.descending), _by_whole_text(one.column, one.descending)]
    steps.append(by_keys(lambda chosen: [by_count[chosen]]))
    for column in columns:
        steps += [_by_value(column), _by_whole_text(column)]
    chosen = window(some, steps, 0, limit)
    code_at = np.empty(int(rows.max()) + 1, np.int64)
    code_at[rows] = code
    # Members of the groups on the page, side by side.
    place = np.full(len(count), -1, np.int64)
    place[code_at[chosen]] = np.arange(len(chosen))
    of_row = place[code]
    kept = of_row >= 0
    of_row, kept_rows = of_row[kept], rows[kept]
    side_by_side = np.argsort(of_row, kind="stable")
    ends = np.cumsum(np.bincount(of_row, minlength=len(chosen)))
    return Groups(np.split(kept_rows[side_by_side], ends[:-1]) if len(chosen) else [], len(count))


def value_at(column: Column, row: int) -> ParamValue:
    """The group value of a row."""
    number = None if column.numbers is None else column.numbers.get(row)
    text = None if column.texts is None else column.texts.get(row)
    if number is not None and text in _FLAGS:
        return text == "True"
    return group_value(text if number is None else number, column.field)


def spread(values: Numbers) -> Spread:
    """As `reference.spread_of`, of values that are NaN or infinite here and there."""
    values = values[np.isfinite(values)]
    count = len(values)
    if not count:
        return Spread(0, None, None, None, None)
    low, high = float(values.min()), float(values.max())
    mean = min(max(math.fsum((values / count).tolist()), low), high)
    std = None
    if count > 1:
        apart = values / 2 - mean / 2
        scale = float(np.abs(apart).max())
        std = 0.0
        if scale:
            std = 2 * scale * math.sqrt(math.fsum(((apart / scale) ** 2).tolist()) / (count - 1))
    return Spread(count, mean, std, low + 0.0, high + 0.0)


def _codes(column: Column, rows: Int64s) -> Int64s:
    """Equal for equal group values, from 0 on."""
    code = np.zeros(len(rows), np.int64)  # 0: none
    if column.texts is not None:
        code = column.texts.unique_codes(rows) + 1
    if column.numbers is not None:
        used = int(code.max()) + 1
        flag = _is_flag(column, rows)
        code[flag] = used + column.numbers.value[rows[flag]].astype(np.int64)
        is_number = column.numbers.has(rows) & ~flag
        if is_number.any():
            code[is_number] = used + 2 + _number_codes(column.numbers.keys(rows[is_number], False))
    return code


def _number_codes(keys: Keys) -> Int64s:
    if len(keys) > 1:
        order = np.lexsort(keys[::-1])
        is_new = np.zeros(len(order), np.int64)
        is_new[1:] = np.logical_or.reduce([key[order][1:] != key[order][:-1] for key in keys])
        found = np.empty(len(order), np.int64)
        found[order] = np.cumsum(is_new)
        return found
    [key] = keys
    low, high = float(key.min()), float(key.max())
    if math.isfinite(low) and math.isfinite(high) and high - low < _SMALL_RANGE and bool((key == np.floor(key)).all()):
        return (key - low).astype(np.int64)
    return np.unique(key, return_inverse=True)[1]


def _is_flag(column: Column, rows: Int64s) -> Numbers:
    """True and False are numbers that have a text of their own."""
    found: Numbers = np.zeros(len(rows), np.bool_)
    if column.texts is not None and column.numbers is not None:
        for text in _FLAGS:
            found |= column.texts.equals(text, rows)
        found &= column.numbers.has(rows)
    return found


def _compact(code: Int64s) -> Int64s:
    """Numbered from 0 without a gap."""
    if int(code.max()) < max(_SMALL_RANGE, 4 * len(code)):
        is_used = np.bincount(code) > 0
        return (np.cumsum(is_used) - 1)[code]
    return np.unique(code, return_inverse=True)[1]


def means_of(values: Numbers, code: Int64s, group_count: int) -> Numbers:
    """Of each group what `spread` says: NaN where no value is finite. `code`: of which group a value is."""
    finite = np.isfinite(values)
    values, code = values[finite], code[finite]
    order = np.argsort(code, kind="stable")
    values, code = values[order], code[order]
    count = np.bincount(code, minlength=group_count)
    mean = np.full(group_count, np.nan)
    mean[code] = values  # right where there is one
    parts, begins = (values / count[code]).tolist(), np.cumsum(count) - count
    for group in np.flatnonzero(count > 1).tolist():
        begin, end = int(begins[group]), int(begins[group] + count[group])
        exact = math.fsum(parts[begin:end])
        mean[group] = min(max(exact, float(values[begin:end].min())), float(values[begin:end].max()))
    return mean


def _by_mean(order: GroupOrder, rows: Int64s, code: Int64s, some: Int64s) -> Step:
    """`some`: a row of each group."""
    mean_at = np.full(int(rows.max()) + 1, np.nan)
    if order.column.numbers is not None:
        mean_at[some] = means_of(order.column.numbers.value[rows], code, len(some))

    def bands(chosen: Int64s) -> list[tuple[Int64s, Keys]]:
        mean = mean_at[chosen]
        has = ~np.isnan(mean)
        found: list[tuple[Int64s, Keys]] = [
            (chosen[has], [-mean[has] if order.descending else mean[has]]),
            (chosen[~has], []),
        ]
        return [band for band in found if len(band[0])]

    return bands


def _by_value(column: Column, descending: bool = False) -> Step:
    def bands(rows: Int64s) -> list[tuple[Int64s, Keys]]:
        found: list[tuple[Int64s, Keys]] = []
        if column.numbers is not None:
            flag = _is_flag(column, rows)
            is_number = column.numbers.has(rows) & ~flag
            found.append((rows[is_number], column.numbers.keys(rows[is_number], descending)))
            flags = column.numbers.value[rows[flag]]
            found.append((rows[flag], [-flags if descending else flags]))
            rows = rows[~is_number & ~flag]
        if column.texts is not None:
            has_text = column.texts.has(rows)
            found.append((rows[has_text], [column.texts.keys(rows[has_text], descending)]))
            rows = rows[~has_text]
        found.append((rows, []))
        return [band for band in found if len(band[0])]

    return bands


def _by_whole_text(column: Column, descending: bool = False) -> Step:
    """Texts that begin alike. Of rows that `_by_value` holds for equal: none has another kind of value."""

    def bands(rows: Int64s) -> list[tuple[Int64s, Keys]]:
        if column.texts is None:
            return [(rows, [])]
        code = column.texts.unique_codes(rows)
        used, place = np.unique(code, return_inverse=True)
        if len(used) < 2:
            return [(rows, [])]
        texts = [column.texts.pool[one] for one in used.tolist()]
        ranks = np.empty(len(used), np.int64)
        ranks[sorted(range(len(texts)), key=texts.__getitem__)] = np.arange(len(texts))
        return [(rows, [-ranks[place] if descending else ranks[place]])]

    return bands
