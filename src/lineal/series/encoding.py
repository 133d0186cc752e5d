"""One column of numbers as bytes, bit-exact. The bytes are described in spec/chunk.md.

Compression is pcodec (https://github.com/pcodec/pcodec), whose format is stable within a major version; what is too
short for it, or regular, is written by hand.
"""

from __future__ import annotations

from typing import cast
from zlib import crc32

import numpy as np
from pcodec import ChunkConfig
from pcodec.standalone import simple_compress, simple_decompress_into

from lineal.model.errors import Damaged, OverLimit
from lineal.model.limits import COLUMN_MAX_ROWS, COLUMN_SMALL_ROWS
from lineal.series.columns import Int64s, Numbers
from lineal.series.varint import get_signed, get_varint, put_signed, put_varint

PCODEC_LEVEL = 4  # of 65,536 rows of noise 6.96 bytes a value; level 3: 7.03, level 8: 6.88 but slower

_RAW, _REGULAR, _NARROW, _FLOAT32, _PCODEC = range(5)
_FLOAT = 0x40
_CRC_BYTES = 4

INT64: np.dtype[np.generic] = np.dtype(np.int64)
FLOAT64: np.dtype[np.generic] = np.dtype(np.float64)
_CONFIG = ChunkConfig(compression_level=PCODEC_LEVEL)
_WRAP = 1 << 64
_RAMP_ROWS = 4_096


def encode_column(array: Numbers) -> bytes:
    """One-dimensional int64 or float64 array -> bytes that say their own type and length, and end in a checksum.
    TypeError for another dtype or shape; OverLimit beyond COLUMN_MAX_ROWS."""
    data = encode_bare(array)
    return data + crc32(data).to_bytes(_CRC_BYTES, "little")


def decode_column(data: bytes | memoryview) -> Numbers:
    """The array, bit for bit, in memory of its own. Damaged if the bytes fail their checksum."""
    data = memoryview(data)
    end = len(data) - _CRC_BYTES
    if end < 1 or crc32(data[:end]) != int.from_bytes(data[end:], "little"):
        raise Damaged("a column fails its checksum")
    return decode_bare(data[:end])


def decode_column_into(data: bytes | memoryview, out: Numbers) -> None:
    """`decode_column` into an array of the column's own type and length, contiguous: spares the copy when columns are joined.
    Damaged if the bytes fail their checksum or are of another type or length."""
    data = memoryview(data)
    end = len(data) - _CRC_BYTES
    if end < 1 or crc32(data[:end]) != int.from_bytes(data[end:], "little"):
        raise Damaged("a column fails its checksum")
    data = data[:end]
    dtype = FLOAT64 if data[0] & _FLOAT else INT64
    method = data[0] & ~_FLOAT
    if dtype == out.dtype and method in (_PCODEC, _REGULAR):
        rows, offset = get_varint(data, 1)
        if rows == len(out):
            if method == _PCODEC:
                _decompress(data, offset, out)
            else:
                _fill_regular(data, offset, out.view(INT64))
            return
    decoded = decode_bare(data)
    if decoded.dtype != out.dtype or len(decoded) != len(out):
        raise Damaged(f"a column of {len(decoded)} {decoded.dtype} stands for {len(out)} {out.dtype}")
    out[:] = decoded


def encode_bare(array: Numbers) -> bytes:
    """`encode_column` without the checksum, for what lies inside a piece that has one."""
    if array.ndim != 1 or (array.dtype != FLOAT64 and array.dtype != INT64):
        raise TypeError(f"a column is a one-dimensional int64 or float64 array, not {array.ndim}-d {array.dtype}")
    rows = len(array)
    if rows > COLUMN_MAX_ROWS:
        raise OverLimit(f"a column of {rows} rows; at most {COLUMN_MAX_ROWS} fit")
    array = np.ascontiguousarray(array)
    regular = _regular(array)
    if regular is not None and len(regular) <= array.nbytes:
        return regular
    if rows < COLUMN_SMALL_ROWS:
        return _encode_small(array)
    out = bytearray((_tag(_PCODEC, array),))
    put_varint(out, rows)
    out += simple_compress(array, _CONFIG)
    return bytes(out) if len(out) <= array.nbytes else _raw(array)


def decode_bare(data: memoryview) -> Numbers:
    """The inverse of `encode_bare`. Damaged if the bytes make no sense; wrong ones often do, so check them first."""
    if not len(data):
        raise Damaged("a column of no bytes")
    dtype = FLOAT64 if data[0] & _FLOAT else INT64
    method = data[0] & ~_FLOAT
    if method == _RAW:
        return _fixed(data, dtype, dtype)
    if method == _FLOAT32 and dtype == FLOAT64:
        return _fixed(data, np.dtype(np.float32), dtype)
    if method not in (_REGULAR, _NARROW, _PCODEC):
        raise Damaged(f"a column of unknown kind {data[0]:#04x}")
    rows, offset = get_varint(data, 1)
    if rows > COLUMN_MAX_ROWS:
        raise Damaged(f"a column that claims {rows} rows")
    if method == _REGULAR:
        return _decode_regular(data, offset, rows).view(dtype)
    if method == _NARROW:
        return _decode_narrow(data, offset, rows).view(dtype)
    return _decode_pcodec(data, offset, rows, dtype)


def _tag(method: int, array: Numbers) -> int:
    return method | _FLOAT if array.dtype == FLOAT64 else method


