"""Two servers on one PostgreSQL database: any of them takes any request of any run, and each hears of the other's commits."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineal.ingest.group_commit import GroupCommit
from lineal.server.hosted import HostedSource
from tests.server.conftest import json_of
from tests.server.hosting import hosting, new_experiment, new_run
from tests.server.test_live import Watching, watched
from tests.server.test_serve_journals import Journal, check_whole
from tests.server.webhooks.test_sending import until

RUN = "/experiments/runs"


@pytest.fixture
def servers(postgres_url: str, schema: str, tmp_path: Path) -> Iterator[list[httpx.Client]]:
    url = f"{postgres_url}&application_name={schema}"
    with ExitStack() as stack:
        yield [
            stack.enter_context(hosting(stack.enter_context(HostedSource(url, tmp_path / "blobs")))) for _ in range(2)
        ]


def test_requests_of_one_run_go_to_either(servers: list[httpx.Client]) -> None:
    """Its params, its next step, its end: what one has told, the other knows."""
    one, two = servers
    run = f"{RUN}/{new_run(one)}"
    json_of(two.post(f"{run}/log-params", json={"params": {"lr": 0.1}}))
    assert json_of(one.post(f"{run}/log-params", json={"params": {"lr": 0.2}}), 409)["field"] == "params.lr"
    for number in range(20):  # without a step each counts up from the last one's
        json_of(servers[number % 2].post(f"{run}/log-metrics", json={"metrics": {"a": number}}))
    series = json_of(two.get(f"{run}/metrics/a"))
    assert series["step"] == series["value"] == list(range(20))
    assert [json_of(server.get(run))["metrics"] for server in servers] == [{"a": 19}] * 2
    json_of(one.post(f"{run}/end", params={"status": "failed"}))
    json_of(two.post(f"{run}/log-metrics", json={"metrics": {"late": 1}}))  # after the end: a late attempt
    assert json_of(one.get(run))["status"] == "failed"
    assert len(json_of(one.get(run.replace("/experiments", "")))["attempts"]) == 2


def test_requests_of_many_runs_go_to_either_at_once(servers: list[httpx.Client]) -> None:
    """Each run's own come one after the other; what the other server wrote between them counts."""
    runs, steps = [new_run(servers[number % 2]) for number in range(4)], 30

    def log(run_id: str) -> list[int]:
        chance = random.Random(run_id)
        for step in range(steps):
            body = {"metrics": [{"key": "a", "value": step}]}
            json_of(chance.choice(servers).post(f"{RUN}/{run_id}/log-batch", json=body))
        series = json_of(servers[0].get(f"{RUN}/{run_id}/metrics/a"))
        assert series["step"] == series["value"]
        return list(series["step"])

    with ThreadPoolExecutor(len(runs)) as pool:
        assert list(pool.map(log, runs)) == [list(range(steps))] * len(runs)


