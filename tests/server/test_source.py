"""What many requests share: one taking in, the store they read, the rows they answer with."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

import lineal
from lineal.dashboard import LocalSource, Shared
from lineal.local import LocalStore
from lineal.model.errors import Busy
from lineal.server.kept_rows import KeptRows
from lineal.server.shapes.runs import RunRow
from lineal.server.views import list_rows
from lineal.store.contracts import TenantReader


def test_those_who_ask_meanwhile_share_the_next_call() -> None:
    begun, go = threading.Semaphore(0), threading.Semaphore(0)
    calls: list[int] = []

    def call() -> None:
        calls.append(len(calls))
        begun.release()
        assert go.acquire(timeout=30)

    shared = Shared(call)
    with ThreadPoolExecutor(5) as pool:
        first = pool.submit(shared)
        assert begun.acquire(timeout=30)
        late = [pool.submit(shared) for _ in range(4)]
        assert not any(one.done() for one in late)
        go.release()
        first.result(30)
        assert begun.acquire(timeout=30)  # one more call for all who came while the first was under way
        assert not any(one.done() for one in late)
        for _ in late:
            go.release()
        for one in late:
            one.result(30)
    assert 2 <= len(calls) <= 5
    assert calls == [*range(len(calls))]


def test_an_error_reaches_all_who_shared_the_call_and_nobody_after() -> None:
    fails = [True]

    def call() -> None:
        if fails[0]:
            raise Busy("for now")

    shared = Shared(call)
    with pytest.raises(Busy):
        shared()
    fails[0] = False
    shared()


def test_a_question_sees_every_call_that_returned_before(source: LocalSource, folder: Path) -> None:
    stop = threading.Event()

    def others() -> None:
        while not stop.is_set():
            with source.opened() as store:
                store.change_number()

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(others) for _ in range(3)]
        try:
            with lineal.init(url=folder) as run:
                for step in range(30):
                    run.log({"step": step})
                    with source.opened() as store:
                        [info] = store.tenant("default").list_series(run.run_id)
                        assert info.summary.last == step
        finally:
            stop.set()
        for one in asking:
            one.result(30)


def test_a_store_that_is_lent_stays_open_until_it_is_given_back(folder: Path, runs: list[str]) -> None:
    local = LocalStore(folder)
    local.refresh()
    with local.lend() as first, local.lend() as second:
        assert first is second
        local.close()
        assert first.tenant("default").get_run(runs[0]).run_id == runs[0]
    with pytest.raises(RuntimeError):
        first.tenant("default").get_run(runs[0])


def rows_of(
    kept: KeptRows, source: LocalSource, run_ids: list[str], tenant: str = "default"
) -> list[dict[str, object]]:
    with source.opened() as store:
        rows = [msgspec.json.decode(row) for row in kept.list_rows(store, tenant, run_ids)]
        fresh = [
            msgspec.json.decode(msgspec.json.encode(row)) for row in list_rows(store.tenant(tenant), tenant, run_ids)
        ]
    assert rows == fresh
    return rows


def test_kept_rows_are_those_that_would_be_read(source: LocalSource, folder: Path, runs: list[str]) -> None:
    kept = KeptRows()
    rows_of(kept, source, runs)
    rows_of(kept, source, runs[::-1])
    with lineal.init(experiment="live", url=folder) as run:
        for step in range(3):
            run.log({"loss": float(step)}, step=step)
            assert rows_of(kept, source, [*runs, run.run_id])[-1]["metrics"] == {"loss": float(step)}
    assert rows_of(kept, source, [run.run_id, *runs])[0]["status"] == "finished"


def test_rows_that_are_kept_are_not_read_again(
    source: LocalSource, folder: Path, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = KeptRows()
    rows_of(kept, source, runs)
    asked: list[list[str]] = []

    def read(reader: TenantReader, tenant: str, run_ids: Sequence[str]) -> list[RunRow]:
        asked.append(list(run_ids))
        return list_rows(reader, tenant, run_ids)

    monkeypatch.setattr("lineal.server.kept_rows.list_rows", read)
    rows_of(kept, source, runs)
    assert asked == []
    from lineal import api

    api.tag_run(runs[1], {"x": "1"}, url=folder)
    rows_of(kept, source, runs)
    assert asked == [[runs[1]]]


def test_rows_of_tenants_are_kept_apart_and_within_the_bound(
    source: LocalSource, folder: Path, runs: list[str]
) -> None:
    with lineal.init(url=folder, run_id=runs[0], tenant="acme", name="theirs", resume="allow"):
        pass
    kept = KeptRows(max_bytes=1_500)
    for _ in range(2):
        assert rows_of(kept, source, [runs[0]])[0]["name"] == "run-0"
        assert rows_of(kept, source, [runs[0]], "acme")[0]["name"] == "theirs"
        rows_of(kept, source, runs)
    assert 0 < kept._size == sum(len(row) for forms in kept._rows.values() for row in forms.values()) <= 1_500


def test_another_database_is_another_store(source: LocalSource, folder: Path, runs: list[str]) -> None:
    kept = KeptRows()
    rows_of(kept, source, runs)
    for path in folder.iterdir():
        if path.name.startswith("lineal.db"):
            path.unlink()
    with lineal.init(url=folder, run_id=runs[0], name="again"):
        pass
    assert rows_of(kept, source, [runs[0]])[0]["name"] == "again"
