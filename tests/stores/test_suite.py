"""The shipped suite, through every store."""

from pathlib import Path

import pytest

from lineal.store.memory import MemoryStore
from lineal.store.open import open_store, sqlite_url
from lineal.testing.store_suite import StoreSuite
from lineal.testing.suite_base import Opener


class TestMemory(StoreSuite):
    keeps_content = False

    @pytest.fixture
    def opener(self) -> Opener:
        return MemoryStore


class TestSqlite(StoreSuite):
    @pytest.fixture
    def opener(self, tmp_path: Path) -> Opener:
        return lambda: open_store(sqlite_url(tmp_path / "new" / "folders" / "lineal.db"))


class TestPostgres(StoreSuite):
    @pytest.fixture
    def opener(self, postgres_url: str) -> Opener:
        return lambda: open_store(postgres_url)
