"""How `lineal serve` ends: what it has begun is answered, what waits for nothing is let go, and whoever cannot wait says so twice."""

from __future__ import annotations

import signal
import socket
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.server.conftest import Place, Served, json_of
from tests.server.hosting import new_run, serving_store

RUN = "/experiments/runs"


def until(said: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while said not in log.read_text(encoding="utf-8"):
        assert time.monotonic() < deadline, log.read_text(encoding="utf-8")
        time.sleep(0.01)


class Upload:
    """A request whose second half is sent when the test says so."""

    def __init__(self, served: Served, run_id: str) -> None:
        url = httpx.URL(served.url)
        entries = b'{"metrics": [{"key": "a", "value": 1, "step": 0}]}'
        self._rest = entries[20:]
        self._connection = socket.create_connection((url.host, url.port or 0), timeout=30)
        head = f"POST {url.path}{RUN}/{run_id}/log-batch HTTP/1.1\r\nHost: localhost:{url.port}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(entries)}\r\n\r\n"
        self._connection.sendall(head.encode() + entries[:20])

    def finish(self) -> bytes:
        self._connection.sendall(self._rest)
        return self.answer()

    def answer(self) -> bytes:
        answer = b""
        with self._connection:
            while piece := self._connection.recv(65_536):
                answer += piece
        return answer


def begun(served: Served, count: int) -> None:
    deadline = time.monotonic() + 30
    while f"lineal_requests_in_flight {count + 1}" not in served.client.get("/metrics").text:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_was_begun_is_answered_and_kept(place: Place, tmp_path: Path) -> None:
    with open(tmp_path / "log", "w", encoding="utf-8") as log, serving_store(place, stderr=log) as served:
        run_id = new_run(served.client)
        upload = Upload(served, run_id)
        begun(served, 1)
        served.process.send_signal(signal.SIGTERM)
        until("stopping: 1 requests", tmp_path / "log")
        with pytest.raises(httpx.ConnectError):
            httpx.get(served.url + "/health")
        assert upload.finish().startswith(b"HTTP/1.1 200")
        assert served.process.wait(30) == 0
    with serving_store(place) as served:
        assert json_of(served.client.get(f"{RUN}/{run_id}/metrics/a"))["value"] == [1]


def test_what_takes_too_long_is_cut_off_and_said_to_be(tmp_path: Path) -> None:
    with (
        open(tmp_path / "log", "w", encoding="utf-8") as log,
        serving_store(tmp_path / "srv", "--drain", "0", stderr=log) as served,
    ):
        upload = Upload(served, new_run(served.client))
        begun(served, 1)
        served.process.send_signal(signal.SIGTERM)
        assert served.process.wait(30) == 1
        assert not upload.answer().startswith(b"HTTP/1.1 2")
    assert "1 requests were cut off" in (tmp_path / "log").read_text(encoding="utf-8")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_ends_it_at_once(tmp_path: Path, number: signal.Signals) -> None:
    with (
        open(tmp_path / "log", "w", encoding="utf-8") as log,
        serving_store(tmp_path / "srv", "--drain", "600", stderr=log) as served,
    ):
        upload = Upload(served, new_run(served.client))
        begun(served, 1)
        served.process.send_signal(number)
        until("stopping: 1 requests", tmp_path / "log")
        served.process.send_signal(number)
        assert served.process.wait(60) == 128 + number
        assert upload.answer() == b""


def test_streams_and_idle_connections_keep_nobody(tmp_path: Path) -> None:
    with serving_store(tmp_path / "srv", "--drain", "600") as served:
        ended = threading.Event()

        def watch() -> None:
            with served.client.stream("GET", "/live", timeout=60) as stream:
                for _ in stream.iter_lines():
                    open_streams.set()
            ended.set()

        open_streams = threading.Event()
        thread = threading.Thread(target=watch)
        thread.start()
        assert open_streams.wait(30)
        with httpx.Client(base_url=served.url) as idle:
            json_of(idle.get("/health"))
            served.process.send_signal(signal.SIGTERM)
            assert served.process.wait(30) == 0
        thread.join(30)
        assert ended.is_set(), "the stream ended as streams end, not by a broken connection"
