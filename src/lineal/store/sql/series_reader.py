"""Points and buckets of series, within one snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np

from lineal.model.entities import SeriesKey
from lineal.model.values import to_json
from lineal.series.batch import decode_batch, layout_rows, read_batch_column
from lineal.series.blocks import slice_steps
from lineal.series.columns import Block, Buckets, Columns, Int64s, Numbers
from lineal.series.downsample import bucketize, coarsen, concat_buckets
from lineal.series.encoding import decode_column, decode_column_into
from lineal.series.pyramid import buckets_of, decode_pyramid, extend
from lineal.store.contracts import BucketPiece, Piece, SeriesName
from lineal.store.rules import Rank, rank
from lineal.store.sql.blocks import CHUNKS_OF_BLOCK
from lineal.store.sql.catalog import NO_TENANT, Catalog
from lineal.store.sql.database import Connection
from lineal.store.sql.details import read_attempts
from lineal.store.sql.fresh import FreshRow, Source, list_fresh
from lineal.store.sql.names import labels_text
from lineal.store.sql.overview import beyond, column_of, ordered
from lineal.store.sql.ranges import Range
from lineal.store.sql.zoom import BlockHead, zoom

P = TypeVar("P", Piece, BucketPiece)

QUIET = np.errstate(all="ignore")  # users log NaN and numbers that overflow: nothing to warn a reader of
DECODE_ALL_FROM = 4  # so many series of one run: then each of its fresh batches is decoded whole, once


@dataclass(slots=True)
class _Run:
    """What every series of a run needs, read once."""

    ranks: dict[int, Rank]
    blocks: dict[Source, list[BlockHead]]
    fresh: dict[Source, list[FreshRow]]


class _Overview(NamedTuple):
    through_seq: int
    has_nan_step: bool
    payload: bytes


class SeriesReader:
    """`tenant`: whose series are asked for by name. `wanted_count`: how many."""

    def __init__(
        self, connection: Connection, catalog: Catalog, tenant: int = NO_TENANT, wanted_count: int = 1
    ) -> None:
        self._connection = connection
        self._catalog = catalog
        self._tenant = tenant
        self._decode_all = wanted_count >= DECODE_ALL_FROM
        self._runs: dict[int, _Run] = {}
        self._shared: dict[int, tuple[Int64s, Numbers, Int64s]] = {}
        self._joined_shared: dict[tuple[int, ...], tuple[Int64s, Numbers, Int64s]] = {}
        self._batches: dict[int, list[tuple[int, Block]]] = {}

    # -- questions -----------------------------------------------------------------------------------------

    @QUIET
    def points(self, run: int, name: SeriesName, steps: Range) -> list[Piece]:
        found = []
        for pk, key in self._keys(name):
            for source in self._sources(run):
                columns = self._points(run, source, pk, key, steps)
                if columns is not None:
                    found.append((source, Piece(*self._who(run, source), key.value_type, columns)))
        return self._in_order(run, found)

    @QUIET
    def buckets(self, run: int, name: SeriesName, max_points: int, steps: Range) -> list[BucketPiece]:
        found = []
        for pk, key in self._keys(name):
            overviews = self._overviews(run, pk)
            for source in self._sources(run):
                overview = overviews.get(source)
                buckets = self._buckets(run, source, pk, key, overview, max_points, steps)
                if buckets is not None:
                    found.append((source, BucketPiece(*self._who(run, source), key.value_type, buckets)))
        return self._in_order(run, found)

    # -- for whoever compacts ------------------------------------------------------------------------------

    def series_of(self, run: int, source: Source) -> dict[int, tuple[SeriesKey, bool]]:
        """Number -> key of every series of a source, and whether some of its points are in a block."""
        known, found = self._run(run), {}
        fresh = {layout for row in known.fresh.get(source, ()) for layout, _ in layout_rows(self._payload(row))}
        stored = {block.layout for block in known.blocks.get(source, ())}
        for layouts, is_stored in ((fresh, False), (stored, True)):
            for layout in layouts:
                entry = self._catalog.layout(self._connection, layout)
                for pk, key in zip(entry.series, entry.layout.series, strict=True):
                    found[pk] = (key, is_stored)
        return found

    def whole(self, run: int, source: Source, pk: int, key: SeriesKey) -> Columns | None:
        """Every point of a series of a source; None if there is none."""
        return self._points(run, source, pk, key, Range())

    # -- points --------------------------------------------------------------------------------------------

    def _points(self, run: int, source: Source, pk: int, key: SeriesKey, steps: Range) -> Columns | None:
        if steps.is_open and source not in self._run(run).fresh:
            joined = self._joined(sorted(self._blocks(run, source, pk), key=lambda block: block.first_seq), pk, key)
            if joined is not None:
                return joined
        pieces = [self._block_points(block, pk) for block in self._blocks(run, source, pk) if block.touches(steps)]
        pieces += self._fresh_points(run, source, pk, key, None)
        pieces = [slice_steps(piece, *steps) for piece in pieces]
        return ordered([piece for piece in pieces if len(piece)])

    def _joined(self, blocks: list[BlockHead], pk: int, key: SeriesKey) -> Columns | None:
        """All points of blocks that follow each other, each number decoded straight to its place: at 100,000 points the
        first touch of every further copy costs as much as the decoding. None if the blocks interleave."""
        layouts = [self._catalog.layout(self._connection, block.layout) for block in blocks]
        if len({known.layout.step_type for known in layouts}) != 1:
            return None
        if any(one.last_seq >= two.first_seq for one, two in pairwise(blocks)):
            return None
        shared_by = tuple(block.pk for block in blocks)
        shared = self._joined_shared.get(shared_by)
        if shared is None:
            step_type = layouts[0].layout.step_type
            sql = "SELECT {} FROM block WHERE pk = ?"
            shared = (
                self._join(sql.format("seq"), shared_by, blocks, "int64"),
                self._join(sql.format("step"), shared_by, blocks, step_type),
                self._join(sql.format("time_ms"), shared_by, blocks, "int64"),
            )
            self._joined_shared[shared_by] = shared
        chunks = [block.pk * CHUNKS_OF_BLOCK + known.places[pk] for block, known in zip(blocks, layouts, strict=True)]
        value = self._join("SELECT value FROM chunk WHERE pk = ?", chunks, blocks, key.value_type)
        return Columns(*shared, value)

    def _join(self, sql: str, pks: Sequence[int], blocks: list[BlockHead], value_type: str) -> Numbers:
        out: Numbers = np.empty(sum(block.row_count for block in blocks), value_type)
        start = 0
        for pk, block in zip(pks, blocks, strict=True):
            [column] = self._connection.execute(sql, (pk,)).fetchone()
            decode_column_into(column, out[start : start + block.row_count])
            start += block.row_count
        return out

    def _block_points(self, block: BlockHead, pk: int) -> Columns:
        shared = self._shared.get(block.pk)
        if shared is None:
            columns = self._connection.execute(
                "SELECT seq, step, time_ms FROM block WHERE pk = ?", (block.pk,)
            ).fetchone()
            seq, step, time_ms = map(decode_column, columns)
            shared = self._shared[block.pk] = (seq, step, time_ms)
        place = self._catalog.layout(self._connection, block.layout).places[pk]
        chunk = block.pk * CHUNKS_OF_BLOCK + place
        [value] = self._connection.execute("SELECT value FROM chunk WHERE pk = ?", (chunk,)).fetchone()
        return Columns(*shared, decode_column(value))

    def _fresh_points(
        self, run: int, source: Source, pk: int, key: SeriesKey, through_seq: int | None
    ) -> list[Columns]:
        """Not empty ones, beyond a sequence number."""
        pieces = []
        for row in self._run(run).fresh.get(source, ()):
            if through_seq is None or row.last_seq > through_seq:
                pieces += [beyond(piece, through_seq) for piece in self._batch_points(row, pk, key)]
        return [piece for piece in pieces if len(piece)]

    def _batch_points(self, row: FreshRow, pk: int, key: SeriesKey) -> list[Columns]:
        blocks = self._batches.get(row.pk)
        if blocks is None:
            payload = self._payload(row)
            if not self._decode_all:
                return read_batch_column(payload, lambda pk: self._catalog.layout(self._connection, pk).layout, key)
            blocks = decode_batch(payload, lambda pk: self._catalog.layout(self._connection, pk).layout)
            self._batches[row.pk] = blocks
        found = (column_of(block, self._catalog.layout(self._connection, layout), pk) for layout, block in blocks)
        return [columns for columns in found if columns is not None]

    def _payload(self, row: FreshRow) -> bytes:
        payload: bytes
        [payload] = self._connection.execute("SELECT payload FROM fresh WHERE pk = ?", (row.pk,)).fetchone()
        return payload

    # -- buckets -------------------------------------------------------------------------------------------

    def _buckets(
        self,
        run: int,
        source: Source,
        pk: int,
        key: SeriesKey,
        overview: _Overview | None,
        max_points: int,
        steps: Range,
    ) -> Buckets | None:
        if overview is not None:
            pyramid = decode_pyramid(overview.payload)
            tail = ordered(self._fresh_points(run, source, pk, key, overview.through_seq))
            if steps.is_open:
                if tail is not None:
                    pyramid = extend(pyramid, tail)
                if pyramid.width == 1 or pyramid.point_count > max_points:
                    return buckets_of(pyramid, max_points)
            elif not overview.has_nan_step:
                blocks = sorted(self._blocks(run, source, pk), key=lambda block: block.first_seq)
                pieces = zoom(pyramid.buckets, blocks, steps, lambda block: self._block_points(block, pk))
                if pieces is not None:
                    rest = None if tail is None else slice_steps(tail, *steps)
                    if rest is not None and len(rest):
                        pieces.append(bucketize(rest, -(-len(rest) // pyramid.width)))
                    return coarsen(concat_buckets(pieces), max_points) if pieces else None
        columns = self._points(run, source, pk, key, steps)
        return None if columns is None else bucketize(columns, max_points)

    def _overviews(self, run: int, pk: int) -> dict[Source, _Overview]:
        sql = "SELECT attempt, writer, through_seq, has_nan_step, payload FROM pyramid WHERE run = ? AND series = ?"
        return {(row[0], row[1]): _Overview(*row[2:]) for row in self._connection.execute(sql, (run, pk))}

    # -- what there is -------------------------------------------------------------------------------------

    def _keys(self, name: SeriesName) -> list[tuple[int, SeriesKey]]:
        """The number and key for each value type."""
        return [
            (pk, SeriesKey(*name, value_type))
            for pk, value_type in self._connection.execute(
                "SELECT pk, value_type FROM series_key WHERE tenant = ? AND name = ? AND labels = ?",
                (self._tenant, name[0], labels_text(name[1])),
            )
        ]

    def _run(self, run: int) -> _Run:
        known = self._runs.get(run)
        if known is None:
            attempts = read_attempts(self._connection, to_json([run])).get(run, {})
            blocks: dict[Source, list[BlockHead]] = {}
            for attempt, writer, *head in self._connection.execute(
                "SELECT attempt, writer, pk, layout, row_count, first_seq, last_seq, step_min, step_max FROM block"
                " WHERE run = ?",
                (run,),
            ):
                blocks.setdefault((attempt, writer), []).append(BlockHead(*head))
            ranks = {number: rank(facts, facts.attempt_id) for number, facts in attempts.items()}
            known = self._runs[run] = _Run(ranks, blocks, list_fresh(self._connection, run))
        return known

    def _blocks(self, run: int, source: Source, pk: int) -> list[BlockHead]:
        """The blocks that have the series."""
        return [
            block
            for block in self._run(run).blocks.get(source, ())
            if pk in self._catalog.layout(self._connection, block.layout).places
        ]

    def _sources(self, run: int) -> Iterable[Source]:
        known = self._run(run)
        return {**known.blocks, **known.fresh}

    def _who(self, run: int, source: Source) -> tuple[str, str]:
        return self._run(run).ranks[source[0]][2], self._catalog.writer(self._connection, source[1])

    def _in_order(self, run: int, found: list[tuple[Source, P]]) -> list[P]:
        ranks = self._run(run).ranks
        found.sort(key=lambda item: (ranks[item[0][0]], item[1].writer, item[1].value_type))
        return [piece for _, piece in found]
