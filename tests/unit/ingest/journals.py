"""Journals written by hand, frame by frame, for readers to stumble over."""

import os
from pathlib import Path

from lineal.journal.layout import Folder
from lineal.record.codec import encode_frame
from lineal.record.kinds import MAGIC
from lineal.record.records import AttemptEnded, AttemptStarted, LayoutDefined, SegmentOpened, SegmentSealed
from tests.unit.record.strategies import points_frame

NS = 1_000_000
LAYOUT = LayoutDefined(1, "q", [["x", "d"]])


def writer_id(number):
    return f"{number:015x}"


FIRST = writer_id(1)


def opened(writer, *, run_id="r", segment=1, primary=True, attempt="a1", tenant="default", **more):
    return SegmentOpened(tenant, run_id, writer, attempt, primary, segment, "host", "boot", 1, **more)


def segment_bytes(*frames, writer=FIRST, magic=MAGIC, **settings):
    head = encode_frame(opened(writer, **settings), 0, 1_000 * NS)
    return magic + head + head + b"".join(frames)


def said(record, seq, time_ms=1_000):
    return encode_frame(record, seq, time_ms * NS)


def points(*values, first_seq, number=1):
    return b"".join(
        points_frame(first_seq + index, index, (value,), number, (1_000 + index) * NS)
        for index, value in enumerate(values)
    )


def whole_run(writer=FIRST, run_id="r", values=(1.0, 2.0, 3.0), status="finished"):
    """A small run as one segment."""
    count = len(values)
    return segment_bytes(
        said(AttemptStarted("a1", "e", "n"), 1),
        said(LAYOUT, 0),
        points(*values, first_seq=2),
        said(AttemptEnded("a1", status), count + 2, 2_000),
        said(SegmentSealed(count + 2), 0),
        writer=writer,
        run_id=run_id,
    )


def put(root, data, writer=FIRST, number=1):
    folder = Folder(root)
    folder.ensure()
    path = folder.segment(writer, number)
    Path(path).write_bytes(data)
    return path


def names_in(root):
    return sorted(name for name in os.listdir(Path(root) / "journals") if name != "locks")
