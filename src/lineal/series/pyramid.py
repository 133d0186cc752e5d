"""The overview of a whole series: at most PYRAMID_MAX_BUCKETS buckets, however long it is. See spec/chunk.md."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from lineal.model.errors import Damaged, NewerFormat
from lineal.model.limits import PYRAMID_MAX_BUCKETS
from lineal.series.columns import Buckets, Columns, Int64s, Numbers
from lineal.series.downsample import bucketize_at, coarsen, coarsen_at, concat_buckets
from lineal.series.encoding import decode_bare, encode_bare
from lineal.series.reduce import nan_counts, plain
from lineal.series.varint import get_signed, get_varint, put_signed, put_varint

_VERSION = 1
_CRC_BYTES = 4
_MAX_WIDTH = 1 << 52  # times PYRAMID_MAX_BUCKETS, the points still count in an int64


@dataclass(frozen=True, slots=True)
class Pyramid:
    """`width` points (a power of two) in every bucket but the last, which has 1 to `width`."""

    width: int
    buckets: Buckets

    @property
    def point_count(self) -> int:
        rows = len(self.buckets)
        return (rows - 1) * self.width + int(self.buckets.count[-1]) if rows else 0


def build(columns: Columns) -> Pyramid:
    """The pyramid of a whole series."""
    width = _width_of(len(columns))
    return Pyramid(width, bucketize_at(columns, np.arange(0, len(columns), width)))


def extend(pyramid: Pyramid | None, columns: Columns) -> Pyramid:
    """The pyramid with more points, logged after those in it.

    Equal to `build` of all points together, wherever they were cut; costs the new points and at most
    PYRAMID_MAX_BUCKETS old buckets. If the type of the steps changes, all become float64."""
    old_count = pyramid.point_count if pyramid else 0
    if pyramid is None or not old_count:
        return build(columns)
    if not len(columns):
        return pyramid
    width = max(pyramid.width, _width_of(old_count + len(columns)))
    old = coarsen_at(pyramid.buckets, np.arange(0, len(pyramid.buckets), width // pyramid.width))
    missing = -old_count % width  # points that the last old bucket still takes
    if not missing:
        fresh = bucketize_at(columns, np.arange(0, len(columns), width))
        return Pyramid(width, concat_buckets([old, fresh]))
    starts = np.arange(missing, len(columns), width)
    fresh = bucketize_at(columns, np.concatenate((np.zeros(1, np.int64), starts)))
    both = concat_buckets([old, fresh])
    return Pyramid(width, coarsen_at(both, np.delete(np.arange(len(both)), len(old))))


def buckets_of(pyramid: Pyramid, max_points: int) -> Buckets:
    """At most `max_points` buckets of the whole series; ValueError if max_points < 1."""
    return coarsen(pyramid.buckets, max_points)


def encode_pyramid(pyramid: Pyramid) -> bytes:
    """Bytes with their own checksum; `count` is not among them, since `width` and the number of points say it."""
    out = bytearray((_VERSION,))
    put_varint(out, pyramid.width)
    put_varint(out, pyramid.point_count)
    buckets = pyramid.buckets
    columns = [buckets.first, buckets.step_min, buckets.time_min]
    if pyramid.width > 1:
        columns += [buckets.last, buckets.min, buckets.max, buckets.nan_count]
        for low, high in ((buckets.step_min, buckets.step_max), (buckets.time_min, buckets.time_max)):
            low, high = low.view(np.int64), high.view(np.int64)
            put_signed(out, int(high[-1] - low[-1]))
            columns.append(low[1:] - high[:-1])
    for column in columns:
        data = encode_bare(column)
        put_varint(out, len(data))
        out += data
    return bytes(out + crc32(out).to_bytes(_CRC_BYTES, "little"))


def decode_pyramid(data: bytes | memoryview) -> Pyramid:
    """Damaged if the bytes make no sense."""
    data = _checked(memoryview(data))
    width, offset = get_varint(data, 1)
    points, offset = get_varint(data, offset)
    rows = -(-points // width) if width else 0
    if not 1 <= width <= _MAX_WIDTH or width & (width - 1) or rows > PYRAMID_MAX_BUCKETS:
        raise Damaged(f"a pyramid of {points} points in buckets of {width}")
    last_distances = []
    for _ in range(2 if width > 1 else 0):
        distance, offset = get_signed(data, offset)
        last_distances.append(distance)
    columns = []
    while offset < len(data):
        size, offset = get_varint(data, offset)
        columns.append(decode_bare(data[offset : offset + size]))
        offset += size
    expected = [rows] * 3 if width == 1 else [rows] * 7 + [rows - 1] * 2
    if [len(column) for column in columns] != expected:
        raise Damaged(f"a pyramid of {points} points has the wrong columns")
    return Pyramid(width, _buckets(points, width, columns, last_distances))


def _buckets(points: int, width: int, columns: list[Numbers], last_distances: list[int]) -> Buckets:
    """Of the columns as `encode_pyramid` lists them; Damaged if their types do not agree."""
    first, step_min, time_min = columns[:3]
    if time_min.dtype != np.int64:
        raise Damaged("a pyramid's times are no integers")
    count = np.full(len(first), width)
    if width == 1:
        extreme, nan_count = plain(first), nan_counts(first, np.arange(len(first)))
        return Buckets(count, nan_count, extreme, extreme, first, first, step_min, step_min, time_min, time_min)
    count[-1] = points - (len(first) - 1) * width
    last, least, most, nan_count, step_gaps, time_gaps = columns[3:]
    if not first.dtype == last.dtype == least.dtype == most.dtype:
        raise Damaged("a pyramid's values are of several types")
    if not nan_count.dtype == step_gaps.dtype == time_gaps.dtype == np.int64:
        raise Damaged("a pyramid's counts and gaps are no integers")
    step_max = _upper_ends(step_min, step_gaps, last_distances[0])
    time_max = _upper_ends(time_min, time_gaps, last_distances[1])
    return Buckets(count, nan_count, least, most, first, last, step_min, step_max, time_min, time_max)


def _upper_ends(low: Numbers, gaps: Int64s, last_distance: int) -> Numbers:
    """The upper ends of ranges from the lower ones, the gap from each range to the next, and the last one's length;
    as 64-bit patterns, wrapping, so that nothing is rounded."""
    high = np.empty(len(low), np.int64)
    high[:-1] = low.view(np.int64)[1:] - gaps
    high[-1:] = low.view(np.int64)[-1:] + np.int64(last_distance)
    return high.view(low.dtype)


def _checked(data: memoryview) -> memoryview:
    """The bytes before the checksum, once it agrees."""
    body = len(data) - _CRC_BYTES
    if body < 1 or crc32(data[:body]) != int.from_bytes(data[body:], "little"):
        raise Damaged("a pyramid fails its checksum")
    if data[0] > _VERSION:
        raise NewerFormat(f"a pyramid of version {data[0]}; this Lineal reads up to {_VERSION}")
    return data[:body]


def _width_of(points: int) -> int:
    """The smallest power of two that makes at most PYRAMID_MAX_BUCKETS buckets of so many points."""
    return 1 << (max(0, points - 1) // PYRAMID_MAX_BUCKETS).bit_length()
