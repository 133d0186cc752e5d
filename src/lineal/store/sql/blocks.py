"""Blocks of rows as they are stored: shared columns in `block`, each series' values in `chunk`."""

from __future__ import annotations

from typing import Any

import numpy as np

from lineal.model.entities import Layout
from lineal.model.limits import BLOCK_MIN_ROWS, BLOCK_ROWS, MIB
from lineal.series.blocks import concat, split
from lineal.series.columns import Block, Numbers
from lineal.series.encoding import decode_column, encode_column
from lineal.store.sql.database import Connection
from lineal.store.sql.fresh import Source, in_order
from lineal.store.sql.names import Names

CHUNKS_OF_BLOCK = 1 << 20  # more than SERIES_PER_RUN_MAX_COUNT, so that a chunk's number follows from its place
MERGED_ROWS = (8 * BLOCK_MIN_ROWS, BLOCK_ROWS)
"""Small blocks are merged when they add up to so many rows: a row is written three times at most."""
MERGED_MAX_BYTES = (
    96 * MIB
)  # 150 series x 65,536 rows, 1,400 x 8,192: what a merge holds in memory; wider ones stay small


def write_rows(connection: Connection, names: Names, run: int, source: Source, layout: int, rows: Block) -> None:
    """Stores ordered rows as blocks, merged with the last blocks of their layout where these are small."""
    merged = _take_tail(connection, names, run, source, layout, len(rows))
    for block in split(in_order(concat([*merged, rows])), BLOCK_ROWS):
        write_block(connection, run, source, layout, block)


def write_block(connection: Connection, run: int, source: Source, layout: int, block: Block) -> None:
    step_min, step_max = _range(block.step)
    [pk] = connection.execute(
        "INSERT INTO block (run, attempt, writer, layout, row_count, first_seq, last_seq, step_min, step_max, seq, step,"
        " time_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING pk",
        (
            run,
            *source,
            layout,
            len(block),
            int(block.seq[0]),
            int(block.seq[-1]),
            step_min,
            step_max,
            encode_column(block.seq),
            encode_column(block.step),
            encode_column(block.time_ms),
        ),
    ).fetchone()
    connection.executemany(
        "INSERT INTO chunk (pk, value) VALUES (?, ?)",
        ((pk * CHUNKS_OF_BLOCK + place, encode_column(values)) for place, values in enumerate(block.values)),
    )


def read_block(connection: Connection, names: Names, pk: int, layout: int) -> Block:
    """All series of a block."""
    shared = connection.execute("SELECT seq, step, time_ms FROM block WHERE pk = ?", (pk,)).fetchone()
    values = connection.execute(
        "SELECT value FROM chunk WHERE pk >= ? AND pk < ? ORDER BY pk",
        (pk * CHUNKS_OF_BLOCK, (pk + 1) * CHUNKS_OF_BLOCK),
    )
    seq, step, time_ms = map(decode_column, shared)
    return Block(names.layout_of(layout), seq, step, time_ms, tuple(decode_column(value) for (value,) in values))


def delete_blocks(connection: Connection, pks: list[int]) -> None:
    for pk in pks:
        connection.execute("DELETE FROM block WHERE pk = ?", (pk,))
        connection.execute(
            "DELETE FROM chunk WHERE pk >= ? AND pk < ?", (pk * CHUNKS_OF_BLOCK, (pk + 1) * CHUNKS_OF_BLOCK)
        )


def _take_tail(
    connection: Connection, names: Names, run: int, source: Source, layout: int, new_rows: int
) -> list[Block]:
    """The last blocks that shall be merged with new rows, taken out of the tables, oldest first."""
    tail: list[tuple[int, int]] = connection.execute(
        "SELECT pk, row_count FROM block WHERE run = ? AND attempt = ? AND writer = ? AND layout = ? ORDER BY pk",
        (run, *source, layout),
    ).fetchall()
    taken: list[tuple[int, int]] = []
    row_bytes = row_bytes_of(names.layout_of(layout))
    for threshold in MERGED_ROWS:
        if threshold * row_bytes > MERGED_MAX_BYTES:
            break
        small = len(tail)
        while small and tail[small - 1][1] < threshold:
            small -= 1
        if new_rows + sum(rows for _, rows in tail[small:]) >= threshold > new_rows:
            taken = tail[small:]
    blocks = [read_block(connection, names, pk, layout) for pk, _ in taken]
    delete_blocks(connection, [pk for pk, _ in taken])
    return blocks


def row_bytes_of(layout: Layout) -> int:
    """Of a row in memory: sequence number, step, time, and a value a series."""
    return 8 * (3 + len(layout.series))


def _range(steps: Numbers) -> tuple[Any, Any]:
    """Smallest and largest step; None if one is NaN."""
    low, high = steps.min().item(), steps.max().item()
    return (None, None) if np.isnan(low) else (low, high)
