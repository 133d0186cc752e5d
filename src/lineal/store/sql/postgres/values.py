"""Values on their way to PostgreSQL and back, where it keeps them otherwise than SQLite.

- A text cannot hold the character 0: it and the character 1 are written as two, in a way that keeps the order of texts.
- Columns that hold integers and reals are NUMERIC. A real is written as its shortest decimal, which names it exactly, with
  a digit behind the point, which makes it come back as a real."""

from __future__ import annotations

import struct
from decimal import Decimal
from math import copysign
from typing import Any

from psycopg.abc import Buffer
from psycopg.adapt import AdaptersMap, Dumper, Loader
from psycopg.pq import Format
from psycopg.types.numeric import Int8, Int8BinaryDumper

_NUMERIC_OID = 1700
_HEAD = struct.Struct("!HhHH")  # digits to base 10,000; weight of the first; sign; decimal places
_NEGATIVE = 0x4000
_SPECIAL = {0xC000: float("nan"), 0xD000: float("inf"), 0xF000: float("-inf")}


def escaped(text: str) -> str:
    if "\0" in text or "\1" in text:
        return text.replace("\1", "\1\2").replace("\0", "\1\1")
    return text


def unescaped(text: str) -> str:
    if "\1" in text:
        return text.replace("\1\1", "\0").replace("\1\2", "\1")
    return text


class TextDumper(Dumper):
    def dump(self, obj: str) -> bytes:
        return escaped(obj).encode()


class FloatDumper(Dumper):
    oid = _NUMERIC_OID

    def dump(self, obj: float) -> bytes:
        if obj == 0 and copysign(1, obj) < 0:
            return b"0.00"  # NUMERIC knows no -0.0
        text = repr(obj)
        if "e+" in text:
            text = f"{Decimal(text):f}.0"
        return text.encode()


class BoolDumper(Int8BinaryDumper):
    """As SQLite does: 0 or 1."""

    def dump(self, obj: Any) -> Buffer | None:
        return super().dump(Int8(obj))


class TextLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> str:
        return unescaped(str(data, "utf-8"))


class NumberLoader(Loader):
    format = Format.BINARY

    def load(self, data: Buffer) -> int | float:
        data = bytes(data)
        count, weight, sign, places = _HEAD.unpack_from(data)
        if sign in _SPECIAL:
            return _SPECIAL[sign]
        whole = 0
        for digit in struct.unpack_from(f"!{count}H", data, _HEAD.size):
            whole = whole * 10_000 + digit
        if sign == _NEGATIVE:
            whole = -whole
        exponent = weight + 1 - count
        if whole == 0 and places == 2:
            return -0.0
        if places == 0:
            return int(whole * 10_000**exponent)  # trailing zeros are not stored, so exponent >= 0
        return float(f"{whole}e{4 * exponent}")


def register(adapters: AdaptersMap) -> None:
    adapters.register_dumper(int, Int8BinaryDumper)  # one type for all sizes: one prepared statement, not three
    adapters.register_dumper(bool, BoolDumper)
    adapters.register_dumper(float, FloatDumper)
    adapters.register_dumper(str, TextDumper)
    for name in ("text", "varchar", "name"):
        adapters.register_loader(name, TextLoader)
    adapters.register_loader("numeric", NumberLoader)
