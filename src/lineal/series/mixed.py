"""Arrays of both number types, joined. A metric may be logged as 1 and then as 0.5, a step as 3 and then as 3.5."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineal.series.columns import Int64s, Numbers

_EXACT = 2**53  # every integer up to here, of either sign, is a float64


def join_exact(arrays: Sequence[Numbers]) -> Numbers:
    """The numbers of all arrays, none of them changed: of one type if they are; else float64 if every integer is
    exact in it; else objects, Python's ints and floats. ValueError if there is no array."""
    if len(arrays) == 1:
        return arrays[0]
    if not arrays:
        raise ValueError("nothing to join")
    types = {array.dtype for array in arrays}
    if len(types) == 1:
        return np.concatenate(arrays)
    if np.dtype(object) not in types and all(_is_exact(array) for array in arrays if array.dtype == np.int64):
        return np.concatenate([array.astype(np.float64) for array in arrays])
    return np.concatenate([array.astype(object) for array in arrays])


def join_rounded(arrays: Sequence[Numbers]) -> Numbers:
    """The same for overviews, which are drawn: mixed types become float64, integers beyond 2**53 the nearest one."""
    if len(arrays) > 1 and len({array.dtype for array in arrays}) > 1:
        arrays = [array.astype(np.float64) for array in arrays]
    return join_exact(arrays)


def _is_exact(integers: Int64s) -> bool:
    """Whether each integer is also a float64."""
    large = integers[(integers > _EXACT) | (integers < -_EXACT)]
    # Python compares ints with floats exactly.
    return all(float(number) == number for number in set(large.tolist()))
