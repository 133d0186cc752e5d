"""Two `lineal serve` behind one address, one of them killed under load: nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest

from tests.server.balancer import Balancer
from tests.server.conftest import SRC, Place, json_of
from tests.server.hosting import new_run, serving_store
from tests.server.test_serve_journals import OCTETS, Journal, check_whole

RUN = "/experiments/runs"
SEEDS = 100 if os.environ.get("LINEAL_TEST_PROFILE") == "torture" else 2
STEPS = 60


def test_reached_behind_one_address(postgres_url: str, tmp_path: Path) -> None:
    place = Place(tmp_path / "srv", postgres_url)
    with ExitStack() as stack:
        servers = [stack.enter_context(serving_store(place)) for _ in range(2)]
        balancer = stack.enter_context(Balancer([httpx.URL(one.url).port or 0 for one in servers]))
        client = stack.enter_context(httpx.Client(base_url=balancer.url, timeout=60))
        run = f"{RUN}/{new_run(client)}"
        for step in range(6):
            json_of(client.post(f"{run}/log-metrics", json={"metrics": {"a": step}}))
        assert json_of(client.get(f"{run}/metrics/a"))["step"] == list(range(6))
        numbers = [json_of(one.client.get("/health"))["change_number"] for one in servers]
        assert numbers[0] == numbers[1] > 6


@pytest.mark.parametrize("seed", range(SEEDS))
def test_one_of_two_servers_is_killed_under_load(postgres_url: str, tmp_path: Path, seed: int) -> None:
    """Writers of requests repeat them under their keys until they are answered; one sends a journal."""
    chance = random.Random(seed)
    place = Place(tmp_path / "srv", postgres_url)
    journal = Journal(tmp_path / "notebook")
    told: dict[str, int] = {}
    with ExitStack() as stack:
        servers = [stack.enter_context(serving_store(place)) for _ in range(2)]
        balancer = stack.enter_context(Balancer([httpx.URL(one.url).port or 0 for one in servers]))
        client = stack.enter_context(httpx.Client(base_url=balancer.url, timeout=60))
        ids = [new_run(client) for _ in range(4)]
        threads = [threading.Thread(target=write, args=(balancer.url, run_id, told)) for run_id in ids]
        threads.append(threading.Thread(target=send, args=(balancer.url, journal, random.Random(seed))))
        for thread in threads:
            thread.start()
        wanted = chance.randrange(4, 2 * STEPS)
        while sum(told.values()) < wanted:
            time.sleep(0.002)
        victim = servers[seed % 2].process
        victim.kill()
        victim.wait(60)
        for thread in threads:
            thread.join(120)
        assert [told.get(run_id) for run_id in ids] == [STEPS] * len(ids), f"seed {seed}"
        for run_id in ids:
            for name in ("a", "b"):
                series = json_of(client.get(f"{RUN}/{run_id}/metrics/{name}"))
                assert series["step"] == series["value"] == list(range(STEPS)), f"seed {seed}"
        check_whole(client, journal)


def until_answered(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """As a client does whose server was killed: it says it again."""
    while True:
        try:
            answer = ask()
        except httpx.TransportError:
            continue
        if answer.status_code not in (502, 503):
            return answer


def write(url: str, run_id: str, told: dict[str, int]) -> None:
    with httpx.Client(base_url=url, timeout=60) as client:
        for step in range(STEPS):
            entries = [{"key": name, "value": step} for name in ("a", "b")]  # without a step: each counts up
            key = {"Idempotency-Key": f"{run_id}-{step}"}
            answer = until_answered(
                lambda body={"metrics": entries}, key=key: client.post(  # type: ignore[misc]
                    f"{RUN}/{run_id}/log-batch", json=body, headers=key
                )
            )
            assert answer.status_code == 200, answer.text
            told[run_id] = step + 1


def send(url: str, journal: Journal, chance: random.Random) -> None:
    known, size = 0, len(journal.data)
    with httpx.Client(base_url=url, timeout=60, headers=OCTETS) as client:
        while known < size:
            end = min(size, known + chance.randrange(200, 1_500))
            answer = until_answered(lambda start=known, end=end: journal.post(client, start, end))  # type: ignore[misc]
            assert answer.status_code in (200, 409), answer.text
            known = answer.json()["offset"]


def test_servers_that_start_together_on_nothing(new_url: str, tmp_path: Path) -> None:
    """One of them makes the tables; all of them serve."""
    place = Place(tmp_path / "srv", new_url)
    began = threading.Barrier(3)
    runs: list[str] = []

    def serve() -> None:
        began.wait()
        with serving_store(place) as served:
            experiment = served.client.post("/experiments", json={"name": "digits"})
            assert experiment.status_code in (201, 409), experiment.text
            runs.append(new_run(served.client))
            began.wait()
            assert json_of(served.client.get(RUN))["total"] == 3
            began.wait()

    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(serve) for _ in range(3)]:
            done.result(120)
    assert len(set(runs)) == 3


def test_a_server_older_than_its_database_refuses_and_changes_nothing(new_url: str, tmp_path: Path) -> None:
    place = Place(tmp_path / "srv", new_url)
    with serving_store(place) as served, psycopg.connect(new_url, autocommit=True) as database:
        run_id = new_run(served.client)
        database.execute("UPDATE lineal_schema SET version = version + 1")
        before = database.execute("SELECT * FROM lineal_schema").fetchall()
        answer = served.client.post(f"{RUN}/{run_id}/log-metrics", json={"metrics": {"a": 1}})
        assert json_of(answer, 503)["code"] == "newer_format"
        command = [sys.executable, "-m", "lineal.cli.main", "serve", "--port", "0", "--store", new_url]
        done = subprocess.run(
            [*command, "--blobs", str(place.blobs)],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": str(SRC)},
        )
        assert done.returncode != 0 and "upgrade" in done.stderr and done.stdout == ""
        assert database.execute("SELECT * FROM lineal_schema").fetchall() == before
