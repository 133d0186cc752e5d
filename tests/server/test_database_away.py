"""The server while its PostgreSQL database is restarted, cuts connections, loses answers or has none left: what was under way is
done again as a whole, once; what lasts is said with 503; and it heals."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineal.server.hosted import HostedSource
from lineal.store.sql.postgres.connection import READERS_MAX_COUNT
from lineal.store.sql.store import SqlStore
from tests.server.conftest import json_of
from tests.server.hosting import hosting, new_run
from tests.server.test_serve_journals import Journal, check_whole
from tests.stores.test_postgres_faults import Cutter

RUN = "/experiments/runs"


def log(client: httpx.Client, run_id: str, number: int) -> httpx.Response:
    """A point without a step, which counts up: said twice it would show."""
    return client.post(f"{RUN}/{run_id}/log-metrics", json={"metrics": {"a": number}})


def assert_once(client: httpx.Client, run_id: str, count: int) -> None:
    series = json_of(client.get(f"{RUN}/{run_id}/metrics/a"))
    assert series["step"] == series["value"] == list(range(count))


@pytest.fixture
def cutter(postgres: Any) -> Iterator[Cutter]:
    cutter = Cutter(str(Path(postgres.admin_address.split("host=")[1]) / ".s.PGSQL.5432"))
    yield cutter
    cutter.close()


@pytest.fixture
def cut(cutter: Cutter, postgres_url: str, schema: str, tmp_path: Path) -> Iterator[httpx.Client]:
    """A server that reaches its database through the cutter."""
    url = f"postgresql://lineal@127.0.0.1:{cutter.port}/postgres?sslmode=disable&gssencmode=disable"
    url += f"&options=-csearch_path%3D{schema}"
    with HostedSource(url, tmp_path / "blobs") as source, hosting(source) as client:
        yield client


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_commit_whose_answer_is_lost_is_made_once(cutter: Cutter, cut: httpx.Client, when: str) -> None:
    """By requests without a key: nobody outside could tell."""
    run_id = new_run(cut)
    for number in range(6):
        cutter.cut = when
        json_of(log(cut, run_id, number))
    assert_once(cut, run_id, 6)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_piece_of_a_journal_is_taken_once(cutter: Cutter, cut: httpx.Client, tmp_path: Path, when: str) -> None:
    journal, known = Journal(tmp_path / "notebook"), 0
    while known < len(journal.data):
        cutter.cut = when
        known = json_of(journal.post(cut, known, min(known + 4_000, len(journal.data))))["offset"]
    check_whole(cut, journal)


def test_connections_ended_under_load_are_noticed_by_nobody(
    postgres_url: str, postgres: Any, schema: str, tmp_path: Path
) -> None:
    count, clients = 25, 4
    ended = threading.Event()
    answered: list[int] = []

    def end_connections() -> None:
        """After every few answers: on a machine so busy that a commit takes longer than the time between two ends, none would come."""
        import psycopg

        seen = 0
        with psycopg.connect(postgres.admin_address, autocommit=True) as admin:
            while not ended.wait(0.03):
                if len(answered) == seen:
                    continue
                seen = len(answered)
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    f" WHERE application_name = 'doomed {schema}' AND random() < 0.3"
                )

    url = f"{postgres_url}&application_name=doomed%20{schema}"  # another worker's connections stay
    with HostedSource(url, tmp_path / "blobs") as source, hosting(source) as client:
        ids = [new_run(client) for _ in range(clients)]
        ender = threading.Thread(target=end_connections)
        ender.start()

        def write(run_id: str) -> list[int]:
            statuses = []
            for number in range(count):
                statuses.append(log(client, run_id, number).status_code)
                answered.append(number)
            return statuses

        with ThreadPoolExecutor(clients) as pool:
            statuses = list(pool.map(write, ids))
        ended.set()
        ender.join()
        assert statuses == [[200] * count] * clients
        for run_id in ids:
            assert_once(client, run_id, count)


def test_a_database_that_is_restarted_is_a_delay_and_one_that_stays_away_is_said(
    own_server: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ExitStack() as stack:
        source = stack.enter_context(HostedSource(own_server.new("lineal"), tmp_path / "blobs"))
        client = stack.enter_context(hosting(source))
        run_id = new_run(client)
        json_of(log(client, run_id, 0))

        stop(own_server)
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(log, client, run_id, 1)
            assert json_of(client.get(f"{RUN}/{run_id}"), 503)["code"] == "busy"  # a read does not wait
            assert not waiting.done()
            own_server.server.ensure_postgres_running()
            json_of(waiting.result(60))
        assert_once(client, run_id, 2)

        stop(own_server)
        for place in ("lineal.ingest.group_commit", "lineal.server.dispatch"):
            monkeypatch.setattr(f"{place}.COMMIT_PATIENCE_S", 0.0)
        for answer in (log(client, run_id, 2), client.get(f"{RUN}/{run_id}"), client.get("/experiments")):
            assert json_of(answer, 503)["code"] == "busy" and int(answer.headers["retry-after"]) > 0
        monkeypatch.undo()
        own_server.server.ensure_postgres_running()
        json_of(log(client, run_id, 2))
        assert_once(client, run_id, 3)


def stop(server: Any) -> None:
    os.kill(server.server.get_pid(), 3)  # SIGQUIT: at once, what is not committed is lost
    server.server.get_postmaster_info().process.wait(20)


def test_where_all_connections_are_lent_reads_are_told_so_and_writes_go_on(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lineal.store.sql.postgres.connection.READER_WAIT_S", 0.01)
    with HostedSource(postgres_url, tmp_path / "blobs") as source, hosting(source) as client:
        run_id = new_run(client)
        json_of(log(client, run_id, 0))
        store = source._store
        assert isinstance(store, SqlStore)
        with ExitStack() as lent:
            for _ in range(READERS_MAX_COUNT):
                lent.enter_context(store._database.snapshot())
            answer = client.get(f"{RUN}/{run_id}")
            assert json_of(answer, 503)["code"] == "busy" and "retry-after" in answer.headers
            json_of(
                client.post(
                    f"{RUN}/{run_id}/log-metrics", json={"metrics": {"a": 1}}, headers={"X-Tenant-ID": "default"}
                )
            )
        assert_once(client, run_id, 2)
