"""A run is asked to stop: its program hears of it, wherever it records."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

import lineal
from lineal.client import outgoing
from tests.network.conftest import detail_of, url_of
from tests.network.programs import lineal_command
from tests.network.test_uploader import wait_for


@pytest.fixture(params=["folder", "server"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("lineal.client.run.STOP_LOOK_INTERVAL_S", 0.02)
    monkeypatch.setattr(outgoing, "STOP_ASK_INTERVAL_S", 0.2)
    monkeypatch.setattr("lineal.client.uploader.UPLOAD_IDLE_S", 0.05)
    monkeypatch.setattr("lineal.client.uploader.UPLOAD_INTERVAL_S", 0.05)
    if request.param == "server":
        return url_of(request.getfixturevalue("server"))
    return str(tmp_path / "notebook")


def begin(place: str, **more: object) -> lineal.Run:
    run = lineal.init("digits", url=place, **more)  # type: ignore[arg-type]
    run.log({"loss": 1.0})
    wait_for(lambda: lineal.runs(f"run_id = '{run.run_id}'", url=place).total)
    return run


def test_the_command_asks_and_the_program_hears(place: str) -> None:
    run, other = begin(place), begin(place)
    assert not run.should_stop
    done = lineal_command("runs", "stop", run.run_id[:8], "--url", place, "--json")
    assert done.returncode == 0, done.stderr
    wait_for(lambda: run.should_stop)
    assert not other.should_stop
    run.finish()
    other.finish()
    assert "lineal.stop" in lineal.get_run(run.run_id, url=place).tags
    assert lineal_command("runs", "stop", run.run_id, "--url", place).returncode == 4


def test_a_resumed_run_was_not_asked(place: str) -> None:
    run = begin(place, run_id="again")
    lineal.stop_run("again", url=place)
    wait_for(lambda: run.should_stop)
    run.finish()
    again = lineal.init(run_id="again", resume="allow", url=place)
    deadline_s = time.monotonic() + 1.0  # long enough for some answers of a server
    while time.monotonic() < deadline_s:
        again.log({"loss": 2.0})
        time.sleep(0.01)
        assert not again.should_stop
    again.finish()
    assert "lineal.stop" not in lineal.get_run("again", url=place).tags


def test_the_route_of_the_page(server: httpx.Client) -> None:
    run = begin(url_of(server))
    assert server.post(f"/runs/{run.run_id[:10]}/stop").json() == {"message": "Asked to stop", "run_id": run.run_id}
    assert "lineal.stop" in detail_of(server, run.run_id)["tags"]
    run.finish()
    answer = server.post(f"/runs/{run.run_id}/stop")
    assert answer.status_code == 409 and answer.json()["field"] == "run_id"
    assert server.post("/runs/nobody/stop").status_code == 404


def test_asking_costs_no_look_at_the_disk_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = lineal.init(url=tmp_path / "notebook")
    looks: list[tuple[object, ...]] = []

    def bell(*whose: object) -> str:
        looks.append(whose)
        return str(tmp_path / "none")

    monkeypatch.setattr("lineal.client.stops.bell", bell)
    assert not any(run.should_stop for _ in range(1_000))
    assert len(looks) <= 2
    run.finish()
