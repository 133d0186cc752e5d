"""SQLite and PostgreSQL told the same as memory answer the same: with the ordinary bounds, and with bounds so small that every way of
storing points is met within a few rows."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings

from lineal.series import pyramid
from lineal.store.contracts import Store
from lineal.store.open import open_store, sqlite_url
from lineal.store.search import engine, order, runs, texts
from lineal.store.sql import blocks, catalog, names, params, points, series_reader, zoom
from lineal.testing.store_machine import store_machine

TORTURE = os.environ.get("LINEAL_TEST_PROFILE") == "torture"
# Without shrinking, which would take an hour: a step costs a synced commit.
SETTINGS = settings(
    stateful_step_count=60 if TORTURE else 15,
    max_examples=1_000 if TORTURE else 40,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
)


def _open(folder: Path) -> Store:
    return open_store(sqlite_url(folder / "lineal.db"))


def make_bounds_small(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(points, "BLOCK_MIN_ROWS", 8)
    patch.setattr(points, "FRESH_BATCHES_MAX_COUNT", 4)
    patch.setattr(points, "PYRAMID_MIN_POINTS", 24)
    patch.setattr(blocks, "MERGED_ROWS", (32, 128))
    patch.setattr(blocks, "BLOCK_ROWS", 128)
    patch.setattr(params, "ROW_MAX_CHARS", 40)
    patch.setattr(names, "LAYOUT_NAMES_MAX_COUNT", 5)
    patch.setattr(names, "CACHE_MAX_COUNT", 4)
    patch.setattr(catalog, "SERIES_KEYS_MAX_COUNT", 2)
    patch.setattr(pyramid, "PYRAMID_MAX_BUCKETS", 16)
    patch.setattr(zoom, "EXACT_MAX_POINTS", 4)
    patch.setattr(series_reader, "DECODE_ALL_FROM", 2)
    patch.setattr(runs, "CHANGED_SHARE", 0)
    patch.setattr(texts, "KNOWN_MAX_COUNT", 3)
    patch.setattr(order, "SORT_ALL_UP_TO", 1)
    patch.setattr(engine, "IDS_ASKED_MAX_COUNT", 2)


class TestSqlite(store_machine(_open).TestCase):  # type: ignore[misc]
    settings = SETTINGS


class TestSqliteOfSmallBounds(store_machine(_open).TestCase):  # type: ignore[misc]
    settings = SETTINGS

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def small_bounds(cls) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            make_bounds_small(patch)
            yield


_postgres: Callable[[Path], Store]


def _open_postgres(folder: Path) -> Store:
    return _postgres(folder)


class TestPostgres(store_machine(_open_postgres).TestCase):  # type: ignore[misc]
    """Of small bounds: what the ordinary ones do to points does not depend on the database."""

    settings = settings(SETTINGS, max_examples=1_000 if TORTURE else 25)  # a round trip a statement

    @pytest.fixture(autouse=True, scope="class")
    @classmethod
    def small_bounds(cls, postgres_folders: Callable[[Path], Store]) -> Iterator[None]:
        global _postgres
        _postgres = postgres_folders
        with pytest.MonkeyPatch.context() as patch:
            make_bounds_small(patch)
            yield
