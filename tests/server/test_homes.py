"""Which tenant a run is of, where nobody says it: looked up once."""

from __future__ import annotations

import pytest

from lineal.server.tenants import Homes
from lineal.store.memory import MemoryStore
from lineal.testing.suite_base import starting


class Counting:
    """A store that counts what it is asked."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self.asked = 0

    def tenant(self, name: str) -> object:
        self.asked += 1
        return self._store.tenant(name)

    def list_tenants(self) -> list[str]:
        return self._store.list_tenants()


def store_of(**runs: str) -> Counting:
    store = MemoryStore()
    with store.begin() as transaction:
        for run_id, tenant in runs.items():
            starting(run_id)(transaction.tenant(tenant))
    return Counting(store)


def nobody(tenant: str, run_id: str) -> bool:
    return False


def test_a_run_of_the_usual_tenant_is_looked_for_once() -> None:
    store, homes = store_of(r1="default", r2="acme"), Homes(nobody)
    for _ in range(3):
        assert homes.tenant(store, None, "r1") == "default"  # type: ignore[arg-type]
    assert store.asked == 1
    assert homes.tenant(store, None, "r2") == "acme"  # type: ignore[arg-type]
    assert homes.tenant(store, "acme", "r1") == "acme"  # type: ignore[arg-type]


def test_a_run_that_is_at_hand_is_not_looked_for() -> None:
    store = store_of(r2="acme")
    homes = Homes(lambda tenant, run_id: (tenant, run_id) == ("default", "new"))
    assert homes.tenant(store, None, "new") == "default"  # type: ignore[arg-type]
    assert store.asked == 0
    assert homes.tenant(store, None, "r2") == "acme"  # type: ignore[arg-type]


def test_what_is_known_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.server.tenants.RUNS_KNOWN_MAX_COUNT", 3)
    store, homes = store_of(**{f"r{number}": "default" for number in range(10)}), Homes(nobody)
    for number in range(10):
        assert homes.tenant(store, None, f"r{number}") == "default"  # type: ignore[arg-type]
        assert sum(map(len, homes._usual.values())) <= 3


def test_the_usual_tenant_comes_first_once_it_has_such_a_run() -> None:
    store, homes = store_of(r1="acme"), Homes(nobody)
    assert homes.tenant(store, None, "r1") == "acme"  # type: ignore[arg-type]
    with store._store.begin() as transaction:
        starting("r1")(transaction.tenant("default"))
    assert homes.tenant(store, None, "r1") == "default"  # type: ignore[arg-type]
