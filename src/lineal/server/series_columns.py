"""The columns of a curve by name, for JSON and for bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from lineal.series.merge import History
from lineal.server.curves import Curve
from lineal.server.shapes.numbers import Number, number
from lineal.server.shapes.series import Series

_SUMMED = (
    "step_min",
    "step_max",
    "time_min",
    "time_max",
    "first",
    "last",
    "min",
    "max",
    "count",
    "nan_count",
)


def is_exact(history: History) -> bool:
    """Every row is a point."""
    return history.buckets is None or bool((history.buckets.count == 1).all())


def columns_of(curve: Curve) -> dict[str, npt.NDArray[Any]]:
    history = curve.history
    if history.buckets is None or is_exact(history):
        return {"step": history.step, "time_ms": history.time_ms, "value": history.value}
    return {name: getattr(history.buckets, name) for name in _SUMMED}


def series_of(curve: Curve) -> Series:
    """The curve as JSON has it."""
    history = curve.history
    columns: dict[str, Any] = {name: numbers(values) for name, values in columns_of(curve).items()}
    return Series(
        run_id=curve.run_id,
        name=curve.name,
        labels=dict(curve.labels),
        value_type="int64" if curve.value_type == "int64" else "float64",
        exact=is_exact(history),
        row_count=len(history),
        point_count=history.point_count,
        attempts=list(history.attempts),
        **columns,
    )


def numbers(values: npt.NDArray[Any]) -> list[Number]:
    """Python's numbers, ints as ints; what is not finite as its string."""
    found: list[Any] = values.tolist()
    if values.dtype == object or (values.dtype.kind == "f" and not np.isfinite(values).all()):
        return [number(value) for value in found]
    return found
