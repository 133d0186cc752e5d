"""Appends and compacts the points of a run.

Two rules hold whenever a transaction ends, and readers rely on them. (1) Every point in a block is covered by the stored
summary of its source, and by the pyramid of its series if there is one. (2) A summary or pyramid covers exactly the points up to its
`through_seq`. Points that arrive with a sequence number that is already covered (frames whose layout was found late) cost
a rebuild of both."""

from __future__ import annotations

from itertools import chain

import numpy as np

from lineal.model.entities import Layout
from lineal.model.limits import (
    BLOCK_MIN_ROWS,
    FRESH_BATCHES_MAX_COUNT,
    FRESH_WIDE_BATCHES_MAX_COUNT,
    FRESH_WIDE_BYTES,
    MIB,
    PYRAMID_MAX_BUCKETS,
)
from lineal.series.stats import stats_of
from lineal.store.sql.attributes import AttributeIndex
from lineal.store.sql.blocks import row_bytes_of, write_rows
from lineal.store.sql.catalog import Catalog
from lineal.store.sql.database import Connection
from lineal.store.sql.draft import RunDraft
from lineal.store.sql.fresh import FreshBatches, FreshRow, Parts, Source, join_parts
from lineal.store.sql.metrics import index_metrics
from lineal.store.sql.names import Names
from lineal.store.sql.overview import (
    SourceSummary,
    extend_pyramid,
    gather,
    insert_pyramid,
    read_summaries,
    write_summary,
)
from lineal.store.sql.series_reader import DECODE_ALL_FROM, SeriesReader
from lineal.store.sql.stats_codec import SeriesStats

PYRAMID_MIN_POINTS = 8 * PYRAMID_MAX_BUCKETS  # to read fewer points costs no more than to read their pyramid
FRESH_LAYOUT_MAX_BYTES = 32 * MIB  # of one layout in fresh batches, in memory: 400 rows of 10,000 metrics


@np.errstate(all="ignore")  # users log NaN and numbers that overflow: nothing to warn a writer of
def flush_points(
    connection: Connection, names: Names, run: RunDraft, index: AttributeIndex, fresh: list[tuple[object, ...]]
) -> bool:
    """Writes what was appended, or adds it to the rows that shall be written into `fresh` with those of other runs, and
    compacts if that was asked for. True if pages may have become free."""
    points = RunPoints(connection, names, run)
    for (attempt_id, writer), items in run.points.items():
        points.append((run.numbers[attempt_id], writer), join_parts(items))
        run.is_stale = True
    run.points.clear()
    if run.wants_compaction and run.is_stale:
        points.compact(index)
    points.write_summaries()
    fresh += points.take_waiting()
    return points.frees_pages


