"""A record file while somebody else writes it (tensorflow/core/lib/io/record_writer.h): for each record its length as eight
bytes, little end first, the masked CRC-32C of these, the data, and the masked CRC-32C of the data."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO

from lineal.formats.events.crc import find_headers, masked
from lineal.model.limits import EVENT_FILE_READ_BYTES, EVENT_MAX_BYTES

_HEADER_BYTES = 12
_AROUND_BYTES = 16  # header and checksum


class RecordFile:
    """Reads what is new each time it is asked. `position`: all before it was handed out, or counted.

    What is cut off at the end waits: its writer may be about to write the rest. A record whose data is not what its checksum
    says is stepped over; where not even a length can be believed, the next record is searched for. Both are counted."""

    def __init__(self, path: str | os.PathLike[str], position: int = 0) -> None:
        self.path = os.fspath(path)
        self.position = position
        self.corrupt_count = 0
        self.too_large_count = 0
        self._in_gap = False

    def read_new(self, *, final: bool = False) -> Iterator[bytes]:
        """Records that are whole and were not handed out yet. `final`: nobody writes any more, so that what is bad or cut off
        at the end is counted, too. Raises OSError."""
        with open(self.path, "rb") as file:
            while True:
                piece, is_end = self._read_piece(file)
                records, taken = self._split(piece, is_end=is_end, final=final)
                self.position += taken
                yield from records
                if not taken:
                    break
            if final and piece:
                self.corrupt_count += not self._in_gap
                self.position += len(piece)

    def may_go_on(self) -> bool:
        """Whether what follows the position is nothing, or the beginning of a record that somebody may be writing. Raises OSError."""
        with open(self.path, "rb") as file:
            size = os.fstat(file.fileno()).st_size - self.position
            file.seek(self.position)
            head = file.read(_HEADER_BYTES)
        if len(head) < _HEADER_BYTES:
            return True
        length = _length_at(memoryview(head), 0)
        return length is not None and size < length + _AROUND_BYTES

    def _read_piece(self, file: BinaryIO) -> tuple[bytes, bool]:
        """What follows the position, the first record whole if it is there; and whether the file ends with it."""
        while True:
            file.seek(self.position)
            piece = file.read(EVENT_FILE_READ_BYTES)
            if len(piece) < EVENT_FILE_READ_BYTES:
                return piece, True
            length = _length_at(memoryview(piece), 0)
            missing = 0 if length is None else length + _AROUND_BYTES - len(piece)
            if missing <= 0 or length is None:
                return piece, False
            if length <= EVENT_MAX_BYTES:
                more = file.read(missing)
                return piece + more, len(more) < missing
            if os.fstat(file.fileno()).st_size < self.position + length + _AROUND_BYTES:
                return b"", True
            self.too_large_count += 1
            self.position += length + _AROUND_BYTES

    def _split(self, piece: bytes, *, is_end: bool, final: bool) -> tuple[list[bytes], int]:
        """The records in it, and how many of its bytes are done with."""
        view, start = memoryview(piece), 0
        records = []
        while start + _HEADER_BYTES <= len(piece):
            length = _length_at(view, start)
            if length is None:
                found = _find_record(view, start + 1)
                if found is None and is_end:
                    break
                self.corrupt_count += not self._in_gap
                self._in_gap = found is None
                start = len(piece) - _HEADER_BYTES + 1 if found is None else found
                continue
            end = start + length + _AROUND_BYTES
            if end > len(piece):
                break
            if _is_whole(view, start, end):
                records.append(piece[start + _HEADER_BYTES : end - 4])
            elif end == len(piece) and is_end and not final:
                break
            else:
                self.corrupt_count += 1
            self._in_gap = False
            start = end
        return records, start


def _length_at(view: memoryview, start: int) -> int | None:
    """Of the record that begins there; None if its own checksum denies it."""
    stored = int.from_bytes(view[start + 8 : start + _HEADER_BYTES], "little")
    if stored != masked(view[start : start + 8]):
        return None
    return int.from_bytes(view[start : start + 8], "little")


def _is_whole(view: memoryview, start: int, end: int) -> bool:
    return int.from_bytes(view[end - 4 : end], "little") == masked(view[start + _HEADER_BYTES : end - 4])


def _find_record(view: memoryview, start: int) -> int | None:
    """The next place at which a record begins, which is whole as far as it is here."""
    for place in find_headers(view[start:]):
        begin = start + place
        end = begin + int.from_bytes(view[begin : begin + 8], "little") + _AROUND_BYTES
        if end > len(view) or _is_whole(view, begin, end):
            return begin
    return None
