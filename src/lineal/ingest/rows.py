"""Metrics as a request names them, one entry a point -> rows of layouts: arrays, without an object a point.

Entries that follow one another under the same step and time are one row, as one call of `log` would write them; the order
of logging is kept within every series."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from lineal.model.entities import Layout, SeriesKey
from lineal.model.errors import InvalidInput
from lineal.model.limits import NAME_MAX_BYTES
from lineal.model.values import INT64_MAX, INT64_MIN, check_name
from lineal.model.vocabulary import StepType, ValueType
from lineal.series.columns import Block, Int64s, Numbers

_EXACT = 2.0**53  # ints up to here are floats as well; JSON does not tell 1 from 1.0
_KNOWN_NAMES_MAX_COUNT = 500_000  # of all layouts at hand together: some 100 MB where every name is long

_layouts: dict[tuple[StepType, ValueType, tuple[str, ...]], Layout] = {}
_known_names = 0
_guard = threading.Lock()


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of one layout. `order`: the place of each row's first entry in the request; `step` counts from the run's next
    step on if `counts_up`."""

    layout: Layout
    order: Int64s
    step: Numbers
    time_ms: Int64s
    values: tuple[Numbers, ...]
    counts_up: bool

    def block(self, first_seq: int, first_step: int) -> Block:
        step = self.step + first_step if self.counts_up else self.step
        return Block(self.layout, self.order + first_seq, step, self.time_ms, self.values)


@dataclass(frozen=True, slots=True)
class Metrics:
    """All rows of a request, how many points they hold, and how many steps they count up."""

    rows: tuple[Rows, ...]
    point_count: int
    steps_counted: int


def read_metrics(
    names: Sequence[str],
    values: Sequence[int | float | str],
    steps: Sequence[int | float | None],
    times_ms: Sequence[int | None],
    now_ms: int,
) -> Metrics:
    """Of equally long columns. A time of None is now; a step of None counts up, name by name. Raises InvalidInput."""
    if not names:
        return Metrics((), 0, 0)
    # Of a request of 1,000 entries each pass in Python is a tenth of all that it costs.
    time = np.array([now_ms if one is None else one for one in times_ms] if None in times_ms else times_ms, np.int64)
    number = _floats(values)
    large = np.flatnonzero(np.abs(number) >= _EXACT)
    ints = [one for one in large.tolist() if type(values[one]) is int and int(float(values[one])) != values[one]]
    for one in ints:
        if not INT64_MIN <= values[one] <= INT64_MAX:  # type: ignore[operator]
            raise InvalidInput(f"metric {names[one]!r:.80}: an integer has at most 64 bits", field="metrics")
    parts: list[Rows] = []
    counted = 0
    place = np.arange(len(names), dtype=np.int64)
    counts_up = None in steps
    for said in (True, False) if counts_up else (True,):
        some = place
        if counts_up:
            some = np.array([one for one in range(len(names)) if (steps[one] is not None) is said], np.int64)
        if not len(some):
            continue
        is_all = len(some) == len(names)
        mine = names if is_all else [names[one] for one in some.tolist()]
        step = _steps(steps if is_all else [steps[one] for one in some.tolist()]) if said else _occurrences(mine)
        if not said:
            counted = int(step.max()) + 1
        if not ints:
            parts += _rows(mine, number[some], step, time[some], some, counts_up=not said)
            continue
        is_int = np.isin(some, ints)
        for exact in (False, True):
            kept = is_int if exact else ~is_int
            if not kept.any():
                continue
            at = some[kept]
            column: Numbers = number[at]
            if exact:
                column = np.array([values[one] for one in at.tolist()], np.int64)
            of_kind = mine if kept.all() else [name for name, keep in zip(mine, kept.tolist(), strict=True) if keep]
            parts += _rows(of_kind, column, step[kept], time[at], at, counts_up=not said)
    return Metrics(tuple(parts), len(names), counted)


def _floats(values: Sequence[int | float | str]) -> npt.NDArray[np.float64]:
    try:
        return np.array(values, np.float64)
    except (OverflowError, ValueError):
        raise InvalidInput("a metric's value is no number of 64 bits", field="metrics") from None


