"""A fresh batch: blocks of one writer, of many layouts, in one piece of bytes. See spec/chunk.md."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias
from zlib import crc32

import numpy as np

from lineal.model.entities import Layout, SeriesKey
from lineal.model.errors import Damaged, NewerFormat
from lineal.series.columns import Block, Columns, Int64s, Numbers
from lineal.series.encoding import FLOAT64, INT64, decode_bare, encode_bare
from lineal.series.values import decode_values, encode_values
from lineal.series.varint import get_varint, put_varint

LayoutOf: TypeAlias = Callable[[int], Layout]

_VERSION = 1
_CRC_BYTES = 4


class _Part(NamedTuple):
    """One block, still encoded: the three columns that its series share, then their values."""

    number: int
    rows: int
    body: memoryview


def encode_batch(blocks: Sequence[tuple[int, Block]]) -> bytes:
    """(layout number, block) pairs -> bytes that end in a checksum. Layouts are not inside, only their numbers.
    ValueError for a block whose arrays do not agree with its layout."""
    out = bytearray((_VERSION,))
    put_varint(out, len(blocks))
    for number, block in blocks:
        body = bytearray()
        for column, dtype in zip((block.seq, block.step, block.time_ms), _shared_types(block.layout), strict=True):
            if column.dtype != dtype or len(column) != len(block):
                raise ValueError(f"{len(column)} {column.dtype} numbers where {len(block)} {dtype} belong")
            data = encode_bare(column)
            put_varint(body, len(data))
            body += data
        body += encode_values(block)
        for header in (number, len(block), len(body)):
            put_varint(out, header)
        out += body
    return bytes(out + crc32(out).to_bytes(_CRC_BYTES, "little"))


def decode_batch(data: bytes | memoryview, layout_of: LayoutOf) -> list[tuple[int, Block]]:
    """Every block, in the order given to `encode_batch`. Damaged if the bytes make no sense, or do not fit these
    layouts; what `layout_of` raises is passed on."""
    blocks = []
    for part in _parts(data):
        layout = layout_of(part.number)
        seq, step, time_ms, values = _shared(part, layout)
        decoded = decode_values(values, part.rows, layout.series, range(len(layout.series)))
        blocks.append((part.number, Block(layout, seq, step, time_ms, tuple(decoded))))
    return blocks


def read_batch_column(data: bytes | memoryview, layout_of: LayoutOf, key: SeriesKey) -> list[Columns]:
    """The points of one series, a Columns for each block that has it, in order; other series are not decoded.
    [] if no block has it. Errors as `decode_batch`."""
    found = []
    for part in _parts(data):
        layout = layout_of(part.number)
        if key in layout.series:
            seq, step, time_ms, values = _shared(part, layout)
            [value] = decode_values(values, part.rows, layout.series, [layout.series.index(key)])
            found.append(Columns(seq, step, time_ms, value))
    return found


def layout_rows(data: bytes | memoryview) -> list[tuple[int, int]]:
    """(layout number, rows) of each block, in order; decodes no column. Damaged if the bytes make no sense."""
    return [(part.number, part.rows) for part in _parts(data)]


def _parts(data: bytes | memoryview) -> list[_Part]:
    """All blocks, still encoded, once the checksum agrees."""
    view = memoryview(data)
    end = len(view) - _CRC_BYTES
    if end < 1 or crc32(view[:end]) != int.from_bytes(view[end:], "little"):
        raise Damaged("a batch fails its checksum")
    if view[0] > _VERSION:
        raise NewerFormat(f"a batch of version {view[0]}; this Lineal reads up to {_VERSION}")
    view = view[:end]
    count, offset = get_varint(view, 1)
    parts = []
    while offset < end:
        number, offset = get_varint(view, offset)
        rows, offset = get_varint(view, offset)
        size, offset = get_varint(view, offset)
        if size > end - offset:
            raise Damaged("a batch is cut off")
        parts.append(_Part(number, rows, view[offset : offset + size]))
        offset += size
    if len(parts) != count:
        raise Damaged(f"a batch has {len(parts)} blocks and claims {count}")
    return parts


def _shared(part: _Part, layout: Layout) -> tuple[Int64s, Numbers, Int64s, memoryview]:
    """seq, step, time_ms, and the bytes of the values."""
    offset = 0
    columns: list[Numbers] = []
    for dtype in _shared_types(layout):
        size, offset = get_varint(part.body, offset)
        column = decode_bare(part.body[offset : offset + size])
        if column.dtype != dtype or len(column) != part.rows:
            raise Damaged(f"a block's column has {len(column)} {column.dtype} values, not {part.rows}")
        columns.append(column)
        offset += size
    seq, step, time_ms = columns
    return seq, step, time_ms, part.body[offset:]


def _shared_types(layout: Layout) -> tuple[np.dtype[np.generic], ...]:
    """Of seq, step and time_ms."""
    return INT64, FLOAT64 if layout.step_type == "float64" else INT64, INT64
