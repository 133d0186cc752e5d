"""Stats of a writer's series as bytes: one row of the table `summary` holds all of them.

    entry  := series, last_seq, flags, count, nan_count, last_ms, last_step, first [last] [min] [max] [total]

Counts and times are varints; a float is its 8 bytes, an int a length and its bytes (a total may exceed 64 bits)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from lineal.series.stats import Stats
from lineal.series.varint import get_signed, get_varint, put_signed, put_varint

_FLOAT = struct.Struct("<d")
_FIVE = struct.Struct("<5d")
_IS_INT, _STEP_IS_INT, _NO_MIN_MAX = 1, 2, 4
_SAME: tuple[int, ...] = (8, 16, 32, 64)  # last, min, max, total have the bytes of first


class SeriesStats(NamedTuple):
    last_seq: int
    stats: Stats


def pack_stats(entries: dict[int, SeriesStats]) -> bytes:
    out = bytearray()
    ends: dict[
        tuple[int, int, int, bytes], tuple[bytes, bytes]
    ] = {}  # the same of 100,000 metrics that are logged together
    for series, (last_seq, stats) in entries.items():
        put_varint(out, series)
        end = last_seq, stats.count, stats.last_ms, _pack(stats.last_step)
        seq, middle = ends.get(end) or ends.setdefault(end, _pack_end(*end))
        first, last, least, most, total = stats.first, stats.last, stats.min, stats.max, stats.total
        if isinstance(first, float) and least is not None and most is not None and not stats.nan_count:
            packed = _FIVE.pack(first, last, least, most, total)
            head = packed[:8]
            numbers = [packed[at : at + 8] for at in (8, 16, 24, 32)]
            same, flags = _SAME, 0
        else:
            head = _pack(first)
            numbers = [_pack(number) for number in (last, least, most, total) if number is not None]
            same, flags = (_SAME, 0) if len(numbers) == 4 else ((_SAME[0], _SAME[3]), _NO_MIN_MAX)
            flags |= _IS_INT if isinstance(first, int) else 0
        flags |= _STEP_IS_INT if isinstance(stats.last_step, int) else 0
        kept = b""
        for bit, number in zip(same, numbers, strict=True):
            if number == head:
                flags |= bit
            else:
                kept += number
        out += seq
        out.append(flags)
        if stats.nan_count:
            put_varint(out, stats.count)
            put_varint(out, stats.nan_count)
            put_signed(out, stats.last_ms)
            out += end[-1]
        else:
            out += middle
        out += head
        out += kept
    return bytes(out)


def _pack_end(last_seq: int, count: int, last_ms: int, last_step: bytes) -> tuple[bytes, bytes]:
    """The sequence number, and what follows the flags where no value is NaN."""
    seq, middle = bytearray(), bytearray()
    put_varint(seq, last_seq)
    put_varint(middle, count)
    put_varint(middle, 0)
    put_signed(middle, last_ms)
    return bytes(seq), bytes(middle + last_step)


def unpack_stats(data: bytes) -> dict[int, SeriesStats]:
    """A page of runs unpacks a thousand entries, so that what most of them are, small counts and floats, is read in line."""
    entries: dict[int, SeriesStats] = {}
    at = 0
    while at < len(data):
        series, at = get_varint(data, at)
        last_seq, at = get_varint(data, at)
        flags = data[at]
        count, at = get_varint(data, at + 1)
        nan_count, at = get_varint(data, at)
        last_ms, at = get_signed(data, at)
        last_step, at = _unpack(data, at, bool(flags & _STEP_IS_INT))
        is_int = bool(flags & _IS_INT)
        first, at = _unpack(data, at, is_int)
        last = total = first
        least: float | int | None = first
        most: float | int | None = first
        if not flags & _SAME[0]:
            last, at = _unpack(data, at, is_int)
        if flags & _NO_MIN_MAX:
            least = most = None
        else:
            if not flags & _SAME[1]:
                least, at = _unpack(data, at, is_int)
            if not flags & _SAME[2]:
                most, at = _unpack(data, at, is_int)
        if not flags & _SAME[3]:
            total, at = _unpack(data, at, is_int)
        entries[series] = SeriesStats(
            last_seq, Stats(count, nan_count, first, last, last_step, last_ms, least, most, total)
        )
    return entries


def _pack(number: float | int) -> bytes:
    if isinstance(number, int):
        size = number.bit_length() // 8 + 1
        return bytes((size,)) + number.to_bytes(size, "little", signed=True)
    return _FLOAT.pack(number)


def _unpack(data: bytes, at: int, is_int: bool) -> tuple[float | int, int]:
    if is_int:
        end = at + 1 + data[at]
        return int.from_bytes(data[at + 1 : end], "little", signed=True), end
    number: float = _FLOAT.unpack_from(data, at)[0]
    return number, at + 8
