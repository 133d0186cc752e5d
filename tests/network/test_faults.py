"""The network row of what Lineal survives: every kind of fault, by a seed, and a ledger that stands outside.

What was logged is known here, call by call; what the server has is asked of it at the end, and must be just that."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import lineal
from lineal.client import outgoing
from lineal.testing.fault_proxy import FAULTS, FaultProxy, faulty
from tests.network.conftest import detail_of, points_of, url_of
from tests.network.programs import LOGS_AND_WAITS, lineal_command, read_line, start
from tests.network.test_uploader import wait_for
from tests.server.hosting import serving_store

METRICS = 10


@pytest.fixture
def seed() -> int:
    """Printed with a failure; LINEAL_TEST_SEED replays it."""
    given = os.environ.get("LINEAL_TEST_SEED")
    fresh = os.environ.get("LINEAL_TEST_PROFILE") == "torture"
    seed = int(given) if given else random.SystemRandom().randrange(2**31) if fresh else 20_261_125
    print(f"LINEAL_TEST_SEED={seed}")
    return seed


@pytest.fixture
def proxy(server: httpx.Client, seed: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultProxy]:
    """30 % of the requests meet a fault, and pieces are small, so that there are many."""
    monkeypatch.setattr(outgoing, "UPLOAD_PIECE_BYTES", 8 * 1024)
    monkeypatch.setenv("LINEAL_FINISH_DRAIN_S", "600")
    with faulty("localhost", port_of(server), seed=seed, rate=0.3) as proxy:
        yield proxy


def port_of(client: httpx.Client) -> int:
    return int(url_of(client).rpartition(":")[2])


def log_all(url: str, runs: int, calls: int) -> list[str]:
    """The ledger is the rule: metric m of step s in run r is (r * calls + s) * METRICS + m."""
    begun = [lineal.init("digits", f"run-{number}", url=url) for number in range(runs)]
    for step in range(calls):
        for number, run in enumerate(begun):
            run.log({f"m{m}": (number * calls + step) * METRICS + m for m in range(METRICS)}, step=step)
    for run in begun:
        run.finish()
    return [run.run_id for run in begun]


def check_all(server: httpx.Client, run_ids: list[str], calls: int) -> None:
    for number, run_id in enumerate(run_ids):
        detail = detail_of(server, run_id)
        assert (detail["status"], detail["losses"]) == ("finished", {})
        for m in range(METRICS):
            expected = [(step, (number * calls + step) * METRICS + m) for step in range(calls)]
            assert points_of(server, run_id, f"m{m}") == expected


def test_two_hundred_thousand_points_through_a_bad_network(server: httpx.Client, proxy: FaultProxy) -> None:
    run_ids = log_all(proxy.url, runs=4, calls=5_000)
    check_all(server, run_ids, calls=5_000)
    assert set(FAULTS) <= set(proxy.counts), "the seed met too few faults to say anything"


@pytest.mark.torture
def test_a_million_points_through_a_bad_network(server: httpx.Client, proxy: FaultProxy) -> None:
    run_ids = log_all(proxy.url, runs=5, calls=20_000)
    check_all(server, run_ids, calls=20_000)
    assert set(FAULTS) <= set(proxy.counts)


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone(server: httpx.Client, fault: str, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of all requests meet it."""
    monkeypatch.setattr(outgoing, "UPLOAD_PIECE_BYTES", 24 * 1024)
    with faulty("localhost", port_of(server), seed=seed, rate=0.5, faults=(fault,)) as proxy:  # type: ignore[arg-type]
        run_ids = log_all(proxy.url, runs=1, calls=600)
    check_all(server, run_ids, calls=600)
    assert proxy.counts[fault]


def test_the_client_is_killed_in_the_middle(server: httpx.Client, seed: int) -> None:
    """Part of it was sent by its own thread through a bad network, the rest is by `lineal sync`."""
    with faulty("localhost", port_of(server), seed=seed, rate=0.3) as proxy:
        with start(LOGS_AND_WAITS, proxy.url, 30_000) as process:
            run_id = read_line(process)
            said = int(read_line(process))
            wait_for(lambda: server.get(f"/runs/{run_id}").status_code == 200)
            while said < 20_000:
                said = int(read_line(process))
            process.kill()
            rest = (process.stdout.read() if process.stdout else "").split()
        said = max([said, *(int(line) for line in rest if line.isdigit())])
        done = lineal_command("sync")
        assert done.returncode == 0, done.stderr
    points = points_of(server, run_id, "step")
    assert points == [(step, step) for step in range(len(points))] and said < len(points) <= 30_000
    assert detail_of(server, run_id)["losses"] == {}


def test_the_server_is_killed_in_the_middle(tmp_path: Path, seed: int, port: int) -> None:
    """Again and again, while a run logs; what it acknowledged it has, what it did not it gets again, and nothing twice."""
    chance = random.Random(seed)
    with serving_store(tmp_path / "srv", "--port", str(port)) as first:
        run = lineal.init("digits", url=f"http://localhost:{port}")
        count = log_some(run, 0, 3_000)
        wait_for(lambda: first.client.get(f"/runs/{run.run_id}").status_code == 200)
        count = log_some(run, count, chance.randrange(1, 3_000))
        first.process.send_signal(signal.SIGKILL)
        first.process.wait()
    for _ in range(10 if os.environ.get("LINEAL_TEST_PROFILE") == "torture" else 1):
        count = log_some(run, count, 1_000)
        with serving_store(tmp_path / "srv", "--port", str(port)) as other:
            known = point_count(other.client, run.run_id)
            count = log_some(run, count, chance.randrange(1, 3_000))
            wait_for(lambda: point_count(other.client, run.run_id) > known)  # noqa: B023
            other.process.send_signal(signal.SIGKILL)
            other.process.wait()
    with serving_store(tmp_path / "srv", "--port", str(port)) as last:
        run.finish()
        assert points_of(last.client, run.run_id, "loss") == [(step, step) for step in range(count)]
        detail = detail_of(last.client, run.run_id)
        assert (detail["status"], detail["losses"]) == ("finished", {})


def log_some(run: lineal.Run, first: int, count: int) -> int:
    for step in range(first, first + count):
        run.log({"loss": step}, step=step)
    return first + count


def point_count(client: httpx.Client, run_id: str) -> int:
    return len(points_of(client, run_id, "loss"))
