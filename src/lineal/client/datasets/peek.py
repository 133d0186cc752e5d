"""How many rows and which columns a file has, where that can be told without a library that the user did not load."""

from __future__ import annotations

import ast
import contextlib
import csv
import os
import struct
import sys
from typing import Any, TypeAlias

from lineal.client.datasets.hashing import PIECE_BYTES
from lineal.model.limits import DATASET_COLUMNS_MAX_COUNT, DATASET_ROWS_COUNTED_BYTES

Peeked: TypeAlias = tuple[int | None, dict[str, Any] | None]
_HEAD_BYTES = 1 << 20


def peek(path: str) -> Peeked:
    """Rows and schema; None for what cannot be told. Never raises: what is no such file says nothing."""
    ending = os.path.splitext(path)[1].lower()
    with contextlib.suppress(OSError, ValueError, SyntaxError, KeyError, struct.error, csv.Error):
        if ending in (".csv", ".tsv"):
            return _delimited(path, "\t" if ending == ".tsv" else ",")
        if ending in (".jsonl", ".ndjson"):
            return _lines(path), None
        if ending == ".npy":
            return _npy(path)
        if ending in (".parquet", ".pq"):
            return _parquet(path)
    return None, None


def _delimited(path: str, delimiter: str) -> Peeked:
    with open(path, encoding="utf-8-sig", newline="") as file:
        head = file.read(_HEAD_BYTES)
    names = next(csv.reader(head.splitlines(keepends=True), delimiter=delimiter), [])
    lines = _lines(path, quote=b'"')
    schema = {"columns": [{"name": name} for name in names[:DATASET_COLUMNS_MAX_COUNT]]} if names else None
    return (None if lines is None else max(0, lines - 1)), schema


def _lines(path: str, quote: bytes | None = None) -> int | None:
    """Of a text file. None where a quoted field might hold a line's end, or the file is too long to look through."""
    if os.path.getsize(path) > DATASET_ROWS_COUNTED_BYTES:
        return None
    count, last = 0, b"\n"
    with open(path, "rb") as file:
        while piece := file.read(PIECE_BYTES):
            if quote is not None and quote in piece:
                return _records(path)
            count += piece.count(b"\n")
            last = piece[-1:]
    return count + (last != b"\n")


def _records(path: str) -> int | None:
    if os.path.getsize(path) > DATASET_ROWS_COUNTED_BYTES // 16:
        return None
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        return sum(1 for record in csv.reader(file) if record)


def _npy(path: str) -> Peeked:
    """The header of numpy's own format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html"""
    with open(path, "rb") as file:
        magic = file.read(8)
        if magic[:6] != b"\x93NUMPY":
            return None, None
        wide = magic[6] >= 2
        [length] = struct.unpack("<I" if wide else "<H", file.read(4 if wide else 2))
        header = ast.literal_eval(file.read(min(length, _HEAD_BYTES)).decode("latin-1").strip())
    shape = [int(one) for one in header["shape"]]
    return (shape[0] if shape else None), {"dtype": str(header["descr"]), "shape": shape}


def _parquet(path: str) -> Peeked:
    parquet = sys.modules.get("pyarrow.parquet")
    if parquet is not None:
        file = parquet.ParquetFile(path)
        named = [{"name": field.name, "type": str(field.type)} for field in file.schema_arrow]
        return file.metadata.num_rows, {"columns": named[:DATASET_COLUMNS_MAX_COUNT]}
    polars = sys.modules.get("polars")
    if polars is not None:
        frame = polars.scan_parquet(path)
        named = [{"name": name, "type": str(kind).lower()} for name, kind in frame.collect_schema().items()]
        return frame.select(polars.len()).collect().item(), {"columns": named[:DATASET_COLUMNS_MAX_COUNT]}
    return None, None
