"""Whose segment this is: both of its first frames say so."""

from __future__ import annotations

from lineal.model.errors import Damaged
from lineal.record import kinds
from lineal.record.codec import decode
from lineal.record.frame import HEADER_BYTES
from lineal.record.records import SegmentOpened
from lineal.record.stream import header_at, payload_at, scan, start_of


def find_opening(data: bytes) -> SegmentOpened | None:
    """Who wrote this segment; None if both of its first frames are damaged or not written yet."""
    view = memoryview(data)
    try:
        found = scan(view[: 64 * 1024], start_of(view), final=True)
    except Damaged:
        return None
    for offset in found.offsets[:2]:
        header = header_at(view, offset)
        if header.kind == kinds.SEGMENT_OPENED:
            try:
                opened = decode(header.kind, payload_at(view, offset, header.length))
            except Damaged:
                continue
            if isinstance(opened, SegmentOpened):
                return opened
    return None


def began_ns(data: bytes) -> int:
    """When the segment's first frame was written, by its first bytes; 0 if there is none. (Whatever a damaged one says: it decides
    an order only.)"""
    end = len(kinds.MAGIC) + HEADER_BYTES
    return header_at(memoryview(data), len(kinds.MAGIC)).time_ns if len(data) >= end else 0
