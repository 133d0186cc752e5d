"""Fresh batches: what was appended, kept whole, a row a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from lineal.series.batch import decode_batch, encode_batch, layout_rows
from lineal.series.blocks import concat
from lineal.series.columns import Block
from lineal.store.sql.database import Connection, list_text
from lineal.store.sql.names import Names

Source: TypeAlias = tuple[int, int]
"""Attempt number and writer: whose points they are within a run."""
Parts: TypeAlias = dict[int, Block]
"""Rows by layout, each in order of logging."""

INSERT = (
    "INSERT INTO fresh (run, attempt, writer, first_seq, last_seq, row_count, payload) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_PAYLOADS_AT_ONCE = 32


@dataclass(slots=True)
class FreshRow:
    pk: int
    first_seq: int
    last_seq: int
    row_count: int
    size_bytes: int


def list_fresh(connection: Connection, run: int) -> dict[Source, list[FreshRow]]:
    """A run's fresh batches, oldest first, without their bytes."""
    found: dict[Source, list[FreshRow]] = {}
    sql = "SELECT attempt, writer, pk, first_seq, last_seq, row_count, length(payload) FROM fresh WHERE run = ? ORDER BY pk"
    for attempt, writer, *row in connection.execute(sql, (run,)):
        found.setdefault((attempt, writer), []).append(FreshRow(*row))
    return found


class FreshBatches:
    """Batches of one run within a transaction. Appended ones wait, so that those of many runs are written at once; what was
    written or decoded once is not decoded again."""

    def __init__(self, connection: Connection, names: Names, run: int) -> None:
        self._connection = connection
        self._names = names
        self._run = run
        self._decoded: dict[int, list[tuple[int, Block]]] = {}
        self._waiting: list[tuple[Source, list[tuple[int, Block]]]] = []

    def append(self, source: Source, parts: Parts) -> None:
        """Written by `write` or `take_waiting`, at the latest before the tables are read through anything but this."""
        blocks = [(layout, block) for layout, block in parts.items() if len(block)]
        if blocks:
            self._waiting.append((source, blocks))

    def write(self) -> None:
        for source, blocks in self._waiting:
            sql = f"{INSERT} RETURNING pk"
            [pk] = self._connection.execute(sql, _row(self._run, source, blocks)).fetchone()
            self._decoded[pk] = blocks
        self._waiting = []

    def take_waiting(self) -> list[tuple[object, ...]]:
        """As rows for INSERT."""
        rows = [_row(self._run, source, blocks) for source, blocks in self._waiting]
        self._waiting = []
        return rows

    def rows(self) -> dict[Source, list[FreshRow]]:
        """Oldest first, without their bytes."""
        self.write()
        return list_fresh(self._connection, self._run)

    def delete(self, rows: Iterable[FreshRow]) -> None:
        pks = list_text([row.pk for row in rows])
        self._connection.execute("DELETE FROM fresh WHERE pk IN (SELECT value FROM json_each(?))", (pks,))

    def blocks_of(self, rows: Sequence[FreshRow]) -> list[list[tuple[int, Block]]]:
        """Of each."""
        unknown = [row.pk for row in rows if row.pk not in self._decoded]
        for pk, payload in self._payloads(unknown):
            self._decoded[pk] = decode_batch(payload, self._names.layout_of)
        return [self._decoded[row.pk] for row in rows]

    def row_counts(self, rows: Sequence[FreshRow]) -> Counter[int]:
        """Rows of each layout; decodes nothing."""
        counts: Counter[int] = Counter()
        for row in rows:
            for layout, block in self._decoded.get(row.pk, ()):
                counts[layout] += len(block)
        for _, payload in self._payloads([row.pk for row in rows if row.pk not in self._decoded]):
            for layout, count in layout_rows(payload):
                counts[layout] += count
        return counts

    def _payloads(self, pks: Sequence[int]) -> Iterable[tuple[int, bytes]]:
        """A few at a time: wide batches are of megabytes each."""
        for at in range(0, len(pks), _PAYLOADS_AT_ONCE):
            yield from self._connection.execute(
                "SELECT pk, payload FROM fresh WHERE pk IN (SELECT value FROM json_each(?))",
                (list_text(pks[at : at + _PAYLOADS_AT_ONCE]),),
            ).fetchall()


def _row(run: int, source: Source, blocks: list[tuple[int, Block]]) -> tuple[object, ...]:
    first = min(int(block.seq[0]) for _, block in blocks)
    last = max(int(block.seq[-1]) for _, block in blocks)
    return (run, *source, first, last, sum(len(block) for _, block in blocks), encode_batch(blocks))


def join_parts(blocks: Iterable[tuple[int, Block]]) -> Parts:
    """The rows of each layout in one block, in order of logging."""
    by_layout: dict[int, list[Block]] = {}
    for layout, block in blocks:
        by_layout.setdefault(layout, []).append(block)
    return {layout: in_order(concat(found)) for layout, found in by_layout.items()}


def in_order(block: Block) -> Block:
    """The rows by sequence number; the block itself if they are so."""
    if len(block) < 2 or bool((block.seq[1:] > block.seq[:-1]).all()):
        return block
    order = np.argsort(block.seq, kind="stable")
    values = tuple(array[order] for array in block.values)
    return Block(block.layout, block.seq[order], block.step[order], block.time_ms[order], values)


def after(block: Block, seq: int | None) -> Block:
    """The rows of an ordered block beyond a sequence number (None: all); views."""
    start = 0 if seq is None else int(np.searchsorted(block.seq, seq, side="right"))
    if start == 0:
        return block
    values = tuple(array[start:] for array in block.values)
    return Block(block.layout, block.seq[start:], block.step[start:], block.time_ms[start:], values)