class RunPoints:
    def __init__(self, connection: Connection, names: Names, run: RunDraft) -> None:
        self._connection = connection
        self._names = names
        self._run = run
        self._batches = FreshBatches(connection, names, run.pk)
        self._summaries: dict[Source, SourceSummary] | None = {} if run.is_new else None
        self._summaries_changed: set[Source] = set()
        self.frees_pages = False

    # -- append --------------------------------------------------------------------------------------------

    def append(self, source: Source, parts: Parts) -> None:
        first = min(int(block.seq[0]) for block in parts.values())
        before = self._last_seq(source)
        self._run.last_seqs[source] = max(before, *(int(block.seq[-1]) for block in parts.values()))
        if first <= before:
            self._batches.append(source, parts)
            self._rebuild(source)
            return
        if any(_is_ripe(block.layout, len(block)) for block in parts.values()):
            self._store_ripe(source, self._batches.rows().get(source, []), parts)
        else:
            self._batches.append(source, parts)

    def take_waiting(self) -> list[tuple[object, ...]]:
        return self._batches.take_waiting()

    def _last_seq(self, source: Source) -> int:
        """The highest sequence number stored of a source; -1 if there is none."""
        known = self._run.last_seqs.get(source)
        if known is not None:
            return known
        if self._run.is_new:
            return -1
        self._batches.write()
        of_source = "WHERE run = ? AND attempt = ? AND writer = ?"
        [last] = self._connection.execute(
            f"SELECT max(last) FROM (SELECT max(last_seq) AS last FROM fresh {of_source}"
            f" UNION ALL SELECT max(last_seq) FROM block {of_source}) AS found",
            (self._run.pk, *source) * 2,
        ).fetchone()
        return -1 if last is None else int(last)

    # -- compact -------------------------------------------------------------------------------------------

    def compact(self, index: AttributeIndex) -> None:
        """Once a run has ended, or enough has gathered; until then readers add what is fresh."""
        fresh = self._batches.rows()
        ended = self._run.status != "running"
        ripe = {source for source, rows in fresh.items() if self._holds_ripe(rows)}
        crowded = {source for source, rows in fresh.items() if len(rows) > _max_count(rows)}
        if not ended and not ripe and not crowded:
            return
        for source, rows in fresh.items():
            self._cover(source, rows)
            if source in ripe:
                self._store_ripe(source, rows, {})
            elif source in crowded:
                self._merge_smallest(source, rows)
        index_metrics(self._names, self._run, self._all_summaries(), index)
        self._run.is_stale = False

    def _holds_ripe(self, rows: list[FreshRow]) -> bool:
        """Whether enough rows of one layout have gathered; batches are looked into only if that can be."""
        if not _may_be_ripe(rows):
            return False
        counts = self._batches.row_counts(rows)
        return any(_is_ripe(self._names.layout_of(layout), count) for layout, count in counts.items())

    def _merge_smallest(self, source: Source, rows: list[FreshRow]) -> None:
        """All but the largest few become one: a row is rewritten only when its batch has grown several times over."""
        smallest = sorted(rows, key=lambda row: row.size_bytes)[: len(rows) - _max_count(rows) // 2]
        self._batches.append(source, join_parts(chain.from_iterable(self._batches.blocks_of(smallest))))
        self._delete(smallest)

    # -- both ----------------------------------------------------------------------------------------------

    def _store_ripe(self, source: Source, rows: list[FreshRow], appended: Parts) -> None:
        """Layouts with enough rows become blocks; the rest of the batches that held them becomes one batch."""
        held = dict(zip((row.pk for row in rows), self._batches.blocks_of(rows), strict=True))
        parts = join_parts([*(item for blocks in held.values() for item in blocks), *appended.items()])
        self._extend_summary(source, parts)
        ripe = {layout for layout, block in parts.items() if _is_ripe(block.layout, len(block))}
        for layout in ripe:
            write_rows(self._connection, self._names, self._run.pk, source, layout, parts[layout])
        emptied = [row for row in rows if any(layout in ripe for layout, _ in held[row.pk])]
        left = [item for row in emptied for item in held[row.pk]] + list(appended.items())
        self._batches.append(source, join_parts(item for item in left if item[0] not in ripe))
        self._delete(emptied)
        self._overview(source, ripe, parts)
        self.frees_pages = True

    def _overview(self, source: Source, layouts: set[int], parts: Parts) -> None:
        """Pyramids of the series of layouts that became blocks, made once a series is long."""
        entries = self._summary(source).entries
        last_seq = max(int(block.seq[-1]) for block in parts.values())
        reader = self._reader()
        for pk in {pk for layout in layouts for pk in self._names.known_layout(layout).series}:
            if extend_pyramid(self._connection, self._run.pk, source, pk, parts, self._names.known_layout):
                continue
            count = entries[pk].stats.count
            if count > PYRAMID_MIN_POINTS:
                columns = gather(parts, pk, self._names.known_layout, None)
                if columns is None or len(columns) < count:
                    columns = reader.whole(self._run.pk, source, pk, self._names.series_key(pk))
                if columns is not None:
                    insert_pyramid(self._connection, self._run.pk, source, pk, columns, last_seq)

    def _reader(self) -> SeriesReader:
        """Of what the tables hold now. It has a catalog of its own, since what it learns may be undone."""
        self._batches.write()
        return SeriesReader(self._connection, Catalog(), wanted_count=DECODE_ALL_FROM)

    def _delete(self, rows: list[FreshRow]) -> None:
        self._batches.delete(rows)
        self.frees_pages |= bool(rows)

    def _cover(self, source: Source, rows: list[FreshRow]) -> None:
        """Brings a source's summary up to date."""
        through = self._summary(source).through_seq
        new = [row for row in rows if through is None or row.last_seq > through]
        self._extend_summary(source, join_parts(chain.from_iterable(self._batches.blocks_of(new))))

    def _extend_summary(self, source: Source, parts: Parts) -> None:
        if self._summary(source).extend(parts, self._names.known_layout):
            self._summaries_changed.add(source)

    def _rebuild(self, source: Source) -> None:
        """After points that came late: the source's summary and pyramids anew, from everything, series by series."""
        identity = (self._run.pk, *source)
        self._connection.execute("DELETE FROM pyramid WHERE run = ? AND attempt = ? AND writer = ?", identity)
        reader = self._reader()
        summary = self._all_summaries()[source] = SourceSummary()
        self._summaries_changed.add(source)
        through = self._last_seq(source)
        for pk, (key, is_stored) in reader.series_of(self._run.pk, source).items():
            columns = reader.whole(self._run.pk, source, pk, key)
            if columns is not None:
                summary.entries[pk] = SeriesStats(int(columns.seq[-1]), stats_of(columns))
                if is_stored and len(columns) > PYRAMID_MIN_POINTS:
                    insert_pyramid(self._connection, self._run.pk, source, pk, columns, through)
        summary.through_seq = through

    def _summary(self, source: Source) -> SourceSummary:
        return self._all_summaries().setdefault(source, SourceSummary())

    def _all_summaries(self) -> dict[Source, SourceSummary]:
        if self._summaries is None:
            self._summaries = read_summaries(self._connection, self._run.pk)
        return self._summaries

    def write_summaries(self) -> None:
        for source in self._summaries_changed:
            write_summary(self._connection, self._run.pk, source, self._all_summaries()[source])
        self._summaries_changed.clear()


def _max_count(rows: list[FreshRow]) -> int:
    """How many fresh batches of a source may stand before they are merged."""
    is_wide = sum(row.size_bytes for row in rows) >= len(rows) * FRESH_WIDE_BYTES
    return FRESH_WIDE_BATCHES_MAX_COUNT if is_wide else FRESH_BATCHES_MAX_COUNT


def _may_be_ripe(rows: list[FreshRow]) -> bool:
    # Fresh batches are hardly compressed: half of the bytes in memory is what noise becomes at best.
    return (
        sum(row.row_count for row in rows) >= BLOCK_MIN_ROWS
        or sum(row.size_bytes for row in rows) * 2 >= FRESH_LAYOUT_MAX_BYTES
    )


def _is_ripe(layout: Layout, rows: int) -> bool:
    """Whether rows of a layout shall leave the fresh batches: very wide ones do so earlier."""
    return rows >= BLOCK_MIN_ROWS or rows * row_bytes_of(layout) >= FRESH_LAYOUT_MAX_BYTES
