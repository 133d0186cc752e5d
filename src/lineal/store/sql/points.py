"""Appends and compacts the points of a run.

Two rules hold whenever a transaction ends, and readers rely on them. (1) Every point in a block is covered by the stored
summary of its source and by the pyramid of its series. (2) A summary or pyramid covers exactly the points up to its
`through_seq`. Points that arrive with a sequence number that is already covered (frames whose layout was found late) cost
a rebuild of both."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable

import numpy as np

from lineal.model.entities import SeriesKey
from lineal.model.limits import BLOCK_MIN_ROWS, FRESH_BATCHES_MAX_COUNT
from lineal.store.sql.attributes import AttributeIndex
from lineal.store.sql.blocks import read_block, write_rows
from lineal.store.sql.draft import RunDraft
from lineal.store.sql.fresh import FreshBatches, FreshRow, Parts, Source, join_parts, list_fresh
from lineal.store.sql.metrics import index_metrics
from lineal.store.sql.names import Names
from lineal.store.sql.overview import SourceSummary, extend_pyramids, read_summaries, write_summary


@np.errstate(all="ignore")  # users log NaN and numbers that overflow: nothing to warn a writer of
def flush_points(connection: sqlite3.Connection, names: Names, run: RunDraft, index: AttributeIndex) -> bool:
    """Writes what was appended and compacts if that was asked for. True if pages may have become free."""
    points = RunPoints(connection, names, run)
    for (attempt_id, writer), items in run.points.items():
        points.append((run.numbers[attempt_id], writer), join_parts(items))
        run.is_stale = True
    run.points.clear()
    if run.wants_compaction and run.is_stale:
        points.compact(index)
    points.write_summaries()
    return points.frees_pages


class RunPoints:
    def __init__(self, connection: sqlite3.Connection, names: Names, run: RunDraft) -> None:
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
        if first <= self._last_seq(source):
            self._batches.insert(source, parts)
            self._rebuild(source)
            return
        if any(len(block) >= BLOCK_MIN_ROWS for block in parts.values()):
            self._store_ripe(source, list_fresh(self._connection, self._run.pk).get(source, []), parts)
        else:
            self._batches.insert(source, parts)

    def _last_seq(self, source: Source) -> int:
        """The highest sequence number stored of a source; -1 if there is none."""
        if self._run.is_new:
            return -1
        of_source = "WHERE run = ? AND attempt = ? AND writer = ?"
        [last] = self._connection.execute(
            f"SELECT max(last) FROM (SELECT max(last_seq) AS last FROM fresh {of_source}"
            f" UNION ALL SELECT max(last_seq) FROM block {of_source})",
            (self._run.pk, *source) * 2,
        ).fetchone()
        return -1 if last is None else int(last)

    # -- compact -------------------------------------------------------------------------------------------

    def compact(self, index: AttributeIndex) -> None:
        """Once a run has ended, or enough has gathered; until then readers add what is fresh."""
        fresh = list_fresh(self._connection, self._run.pk)
        ended = self._run.run().status != "running"
        if not ended and not any(_is_due(rows) for rows in fresh.values()):
            return
        for source, rows in fresh.items():
            self._cover(source, rows)
            counts = self._row_counts(rows)
            if any(count >= BLOCK_MIN_ROWS for count in counts.values()):
                self._store_ripe(source, rows, {})
            elif len(rows) > FRESH_BATCHES_MAX_COUNT:
                self._merge_smallest(source, rows)
        index_metrics(self._names, self._run, self._all_summaries(), index)
        self._run.is_stale = False

    def _row_counts(self, rows: list[FreshRow]) -> Counter[int]:
        counts: Counter[int] = Counter()
        if sum(row.row_count for row in rows) >= BLOCK_MIN_ROWS:
            for row in rows:
                for layout, count in self._batches.row_counts(row):
                    counts[layout] += count
        return counts

    def _merge_smallest(self, source: Source, rows: list[FreshRow]) -> None:
        """All but the largest few become one: a row is rewritten only when its batch has grown several times over."""
        smallest = sorted(rows, key=lambda row: row.size_bytes)[: len(rows) - FRESH_BATCHES_MAX_COUNT // 2]
        self._batches.insert(source, join_parts(item for row in smallest for item in self._batches.blocks(row)))
        self._delete(smallest)

    # -- both ----------------------------------------------------------------------------------------------

    def _store_ripe(self, source: Source, rows: list[FreshRow], appended: Parts) -> None:
        """Layouts with enough rows become blocks; the rest of the batches that held them becomes one batch."""
        held = {row.pk: self._batches.blocks(row) for row in rows}
        parts = join_parts([*(item for blocks in held.values() for item in blocks), *appended.items()])
        self._extend_summary(source, parts)
        ripe = {layout for layout, block in parts.items() if len(block) >= BLOCK_MIN_ROWS}
        series: dict[int, SeriesKey] = {}
        for layout in ripe:
            write_rows(self._connection, self._names, self._run.pk, source, layout, parts[layout])
            series.update(self._series_of(layout))
        extend_pyramids(self._connection, self._run.pk, source, series, parts)
        emptied = [row for row in rows if any(layout in ripe for layout, _ in held[row.pk])]
        left = [item for row in emptied for item in held[row.pk]] + list(appended.items())
        self._batches.insert(source, join_parts(item for item in left if item[0] not in ripe))
        self._delete(emptied)
        self.frees_pages = True

    def _delete(self, rows: list[FreshRow]) -> None:
        self._batches.delete(rows)
        self.frees_pages |= bool(rows)

    def _cover(self, source: Source, rows: list[FreshRow]) -> None:
        """Brings a source's summary up to date."""
        through = self._summary(source).through_seq
        new = [row for row in rows if through is None or row.last_seq > through]
        self._extend_summary(source, join_parts(item for row in new for item in self._batches.blocks(row)))

    def _extend_summary(self, source: Source, parts: Parts) -> None:
        if self._summary(source).extend(parts, self._names.known_layout):
            self._summaries_changed.add(source)

    def _rebuild(self, source: Source) -> None:
        """After points that came late: the source's summary and pyramids anew, from everything."""
        of_source = "run = ? AND attempt = ? AND writer = ?"
        identity = (self._run.pk, *source)
        stored = self._connection.execute(f"SELECT pk, layout FROM block WHERE {of_source}", identity).fetchall()
        self._connection.execute(f"DELETE FROM pyramid WHERE {of_source}", identity)
        blocks = [(layout, read_block(self._connection, self._names, pk, layout)) for pk, layout in stored]
        rows = list_fresh(self._connection, self._run.pk).get(source, [])
        parts = join_parts([*blocks, *(item for row in rows for item in self._batches.blocks(row))])
        self._all_summaries()[source] = SourceSummary()
        self._extend_summary(source, parts)
        series: dict[int, SeriesKey] = {}
        for layout in {layout for _, layout in stored}:
            series.update(self._series_of(layout))
        extend_pyramids(self._connection, self._run.pk, source, series, parts)

    def _series_of(self, layout: int) -> Iterable[tuple[int, SeriesKey]]:
        known = self._names.known_layout(layout)
        return zip(known.series, known.layout.series, strict=True)

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


def _is_due(rows: list[FreshRow]) -> bool:
    return len(rows) > FRESH_BATCHES_MAX_COUNT or sum(row.row_count for row in rows) >= BLOCK_MIN_ROWS
