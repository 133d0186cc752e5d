"""A column of numbers that compares exactly: float64, and beside it the ints that a float64 would round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lineal.model.values import INT64_MAX
from lineal.series.columns import Int64s

Rows: TypeAlias = slice | Int64s
"""Which rows of a column: a range, or numbers of rows."""
Mask: TypeAlias = npt.NDArray[np.bool_]
Keys: TypeAlias = list[npt.NDArray[Any]]
"""Arrays to sort by, the first one first."""

_EXACT_FLOAT_MAX = 2.0**53
_TOP = 2.0**63
_BELOW = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal, "=": np.equal}


class NumberColumn:
    """NaN: no number. `is_int` tells 1 from 1.0 where a text is made of it."""

    def __init__(self, capacity: int) -> None:
        self.value = np.full(capacity, np.nan)
        self.is_int = np.zeros(capacity, np.bool_)
        self._exact: Int64s | None = None
        self._is_big: Mask | None = None

    @property
    def size_bytes(self) -> int:
        return len(self.value) * (9 if self._exact is None else 18)

    def resize(self, capacity: int) -> None:
        self.value = resized(self.value, capacity, np.nan)
        self.is_int = resized(self.is_int, capacity, False)
        if self._exact is not None and self._is_big is not None:
            self._exact = resized(self._exact, capacity, 0)
            self._is_big = resized(self._is_big, capacity, False)

    def set(self, rows: Int64s, numbers: Sequence[int | float | None]) -> None:
        values = np.array(numbers, np.float64)
        is_int = np.fromiter((type(number) is int for number in numbers), np.bool_, len(numbers))
        self.value[rows] = values
        self.is_int[rows] = is_int
        big = np.flatnonzero(is_int & (np.abs(values) >= _EXACT_FLOAT_MAX))
        if self._exact is None and len(big):
            self._exact = np.zeros(len(self.value), np.int64)
            self._is_big = np.zeros(len(self.value), np.bool_)
        if self._exact is not None and self._is_big is not None:
            self._is_big[rows] = False
            self._is_big[rows[big]] = True
            self._exact[rows[big]] = np.array([numbers[place] for place in big.tolist()], np.int64)

    def clear(self, rows: Rows) -> None:
        self.value[rows] = np.nan
        self.is_int[rows] = False
        if self._is_big is not None:
            self._is_big[rows] = False

    def get(self, row: int) -> int | float | None:
        """As it was set."""
        if self._is_big is not None and self._exact is not None and self._is_big[row]:
            return int(self._exact[row])
        number = float(self.value[row])
        if math.isnan(number):
            return None
        return int(number) if self.is_int[row] else number

    def has(self, rows: Rows) -> Mask:
        found: Mask = self.value[rows] == self.value[rows]
        return found

    def compare(self, name: str, number: int | float, rows: Rows) -> Mask:
        """Where `value name number` holds, `name` one of = < <= > >=. `number` is within 64 bits, and not NaN."""
        nearest = float(number)
        # What is lost by taking the nearest float64 decides between values equal to that.
        lost = number - int(nearest) if isinstance(number, int) else 0
        found: Mask = _BELOW[_beside(name, lost)](self.value[rows], nearest)
        if name == "=" and lost:
            found[:] = False
        if self._is_big is not None and self._exact is not None:
            big = self._is_big[rows]
            if big.any():
                found[big] = _compare_ints(name, self._exact[rows][big], number)
        return found

    def is_in(self, numbers: Sequence[int | float], rows: Rows) -> Mask:
        if len(numbers) <= 4:
            found = self.compare("=", numbers[0], rows)
            for number in numbers[1:]:
                found |= self.compare("=", number, rows)
            return found
        exact = [float(number) for number in numbers if float(number) == number]
        found = np.isin(self.value[rows], np.array(exact, np.float64))
        if self._is_big is not None and self._exact is not None:
            big = self._is_big[rows]
            if big.any():
                ints = [int(number) for number in numbers if not math.isinf(number) and int(number) == number]
                within = [number for number in ints if -INT64_MAX - 1 <= number <= INT64_MAX]
                found[big] = np.isin(self._exact[rows][big], np.array(within, np.int64))
        return found

    def keys(self, rows: Rows, descending: bool) -> Keys:
        """What is NaN here may stand anywhere."""
        value = self.value[rows]
        keys: Keys = [-value if descending else value]
        if self._is_big is not None and self._exact is not None:
            lost = np.zeros(len(value), np.int64)
            big = np.flatnonzero(self._is_big[rows])
            if len(big):
                exact, nearest = self._exact[rows][big], value[big]
                at_top = nearest == _TOP
                lost[big] = exact - np.where(at_top, 0.0, nearest).astype(np.int64)
                lost[big[at_top]] = (exact[at_top] - INT64_MAX) - 1
                keys.append(-lost if descending else lost)
        return keys


def _beside(name: str, lost: int) -> str:
    """The comparison with the nearest float64 that is true exactly where the one with the number itself is."""
    if lost == 0 or name == "=":
        return name
    if lost > 0:
        return {"<": "<=", ">=": ">"}.get(name, name)
    return {"<=": "<", ">": ">="}.get(name, name)


def _compare_ints(name: str, exact: Int64s, number: int | float) -> Mask:
    found: Mask
    if isinstance(number, float) and math.isinf(number):
        found = _BELOW[name](exact.astype(np.float64), number)
        return found
    if name == "=" and int(number) != number:
        return np.zeros(len(exact), np.bool_)
    bound = math.ceil(number) if name in ("<", ">=") else math.floor(number)
    found = _BELOW[name](exact, bound)
    return found


def resized(array: npt.NDArray[Any], capacity: int, fill: Any) -> npt.NDArray[Any]:
    """A longer copy."""
    longer = np.full(capacity, fill, array.dtype)
    longer[: len(array)] = array
    return longer
