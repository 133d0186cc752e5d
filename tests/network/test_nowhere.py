"""How long a run's end waits for a server that is nowhere to be seen, and for one that is only slow."""

from __future__ import annotations

import logging
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

import lineal
from lineal.client import drain, uploader
from lineal.client.outbox import list_outboxes
from lineal.server.hosted import HostedSource
from lineal.testing.fault_proxy import faulty
from tests.network.conftest import detail_of, points_of
from tests.network.test_faults import port_of
from tests.network.test_uploader import wait_for
from tests.server.hosting import hosting

NOWHERE = "http://localhost:9"  # the port of "discard", which nobody serves
LONG_S, PATIENT_S = 3_600.0, 60.0  # what no test waits for; what tells the one wait from the other


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by default: nobody said how long. Of a server that is not there a tenth of a second is enough."""
    monkeypatch.delenv("LINEAL_FINISH_DRAIN_S", raising=False)
    monkeypatch.setattr(drain, "FINISH_DRAIN_S", LONG_S)
    monkeypatch.setattr(uploader, "UNREACHED_DRAIN_S", 0.1)
    monkeypatch.setattr(uploader, "UNREACHED_AGAIN_S", 0.05)


def took(run: lineal.Run, timeout_s: float | None = None) -> float:
    begun_s = time.monotonic()
    run.finish(timeout_s=timeout_s)
    return time.monotonic() - begun_s


def test_a_server_that_was_never_there_is_not_waited_for(own_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "lineal")
    for _ in range(2):
        run = lineal.init("digits", url=NOWHERE)
        run.log({"loss": 1.0})
        assert took(run) < PATIENT_S
    said = [record.message for record in caplog.records if "lineal sync" in record.message]
    assert len(said) == 2 and all("not waited for any longer" in one and str(own_folder) in one for one in said)
    [folder] = list_outboxes(str(own_folder))
    assert len(folder.list_segments()) == 2


def test_nor_is_one_that_does_not_even_refuse(own_folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A firewall that drops what comes. Here: a queue of connections that is full."""
    caplog.set_level(logging.WARNING, "lineal")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        place = listening.getsockname()
        queued = [socket.socket() for _ in range(8)]
        try:
            for one in queued:
                one.setblocking(False)
                one.connect_ex(place)
            with socket.socket() as probe:
                probe.settimeout(0.5)
                try:
                    probe.connect(place)
                except TimeoutError:
                    pass
                else:
                    pytest.skip("this system takes every connection")
            run = lineal.init("digits", url=f"http://127.0.0.1:{place[1]}")
            run.log({"loss": 1.0})
            assert took(run) < PATIENT_S
        finally:
            for one in queued:
                one.close()
    assert "no connection came about" in caplog.text and "lineal sync" in caplog.text


def reached(run: lineal.Run) -> bool:
    return run._uploader is not None and run._uploader._transport.has_reached


@pytest.mark.parametrize("said", ["setting", "argument"])
def test_who_says_how_long_is_obeyed(monkeypatch: pytest.MonkeyPatch, said: str) -> None:
    run = lineal.init("digits", url=NOWHERE)
    run.log({"loss": 1.0})
    if said == "setting":
        monkeypatch.setenv("LINEAL_FINISH_DRAIN_S", "1.5")
    assert 1.4 < took(run, 1.5 if said == "argument" else None) < PATIENT_S


def test_a_server_that_does_not_answer_yet_gets_the_whole_time(
    server: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes connections: it is busy, or suspended, or behind a slow line."""
    monkeypatch.setattr(drain, "FINISH_DRAIN_S", 1.5)
    monkeypatch.setattr(uploader, "LOST_SERVER_S", 0.1)
    with faulty("localhost", port_of(server), seed=1, rate=0) as proxy:
        proxy.hold("POST ")
        run = lineal.init("digits", url=proxy.url)
        run.log({"loss": 1.0})
        wait_for(lambda: reached(run))
        assert 1.4 < took(run) < PATIENT_S
        proxy.let_go()


def test_what_answers_with_errors_gets_the_whole_time(server: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "FINISH_DRAIN_S", 1.5)
    monkeypatch.setattr(uploader, "LOST_SERVER_S", 0.1)
    with faulty("localhost", port_of(server), seed=1, rate=1.0, faults=("status_500",)) as proxy:
        run = lineal.init("digits", url=proxy.url)
        run.log({"loss": 1.0})
        wait_for(lambda: reached(run))
        assert 1.4 < took(run) < PATIENT_S


def test_a_server_that_went_away_has_time_to_come_back(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is away for longer than one is waited for that never was there."""
    monkeypatch.setattr(uploader, "LOST_SERVER_S", LONG_S)
    run = lineal.init("digits", url=f"http://localhost:{port}")
    run.log({"loss": 1.0}, step=0)
    with HostedSource(f"sqlite:///{tmp_path}/srv/lineal.db") as source, ExitStack() as later:
        with hosting(source, port) as client:
            wait_for(lambda: client.get(f"/runs/{run.run_id}").status_code == 200)
        run.log({"loss": 0.5}, step=1)
        begun_s = time.monotonic()
        back: list[httpx.Client] = []

        def show(line: object, size_bytes: int, left_s: float) -> None:
            if not back and time.monotonic() - begun_s > 0.5:
                back.append(later.enter_context(hosting(source, port)))

        monkeypatch.setattr(drain._Line, "show", show)
        run.finish()
        assert len(points_of(back[0], run.run_id, "loss")) == 2
        assert detail_of(back[0], run.run_id)["status"] == "finished"


def test_a_server_that_went_away_for_good_is_not_waited_for(
    tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "lineal")
    monkeypatch.setattr(uploader, "LOST_SERVER_S", 0.2)
    run = lineal.init("digits", url=f"http://localhost:{port}")
    run.log({"loss": 1.0}, step=0)
    with HostedSource(f"sqlite:///{tmp_path}/srv/lineal.db") as source, hosting(source, port) as client:
        wait_for(lambda: client.get(f"/runs/{run.run_id}").status_code == 200)
    run.log({"loss": 0.5}, step=1)
    assert took(run) < PATIENT_S
    assert "not waited for any longer" in caplog.text
