"""Pieces of series from the bytes that `server/piece_bytes.py` describes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from lineal.model.errors import Unreachable
from lineal.series.columns import Buckets, Columns
from lineal.store.contracts import BucketPiece, Piece

MEDIA_TYPE = "application/vnd.lineal.pieces"
_MAGIC = b"LNP1"


def points_from(data: bytes) -> list[list[Piece]]:
    """Raises Unreachable for other bytes."""
    return [
        [
            Piece(one["attempt_id"], one["writer"], one["value_type"], Columns(**_columns(one, body)))
            for one in series["pieces"]
        ]
        for series, body in _series(data)
    ]


def buckets_from(data: bytes) -> list[list[BucketPiece]]:
    """Raises Unreachable for other bytes."""
    return [
        [
            BucketPiece(one["attempt_id"], one["writer"], one["value_type"], Buckets(**_columns(one, body)))
            for one in series["pieces"]
        ]
        for series, body in _series(data)
    ]


def _series(data: bytes) -> list[tuple[Mapping[str, Any], memoryview]]:
    size = int.from_bytes(data[4:8], "little")
    if data[:4] != _MAGIC or len(data) < 8 + size:
        raise Unreachable("the answer is not a Lineal server's: these are no pieces of series", field="url")
    body = memoryview(data)[8 + size :]
    return [(one, body) for one in json.loads(data[8 : 8 + size])["series"]]


def _columns(piece: Mapping[str, Any], body: memoryview) -> dict[str, npt.NDArray[Any]]:
    return {
        one["name"]: np.frombuffer(body, f"<{one['dtype']}", piece["row_count"], one["offset"])
        for one in piece["columns"]
    }
