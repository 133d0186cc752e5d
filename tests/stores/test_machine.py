"""SQLite told the same as memory answers the same."""

import os
from pathlib import Path

from hypothesis import settings

from lineal.store.contracts import Store
from lineal.store.open import open_store, sqlite_url
from lineal.testing.store_machine import store_machine


def _open(folder: Path) -> Store:
    return open_store(sqlite_url(folder / "lineal.db"))


TestSqlite = store_machine(_open).TestCase
_steps = 100 if os.environ.get("LINEAL_TEST_PROFILE") == "torture" else 25
TestSqlite.settings = settings(stateful_step_count=_steps)
