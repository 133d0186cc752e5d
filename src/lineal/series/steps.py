"""Ranges of steps, compared exactly though bound and step may be of different types.

numpy would round an int64 step, or a Python int, to a float64 first: 2**53 + 1 would be at most 2.0**53.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from lineal.model.values import INT64_MAX, INT64_MIN
from lineal.series.columns import Numbers

Mask: TypeAlias = npt.NDArray[np.bool_]


def at_or_above(steps: Numbers, bound: float | int) -> Mask:
    """Which steps are >= bound; a NaN on either side is not."""
    least = _nearest_within(steps.dtype, bound, up=True)
    return np.zeros(len(steps), np.bool_) if least is None else steps >= least


def at_or_below(steps: Numbers, bound: float | int) -> Mask:
    """Which steps are <= bound; a NaN on either side is not."""
    greatest = _nearest_within(steps.dtype, bound, up=False)
    return np.zeros(len(steps), np.bool_) if greatest is None else steps <= greatest


def _nearest_within(dtype: np.dtype[np.generic], bound: float | int, *, up: bool) -> float | int | None:
    """The smallest number of the type that is >= bound, or (not up) the largest that is <= bound; None if there
    is none."""
    if bound != bound:
        return None
    if dtype == np.int64:
        return _nearest_int(bound, up=up)
    if dtype == np.float64:
        return _nearest_float(bound, up=up)
    return bound  # objects are compared by Python, exactly


def _nearest_int(bound: float | int, *, up: bool) -> int | None:
    if math.isinf(bound):
        if (bound > 0) == up:
            return None
        return INT64_MIN if up else INT64_MAX
    whole = math.ceil(bound) if up else math.floor(bound)
    if whole > INT64_MAX:
        return None if up else INT64_MAX
    if whole < INT64_MIN:
        return INT64_MIN if up else None
    return whole


def _nearest_float(bound: float | int, *, up: bool) -> float:
    try:
        number = float(bound)
    except OverflowError:
        number = math.inf if bound > 0 else -math.inf
    if up:
        return math.nextafter(number, math.inf) if number < bound else number
    return math.nextafter(number, -math.inf) if number > bound else number
