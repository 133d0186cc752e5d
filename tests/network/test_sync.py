"""`lineal sync`: what a killed or offline process left arrives, whole and once; what cannot is named, and keeps nobody else out."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

import lineal
from lineal.cli.main import lineal as command
from lineal.client.outbox import list_outboxes
from lineal.testing.fault_proxy import faulty
from tests.network.conftest import detail_of, points_of, url_of
from tests.network.programs import LOGS_AND_WAITS, lineal_command, read_line, start

NOWHERE = "http://localhost:9"


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_FINISH_DRAIN_S", "0")


def record(count: int, points: int = 20) -> list[str]:
    """Finished runs for a server that is not there."""
    run_ids = []
    for number in range(count):
        with lineal.init("digits", f"run-{number}", params={"seed": number}, url=NOWHERE) as run:
            for step in range(points):
                run.log({"loss": step, "acc": -step}, step=step)
        run_ids.append(run.run_id)
    return run_ids


def sync(*arguments: object) -> Result:
    return CliRunner().invoke(command, ["sync", *map(str, arguments)])


def answer_of(result: Result) -> list[dict[str, Any]]:
    [server] = json.loads(result.stdout)["servers"]
    runs: list[dict[str, Any]] = server["runs"]
    return runs


def outbox(own_folder: Path) -> Any:
    [folder] = list_outboxes(str(own_folder))
    return folder


@pytest.mark.usefixtures("offline")
def test_what_was_recorded_without_a_server_is_sent_and_compared(server: httpx.Client, own_folder: Path) -> None:
    run_ids = record(3)
    result = sync(outbox(own_folder).root, "--url", url_of(server), "--json")
    assert result.exit_code == 0, result.output
    found = {run["run_id"]: run for run in answer_of(result)}
    assert set(found) == set(run_ids)
    for run in found.values():
        assert run["state"] == "whole" and run["records"] == run["records_there"] == 20 + 3
        assert run["points"] == run["points_there"] == 40
    assert all(detail_of(server, run_id)["status"] == "finished" for run_id in run_ids)
    assert outbox(own_folder).list_segments() == []
    again = sync(outbox(own_folder).root, "--url", url_of(server), "--json")
    assert again.exit_code == 0 and {run["sent_bytes"] for run in answer_of(again)} == {0}
    assert points_of(server, run_ids[0], "loss") == [(step, step) for step in range(20)]


def test_what_a_killed_process_left_is_sent_and_the_run_is_lost(server: httpx.Client, own_folder: Path) -> None:
    with start(LOGS_AND_WAITS, NOWHERE, 5_000) as process:
        run_id, said = read_line(process), 0
        while said < 3_000:
            said = int(read_line(process))
        process.kill()
        rest = (process.stdout.read() if process.stdout else "").split()
    said = max([said, *(int(line) for line in rest if line.isdigit())])
    result = lineal_command("sync", "--url", url_of(server))
    assert result.returncode == 0, result.stderr
    assert detail_of(server, run_id)["status"] == "lost"
    points = points_of(server, run_id, "step")
    assert points[: said + 1] == [(step, step) for step in range(said + 1)] and len(points) <= 5_000


@pytest.mark.usefixtures("offline")
def test_one_bad_run_keeps_nobody_out_and_is_named(server: httpx.Client, own_folder: Path) -> None:
    run_ids = record(12)
    chance = random.Random(4)
    bad = outbox(own_folder).list_segments()[7]
    Path(bad.path).write_bytes(chance.randbytes(4_096))
    result = sync(outbox(own_folder).root, "--url", url_of(server), "--json")
    assert result.exit_code == 1
    states = {run["run_id"]: run["state"] for run in answer_of(result)}
    assert states.pop(f"writer {bad.writer}") == "refused"
    assert len(states) == 11 and set(states.values()) == {"whole"} and set(states) < set(run_ids)
    assert bad.writer in result.stderr


@pytest.mark.usefixtures("offline")
def test_a_damaged_run_is_sent_as_far_as_it_can_be_read_and_named(server: httpx.Client, own_folder: Path) -> None:
    [run_id] = record(1, points=200)
    [segment] = outbox(own_folder).list_segments()
    data = bytearray(Path(segment.path).read_bytes())
    middle = len(data) // 2
    data[middle : middle + 40] = bytes(byte ^ 0x55 for byte in data[middle : middle + 40])
    Path(segment.path).write_bytes(data)
    result = sync(outbox(own_folder).root, "--url", url_of(server), "--json")
    [run] = answer_of(result)
    assert result.exit_code == 1 and run["state"] == "damaged" and run["losses_there"]["damaged"] in (1, 2)
    detail = detail_of(server, run_id)
    assert detail["status"] == "finished" and run["points"] == run["points_there"] == 2 * (
        200 - detail["losses"]["damaged"]
    )


@pytest.mark.usefixtures("offline")
def test_a_server_that_is_not_there_is_said(own_folder: Path) -> None:
    [run_id] = record(1)
    result = sync(own_folder)
    assert result.exit_code == 5 and run_id in result.stderr
    assert len(outbox(own_folder).list_segments()) == 1


@pytest.mark.usefixtures("offline")
def test_sync_gets_through_a_bad_network(server: httpx.Client, own_folder: Path) -> None:
    run_ids = record(6, points=300)
    port = int(url_of(server).rpartition(":")[2])
    with faulty("localhost", port, seed=11, rate=0.6) as proxy:
        result = sync(outbox(own_folder).root, "--url", proxy.url, "--json")
    assert result.exit_code == 0, result.output
    for run_id in run_ids:
        assert points_of(server, run_id, "acc") == [(step, -step) for step in range(300)]
    assert sum(proxy.counts.values()) - proxy.counts["passed"] > 5


def test_a_server_that_went_back_to_an_older_backup_gets_again_what_it_lost(
    tmp_path: Path, own_folder: Path, port: int
) -> None:
    import shutil

    from lineal.server.hosted import HostedSource
    from tests.server.hosting import hosting

    store, copy = tmp_path / "srv", tmp_path / "backup"
    with HostedSource(f"sqlite:///{store}/lineal.db") as source, hosting(source, port) as client:
        run = lineal.init("digits", url=url_of(client))
        for step in range(100):
            run.log({"loss": step}, step=step)
        source_points(client, run.run_id, 100)
    shutil.copytree(store, copy)
    with HostedSource(f"sqlite:///{store}/lineal.db") as source, hosting(source, port) as client:
        for step in range(100, 40_000):
            run.log({"loss": step}, step=step)
        run.finish()
        assert len(points_of(client, run.run_id, "loss")) == 40_000
    with HostedSource(f"sqlite:///{copy}/lineal.db") as source, hosting(source, port) as client:
        assert len(points_of(client, run.run_id, "loss")) == 100
        result = sync(own_folder, "--json")
        assert result.exit_code == 0, result.output
        assert points_of(client, run.run_id, "loss") == [(step, step) for step in range(40_000)]
        assert detail_of(client, run.run_id)["losses"] == {}


def source_points(client: httpx.Client, run_id: str, count: int) -> None:
    from tests.network.test_uploader import wait_for

    wait_for(
        lambda: client.get(f"/runs/{run_id}").status_code == 200 and len(points_of(client, run_id, "loss")) == count
    )


def test_a_folder_without_anything_for_a_server(tmp_path: Path) -> None:
    lineal.init(url=tmp_path / "plain").finish()
    result = sync(tmp_path / "plain")
    assert result.exit_code == 0 and "Nothing" in result.output
    assert sync(tmp_path / "not there").exit_code == 3


@pytest.mark.usefixtures("offline")
def test_what_waits_may_be_looked_at_and_still_waits(server: httpx.Client, own_folder: Path) -> None:
    run_ids = record(3)
    folder = outbox(own_folder)
    with lineal.open_store(folder.root) as store:
        assert {run.run_id for run in store.runs()} == set(run_ids)
    assert len(folder.list_segments()) == 3
    assert sync(folder.root, "--url", url_of(server)).exit_code == 0
    assert all(detail_of(server, run_id)["status"] == "finished" for run_id in run_ids)
