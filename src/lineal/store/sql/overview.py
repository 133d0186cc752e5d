"""Stored summaries and pyramids, extended by new rows. Both cover every point of their source up to a sequence number.

Rows of several layouts may hold the same series, interleaved: such a series is put in order of logging first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from lineal.series.blocks import concat_columns
from lineal.series.columns import Block, Columns
from lineal.series.pyramid import build, decode_pyramid, encode_pyramid, extend
from lineal.series.stats import merge, stats_of, stats_of_block
from lineal.store.sql.database import Connection
from lineal.store.sql.fresh import Parts, Source, after
from lineal.store.sql.names import KnownLayout
from lineal.store.sql.stats_codec import SeriesStats, pack_stats, unpack_stats

LayoutOf: TypeAlias = Callable[[int], KnownLayout]


@dataclass(slots=True)
class SourceSummary:
    """Stats of every series of a source, by the number of its key, up to `through_seq`."""

    through_seq: int | None = None
    entries: dict[int, SeriesStats] = field(default_factory=dict)

    def extend(self, parts: Parts, layout_of: LayoutOf) -> bool:
        """Adds the rows beyond `through_seq`; False if there are none."""
        fresh = {layout: after(block, self.through_seq) for layout, block in parts.items()}
        fresh = {layout: block for layout, block in fresh.items() if len(block)}
        if not fresh:
            return False
        shared = _shared(fresh, layout_of)
        for layout, block in fresh.items():
            last_seq = int(block.seq[-1])
            for pk, stats in zip(layout_of(layout).series, stats_of_block(block), strict=True):
                if pk not in shared:
                    self._add(pk, SeriesStats(last_seq, stats))
        for pk, layouts in shared.items():
            columns = gather({layout: fresh[layout] for layout in layouts}, pk, layout_of, None)
            if columns is not None:
                self._add(pk, SeriesStats(int(columns.seq[-1]), stats_of(columns)))
        self.through_seq = max(int(block.seq[-1]) for block in fresh.values())
        return True

    def _add(self, pk: int, new: SeriesStats) -> None:
        known = self.entries.get(pk)
        self.entries[pk] = new if known is None else SeriesStats(new.last_seq, merge(known.stats, new.stats))


def _shared(parts: Parts, layout_of: LayoutOf) -> dict[int, list[int]]:
    """Series that several layouts hold, with these: a run may have 100,000 series, and log others of them at every call."""
    if len(parts) < 2:
        return {}
    holders: dict[int, list[int]] = {}
    for layout in parts:
        for pk in layout_of(layout).series:
            holders.setdefault(pk, []).append(layout)
    return {pk: layouts for pk, layouts in holders.items() if len(layouts) > 1}


def read_summaries(connection: Connection, run: int) -> dict[Source, SourceSummary]:
    sql = "SELECT attempt, writer, through_seq, payload FROM summary WHERE run = ?"
    return {
        (attempt, writer): SourceSummary(through_seq, unpack_stats(payload))
        for attempt, writer, through_seq, payload in connection.execute(sql, (run,))
    }


def write_summary(connection: Connection, run: int, source: Source, summary: SourceSummary) -> None:
    connection.execute(
        "INSERT INTO summary (run, attempt, writer, through_seq, payload) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (run, attempt, writer) DO UPDATE SET through_seq = excluded.through_seq, payload = excluded.payload",
        (run, *source, summary.through_seq, pack_stats(summary.entries)),
    )


def beyond(columns: Columns, seq: int | None) -> Columns:
    """The points of ordered columns beyond a sequence number (None: all); views."""
    start = 0 if seq is None else int(np.searchsorted(columns.seq, seq, side="right"))
    if start == 0:
        return columns
    return Columns(columns.seq[start:], columns.step[start:], columns.time_ms[start:], columns.value[start:])


def column_of(block: Block, known: KnownLayout, series: int) -> Columns | None:
    """The points of a series by its number; None if the layout does not have it. (By its key it would have to be looked
    for among the layout's, of which there may be 100,000.)"""
    place = known.places.get(series)
    return None if place is None else Columns(block.seq, block.step, block.time_ms, block.values[place])


def gather(parts: Parts, series: int, layout_of: LayoutOf, beyond_seq: int | None) -> Columns | None:
    """The points of one series beyond a sequence number, from all layouts, in order of logging; None if there are none."""
    pieces = [column_of(block, layout_of(layout), series) for layout, block in parts.items()]
    cut = [beyond(piece, beyond_seq) for piece in pieces if piece is not None]
    return ordered([piece for piece in cut if len(piece)])


def ordered(pieces: list[Columns]) -> Columns | None:
    """All points in order of logging; None if there are none."""
    if not pieces:
        return None
    pieces.sort(key=lambda piece: int(piece.seq[0]))
    columns = concat_columns(pieces)
    if all(one.seq[-1] < two.seq[0] for one, two in pairwise(pieces)):
        return columns
    order = np.argsort(columns.seq, kind="stable")
    return Columns(columns.seq[order], columns.step[order], columns.time_ms[order], columns.value[order])


def extend_pyramid(
    connection: Connection, run: int, source: Source, series: int, parts: Parts, layout_of: LayoutOf
) -> bool:
    """Adds the rows that a series' pyramid does not cover; `parts` holds all of them. False if there is no pyramid."""
    last_seq = max(int(block.seq[-1]) for block in parts.values())
    known = connection.execute(
        "SELECT pk, through_seq, has_nan_step, payload FROM pyramid"
        " WHERE run = ? AND series = ? AND attempt = ? AND writer = ?",
        (run, series, *source),
    ).fetchone()
    if known is None:
        return False
    pk, through, had_nan_step, payload = known
    columns = gather(parts, series, layout_of, through)
    if columns is not None:
        pyramid = extend(decode_pyramid(payload), columns)
        connection.execute(
            "UPDATE pyramid SET through_seq = ?, has_nan_step = ?, payload = ? WHERE pk = ?",
            (last_seq, had_nan_step or has_nan_step(columns), encode_pyramid(pyramid), pk),
        )
    return True


def insert_pyramid(
    connection: Connection, run: int, source: Source, series: int, columns: Columns, through_seq: int
) -> None:
    """Of every point of a series; its writer has said nothing beyond that sequence number yet."""
    connection.execute(
        "INSERT INTO pyramid (run, series, attempt, writer, through_seq, has_nan_step, payload)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (run, series, *source, through_seq, has_nan_step(columns), encode_pyramid(build(columns))),
    )


def has_nan_step(columns: Columns) -> bool:
    return columns.step.dtype != np.int64 and bool((columns.step != columns.step).any())
