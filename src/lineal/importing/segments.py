"""Records -> a journal in memory, segment by segment: the bytes that `spec/record.md` defines, with a writer and sequence
numbers that are the same whenever the same things are said."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from lineal.model.limits import IMPORT_SEGMENT_BYTES, LAYOUTS_MAX_COUNT
from lineal.model.vocabulary import Labels
from lineal.record.codec import encode_frame
from lineal.record.frame import CHECKSUM, points_struct
from lineal.record.kinds import MAGIC, POINTS_APPENDED
from lineal.record.records import LayoutDefined, Record, SegmentOpened, SegmentSealed

_NS_PER_MS = 1_000_000
TIME_MAX_MS = (2**63 - 1) // _NS_PER_MS
_pack_checksum = CHECKSUM.pack


class Segment(NamedTuple):
    """`is_last`: its writer says nothing more."""

    opened: SegmentOpened
    data: bytes
    is_last: bool


def writer_of(*parts: str) -> str:
    """The id of the writer who says that, the same each time."""
    return hashlib.sha256("\0".join(("import", *parts)).encode()).hexdigest()[:15]


class Segments:
    """One writer's journal. `sink(segment)` is given each segment as it is full, and the last by `close`."""

    def __init__(
        self,
        tenant: str,
        run_id: str | None,
        writer: str,
        attempt: str,
        sink: Callable[[Segment], object],
        *,
        segment_bytes: int = IMPORT_SEGMENT_BYTES,
    ) -> None:
        # Not primary: that nobody writes it any more is no news, and says nothing of the run.
        self._opened = SegmentOpened(tenant, run_id, writer, attempt, False, 0)
        self._sink = sink
        self._segment_bytes = segment_bytes
        self._seq = 0
        self._number = 0
        self._frames: list[bytes] = []
        self._size = 0
        self._layouts: dict[tuple[tuple[str, ...], Labels], tuple[int, Callable[..., bytes], int]] = {}
        self._defined: set[int] = set()
        self._time_ns = 0
        self.clamped = 0

    @property
    def record_count(self) -> int:
        return self._seq

    def say(self, record: Record, time_ms: int) -> None:
        """Raises OverLimit for a record that is larger than a frame may be, and has said nothing then."""
        self._put(encode_frame(record, self._seq + 1, self._ns(time_ms)))
        self._seq += 1

    def say_points(
        self, names: tuple[str, ...], labels: Labels, step: int, time_ms: int, values: Sequence[float]
    ) -> None:
        """One row: what was measured together."""
        known = self._layouts.get((names, labels))
        if known is None:
            if len(names) > 1 and len(self._layouts) >= LAYOUTS_MAX_COUNT:
                for name, value in zip(names, values, strict=True):
                    self.say_points((name,), labels, step, time_ms, (value,))
                return
            packer: struct.Struct = points_struct("q", "d" * len(names))
            known = self._layouts[names, labels] = len(self._layouts) + 1, packer.pack, packer.size + 4
        number, pack, length = known
        if number not in self._defined:
            definition = encode_frame(_definition(number, names, labels), 0, self._time_ns) * 2
            self._make_room(len(definition) + length)
            self._defined.add(number)
            self._put(definition)
        elif self._size + length > self._segment_bytes:
            self._cut(is_last=False)
            return self.say_points(names, labels, step, time_ms, values)
        self._seq += 1
        body = pack(length, POINTS_APPENDED, 0, self._seq, self._ns(time_ms), step, *values, number)
        self._frames.append(body + _pack_checksum(crc32(body)))
        self._size += length

    def close(self) -> None:
        """Nothing at all if nothing was said."""
        if self._seq:
            self._cut(is_last=True)

    def _put(self, frame: bytes) -> None:
        self._make_room(len(frame))
        if not self._frames:
            self._open()
        self._frames.append(frame)
        self._size += len(frame)

    def _make_room(self, size: int) -> None:
        if self._frames and self._size + size > self._segment_bytes:
            self._cut(is_last=False)

    def _open(self) -> None:
        self._number += 1
        opened = encode_frame(self._opening(), 0, self._time_ns)
        self._frames = [MAGIC, opened, opened]
        self._size = sum(map(len, self._frames))

    def _cut(self, *, is_last: bool) -> None:
        if not self._frames:
            self._open()
        self._frames.append(encode_frame(SegmentSealed(self._seq, not is_last), 0, self._time_ns))
        segment = Segment(self._opening(), b"".join(self._frames), is_last)
        self._frames, self._size = [], 0
        self._defined.clear()
        self._sink(segment)

    def _opening(self) -> SegmentOpened:
        known = self._opened
        return SegmentOpened(known.tenant, known.run_id, known.writer, known.attempt, False, self._number)

    def _ns(self, time_ms: int) -> int:
        """A time beyond what a frame can say (nanoseconds taken for milliseconds, say) becomes the nearest that it can."""
        if not 0 <= time_ms <= TIME_MAX_MS:
            self.clamped += 1
            time_ms = min(max(time_ms, 0), TIME_MAX_MS)
        self._time_ns = time_ms * _NS_PER_MS
        return self._time_ns


def _definition(number: int, names: tuple[str, ...], labels: Labels) -> LayoutDefined:
    of_labels = dict(labels)
    series: list[list[Any]] = [[name, "d", of_labels] if of_labels else [name, "d"] for name in names]
    return LayoutDefined(number, "q", series)