def _raw(array: Numbers) -> bytes:
    return bytes((_tag(_RAW, array),)) + array.tobytes()


def _encode_small(array: Numbers) -> bytes:
    """The shortest of the methods that need no pcodec."""
    if array.dtype == INT64:
        return _narrow(array) or _raw(array)
    short = narrow_floats(array)
    return _raw(array) if short is None else bytes((_FLOAT32 | _FLOAT,)) + short.tobytes()


def narrow_floats(array: Numbers) -> Numbers | None:
    """The array as float32 if that loses no bit (most of what a model computes was float32 once), else None."""
    with np.errstate(all="ignore"):
        short = array.astype(np.float32)
        same = np.array_equal(short.astype(np.float64).view(np.int64), array.view(np.int64))
    return short if same else None


# -- regular: start, start + increment, ... over the 64 bits as integers; a constant has increment 0 -----------


def _regular(array: Numbers) -> bytes | None:
    bits = array.view(np.int64)
    rows = len(bits)
    if rows == 0:
        return None
    start, increment = int(bits[0]), 0
    if rows > 1:
        increment = _wrapped(int(bits[1]) - start)
        # Two looks at single numbers spare most columns the pass over all of them.
        if _wrapped(start + (rows - 1) * increment) != int(bits[-1]):
            return None
        if rows > 2 and not (bits[1:] - bits[:-1] == increment).all():
            return None
    out = bytearray((_tag(_REGULAR, array),))
    put_varint(out, rows)
    put_signed(out, start)
    put_signed(out, increment)
    return bytes(out)


def _decode_regular(data: memoryview, offset: int, rows: int) -> Int64s:
    out = np.empty(rows, np.int64)
    _fill_regular(data, offset, out)
    return out


def _fill_regular(data: memoryview, offset: int, out: Int64s) -> None:
    start, offset = get_signed(data, offset)
    increment, offset = get_signed(data, offset)
    if offset != len(data):
        raise Damaged(f"{len(data) - offset} bytes too many behind a regular column")
    ramp = np.arange(min(len(out), _RAMP_ROWS), dtype=np.int64) * np.int64(increment)
    for row in range(0, len(out), _RAMP_ROWS):  # small steps: no other large array is touched
        part = out[row : row + _RAMP_ROWS]
        np.add(ramp[: len(part)], np.int64(_wrapped(start + row * increment)), out=part)


def _wrapped(number: int) -> int:
    """The number as 64-bit arithmetic would have it."""
    return (number + _WRAP // 2) % _WRAP - _WRAP // 2


# -- narrow: integers whose differences, less the smallest of them, fit in 1, 2 or 4 bytes ---------------------


def _narrow(array: Int64s) -> bytes | None:
    if len(array) < 2:
        return None
    differences = array[1:] - array[:-1]
    least = int(differences.min())
    width = _width_of(int(differences.max()) - least)
    if width is None:
        return None
    out = bytearray((_NARROW,))
    put_varint(out, len(array))
    put_signed(out, int(array[0]))
    put_signed(out, least)
    out.append(width)
    out += (differences - least).astype(f"<u{width}").tobytes()
    return bytes(out) if len(out) <= array.nbytes else None


def _decode_narrow(data: memoryview, offset: int, rows: int) -> Int64s:
    start, offset = get_signed(data, offset)
    least, offset = get_signed(data, offset)
    width = data[offset] if offset < len(data) else 0
    if width not in (1, 2, 4) or rows < 2 or len(data) - offset - 1 != (rows - 1) * width:
        raise Damaged(f"a narrow column of {rows} rows does not fit its {len(data)} bytes")
    out = np.empty(rows, np.int64)
    out[0] = start
    out[1:] = np.frombuffer(data, f"<u{width}", offset=offset + 1)
    out[1:] += np.int64(least)
    return np.cumsum(out)


def _width_of(span: int) -> int | None:
    for width in (1, 2, 4):
        if span < 1 << 8 * width:
            return width
    return None


# -- fixed-width numbers, and pcodec ---------------------------------------------------------------------------


def _fixed(data: memoryview, stored: np.dtype[np.generic], dtype: np.dtype[np.generic]) -> Numbers:
    size = len(data) - 1
    if size % stored.itemsize or size // stored.itemsize > COLUMN_MAX_ROWS:
        raise Damaged(f"{size} bytes are no column of {stored}")
    with np.errstate(all="ignore"):
        return np.frombuffer(data, stored, offset=1).astype(dtype)


def _decode_pcodec(data: memoryview, offset: int, rows: int, dtype: np.dtype[np.generic]) -> Numbers:
    out: Numbers = np.empty(rows, dtype)
    _decompress(data, offset, out)
    return out


def _decompress(data: memoryview, offset: int, out: Numbers) -> None:
    try:
        progress = simple_decompress_into(bytes(data[offset:]), out)
    except (RuntimeError, TypeError, ValueError) as error:
        raise Damaged(f"pcodec refuses a column: {error}") from error
    except BaseException as error:
        # A bug in pcodec's Rust arrives as a PanicException, which is no Exception and has no importable name.
        if type(error).__name__ != "PanicException":
            raise
        raise Damaged("pcodec fails on a column") from error
    if cast(int, progress.n_processed) != len(out) or not progress.finished:
        raise Damaged(f"a column has {progress.n_processed} rows and claims {len(out)}")
