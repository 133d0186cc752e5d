"""Fresh batches: what was appended, kept whole, a row a batch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from lineal.series.batch import decode_batch, encode_batch, layout_rows
from lineal.series.blocks import concat
from lineal.series.columns import Block
from lineal.store.sql.database import Connection
from lineal.store.sql.names import Names

Source: TypeAlias = tuple[int, int]
"""Attempt number and writer: whose points they are within a run."""
Parts: TypeAlias = dict[int, Block]
"""Rows by layout, each in order of logging."""


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
    """Batches of one run within a transaction. What was written or decoded once is not decoded again."""

    def __init__(self, connection: Connection, names: Names, run: int) -> None:
        self._connection = connection
        self._names = names
        self._run = run
        self._decoded: dict[int, list[tuple[int, Block]]] = {}

    def insert(self, source: Source, parts: Parts) -> None:
        blocks = [(layout, block) for layout, block in parts.items() if len(block)]
        if not blocks:
            return
        first = min(int(block.seq[0]) for _, block in blocks)
        last = max(int(block.seq[-1]) for _, block in blocks)
        [pk] = self._connection.execute(
            "INSERT INTO fresh (run, attempt, writer, first_seq, last_seq, row_count, payload)"
            " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING pk",
            (self._run, *source, first, last, sum(len(block) for _, block in blocks), encode_batch(blocks)),
        ).fetchone()
        self._decoded[pk] = blocks

    def delete(self, rows: Iterable[FreshRow]) -> None:
        self._connection.executemany("DELETE FROM fresh WHERE pk = ?", [(row.pk,) for row in rows])

    def blocks(self, row: FreshRow) -> list[tuple[int, Block]]:
        if row.pk not in self._decoded:
            self._decoded[row.pk] = decode_batch(self._payload(row), self._names.layout_of)
        return self._decoded[row.pk]

    def row_counts(self, row: FreshRow) -> list[tuple[int, int]]:
        """(layout, rows) of each block; decodes nothing."""
        known = self._decoded.get(row.pk)
        if known is not None:
            return [(layout, len(block)) for layout, block in known]
        return layout_rows(self._payload(row))

    def _payload(self, row: FreshRow) -> bytes:
        payload: bytes
        [payload] = self._connection.execute("SELECT payload FROM fresh WHERE pk = ?", (row.pk,)).fetchone()
        return payload


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
