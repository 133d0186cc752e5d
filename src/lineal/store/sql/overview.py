"""Stored summaries and pyramids, extended by new rows. Both cover every point of their source up to a sequence number.

Rows of several layouts may hold the same series, interleaved: such a series is put in order of logging first."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from lineal.model.entities import SeriesKey
from lineal.series.blocks import columns_of, concat_columns
from lineal.series.columns import Columns
from lineal.series.pyramid import decode_pyramid, encode_pyramid, extend
from lineal.series.stats import merge, stats_of, stats_of_block
from lineal.store.sql.fresh import Parts, Source, after
from lineal.store.sql.names import KnownLayout
from lineal.store.sql.stats_codec import SeriesStats, pack_stats, unpack_stats


@dataclass(slots=True)
class SourceSummary:
    """Stats of every series of a source, by the number of its key, up to `through_seq`."""

    through_seq: int | None = None
    entries: dict[int, SeriesStats] = field(default_factory=dict)

    def extend(self, parts: Parts, layout_of: Callable[[int], KnownLayout]) -> bool:
        """Adds the rows beyond `through_seq`; False if there are none."""
        fresh = {layout: after(block, self.through_seq) for layout, block in parts.items()}
        fresh = {layout: block for layout, block in fresh.items() if len(block)}
        if not fresh:
            return False
        uses = Counter(pk for layout in fresh for pk in layout_of(layout).series) if len(fresh) > 1 else {}
        shared: dict[int, SeriesKey] = {}
        for layout, block in fresh.items():
            last_seq = int(block.seq[-1])
            known = layout_of(layout)
            for pk, key, stats in zip(known.series, known.layout.series, stats_of_block(block), strict=True):
                if uses.get(pk, 1) > 1:
                    shared[pk] = key
                else:
                    self._add(pk, SeriesStats(last_seq, stats))
        for pk, key in shared.items():
            columns = gather(fresh, key, None)
            if columns is not None:
                self._add(pk, SeriesStats(int(columns.seq[-1]), stats_of(columns)))
        self.through_seq = max(int(block.seq[-1]) for block in fresh.values())
        return True

    def _add(self, pk: int, new: SeriesStats) -> None:
        known = self.entries.get(pk)
        self.entries[pk] = new if known is None else SeriesStats(new.last_seq, merge(known.stats, new.stats))


def read_summaries(connection: sqlite3.Connection, run: int) -> dict[Source, SourceSummary]:
    sql = "SELECT attempt, writer, through_seq, payload FROM summary WHERE run = ?"
    return {
        (attempt, writer): SourceSummary(through_seq, unpack_stats(payload))
        for attempt, writer, through_seq, payload in connection.execute(sql, (run,))
    }


def write_summary(connection: sqlite3.Connection, run: int, source: Source, summary: SourceSummary) -> None:
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


def gather(parts: Parts, key: SeriesKey, beyond_seq: int | None) -> Columns | None:
    """The points of one series beyond a sequence number, from all layouts, in order of logging; None if there are none."""
    pieces = [columns_of(after(block, beyond_seq), key) for block in parts.values()]
    return ordered([piece for piece in pieces if piece is not None and len(piece)])


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


def extend_pyramids(
    connection: sqlite3.Connection, run: int, source: Source, series: dict[int, SeriesKey], parts: Parts
) -> None:
    """Adds the rows that each series' pyramid does not cover; `parts` holds all of them. Without a pyramid, one is made
    of all rows in `parts`."""
    sql = "SELECT series, pk, through_seq, has_nan_step, payload FROM pyramid WHERE run = ? AND attempt = ? AND writer = ?"
    known = {row[0]: row[1:] for row in connection.execute(sql, (run, *source)) if row[0] in series}
    through = max(int(block.seq[-1]) for block in parts.values())
    new, changed = [], []
    for pk, key in series.items():
        row, through_before, has_nan_step, payload = known.get(pk, (None, None, 0, None))
        columns = gather(parts, key, through_before)
        if columns is None:
            continue
        pyramid = extend(None if payload is None else decode_pyramid(payload), columns)
        has_nan_step = has_nan_step or bool(columns.step.dtype != np.int64 and (columns.step != columns.step).any())
        values = (through, has_nan_step, encode_pyramid(pyramid))
        if row is None:
            new.append((run, pk, *source, *values))
        else:
            changed.append((*values, row))
    connection.executemany(
        "INSERT INTO pyramid (run, series, attempt, writer, through_seq, has_nan_step, payload)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        new,
    )
    connection.executemany("UPDATE pyramid SET through_seq = ?, has_nan_step = ?, payload = ? WHERE pk = ?", changed)
