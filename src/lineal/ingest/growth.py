"""Whether the journals hold anything that the store does not have: a look, not a transaction.

A mapped segment has its full size from the start, so sizes tell nothing. What follows the last frame that was applied does:
it is zero until somebody writes. What stands there and cannot be taken in (a frame half written, damage) is looked at whole: when
it goes on, or something follows it, its beginning stays the same."""

from __future__ import annotations

import os
from typing import NamedTuple, TypeAlias
from zlib import crc32

from lineal.journal.layout import Folder, SegmentFile
from lineal.journal.locks import locks_of
from lineal.model.errors import InvalidInput, NewerFormat
from lineal.model.limits import FRAME_MAX_BYTES
from lineal.record.opening import find_opening
from lineal.record.stream import LIVE_SEARCH_BYTES
from lineal.store.contracts import Store

_WORD_BYTES = 8  # a frame's first: its length is never zero
_NOTHING = 0
_OPENING_BYTES = 8_192


class _Sight(NamedTuple):
    """Of a segment: how far it is applied, what stands there, whether its writer lives. Of a spare: the last alone."""

    offset: int
    mark: int
    live: bool


_Look: TypeAlias = dict[str, _Sight]


class Growth:
    """What the folder looked like when everything in it was taken in. For one thread at a time."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._offsets: dict[str, int] = {}
        self._tenants: dict[str, str] = {}
        self._looked: _Look = {}
        self._settled: _Look = {}

    def has_grown(self) -> bool:
        """Whether there is something to take in, or to clear away. Takes two or three system calls a segment."""
        self._looked = self._look(self._folder.list_segments())
        return self._looked != self._settled

    def settle(self, store: Store) -> None:
        """Everything that the last look saw was taken in, as far as it can be."""
        before = self._looked
        segments = self._folder.list_segments()
        self._offsets = {segment.path: offset for segment in segments if (offset := self._applied(segment, store))}
        self._settled = {}
        for path, sight in before.items():
            offset = self._offsets.get(path, 0)
            # Where nothing moved, what stands there cannot be taken in: it is damage, or a frame half written.
            moved = offset != sight.offset
            self._settled[path] = sight._replace(offset=offset, mark=_NOTHING) if moved else sight
        present = {segment.path for segment in segments} | {path for _, path in self._folder.list_spares()}
        self._settled = {path: sight for path, sight in self._settled.items() if path in present}

    def forget(self) -> None:
        """The database is another one now."""
        self._offsets, self._settled = {}, {}

    def _look(self, segments: list[SegmentFile]) -> _Look:
        locks = locks_of(self._folder.locks)
        seen: _Look = {}
        for segment in segments:
            offset = self._offsets.get(segment.path, 0)
            mark = _mark_at(segment.path, offset)
            if mark is not None:
                seen[segment.path] = _Sight(offset, mark, locks.is_live(segment.writer))
        for writer, path in self._folder.list_spares():
            seen[path] = _Sight(0, _NOTHING, locks.is_live(writer))
        return seen

    def _applied(self, segment: SegmentFile, store: Store) -> int:
        tenant = self._tenants.get(segment.writer)
        if tenant is None:
            tenant = _tenant_of(segment.path)
            if tenant is None:
                return 0
            self._tenants[segment.writer] = tenant
        try:
            cursor = store.tenant(tenant).find_cursor(segment.writer)
        except InvalidInput:  # a tenant that cannot be: the segment stays where it is
            return 0
        return cursor.offset if cursor is not None and cursor.segment == segment.number else 0


def _mark_at(path: str, offset: int) -> int | None:
    """A checksum of the frame that stands there and of as much behind it as a reader looks at; 0 for nothing, None if the file
    is gone."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        word = os.pread(fd, _WORD_BYTES, offset)
        if not any(word):
            return _NOTHING
        length = min(int.from_bytes(word[:4], "little"), FRAME_MAX_BYTES)
        return crc32(os.pread(fd, length + LIVE_SEARCH_BYTES, offset)) + 1
    except OSError:
        return _NOTHING
    finally:
        os.close(fd)


def _tenant_of(path: str) -> str | None:
    try:
        with open(path, "rb") as file:
            opened = find_opening(file.read(_OPENING_BYTES))
    except (NewerFormat, OSError):
        return None
    return None if opened is None else opened.tenant
