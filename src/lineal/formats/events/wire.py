"""The wire format of protocol buffers (protobuf.dev/programming-guides/encoding): fields one after the other, each a number
and a type of wire, then a varint, eight bytes, four bytes, or a length and so many bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TypeAlias

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
Field: TypeAlias = tuple[int, int, "int | bytes"]
"""(number, type of wire, value): fixed ones are bytes as they are."""

_VARINT_MAX_BITS = 63
_double = struct.Struct("<d")
_float = struct.Struct("<f")


class NotProtobuf(Exception):
    """The bytes are no message."""


def fields(data: bytes) -> Iterator[Field]:
    """In the order in which they stand. Raises NotProtobuf."""
    place, end = 0, len(data)
    while place < end:
        key, place = _varint(data, place)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            value, place = _varint(data, place)
            yield number, wire, value
            continue
        if wire == BYTES:
            size, place = _varint(data, place)
        elif wire == FIXED64:
            size = 8
        elif wire == FIXED32:
            size = 4
        else:
            raise NotProtobuf(f"type of wire {wire}")
        if place + size > end:
            raise NotProtobuf("a field is longer than its message")
        yield number, wire, data[place : place + size]
        place += size


def double_of(value: int | bytes) -> float:
    if isinstance(value, int) or len(value) != 8:
        raise NotProtobuf("not a double")
    number: float = _double.unpack(value)[0]
    return number


def float_of(value: int | bytes) -> float:
    if isinstance(value, int) or len(value) != 4:
        raise NotProtobuf("not a float")
    number: float = _float.unpack(value)[0]
    return number


def int64_of(value: int | bytes) -> int:
    """A negative one is written as if it were unsigned."""
    if not isinstance(value, int):
        raise NotProtobuf("not a varint")
    value &= 2**64 - 1
    return value - 2**64 if value >> 63 else value


def bytes_of(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise NotProtobuf("not a message")
    return value


def text_of(value: int | bytes) -> str:
    return bytes_of(value).decode("utf-8", "replace")


def doubles_of(wire: int, value: int | bytes) -> tuple[float, ...]:
    """Of a repeated field, packed or one of them."""
    if wire == FIXED64:
        return (double_of(value),)
    return unpacked("<d", bytes_of(value))


def varints_of(wire: int, value: int | bytes) -> list[int]:
    if wire == VARINT:
        return [int64_of(value)]
    found, place, data = [], 0, bytes_of(value)
    while place < len(data):
        one, place = _varint(data, place)
        found.append(int64_of(one))
    return found


def unpacked(form: str, data: bytes) -> tuple[float, ...]:
    """`form`: byte order and type, as `struct` writes them."""
    size = struct.calcsize(form)
    if len(data) % size:
        raise NotProtobuf("a packed field ends within a number")
    return struct.unpack(f"{form[0]}{len(data) // size}{form[1:]}", data)


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    try:
        while True:
            byte = data[place]
            place += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value, place
            shift += 7
            if shift > _VARINT_MAX_BITS:
                raise NotProtobuf("a varint has more than ten bytes")
    except IndexError:
        raise NotProtobuf("a varint is cut off") from None
