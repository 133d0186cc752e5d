"""CRC-32C (Castagnoli; RFC 3720, section 12.1 and appendix B.4), which neither zlib nor the standard library has, and the
mask that record files put over it (tensorflow/core/lib/hash/crc32c.h: rotated right by 15 bits, plus 0xa282ead8).

Short data goes byte by byte. Long data is cut into lanes that numpy takes forward side by side; the lanes' states are then
joined: the state after A and B is that of A taken over as many zero bytes as B has, xor that of B begun at zero."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt

_POLYNOMIAL = 0x82F63B78  # bits reversed
_MASK_DELTA = 0xA282EAD8
_ALL_ONES = 0xFFFFFFFF
_SHORT_BYTES = 2_048  # up to here a loop of Python is faster than numpy's calls


def _table() -> tuple[int, ...]:
    found = []
    for byte in range(256):
        state = byte
        for _ in range(8):
            state = state >> 1 ^ (_POLYNOMIAL if state & 1 else 0)
        found.append(state)
    return tuple(found)


_TABLE = _table()


def crc32c(data: bytes | memoryview) -> int:
    if len(data) > _SHORT_BYTES:
        return _long(data)
    table, state = _TABLE, _ALL_ONES
    for byte in data:
        state = table[(state ^ byte) & 0xFF] ^ state >> 8
    return state ^ _ALL_ONES


def masked(data: bytes | memoryview) -> int:
    """As a record file keeps it."""
    crc = crc32c(data)
    return ((crc >> 15 | crc << 17) + _MASK_DELTA) & _ALL_ONES


def find_headers(data: bytes | memoryview) -> list[int]:
    """Places in `data` where eight bytes are followed by their own masked checksum: a record may begin there."""
    import numpy as np

    octets = np.frombuffer(data, np.uint8)
    count = len(octets) - 11
    if count <= 0:
        return []
    # What a byte does to the final state depends on its value and its place alone.
    states = np.full(count, _over_zeros(_ALL_ONES, 8), np.uint32)
    for place in range(8):
        effect = np.array([_over_zeros(_TABLE[byte], 7 - place) for byte in range(256)], np.uint32)
        states ^= effect[octets[place : place + count]]
    crc = (states ^ np.uint32(_ALL_ONES)).astype(np.uint64)
    wanted = ((crc >> 15 | crc << 17) + _MASK_DELTA) & _ALL_ONES
    stored = sum(octets[8 + place : 8 + place + count].astype(np.uint64) << 8 * place for place in range(4))
    return [int(place) for place in np.flatnonzero(wanted == stored)]


def _over_zeros(state: int, count: int) -> int:
    for _ in range(count):
        state = _TABLE[state & 0xFF] ^ state >> 8
    return state


def _long(data: bytes | memoryview) -> int:
    import numpy as np

    length = 1 << (len(data).bit_length() // 2)  # of a lane: a power of two, so that few of the tables below are made
    lane_count = len(data) // length
    octets = np.frombuffer(data, np.uint8, lane_count * length).reshape(lane_count, length)
    states = np.zeros(lane_count, np.uint32)
    states[0] = _ALL_ONES
    states = _forward(states, np.ascontiguousarray(octets.T))
    zeros = _zeros_tables(length)
    state = 0
    for lane in states.tolist():
        state = (
            zeros[0][state & 0xFF]
            ^ zeros[1][state >> 8 & 0xFF]
            ^ zeros[2][state >> 16 & 0xFF]
            ^ zeros[3][state >> 24]
            ^ lane
        )
    for byte in data[lane_count * length :]:
        state = _TABLE[(state ^ byte) & 0xFF] ^ state >> 8
    return state ^ _ALL_ONES


def _forward(states: npt.NDArray[Any], columns: npt.NDArray[Any]) -> npt.NDArray[Any]:
    import numpy as np

    table = np.array(_TABLE, np.uint32)
    for column in columns:
        states = table[(states ^ column) & 0xFF] ^ states >> 8
    return states


@lru_cache(maxsize=16)
def _zeros_tables(length: int) -> tuple[list[int], ...]:
    """What `length` zero bytes make of a state, by each byte of the state."""
    import numpy as np

    bits = _forward(np.uint32(1) << np.arange(32, dtype=np.uint32), np.zeros((length, 1), np.uint8)).tolist()
    tables = []
    for place in range(4):
        table = [0] * 256
        for byte in range(1, 256):
            low = byte & -byte
            table[byte] = table[byte ^ low] ^ bits[8 * place + low.bit_length() - 1]
        tables.append(table)
    return tuple(tables)
