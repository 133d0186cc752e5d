"""Numbers of any size in as few bytes as they need: 7 bits a byte, low bits first, the high bit says "more"."""

from __future__ import annotations

from lineal.model.errors import Damaged

_MASK = (1 << 64) - 1
MAX_BYTES = 10  # 64 bits, 7 at a time


def put_varint(out: bytearray, number: int) -> None:
    """Appends 0 <= number < 2**64."""
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)


def put_signed(out: bytearray, number: int) -> None:
    """Appends -2**63 <= number < 2**63, small magnitudes short: 0, -1, 1, -2 become 0, 1, 2, 3."""
    put_varint(out, (number << 1 ^ number >> 63) & _MASK)


def get_varint(data: bytes | memoryview, offset: int) -> tuple[int, int]:
    """(number, offset behind it). Damaged if it is cut off or longer than 64 bits."""
    if offset < len(data) and data[offset] < 0x80:  # most are small
        return data[offset], offset + 1
    number = shift = 0
    for position in range(offset, min(offset + MAX_BYTES, len(data))):
        byte = data[position]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            if number > _MASK:
                break
            return number, position + 1
        shift += 7
    raise Damaged(f"no number at byte {offset} of {len(data)}")


def get_signed(data: bytes | memoryview, offset: int) -> tuple[int, int]:
    """The inverse of `put_signed`; Damaged as `get_varint`."""
    number, offset = get_varint(data, offset)
    return number >> 1 ^ -(number & 1), offset
