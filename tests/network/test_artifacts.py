"""Files of a run get to the server as its points do."""

from __future__ import annotations

import random
from pathlib import Path

import httpx
import pytest

import lineal
from lineal.client.outbox import list_outboxes
from lineal.testing.fault_proxy import faulty
from tests.network.conftest import detail_of, url_of
from tests.network.programs import lineal_command, read_line, start
from tests.network.test_faults import port_of, seed  # noqa: F401 (a fixture)
from tests.network.test_uploader import wait_for

LOGS_A_FILE_AND_WAITS = """
import sys, lineal
run = lineal.init("digits", url=sys.argv[1])
run.log_artifact(sys.argv[2], "models")
print(run.run_id, flush=True)
sys.stdin.read()
"""


def bytes_of(client: httpx.Client, run_id: str, path: str) -> bytes:
    return client.get(f"/experiments/runs/{run_id}/artifacts/{path}").content


def test_they_are_there_when_finish_returns(server: httpx.Client, tmp_path: Path, own_folder: Path) -> None:
    content = random.Random(1).randbytes(5_000_000)
    (tmp_path / "model.pt").write_bytes(content)
    with lineal.init("digits", url=url_of(server)) as run:
        run.log_artifact(tmp_path / "model.pt", "models")
        run.log_artifact(tmp_path / "model.pt", "again")
        run.log_text("hello", "notes/hello.txt")
    assert bytes_of(server, run.run_id, "models/model.pt") == bytes_of(server, run.run_id, "again/model.pt") == content
    assert bytes_of(server, run.run_id, "notes/hello.txt") == b"hello"
    assert {one["path"] for one in detail_of(server, run.run_id)["artifacts"]} == {
        "models/model.pt",
        "again/model.pt",
        "notes/hello.txt",
    }
    [folder] = list_outboxes(str(own_folder))
    assert [path for path in Path(folder.blobs).rglob("*") if path.is_file()] == []


def test_points_do_not_wait_for_a_large_file(server: httpx.Client, tmp_path: Path) -> None:
    """The upload is held up half way; what is logged meanwhile arrives."""
    (tmp_path / "large.bin").write_bytes(random.Random(2).randbytes(20_000_000))
    with faulty("localhost", port_of(server), seed=1, rate=0) as proxy:
        proxy.hold("PUT ")
        run = lineal.init("digits", url=proxy.url)
        run.log_artifact(tmp_path / "large.bin")
        run.log({"loss": 1.0})
        wait_for(
            lambda: server.get(f"/runs/{run.run_id}").status_code == 200 and detail_of(server, run.run_id)["series"]
        )
        proxy.let_go()
        run.finish()
    assert len(bytes_of(server, run.run_id, "large.bin")) == 20_000_000


def test_through_a_bad_network(server: httpx.Client, tmp_path: Path, seed: int) -> None:  # noqa: F811
    chance = random.Random(seed)
    contents = [chance.randbytes(chance.randrange(1, 200_000)) for _ in range(25)]
    with faulty("localhost", port_of(server), seed=seed, rate=0.3) as proxy, lineal.init(url=proxy.url) as run:
        for number, content in enumerate(contents):
            (tmp_path / f"{number}.bin").write_bytes(content)
            run.log_artifact(tmp_path / f"{number}.bin")
    for number, content in enumerate(contents):
        assert bytes_of(server, run.run_id, f"{number}.bin") == content


@pytest.mark.parametrize("is_killed", [True, False])
def test_what_was_logged_offline_is_sent_by_sync(server: httpx.Client, tmp_path: Path, is_killed: bool) -> None:
    content = random.Random(3).randbytes(1_000_000)
    (tmp_path / "model.pt").write_bytes(content)
    with start(
        LOGS_A_FILE_AND_WAITS, "http://localhost:9", tmp_path / "model.pt", LINEAL_FINISH_DRAIN_S="0"
    ) as process:
        run_id = read_line(process)
        process.kill() if is_killed else process.communicate("")
    done = lineal_command("sync", "--url", url_of(server))
    assert done.returncode == 0, done.stderr
    assert bytes_of(server, run_id, "models/model.pt") == content
    assert detail_of(server, run_id)["status"] == ("lost" if is_killed else "finished")
