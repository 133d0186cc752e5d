"""The values of one block inside a batch. See spec/chunk.md.

Few rows of many metrics are the common case, and a column for each metric would cost 5 us and some bytes apiece. So
the values of a small block lie in one matrix for each type, series after series, where each is found by counting.
From COLUMN_SMALL_ROWS rows on each series is a column, and a table of lengths says where.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lineal.model.entities import SeriesKey
from lineal.model.errors import Damaged
from lineal.model.limits import COLUMN_SMALL_ROWS
from lineal.series.columns import Block, Numbers
from lineal.series.encoding import FLOAT64, INT64, decode_bare, encode_bare, narrow_floats

_SHORT_FLOATS, _SHORT_INTS = 0x01, 0x02
_LENGTH = np.dtype("<u4")


def encode_values(block: Block) -> bytes:
    """All values of the block. ValueError if an array is not of its series' type or of the block's length."""
    rows = len(block)
    _check(block, rows)
    if rows < COLUMN_SMALL_ROWS:
        return _encode_matrices(block.values)
    columns = [encode_bare(values) for values in block.values]
    return np.array([len(column) for column in columns], _LENGTH).tobytes() + b"".join(columns)


def decode_values(data: memoryview, rows: int, series: Sequence[SeriesKey], wanted: Sequence[int]) -> list[Numbers]:
    """The values of the wanted places of `series`, in that order. Damaged if the bytes do not fit the layout."""
    if rows < COLUMN_SMALL_ROWS:
        return _decode_matrices(data, rows, series, wanted)
    table = _LENGTH.itemsize * len(series)
    if len(data) < table:
        raise Damaged(f"a block of {len(series)} series is cut off")
    ends = np.frombuffer(data[:table], _LENGTH).cumsum(dtype=np.int64) + table
    if len(data) != (ends[-1] if len(ends) else 0):
        raise Damaged(f"a block of {len(series)} series does not fit its {len(data)} bytes")
    found = []
    for place in wanted:
        column = decode_bare(data[ends[place - 1] if place else table : ends[place]])
        if column.dtype != dtype_of(series[place]) or len(column) != rows:
            raise Damaged(f"a block's column has {len(column)} {column.dtype} values, not {rows}")
        found.append(column)
    return found


def dtype_of(key: SeriesKey) -> np.dtype[np.generic]:
    return INT64 if key.value_type == "int64" else FLOAT64


def _check(block: Block, rows: int) -> None:
    series, arrays = block.layout.series, block.values
    # A thousand metrics of one type are the common wide block, and then three sets tell all.
    if len(series) == len(arrays) and set(map(len, arrays)) == {rows}:
        types = {key.value_type for key in series}
        if len(types) == 1 and {values.dtype for values in arrays} == {dtype_of(series[0])}:
            return
    for key, values in zip(series, arrays, strict=True):
        if len(values) != rows or values.dtype != dtype_of(key):
            wanted = f"{rows} {key.value_type}"
            raise ValueError(f"series {key.name!r} has {len(values)} {values.dtype} numbers where {wanted} belong")


def _encode_matrices(arrays: Sequence[Numbers]) -> bytes:
    flags = 0
    out = b""
    floats = [values for values in arrays if values.dtype == FLOAT64]
    if floats:
        matrix = np.concatenate(floats)
        short = narrow_floats(matrix)
        if short is not None:
            flags |= _SHORT_FLOATS
        out += (matrix if short is None else short).tobytes()
    ints = [values for values in arrays if values.dtype == INT64]
    if ints:
        matrix = np.concatenate(ints)
        short = matrix.astype(np.int32)
        if np.array_equal(short, matrix):
            flags |= _SHORT_INTS
            matrix = short
        out += matrix.tobytes()
    return bytes((flags,)) + out


def _decode_matrices(data: memoryview, rows: int, series: Sequence[SeriesKey], wanted: Sequence[int]) -> list[Numbers]:
    flags = data[0] if len(data) else 0
    is_int = [key.value_type == "int64" for key in series]
    float_type = np.dtype(np.float32) if flags & _SHORT_FLOATS else FLOAT64
    int_type = np.dtype(np.int32) if flags & _SHORT_INTS else INT64
    int_count = sum(is_int)
    float_count = len(series) - int_count
    ints_at = 1 + float_count * rows * float_type.itemsize
    if len(data) != ints_at + int_count * rows * int_type.itemsize:
        raise Damaged(f"a block of {rows} rows of {len(series)} series does not fit its {len(data)} bytes")
    # One pass over all of a small block is cheaper than a pass over each row.
    floats = np.frombuffer(data[1:ints_at], float_type).astype(np.float64).reshape(float_count, rows)
    ints = np.frombuffer(data[ints_at:], int_type).astype(np.int64).reshape(int_count, rows)
    # A row of a matrix is the number of series of its type before it.
    row_of = np.where(is_int, np.cumsum(is_int), np.cumsum(np.logical_not(is_int))) - 1
    return [ints[row_of[place]] if is_int[place] else floats[row_of[place]] for place in wanted]
