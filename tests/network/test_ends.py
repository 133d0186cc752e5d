"""How processes end, and how many there are, with a server."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import httpx
import pytest

import lineal
from lineal.client.outbox import clear_sent, list_outboxes
from lineal.journal.layout import Folder
from lineal.server.hosted import HostedSource
from lineal.testing.fault_proxy import faulty
from tests.network.conftest import detail_of, points_of, url_of
from tests.network.programs import read_line, start
from tests.network.test_faults import port_of
from tests.network.test_uploader import wait_for

IS_TORTURE = os.environ.get("LINEAL_TEST_PROFILE") == "torture"

TERMINATED = """
import signal, sys, time, lineal
if sys.argv[2] == "own":
    def own(number, frame):
        print("own handler", flush=True)
        sys.exit(7)
    signal.signal(signal.SIGTERM, own)
run = lineal.init("digits", url=sys.argv[1])
for step in range(1000):
    run.log({"loss": step}, step=step)
print(run.run_id, flush=True)
while True:
    time.sleep(0.01)
"""

# How to become process 1 of a PID namespace: as root, or as a user who may be one within a namespace.
NAMESPACES = (["--pid", "--fork"], ["--user", "--map-root-user", "--pid", "--fork"])

FORKS = """
import os, sys, threading, lineal
run = lineal.init("digits", url=sys.argv[1])
going = True
def log():
    step = 0
    while going:
        run.log({"parent": step}, step=step)
        step += 1
thread = threading.Thread(target=log)
thread.start()
for number in range(int(sys.argv[2])):
    child = os.fork()
    if not child:
        if number % 2 == 0:
            run.log({"child": number}, step=number)
        os._exit(0)
    os.waitpid(child, 0)
going = False
thread.join()
run.finish()
print(run.run_id, flush=True)
"""

SPAWNS = """
import multiprocessing, sys, lineal
def work(run, number):
    for step in range(50):
        run.log({f"of{number}": step}, step=step)
if __name__ == "__main__":
    run = lineal.init("digits", url=sys.argv[1])
    context = multiprocessing.get_context(sys.argv[2])
    processes = [context.Process(target=work, args=(run, number)) for number in range(3)]
    for one in processes:
        one.start()
    for one in processes:
        one.join()
    run.finish()
    print(run.run_id, flush=True)
