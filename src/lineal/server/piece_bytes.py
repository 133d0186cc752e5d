"""Points and buckets as the store has them, bit for bit, for a program on the other side (`application/vnd.lineal.pieces`).

"LNP1", uint32 LE length of the header, the header as JSON, padded with blanks so that the body begins at a multiple of 8; the
body: little-endian columns of 8 bytes a row ("i8" or "f8"), each where its offset from the body's start says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from lineal.store.contracts import BucketPiece, Piece, SeriesName

MEDIA_TYPE = "application/vnd.lineal.pieces"
MAGIC = b"LNP1"
POINT_COLUMNS = ("seq", "step", "time_ms", "value")
BUCKET_COLUMNS = (
    "count",
    "nan_count",
    "min",
    "max",
    "first",
    "last",
    "step_min",
    "step_max",
    "time_min",
    "time_max",
)
_ALIGN = 8


def piece_bytes(wanted: Sequence[tuple[str, SeriesName]], read: Sequence[Sequence[Piece | BucketPiece]]) -> bytes:
    """The pieces of each series wanted, in that order."""
    body: list[bytes] = []
    size = 0
    described: list[Mapping[str, Any]] = []
    for (run_id, (name, labels)), pieces in zip(wanted, read, strict=True):
        of_series: list[Mapping[str, Any]] = []
        for piece in pieces:
            source: Any = piece.buckets if isinstance(piece, BucketPiece) else piece.columns
            columns = []
            for column in BUCKET_COLUMNS if isinstance(piece, BucketPiece) else POINT_COLUMNS:
                values = getattr(source, column)
                dtype = "i8" if values.dtype.kind in "iu" else "f8"
                raw = np.ascontiguousarray(values, f"<{dtype}").tobytes()
                columns.append({"name": column, "dtype": dtype, "offset": size})
                body.append(raw)
                size += len(raw)
            of_series.append(
                {
                    "attempt_id": piece.attempt_id,
                    "writer": piece.writer,
                    "value_type": piece.value_type,
                    "row_count": len(source),
                    "columns": columns,
                }
            )
        described.append({"run_id": run_id, "name": name, "labels": dict(labels), "pieces": of_series})
    header = msgspec.json.encode({"series": described})
    header += b" " * (-(len(MAGIC) + 4 + len(header)) % _ALIGN)
    return b"".join((MAGIC, len(header).to_bytes(4, "little"), header, *body))
