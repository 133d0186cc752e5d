"""The smallest and largest number of each group of neighbours. The one place that knows how NaN and zero behave.

Groups are given by `starts` (k,), rising from 0: group i is rows starts[i] to starts[i + 1]. NaN is left out (a
group of NaN only gives NaN). NaN results have one bit pattern, and zero results no sign: which of two zeros, or
NaNs, numpy returns depends on the machine's vector width, and a result must not.
"""

from __future__ import annotations

import numpy as np

from lineal.series.columns import Int64s, Numbers


def smallest(numbers: Numbers, starts: Int64s) -> Numbers:
    """(k,) minima of the groups, of the numbers' type."""
    return _reduced(np.minimum, np.fmin, numbers, starts)


def largest(numbers: Numbers, starts: Int64s) -> Numbers:
    """(k,) maxima of the groups, of the numbers' type."""
    return _reduced(np.maximum, np.fmax, numbers, starts)


def nan_counts(numbers: Numbers, starts: Int64s) -> Int64s:
    """(k,) how many numbers of each group are NaN."""
    if numbers.dtype != np.float64:
        return np.zeros(len(starts), np.int64)
    is_nan = np.isnan(numbers)
    if not is_nan.any():
        return np.zeros(len(starts), np.int64)
    counts: Int64s = np.add.reduceat(is_nan, starts, dtype=np.int64)
    return counts


def plain(numbers: Numbers) -> Numbers:
    """The numbers as results of groups of one: NaNs of one bit pattern, zeros without a sign."""
    if numbers.dtype != np.float64:
        return numbers
    # A signalling NaN raises the machine's "invalid" flag in any arithmetic; it is no fault of the data.
    with np.errstate(invalid="ignore"):
        result = numbers + 0.0
    is_nan = np.isnan(result)
    if is_nan.any():
        result[is_nan] = np.nan
    return result


def _reduced(whole: np.ufunc, without_nan: np.ufunc, numbers: Numbers, starts: Int64s) -> Numbers:
    if len(starts) == len(numbers):
        return plain(numbers)
    with np.errstate(invalid="ignore"):
        result: Numbers = whole.reduceat(numbers, starts)
        if result.dtype == np.float64 and np.isnan(result).any():
            # fmin is slower, and needed only where there is a NaN.
            result = without_nan.reduceat(numbers, starts)
    return plain(result)