"""


@pytest.mark.parametrize(("handler", "status"), [("none", -signal.SIGTERM), ("own", 7)])
def test_after_a_sigterm_the_server_has_everything(server: httpx.Client, handler: str, status: int) -> None:
    with start(TERMINATED, url_of(server), handler, LINEAL_SIGTERM_DRAIN_S="60") as process:
        run_id = read_line(process)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate()
    assert process.returncode == status and ("own handler" in said) == (handler == "own")
    assert detail_of(server, run_id)["status"] == "killed"
    assert len(points_of(server, run_id, "loss")) == 1_000


def test_process_1_of_a_container_sends_everything_before_it_ends(server: httpx.Client) -> None:
    """A default SIGTERM, raised again, is ignored by process 1: it must end by itself, and say so by its status."""
    namespace = shutil.which("unshare") or pytest.skip("needs the program unshare")
    options = next(
        (one for one in NAMESPACES if subprocess.run([namespace, *one, "true"], capture_output=True).returncode == 0),
        None,
    )
    if options is None:
        pytest.skip("this machine lets nobody here begin a PID namespace")
    program = "import os, sys\nassert os.getpid() == 1" + TERMINATED
    with start(program, url_of(server), "none", within=[namespace, *options], LINEAL_SIGTERM_DRAIN_S="60") as process:
        run_id = read_line(process)
        [inner] = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(int(inner), signal.SIGTERM)
        process.communicate(timeout=120)
    assert process.returncode == 128 + signal.SIGTERM
    assert detail_of(server, run_id)["status"] == "killed"
    assert len(points_of(server, run_id, "loss")) == 1_000


def test_a_sigterm_waits_no_longer_than_it_may(server: httpx.Client) -> None:
    """The server takes requests and never answers; the status is on disk before that is found out."""
    with faulty("localhost", port_of(server), seed=1, rate=0) as proxy:
        proxy.hold("POST ")
        with start(TERMINATED, proxy.url, "none", LINEAL_SIGTERM_DRAIN_S="1") as process:
            read_line(process)
            begun_s = time.monotonic()
            process.send_signal(signal.SIGTERM)
            process.wait()
            took_s = time.monotonic() - begun_s
        proxy.let_go()
    assert process.returncode == -signal.SIGTERM and 0.9 < took_s < 30


def test_forks_beside_threads_that_log(server: httpx.Client) -> None:
    """Each child that says something is a writer of its own, which `os._exit` leaves behind; the parent sends that too."""
    count = 1_000 if IS_TORTURE else 30
    with start(FORKS, url_of(server), count) as process:
        run_id = read_line(process)
    assert sorted(points_of(server, run_id, "child")) == [(number, number) for number in range(0, count, 2)]
    detail = detail_of(server, run_id)
    assert (detail["status"], detail["losses"]) == ("finished", {})
    parent = points_of(server, run_id, "parent")
    assert parent == [(step, step) for step in range(len(parent))] and parent


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_processes_of_multiprocessing(server: httpx.Client, tmp_path: Path, method: str) -> None:
    script = tmp_path / "program.py"
    script.write_text(SPAWNS)
    program = f"import runpy, sys\nsys.argv[0] = {str(script)!r}\nrunpy.run_path({str(script)!r}, run_name='__main__')"
    if method == "spawn":
        program = (
            f"import subprocess, sys\nsubprocess.run([sys.executable, {str(script)!r}, *sys.argv[1:]], check=True)"
        )
    with start(program, url_of(server), method) as process:
        run_id = read_line(process)
    for number in range(3):
        assert points_of(server, run_id, f"of{number}") == [(step, step) for step in range(50)]


def test_a_writer_holds_a_lease_until_it_has_finished(server: httpx.Client, source: HostedSource) -> None:
    run = lineal.init("digits", url=url_of(server))
    run.log({"loss": 1.0})
    wait_for(lambda: server.get(f"/runs/{run.run_id}").status_code == 200)
    assert lease_of(source, run) is not None
    run.finish()
    assert lease_of(source, run) is None


def lease_of(source: HostedSource, run: lineal.Run) -> int | None:
    with source.opened() as store:
        cursor = store.tenant("default").find_cursor(run._journal.writer)
    assert cursor is not None
    return cursor.lease_until_ms


def test_what_was_sent_is_kept_for_a_while_and_not_for_ever(
    server: httpx.Client, own_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        with lineal.init("digits", url=url_of(server)) as run:
            run.log({"loss": 1.0})
    [folder] = list_outboxes(str(own_folder))
    wait_for(lambda: len(sent(folder)) == 3)
    now_s = time.time()
    clear_sent(folder, now_s)
    assert len(sent(folder)) == 3
    oldest = min(sent(folder), key=lambda path: path.stat().st_mtime)
    os.utime(oldest, (now_s - 8 * 86_400, now_s - 8 * 86_400))
    clear_sent(folder, now_s)
    assert len(sent(folder)) == 2 and not oldest.exists()
    monkeypatch.setenv("LINEAL_SENT_MIB", "0")
    clear_sent(folder, now_s)
    assert sent(folder) == []


def sent(folder: Folder) -> list[Path]:
    return [path for path in Path(folder.sent).rglob("*") if path.is_file()]


def test_the_newest_head_of_the_audit_chain_is_kept(server: httpx.Client, own_folder: Path) -> None:
    with lineal.init("digits", url=url_of(server)) as run:
        run.set_tag("a", "b")
    wait_for(lambda: server.get("/audit/head").json()["head"] is not None)
    with lineal.init("digits", url=url_of(server)):
        pass
    [folder] = list_outboxes(str(own_folder))
    kept = json.loads((Path(folder.root) / "heads" / "default.json").read_text())
    assert kept["tenant"] == "default" and kept["hash"] and kept["number"] > 0
