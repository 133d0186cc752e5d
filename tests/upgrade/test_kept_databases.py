"""Databases kept from every schema: this release opens them, answers as they did, and goes on writing."""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from operator import methodcaller as call
from pathlib import Path

import pytest

from lineal.store.memory import MemoryStore
from lineal.store.open import open_store, sqlite_url
from lineal.testing.suite_base import at
from tests.upgrade.remember import ASSETS, WRITER, answers, fill

KEPT = sorted(path.name.removesuffix(".db.gz") for path in ASSETS.glob("*.db.gz"))


def test_there_is_one_to_open() -> None:
    assert KEPT and all((ASSETS / f"{name}.db.gz").stat().st_size < 100_000 for name in KEPT)


@pytest.mark.parametrize("name", KEPT)
def test_a_kept_database_answers_as_it_did(name: str, tmp_path: Path) -> None:
    path = tmp_path / "lineal.db"
    path.write_bytes(gzip.decompress((ASSETS / f"{name}.db.gz").read_bytes()))
    expected = json.loads((ASSETS / f"{name}.json").read_text(encoding="utf-8"))
    with closing(open_store(sqlite_url(path))) as store:
        assert store.list_tenants() == sorted(expected)
        for tenant in expected:
            assert answers(store.tenant(tenant)) == expected[tenant]
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            assert writer.take_orphans(WRITER, 9) == [b"orphan"]
            call("set_tags", "mentioned", {"k": "new"}, at(10))(writer)
            for run_id in expected["default"]["runs"]:
                writer.compact(run_id)
        assert store.tenant("default").get_details("mentioned").tags == {"k": "new"}
        assert store.tenant("acme").find_cursor(WRITER) is not None


def test_the_memory_store_answers_the_same() -> None:
    """So that what was kept is what the reference says, not what SQLite said that day."""
    store = MemoryStore()
    fill(store)
    expected = json.loads((ASSETS / f"{KEPT[-1]}.json").read_text(encoding="utf-8"))
    assert {tenant: answers(store.tenant(tenant)) for tenant in store.list_tenants()} == expected
