"""`lineal ui` as people and scripts start it, and what `lineal demo` makes of it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

import lineal
from lineal.cli import demo, ui
from tests.server.conftest import SRC, Served, json_of, serving


def test_it_answers_at_the_address_that_it_prints(served: Served, runs: list[str]) -> None:
    assert json_of(served.client.get("/api/v1/health"))["status"] == "ok"
    assert json_of(served.client.get("/api/v1/experiments"))["experiments"][0]["run_count"] == 4


def test_a_folder_that_is_not_there_yet_is_an_empty_one_and_is_not_made(served: Served, folder: Path) -> None:
    assert json_of(served.client.get("/api/v1/experiments"))["total"] == 0
    assert not folder.exists()
    with lineal.init(experiment="first", url=folder) as run:
        run.log({"loss": 1.0})
    assert json_of(served.client.post("/api/v1/runs/search", json={}))["runs"][0]["run_id"] == run.run_id


def test_the_first_line_is_the_address(folder: Path) -> None:
    command = [sys.executable, "-m", "lineal.cli.main", "ui", "--port", "0", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": str(SRC)}) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            assert httpx.get(f"{address}api/v1/health").status_code == 200
        finally:
            process.terminate()


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM)])
def test_it_ends_at_once_though_pages_are_open(folder: Path, runs: list[str], number: int, status: int) -> None:
    with serving(folder) as served, served.client.stream("GET", "/api/v1/live") as stream:
        assert next(stream.iter_lines()) == "retry: 1000"
        served.process.send_signal(number)
        assert served.process.wait(10) == status  # the graceful wait for connections alone would be longer
        with pytest.raises(httpx.TransportError):
            served.client.get("/api/v1/health")


def test_a_port_that_is_taken_is_said_to_be(folder: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "-m", "lineal.cli.main", "ui", "--port", str(port), "--folder", str(folder)],
            capture_output=True,
            text=True,
            env={"PYTHONPATH": str(SRC)},
        )
    assert done.returncode == 4
    assert f"port {port} is taken" in done.stderr and "--port" in done.stderr
    assert done.stdout == ""


def test_without_a_port_the_next_free_one_is_taken() -> None:
    from lineal.server.serving import DEFAULT_PORT, listen

    with listen(None) as first, listen(None) as second:
        ports = [first.getsockname()[1], second.getsockname()[1]]
    assert ports[0] != ports[1] and min(ports) >= DEFAULT_PORT


def test_only_this_machine_is_listened_to(served: Served) -> None:
    port = int(served.url.rsplit(":", 1)[1].strip("/"))
    listening = Path("/proc/net/tcp").read_text(encoding="ascii") if sys.platform == "linux" else ""
    rows = [row.split()[1] for row in listening.splitlines()[1:] if row.split()[3] == "0A"]
    assert not [row for row in rows if row.endswith(f":{port:04X}") and not row.startswith("0100007F")]


def test_no_browser_is_opened_where_nobody_sits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr("sys.stdout.isatty", lambda: False, raising=False)
    assert not ui._has_browser()


@pytest.mark.parametrize(
    ("terminal", "in_ci", "company"), [(True, "", True), (True, "true", False), (False, "", False)]
)
def test_the_demo_serves_only_where_somebody_can_end_it(
    monkeypatch: pytest.MonkeyPatch, terminal: bool, in_ci: str, company: bool
) -> None:
    monkeypatch.setenv("CI", in_ci)
    for stream in ("stdin", "stdout"):
        monkeypatch.setattr(f"sys.{stream}.isatty", lambda: terminal, raising=False)
    assert demo._has_company() is company


def test_small_answers_do_not_wait_for_an_acknowledgement() -> None:
    """asyncio sets TCP_NODELAY on the connections of a listener that names its protocol, and on no others."""
    from lineal.server.serving import listen

    with listen(0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
