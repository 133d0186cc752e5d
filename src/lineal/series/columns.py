"""The two shapes in which points travel between ingest, store and reader. Arrays are never changed in place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from lineal.model.entities import Layout

Int64s: TypeAlias = npt.NDArray[np.int64]
Numbers: TypeAlias = npt.NDArray[Any]
"""float64 or int64, one dimension."""


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one layout of one writer, in order of logging.

    seq      (n,) int64, strictly rising: the records' sequence numbers
    step     (n,) int64 or float64 as the layout says; may repeat and go back
    time_ms  (n,) int64, wall time; may jump
    values   one (n,) array a series of the layout, float64 or int64 as its value type says
    """

    layout: Layout
    seq: Int64s
    step: Numbers
    time_ms: Int64s
    values: tuple[Numbers, ...]

    def __len__(self) -> int:
        return len(self.seq)


@dataclass(frozen=True, slots=True)
class Columns:
    """The points of one series from one writer, in order of logging; arrays as in `Block`."""

    seq: Int64s
    step: Numbers
    time_ms: Int64s
    value: Numbers

    def __len__(self) -> int:
        return len(self.seq)


@dataclass(frozen=True, slots=True)
class Buckets:
    """Consecutive points summed up, in order of logging: one row a bucket, all arrays (n,).

    count, nan_count   int64: points in the bucket, and how many of their values are NaN
    min, max           values' type, NaN left out (a float bucket of NaN only: NaN)
    first, last        values' type, as logged
    step_min, step_max steps' type: the range of steps, since steps may go back within a bucket
    time_min, time_max int64 ms
    """

    count: Int64s
    nan_count: Int64s
    min: Numbers
    max: Numbers
    first: Numbers
    last: Numbers
    step_min: Numbers
    step_max: Numbers
    time_min: Int64s
    time_max: Int64s

    def __len__(self) -> int:
        return len(self.count)