def test_the_later_word_stands_whichever_server_heard_it(
    servers: list[httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though their clocks differ: the first one's is ahead."""
    run_id = new_run(servers[0])
    times = cycle([1_900_000_060_000, 1_900_000_000_000])
    monkeypatch.setattr(GroupCommit, "_now_ms", lambda self, transaction: transaction.stamp_ms(next(times)))
    for number in range(6):
        answer = servers[number % 2].post("/runs/tags", json={"run_ids": [run_id], "tags": {"turn": str(number)}})
        json_of(answer)
        for server in servers:
            assert json_of(server.get(f"{RUN}/{run_id}"))["tags"] == {"turn": str(number)}


def test_searches_follow_the_other_servers_commits(servers: list[httpx.Client]) -> None:
    one, two = servers
    question = {"filter": "metrics.loss < 10 and params.n >= 0", "order_by": ["params.n"]}
    assert json_of(two.post("/runs/search", json=question))["runs"] == []
    for number in range(4):
        run = f"{RUN}/{new_run(one, name=f'r{number}')}"
        json_of(one.post(f"{run}/log-batch", json={"params": [{"key": "n", "value": number}]}))
        json_of(one.post(f"{run}/log-metrics", json={"metrics": {"loss": number}}))
        names = [row["name"] for row in json_of(two.post("/runs/search", json=question))["runs"]]
        assert names == [f"r{n}" for n in range(number + 1)]
        json_of(one.patch(run.replace("/experiments", ""), json={"name": f"r{number}"}))


def test_a_key_is_known_to_both(servers: list[httpx.Client]) -> None:
    """For a tenant that the second one has never heard of, too."""
    one, two = servers
    key = {"Idempotency-Key": "k", "X-Tenant-ID": "acme"}
    said = [server.post("/experiments", json={"name": "digits"}, headers=key) for server in (one, two, one)]
    assert len({json_of(answer, 201)["id"] for answer in said}) == 1
    run_id = new_run(one)
    for server in (one, two, one, two):
        points = server.post(
            f"{RUN}/{run_id}/log-metrics", json={"metrics": {"a": 1}}, headers={"Idempotency-Key": "p"}
        )
        json_of(points)
    assert json_of(two.get(f"{RUN}/{run_id}/metrics/a"))["point_count"] == 1
    other = two.post(f"{RUN}/{run_id}/log-metrics", json={"metrics": {"a": 2}}, headers={"Idempotency-Key": "p"})
    assert json_of(other, 409)["field"] == "Idempotency-Key"


def test_names_made_by_one_are_refused_by_the_other(servers: list[httpx.Client]) -> None:
    one, two = servers
    made = new_experiment(one)
    json_of(two.post("/experiments", json={"name": "digits"}), 409)
    body = {"experiment_id": made["id"], "run_id": "same"}
    answers = [json_of(one.post(RUN, json=body), 201), json_of(two.post(RUN, json=body), 200)]
    assert answers[0] == answers[1]
    json_of(two.post("/runs/delete", json={"run_ids": ["same"]}))
    json_of(one.post(f"{RUN}/same/log-metrics", json={"metrics": {"a": 1}}), 409)
    json_of(one.post("/runs/restore", json={"run_ids": ["same"]}))
    json_of(two.post(f"{RUN}/same/log-metrics", json={"metrics": {"a": 1}}))


def test_files_are_in_the_folder_that_they_share(servers: list[httpx.Client]) -> None:
    one, two = servers
    run = f"{RUN}/{new_run(one)}"
    for number, server in enumerate((one, two, one)):
        content = b"version %d" % number
        said = json_of(server.post(f"{run}/log-artifact", files={"file": ("a.txt", content)}))
        assert said["artifact"]["version"] == number + 1
        assert [other.get(f"{run}/artifacts/a.txt").content for other in servers] == [content] * 2


@pytest.mark.parametrize("seed", range(3))
def test_pieces_of_a_journal_go_to_either(servers: list[httpx.Client], tmp_path: Path, seed: int) -> None:
    """No head is asked for again, and what comes twice or late is there once."""
    journal, chance = Journal(tmp_path / "notebook"), random.Random(seed)
    known, size = 0, len(journal.data)
    while known < size:
        start = known if chance.random() < 0.8 else 8 * chance.randrange(0, known // 8 + 1)
        end = min(size, start + chance.randrange(1, 3_000))
        taken = json_of(journal.post(chance.choice(servers), start, end))
        assert taken["offset"] >= known
        known = taken["offset"]
    for server in servers:
        check_whole(server, journal)


def test_a_page_at_one_hears_of_what_the_other_wrote(
    servers: list[httpx.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the database, not by looking: that is put off for longer than the test may take."""
    one, two = servers
    run_id = new_run(one)
    number = json_of(two.get("/health"))["change_number"]
    monkeypatch.setattr("lineal.server.live._LOOK_S", 3_600.0)
    with watched(two, f"/live?after={number}") as stream:
        watching = Watching(stream)
        for step in range(3):
            json_of(one.post(f"{RUN}/{run_id}/log-metrics", json={"metrics": {"a": 1}, "step": step}))
            assert watching.next()["run_ids"] == [run_id]


def test_it_is_heard_again_after_the_connection_that_listens_was_lost(
    servers: list[httpx.Client], postgres: Any, schema: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = servers
    # And not another worker's.
    whose = f"application_name = '{schema}' AND query LIKE 'LISTEN%'"
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {whose}"
    run_id = new_run(one)
    number = json_of(two.get("/health"))["change_number"]
    monkeypatch.setattr("lineal.server.live._LOOK_S", 3_600.0)
    monkeypatch.setattr("lineal.store.sql.postgres.listener.RETRY_S", 0.01)
    with watched(two, f"/live?after={number}") as stream:
        watching = Watching(stream)
        for step in range(2):
            until(lambda: postgres.execute(end), "listening")
            json_of(one.post(f"{RUN}/{run_id}/log-metrics", json={"metrics": {"a": 1}, "step": step}))
            assert watching.next()["run_ids"] == [run_id]
