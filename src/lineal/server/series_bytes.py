"""Curves as bytes (`application/vnd.lineal.series`): what a chart reads without parsing a number.

"LNS1", uint32 LE length of the header, the header as JSON, padded with blanks so that the body begins at a multiple of 8;
the body: little-endian columns, each at a multiple of 8 from the body's start."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from lineal.server.curves import Curve
from lineal.server.series_columns import columns_of, is_exact

MEDIA_TYPE = "application/vnd.lineal.series"
_MAGIC = b"LNS1"
_ALIGN = 8
_DTYPES = {"f8": "<f8", "u4": "<u4", "i4": "<i4"}


def series_bytes(curves: list[Curve]) -> bytes:
    body: list[bytes] = []
    size = 0
    described: list[dict[str, Any]] = []
    for curve in curves:
        columns = []
        for name, values in columns_of(curve).items():
            dtype = "u4" if name in ("count", "nan_count") else "f8"
            raw = _packed(values, dtype)
            columns.append({"name": name, "dtype": dtype, "offset": size})
            body.append(raw)
            size += len(raw)
            if size % _ALIGN:
                body.append(bytes(_ALIGN - size % _ALIGN))
                size += _ALIGN - size % _ALIGN
        described.append(
            {
                "run_id": curve.run_id,
                "name": curve.name,
                "labels": dict(curve.labels),
                "value_type": curve.value_type,
                "exact": is_exact(curve.history),
                "row_count": len(curve.history),
                "point_count": curve.history.point_count,
                "attempts": list(curve.history.attempts),
                "columns": columns,
            }
        )
    header = msgspec.json.encode({"series": described})
    header += b" " * (-(len(_MAGIC) + 4 + len(header)) % _ALIGN)
    return b"".join((_MAGIC, len(header).to_bytes(4, "little"), header, *body))


def _packed(values: npt.NDArray[Any], dtype: str) -> bytes:
    if dtype == "u4":
        values = np.minimum(values, 2**32 - 1)
    return values.astype(_DTYPES[dtype]).tobytes()