def _steps(steps: Sequence[Any]) -> Numbers:
    try:
        column = np.array(steps)
        if column.dtype == np.int64:
            return column
        column = column.astype(np.float64)
    except (OverflowError, ValueError, TypeError):
        raise InvalidInput("a step has at most 64 bits", field="metrics") from None
    if (np.abs(column) < _EXACT).all() and (column == np.floor(column)).all():
        return column.astype(np.int64)
    if any(type(step) is int and abs(step) >= _EXACT for step in steps):
        raise InvalidInput("a step has at most 64 bits", field="metrics")
    return column


def _occurrences(names: Sequence[str]) -> Int64s:
    seen: dict[str, int] = {}
    counts = []
    for name in names:
        count = seen.get(name, 0)
        counts.append(count)
        seen[name] = count + 1
    return np.array(counts, np.int64)


def _rows(
    names: Sequence[str], value: Numbers, step: Numbers, time: Int64s, place: Int64s, *, counts_up: bool
) -> list[Rows]:
    known = list(dict.fromkeys(names))
    width = len(known)
    step_type: StepType = "int64" if step.dtype == np.int64 else "float64"
    value_type: ValueType = "int64" if value.dtype == np.int64 else "float64"
    if len(names) % width == 0:
        count = len(names) // width
        columns = value, place, step, time
        table: list[Numbers] | None = None
        if list(names) == known * count:
            table = [one.reshape(count, width) for one in columns]
        elif list(names) == [name for name in known for _ in range(count)]:
            table = [one.reshape(width, count).T for one in columns]  # name by name, each with the same steps
        if table is not None:
            values, places, steps, times = table
            if (steps[:, :1] == steps).all() and (times[:, :1] == times).all():
                layout = _layout(step_type, value_type, tuple(known))
                shared = [np.ascontiguousarray(one[:, 0]) for one in (places, steps, times)]
                of_series = tuple(np.ascontiguousarray(values.T))
                return [Rows(layout, shared[0], shared[1], shared[2], of_series, counts_up)]
    index = {name: number for number, name in enumerate(known)}
    ids = np.array([index[name] for name in names], np.int32)
    found = []
    for members, heads in _odd_rows(ids, step, time):
        of_series = tuple(value[heads + at] for at in range(len(members)))
        layout = _layout(step_type, value_type, tuple(known[at] for at in members))
        found.append(Rows(layout, place[heads], step[heads], time[heads], of_series, counts_up))
    return found


def _odd_rows(ids: npt.NDArray[np.int32], step: Numbers, time: Int64s) -> list[tuple[list[int], Int64s]]:
    """Whatever is no table, as (names, where rows of them begin): a row ends where step or time changes, or a name comes
    again."""
    new = np.ones(len(ids), np.bool_)
    new[1:] = (step[1:] != step[:-1]) | (time[1:] != time[:-1])
    starts: list[int] = []
    seen: set[int] = set()
    for at, (name, is_new) in enumerate(zip(ids.tolist(), new.tolist(), strict=True)):
        if is_new or name in seen:
            starts.append(at)
            seen = set()
        seen.add(name)
    groups: dict[bytes, list[int]] = {}
    for start, end in zip(starts, [*starts[1:], len(ids)], strict=True):
        groups.setdefault(ids[start:end].tobytes(), []).append(start)
    return [(np.frombuffer(key, np.int32).tolist(), np.array(heads, np.int64)) for key, heads in groups.items()]


def _layout(step_type: StepType, value_type: ValueType, names: tuple[str, ...]) -> Layout:
    """The same object for the same names: the store knows it again by that. Names are checked when it is made."""
    global _known_names
    key = (step_type, value_type, names)
    layout = _layouts.get(key)
    if layout is None:
        checked = [check_name(name, field="metrics", max_bytes=NAME_MAX_BYTES) for name in names]
        layout = Layout(step_type, tuple(SeriesKey(name, (), value_type) for name in checked))
        with _guard:
            if _known_names + len(names) > _KNOWN_NAMES_MAX_COUNT:
                _layouts.clear()
                _known_names = 0
            if key not in _layouts:
                _known_names += len(names)
            layout = _layouts.setdefault(key, layout)
    return layout
