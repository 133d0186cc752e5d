"""Finds the frames of a segment. Truncated is not corrupt: see the table "What a reader finds" in `spec/record.md`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias
from zlib import crc32

from lineal.model.errors import NewerFormat
from lineal.model.limits import FRAME_MAX_BYTES
from lineal.record.frame import FRAME_MIN_BYTES, HEADER, HEADER_BYTES, is_frame
from lineal.record.kinds import FORMAT_VERSION, MAGIC

Tail: TypeAlias = Literal["end", "torn"]

# A live writer's torn frame is normal for an instant; looking far behind it at each poll would cost more than waiting.
LIVE_SEARCH_BYTES = 64 * 1024
_KIND_MAX = 1023

# Equal frames are tried in runs of so many; a run that does not fit is tried in smaller ones, then frame by frame.
_RUN_FRAMES = (1024, 128, 16)


class Damage(NamedTuple):
    """Bytes that are no frame, with a valid frame (or, in a final segment, nothing) behind them."""

    offset: int
    size_bytes: int


class Header(NamedTuple):
    length: int
    kind: int
    seq: int
    time_ns: int


@dataclass(slots=True)
class Scan:
    """Offsets of the valid frames in order; where to go on; what was skipped; how it ended.

    tail "end": nothing is written behind `position`. tail "torn": something is, but it is not (yet) a frame."""

    offsets: list[int] = field(default_factory=list)
    position: int = 0
    damages: list[Damage] = field(default_factory=list)
    tail: Tail = "end"


def start_of(data: memoryview) -> int:
    """Offset of the first frame. Raises NewerFormat for a later version; damaged magic bytes are stepped over."""
    magic = bytes(data[: len(MAGIC)])
    if magic[:4] == MAGIC[:4] and magic[6:] == MAGIC[6:]:
        version = int.from_bytes(magic[4:6], "little")
        # One flipped bit must not turn version 1 into a refusal: versions one bit away from an older one are never given.
        one_bit_away = (version ^ FORMAT_VERSION).bit_count() == 1 and _plausible(data, len(MAGIC), len(data))
        if version > FORMAT_VERSION and not one_bit_away:
            raise NewerFormat(f"segment format {version} is newer than {FORMAT_VERSION}: upgrade Lineal to read it")
    return len(MAGIC)


def header_at(data: memoryview, offset: int) -> Header:
    length, kind, _, seq, time_ns = HEADER.unpack_from(data, offset)
    return Header(length, kind, seq, time_ns)


def payload_at(data: memoryview, offset: int, length: int) -> memoryview:
    return data[offset + HEADER_BYTES : offset + length - 4]


def scan(data: memoryview, position: int, *, final: bool) -> Scan:
    """Reads frames from `position`, a multiple of 8, to the end of what is written.

    `final` says that nobody writes this segment any more: then what is torn at its tail is damage, not a wait."""
    result = Scan(position=position)
    usable = len(data) & ~7
    words = data[:usable].cast("I")
    append = result.offsets.append
    previous = same = 0
    while position + FRAME_MIN_BYTES <= usable:
        length = words[position >> 2]
        if FRAME_MIN_BYTES <= length <= FRAME_MAX_BYTES and not length & 7:
            end = position + length
            if end <= usable and crc32(data[position : end - 4]) == words[(end >> 2) - 1]:
                append(position)
                position = end
                same = same + 1 if length == previous else 0
                previous = length
                if same >= _RUN_FRAMES[-1]:
                    position = _skip_run(data, words, position, length, result.offsets)
                    same = 0
                continue
        if length == 0 and not any(data[position : position + HEADER_BYTES]):
            result.position = position
            return result
        behind = _search(data, position + 8, usable if final else min(usable, position + LIVE_SEARCH_BYTES), usable)
        if behind is None:
            break
        result.damages.append(Damage(position, behind - position))
        position = behind
    result.position = position
    if position < len(data) and any(data[position : position + HEADER_BYTES]):
        result.tail = "torn"
        if final:
            result.damages.append(Damage(position, len(data) - position))
    return result


def _skip_run(data: memoryview, words: memoryview, position: int, length: int, offsets: list[int]) -> int:
    """Takes frames of equal length many at a time; returns where that stops.

    One checksum over the whole run replaces one a frame. A frame that carries its own CRC leaves the CRC register in a state
    that depends on the state before it and on its length, but not on its content: so the checksum of a run of valid
    frames is that of any other valid run, for instance of the first frame repeated. A damaged frame changes the state, and
    valid frames behind it carry the change along (each step is a bijection), so what one checksum a frame finds, this finds."""
    first = bytes(data[position - length : position])
    mark = first[:4]
    for count in _RUN_FRAMES:
        expected = -1
        while (end := position + count * length) <= len(words) * 4:
            if words[position >> 2 : end >> 2 : length >> 2].tobytes() != mark * count:
                break
            if expected < 0:
                expected = crc32(first * count)
            if crc32(data[position:end]) != expected:
                break
            offsets.extend(range(position, end, length))
            position = end
    return position


def _search(data: memoryview, position: int, limit: int, usable: int) -> int | None:
    for candidate in range(position, limit - FRAME_MIN_BYTES + 1, 8):
        if _plausible(data, candidate, usable):
            return candidate
    return None


def _plausible(data: memoryview, position: int, usable: int) -> bool:
    if position + FRAME_MIN_BYTES > usable:
        return False
    length, kind, reserved, _, _ = HEADER.unpack_from(data, position)
    if reserved or not 0 < kind <= _KIND_MAX or length & 7 or not FRAME_MIN_BYTES <= length <= FRAME_MAX_BYTES:
        return False
    return position + length <= usable and is_frame(data, position, length)
