"""`lineal serve` as a process: who may reach it, who has the database, how it stops, and what a kill leaves."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

import lineal
from tests.server.conftest import SRC, Place, json_of
from tests.server.hosting import new_experiment, new_run, serving_store

RUN = "/experiments/runs"
THOROUGH = os.environ.get("LINEAL_TEST_PROFILE") == "torture"


def serve(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lineal.cli.main", "serve", "--port", "0", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(SRC)},
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "::", "example.org"])
def test_without_a_sign_in_it_serves_this_machine_only(tmp_path: Path, host: str) -> None:
    done = serve("--host", host, "--store", f"sqlite:///{tmp_path}/srv/lineal.db")
    assert done.returncode == 2 and "--insecure" in done.stderr and done.stdout == ""
    assert not (tmp_path / "srv").exists()


def test_insecure_says_that_one_wants_that(tmp_path: Path) -> None:
    with serving_store(tmp_path / "srv", "--host", "0.0.0.0", "--insecure") as served:
        port = httpx.URL(served.url).port
        url = f"http://127.0.0.1:{port}/api/v1/experiments"
        assert httpx.get(url, headers={"host": "tracker.example.org"}).status_code == 200
        foreign = {"host": "tracker.example.org", "origin": "http://evil.example.org"}
        assert httpx.post(url, json={"name": "x"}, headers=foreign).status_code == 403
        own = {"host": "tracker.example.org", "origin": "https://tracker.example.org"}
        assert httpx.post(url, json={"name": "x"}, headers=own).status_code == 201


def test_on_loopback_other_names_are_refused(tmp_path: Path) -> None:
    with serving_store(tmp_path / "srv") as served:
        assert httpx.get(f"{served.url}/health", headers={"host": "evil.example.org"}).status_code == 403


def test_a_second_server_on_one_database_is_refused(tmp_path: Path) -> None:
    with serving_store(tmp_path / "srv") as served:
        done = serve("--store", f"sqlite:///{tmp_path}/srv/lineal.db")
        assert done.returncode == 4 and "another lineal serve" in done.stderr and done.stdout == ""
        assert json_of(served.client.get("/ready")) == {"status": "ready"}
    with serving_store(tmp_path / "srv") as served:  # the lock went with the first one
        new_experiment(served.client)


def test_a_local_folder_is_not_served(tmp_path: Path) -> None:
    with lineal.init(experiment="digits", url=tmp_path / "notebook"):
        pass
    done = serve("--store", f"sqlite:///{tmp_path}/notebook/lineal.db")
    assert done.returncode == 2 and "lineal ui" in done.stderr


@pytest.mark.parametrize("url", ["nonsense", "postgresql://x/y", "sqlite:///"])
def test_stores_that_are_none(url: str) -> None:
    assert serve("--store", url).returncode == 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_under_load_and_nothing_answered_is_lost(place: Place, number: int) -> None:
    """Clients write all the while and a page listens."""
    answered: dict[int, int] = {}
    with serving_store(place) as served:
        ids = [new_run(served.client) for _ in range(4)]
        threads = [threading.Thread(target=write_on, args=(served.url, ids[at], at, answered)) for at in range(4)]
        for thread in threads:
            thread.start()
        with served.client.stream("GET", "/live") as stream:
            next(stream.iter_lines())
            while sum(answered.values()) < 20:
                time.sleep(0.01)
            served.process.send_signal(number)
            assert served.process.wait(60) == 0  # though its clients would go on for ever
        for thread in threads:
            thread.join(30)
    check_written(place, ids, answered)


def write_on(url: str, run_id: str, at: int, answered: dict[int, int]) -> None:
    """Step after step until the server is gone; `answered` is what it acknowledged."""
    with httpx.Client(base_url=url, timeout=10) as client:
        for step in range(1_000_000):
            entries = [{"key": name, "value": step, "step": step} for name in ("a", "b")]
            try:
                answer = client.post(f"{RUN}/{run_id}/log-batch", json={"metrics": entries})
            except httpx.TransportError:
                return
            if answer.status_code != 200:
                return
            answered[at] = step + 1


def check_written(place: Place, ids: list[str], answered: dict[int, int]) -> None:
    with serving_store(place) as served:
        for at, run_id in enumerate(ids):
            steps: dict[str, list[int]] = {}
            for name in ("a", "b"):
                answer = served.client.get(f"{RUN}/{run_id}/metrics/{name}")
                if answer.status_code == 404:  # on a busy machine its client had no turn
                    steps[name] = []
                    continue
                series = json_of(answer)
                steps[name] = series["step"]
                assert series["value"] == series["step"]
            count = len(steps["a"])
            assert steps["a"] == steps["b"] == list(range(count)), "whole requests, once each"
            assert answered.get(at, 0) <= count <= answered.get(at, 0) + 1


@pytest.mark.parametrize("seed", range(300 if THOROUGH else 3))
def test_a_kill_under_load_loses_nothing_that_was_answered(place: Place, seed: int) -> None:
    answered: dict[int, int] = {}
    chance = random.Random(seed)
    with serving_store(place) as served:
        ids = [new_run(served.client) for _ in range(4)]
        threads = [threading.Thread(target=write_on, args=(served.url, ids[at], at, answered)) for at in range(4)]
        for thread in threads:
            thread.start()
        wanted = chance.randrange(4, 120)
        while sum(answered.values()) < wanted:
            time.sleep(0.002)
        time.sleep(chance.random() * 0.05)
        served.process.kill()
        served.process.wait(60)
        for thread in threads:
            thread.join(30)
    check_written(place, ids, answered)


def test_five_hundred_runs_start_at_once(place: Place) -> None:
    """No 5xx, and all are there."""
    count = 500
    with serving_store(place) as served:
        experiment = new_experiment(served.client)

        def start(number: int) -> list[int]:
            with httpx.Client(base_url=served.url, timeout=120) as client:
                made = client.post(RUN, json={"experiment_id": experiment["id"], "run_id": f"r{number}"})
                logged = client.post(f"{RUN}/r{number}/log-batch", json=_batch(number))
                return [made.status_code, logged.status_code]

        with ThreadPoolExecutor(64) as pool:
            statuses = list(pool.map(start, range(count)))
        assert statuses == [[201, 200]] * count
        page = json_of(served.client.get(RUN, params={"limit": 1_000}))
        assert page["total"] == count
        assert {run["run_id"]: run["metrics"] for run in page["runs"]} == {f"r{n}": {"m": n} for n in range(count)}
        assert json_of(served.client.get("/experiments"))["experiments"][0]["run_count"] == count


def _batch(number: int) -> dict[str, Any]:
    return {"metrics": [{"key": "m", "value": number, "step": 0}], "params": [{"key": "p", "value": number}]}


def test_changes_are_heard_of_at_once(place: Place) -> None:
    with serving_store(place) as served:
        run_id = new_run(served.client)
        with served.client.stream("GET", "/live", timeout=30) as stream:
            lines = stream.iter_lines()
            assert next(lines).startswith("retry")
            time.sleep(0.3)
            with httpx.Client(base_url=served.url) as other:
                other.post(f"{RUN}/{run_id}/log-metrics", json={"metrics": {"a": 1}})
            data = next(line for line in lines if line.startswith("data:"))
        assert run_id in data


def test_the_page_and_searches_are_served_too(place: Place) -> None:
    with serving_store(place) as served:
        run_id = new_run(served.client, name="mlp")
        json_of(served.client.post(f"{RUN}/{run_id}/log-metrics", json={"metrics": {"loss": 0.5}, "step": 1}))
        page = json_of(
            served.client.post("/runs/search", json={"filter": "metrics.loss < 1", "order_by": ["metrics.loss"]})
        )
        assert [run["name"] for run in page["runs"]] == ["mlp"]
        assert json_of(served.client.get("/health"))["folder"] == ("srv" if "sqlite" in place.url else "postgres")


def test_artifacts_need_a_folder_where_the_database_is_no_file(postgres_url: str) -> None:
    done = serve("--store", postgres_url)
    assert done.returncode == 2 and "--blobs" in done.stderr and done.stdout == ""


def test_a_database_that_cannot_be_reached_is_said_to_be_without_its_password(tmp_path: Path) -> None:
    url = "postgresql://ann:secret@127.0.0.1:1/lineal?connect_timeout=2"
    done = serve("--store", url, "--blobs", str(tmp_path / "blobs"))
    assert done.returncode == 5 and "127.0.0.1" in done.stderr and "secret" not in done.stderr + done.stdout
