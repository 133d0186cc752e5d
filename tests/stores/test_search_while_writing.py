"""Questions from several threads while runs arrive and change: each is answered from one moment."""

from __future__ import annotations

import threading
from contextlib import closing
from operator import methodcaller as call
from pathlib import Path

import pytest

from lineal.query.parser import parse, parse_orders
from lineal.store.contracts import GroupQuery, RunQuery
from lineal.store.memory import MemoryStore
from lineal.store.open import open_store, sqlite_url
from lineal.store.search import runs
from lineal.testing.suite_base import at, starting

COMMITS = 40


def tell(store: object, number: int) -> None:
    """Two runs a commit with one value, and an earlier one gets another value and leaves the question."""
    with store.begin() as transaction:  # type: ignore[attr-defined]
        writer = transaction.tenant("default")
        for twin in "ab":
            starting(f"r{number:03}{twin}", time_ms=number + 1)(writer)
            call("set_tags", f"r{number:03}{twin}", {"k": str(number)}, at(number + 1, 2 * number))(writer)
        if number % 3 == 2:
            for twin in "ab":
                call("set_tags", f"r{number - 2:03}{twin}", {"k": "gone"}, at(number + 1, 2 * number + 1))(writer)


@pytest.mark.parametrize("share", [0, 8])
def test_answers_are_of_one_moment(share: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "CHANGED_SHARE", share)
    query = RunQuery(parse("tags.k >= 0"), parse_orders("tags.k desc, run_id"), limit=1_000)
    faults: list[BaseException] = []
    done = threading.Event()

    def ask_on() -> None:
        try:
            reader = store.tenant("default")
            last = 0
            while not done.is_set():
                page = reader.list_runs(query)
                found = [run.run_id for run in page.runs]
                assert len(found) == page.total and page.total % 2 == 0
                assert [run_id[:-1] for run_id in found[::2]] == [run_id[:-1] for run_id in found[1::2]]
                assert found[::2] == sorted(found[::2], reverse=True)
                groups = reader.list_groups(GroupQuery(by=(parse_orders("tags.k")[0].field,), filter=query.filter))
                assert all(group.run_count == 2 for group in groups.groups)
                changes = reader.list_changes(last)
                assert changes.is_complete and changes.change_number >= last
                last = changes.change_number
        except BaseException as fault:
            faults.append(fault)

    with closing(open_store(sqlite_url(tmp_path / "lineal.db"))) as store:
        threads = [threading.Thread(target=ask_on) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(COMMITS):
            tell(store, number)
        done.set()
        for thread in threads:
            thread.join()
        assert not faults, faults
        reference = MemoryStore()
        for number in range(COMMITS):
            tell(reference, number)
        assert store.tenant("default").list_runs(query) == reference.tenant("default").list_runs(query)
        assert store.tenant("default").count_runs() == reference.tenant("default").count_runs()
