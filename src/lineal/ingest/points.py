"""Points frames -> columns, all frames of a layout at once, however the layouts alternate."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from lineal.model.entities import Layout
from lineal.series.columns import Block, Int64s

_NS_PER_MS = 1_000_000


class Frames(NamedTuple):
    """The headers of some frames as columns. `words` is the data as u64; `offset` counts bytes and is a multiple of 8."""

    words: npt.NDArray[np.uint64]
    offset: Int64s
    length: Int64s
    kind: Int64s
    seq: Int64s


def headers(data: bytes, offsets: list[int]) -> Frames:
    """`data` is a multiple of 8 bytes long; `offsets` are those of valid frames."""
    words = np.frombuffer(data, np.uint64)
    offset = np.array(offsets, np.int64)
    first = words[offset >> 3]
    return Frames(
        words,
        offset,
        (first & 0xFFFFFFFF).astype(np.int64),
        ((first >> np.uint64(32)) & np.uint64(0xFFFF)).astype(np.int64),
        words[(offset >> 3) + 1].astype(np.int64),
    )


def by_layout(frames: Frames) -> Iterator[tuple[int, Frames]]:
    """Points frames grouped by layout number, each group in order of logging."""
    if not len(frames.offset):
        return
    last = frames.words[(frames.offset + frames.length - 8) >> 3]
    number = (last & np.uint64(0xFFFFFFFF)).astype(np.int64)
    if (number == number[0]).all():
        yield int(number[0]), frames
        return
    small = number.astype(np.uint16) if int(number.max()) < 2**16 else number  # 16 bits sort in linear time
    order = np.argsort(small, kind="stable")
    ordered = number[order]
    cuts = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    for chosen in np.split(order, cuts):
        yield int(number[chosen[0]]), select(frames, chosen)


def select(frames: Frames, chosen: npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> Frames:
    return Frames(frames.words, frames.offset[chosen], frames.length[chosen], frames.kind[chosen], frames.seq[chosen])


def to_block(frames: Frames, layout: Layout) -> tuple[Block | None, int]:
    """The rows of one layout, and how many frames were left out because their length is not the layout's."""
    length = 40 + 8 * len(layout.series)
    fits = frames.length == length
    misfits = int(len(fits) - fits.sum())
    if misfits:
        frames = select(frames, fits)
    if not len(frames.offset):
        return None, misfits
    base = frames.offset >> 3
    time_ns = frames.words[base + 2].view(np.int64)
    values = tuple(
        frames.words[base + (4 + index)].view(np.float64 if key.value_type == "float64" else np.int64)
        for index, key in enumerate(layout.series)
    )
    step = frames.words[base + 3].view(np.float64 if layout.step_type == "float64" else np.int64)
    return Block(layout, frames.seq, step, time_ns // _NS_PER_MS, values), misfits


def raw(data: bytes, frames: Frames) -> bytes:
    """The frames' own bytes, to be kept until their layout is known."""
    return b"".join(
        data[offset : offset + length]
        for offset, length in zip(frames.offset.tolist(), frames.length.tolist(), strict=True)
    )
