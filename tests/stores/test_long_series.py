"""Series long enough to be cut, merged and overviewed, against the memory store; bounds are small so that it takes
hundreds of rows, not millions."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from operator import methodcaller as call
from pathlib import Path

import numpy as np
import pytest

from lineal.model.entities import Layout, SeriesKey
from lineal.series import pyramid
from lineal.series.columns import Block
from lineal.store.contracts import Store
from lineal.store.memory import MemoryStore
from lineal.store.open import open_store, sqlite_url
from lineal.store.sql import blocks, params, points, zoom
from lineal.testing.same_answers import assert_same_answers
from lineal.testing.suite_base import WRITER, at, block_of

LOSS, ACC = SeriesKey("loss"), SeriesKey("acc")
TRAIN, EVAL, FLOAT = Layout("int64", (LOSS, ACC)), Layout("int64", (LOSS,)), Layout("float64", (LOSS,))
RANGES = ((None, None), (10, 300), (0.5, 5_000), (200, None), (None, 77), (-1, 2_000))


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(points, "BLOCK_MIN_ROWS", 16)
    monkeypatch.setattr(points, "FRESH_BATCHES_MAX_COUNT", 4)
    monkeypatch.setattr(points, "PYRAMID_MIN_POINTS", 40)
    monkeypatch.setattr(blocks, "MERGED_ROWS", (64, 256))
    monkeypatch.setattr(blocks, "BLOCK_ROWS", 256)
    monkeypatch.setattr(pyramid, "PYRAMID_MAX_BUCKETS", 32)
    monkeypatch.setattr(zoom, "EXACT_MAX_POINTS", 10)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[tuple[Store, Store]]:
    memory, sqlite = MemoryStore(), open_store(sqlite_url(tmp_path / "lineal.db"))
    yield memory, sqlite
    sqlite.close()


def append(stores: tuple[Store, Store], *appended: Block, compact: bool = True) -> None:
    for store in stores:
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            writer.append_points("r1", WRITER, "a1", appended)
            if compact:
                writer.compact("r1")


def assert_same(stores: tuple[Store, Store]) -> None:
    assert_same_answers(stores[0].tenant("default"), stores[1].tenant("default"), steps=RANGES)


def every(block: Block, factor: int, offset: int = 0) -> Block:
    """With gaps between the sequence numbers."""
    return Block(block.layout, block.seq * factor + offset, block.step, block.time_ms, block.values)


@pytest.mark.parametrize("rows", [1, 5, 17, 100, 400])
def test_one_layout_piece_by_piece(stores: tuple[Store, Store], rows: int) -> None:
    for first in range(0, 1_200, rows):
        append(stores, block_of(TRAIN, rows, first + 1, first), compact=first % 3 != 1)
    assert_same(stores)


@pytest.mark.parametrize("rows", [3, 20, 150])
def test_layouts_that_interleave(stores: tuple[Store, Store], rows: int) -> None:
    for turn in range(12):
        first = turn * rows
        train, evaluation = block_of(TRAIN, rows, first + 1, first), block_of(EVAL, max(1, rows // 4), first + 1, first)
        append(stores, every(train, 2), every(evaluation, 2, 1), compact=turn % 2 == 0)
        if turn % 4 == 0:
            assert_same(stores)
    assert_same(stores)


@pytest.mark.parametrize("rows", [5, 20, 70, 300])
def test_rows_that_come_late(stores: tuple[Store, Store], rows: int) -> None:
    order = [3, 1, 2, 0, 5, 4]
    for place in order:
        append(stores, block_of(TRAIN, rows, place * rows + 1, place * rows))
        append(stores, block_of(EVAL, 2, 10**6 + place * 10, place))
    assert_same(stores)


def test_steps_that_are_nan(stores: tuple[Store, Store]) -> None:
    for turn in range(4):
        block = block_of(FLOAT, 100, turn * 100 + 1, turn * 100)
        steps = block.step.copy()
        steps[50 * (turn % 2) :: 7] = np.nan
        append(stores, Block(FLOAT, block.seq, steps, block.time_ms, block.values))
    assert_same(stores)


def test_steps_of_both_types_and_back_again(stores: tuple[Store, Store]) -> None:
    for turn in range(6):
        append(stores, block_of((EVAL, FLOAT)[turn % 2], 90, turn * 100 + 1, 40 * turn))
    assert_same(stores)


def test_small_blocks_are_merged(stores: tuple[Store, Store], tmp_path: Path) -> None:
    for turn in range(60):
        append(stores, block_of(TRAIN, 16, turn * 16 + 1, turn * 16))
    assert_same(stores)
    with closing(sqlite3.connect(tmp_path / "lineal.db")) as connection:
        sizes = [rows for (rows,) in connection.execute("SELECT row_count FROM block ORDER BY pk")]
        [orphaned] = connection.execute(
            "SELECT count(*) FROM chunk WHERE pk >> 20 NOT IN (SELECT pk FROM block)"
        ).fetchone()
        [chunks] = connection.execute("SELECT count(*) FROM chunk").fetchone()
    assert sum(sizes) == 960 and len(sizes) <= 3 + 3 + 3 and max(sizes) == 256
    assert orphaned == 0 and chunks == 2 * len(sizes)


def test_params_logged_one_by_one_rewrite_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(params, "ROW_MAX_CHARS", 1_000)
    path = tmp_path / "lineal.db"
    with closing(open_store(sqlite_url(path))) as store:
        for number in range(200):
            with store.begin() as transaction:
                call("set_params", "r1", "a1", {f"p{number}": number, "first": 0}, at(number, number))(
                    transaction.tenant("default")
                )
        assert len(store.tenant("default").get_details("r1").params) == 201
    with closing(sqlite3.connect(path)) as connection:
        sizes = [size for (size,) in connection.execute("SELECT length(body) FROM params")]
    assert max(sizes) <= 1_000 and len(sizes) < 12


def test_very_wide_layouts_ripen_by_bytes_and_are_not_merged_beyond_memory(
    stores: tuple[Store, Store], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(points, "FRESH_LAYOUT_MAX_BYTES", 8 * 53 * 6)
    monkeypatch.setattr(blocks, "MERGED_MAX_BYTES", 8 * 53 * 100)
    wide = Layout("int64", tuple(SeriesKey(f"m{number}") for number in range(50)))
    for turn in range(120):
        append(stores, block_of(wide, 2, turn * 2 + 1, turn))
    assert_same(stores)
    with closing(sqlite3.connect(tmp_path / "lineal.db")) as connection:
        sizes = [rows for (rows,) in connection.execute("SELECT row_count FROM block ORDER BY pk")]
        [fresh] = connection.execute("SELECT coalesce(sum(row_count), 0) FROM fresh").fetchone()
    assert sum(sizes) + fresh == 240 and fresh < 16 and 50 <= max(sizes) < 100 and len(sizes) < 30
