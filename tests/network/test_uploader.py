"""What is logged against a server arrives there: once, whole, and whatever the server does meanwhile."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import httpx
import pytest

import lineal
from lineal.client.outbox import find_server, list_outboxes
from lineal.journal.layout import Folder
from lineal.server.hosted import HostedSource
from tests.network.conftest import detail_of, points_of, url_of
from tests.server.hosting import hosting


def test_a_run_is_at_the_server_when_finish_returns(server: httpx.Client, own_folder: Path) -> None:
    with lineal.init("digits", "mlp", params={"lr": 0.1}, tags={"a": "b"}, note="*hi*", url=url_of(server)) as run:
        for step in range(1_000):
            run.log({"loss": 1 / (step + 1)}, step=step)
    detail = detail_of(server, run.run_id)
    assert (detail["status"], detail["params"], detail["tags"], detail["note"], detail["losses"]) == (
        "finished",
        {"lr": "0.1"},
        {"a": "b"},
        "*hi*",
        {},
    )
    assert points_of(server, run.run_id, "loss") == [(step, 1 / (step + 1)) for step in range(1_000)]
    [folder] = list_outboxes(str(own_folder))
    address = find_server(folder)
    assert address is not None and address.url == url_of(server)
    assert folder.list_segments() == [] and len(list(Path(folder.sent).iterdir())) == 1


def test_points_are_seen_while_the_run_runs(server: httpx.Client) -> None:
    with lineal.init("digits", url=url_of(server)) as run:
        run.log({"loss": 1.0})
        wait_for(lambda: server.get(f"/runs/{run.run_id}").status_code == 200)
        assert detail_of(server, run.run_id)["status"] == "running"
        run.log({"loss": 0.5})
        wait_for(lambda: len(points_of(server, run.run_id, "loss")) == 2)


def test_many_segments_arrive_in_order(server: httpx.Client) -> None:
    with lineal.init("digits", url=url_of(server)) as run:
        for step in range(60_000):
            run.log({"a": step, "b": -step}, step=step)
    assert detail_of(server, run.run_id)["losses"] == {}
    assert points_of(server, run.run_id, "b") == [(step, -step) for step in range(60_000)]


def test_a_server_that_is_not_there_costs_finish_its_deadline_and_nothing_is_lost(
    tmp_path: Path, own_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LINEAL_FINISH_DRAIN_S", "0")
    caplog.set_level(logging.WARNING, "lineal")
    with lineal.init("digits", url="http://localhost:9") as run:  # the port of "discard", which nobody serves
        run.log({"loss": 1.0})
    assert "lineal sync" in caplog.text and str(own_folder) in caplog.text
    [folder] = list_outboxes(str(own_folder))
    assert len(folder.list_segments()) == 1
    assert run.finished


def test_a_server_that_comes_later_gets_everything(tmp_path: Path, port: int) -> None:
    """Nobody listens at first; then somebody does, at the same address."""
    run = lineal.init("digits", url=f"http://localhost:{port}")
    for step in range(100):
        run.log({"loss": step}, step=step)
    with HostedSource(f"sqlite:///{tmp_path}/srv/lineal.db") as source, hosting(source, port) as client:
        run.finish()
        assert len(points_of(client, run.run_id, "loss")) == 100


def test_the_tenant_is_the_one_that_was_named(server: httpx.Client) -> None:
    with lineal.init("digits", url=url_of(server), tenant="acme") as run:
        run.log({"loss": 1.0})
    answer = server.get("/experiments/runs", headers={"X-Tenant-ID": "acme"})
    assert [one["run_id"] for one in answer.json()["runs"]] == [run.run_id]


def test_a_url_with_a_password_is_refused() -> None:
    with pytest.raises(lineal.InvalidInput, match="LINEAL_TOKEN"):
        lineal.init(url="https://me:secret@example.org")


def test_a_wrong_setting_is_refused_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_FINISH_DRAIN_S", "soon")
    with pytest.raises(lineal.InvalidInput, match="LINEAL_FINISH_DRAIN_S"):
        lineal.init(url="http://localhost:9")


def test_the_folder_is_its_owners_alone(server: httpx.Client, own_folder: Path) -> None:
    with lineal.init(url=url_of(server)) as run:
        assert Path(run.folder).parents[1] == own_folder
    for place in (own_folder, own_folder / "servers", Path(run.folder), Path(Folder(run.folder).journals)):
        assert place.stat().st_mode & 0o777 == 0o700


def wait_for(condition: object, timeout_s: float = 30.0) -> None:
    until_s = time.monotonic() + timeout_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < until_s, "it did not come"
        time.sleep(0.01)
