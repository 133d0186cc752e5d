"""The envelope of every record: length, kind, sequence, time, payload, checksum. See `spec/record.md`."""

from __future__ import annotations

import struct
from zlib import crc32

from lineal.model.errors import OverLimit
from lineal.model.limits import FRAME_MAX_BYTES

HEADER = struct.Struct("<IHHQq")
HEADER_BYTES = HEADER.size  # 24
CHECKSUM = struct.Struct("<I")
OVERHEAD_BYTES = HEADER_BYTES + CHECKSUM.size
FRAME_MIN_BYTES = 32


def frame(kind: int, seq: int, time_ns: int, payload: bytes) -> bytes:
    """A whole frame around a JSON payload, which is padded with spaces to the next multiple of 8.

    Raises OverLimit if the frame would be longer than FRAME_MAX_BYTES."""
    length = (len(payload) + OVERHEAD_BYTES + 7) & ~7
    if length > FRAME_MAX_BYTES:
        raise OverLimit(f"a record of {len(payload)} bytes is over the limit of {FRAME_MAX_BYTES - OVERHEAD_BYTES}")
    body = HEADER.pack(length, kind, 0, seq, time_ns) + payload.ljust(length - OVERHEAD_BYTES)
    return body + CHECKSUM.pack(crc32(body))


def points_struct(step_code: str, value_codes: str) -> struct.Struct:
    """Packs all of a points frame but its checksum: (length, kind, 0, seq, time_ns, step, *values, layout)."""
    return struct.Struct(f"<IHHQq{step_code}{value_codes}I")


def is_frame(data: memoryview, position: int, length: int) -> bool:
    """Whether `length` bytes at `position`, which must lie within the data, carry their own checksum."""
    end = position + length - 4
    return crc32(data[position:end]) == int.from_bytes(data[end : end + 4], "little")
