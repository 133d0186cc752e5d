"""A disk that is full, of the database or of the artifacts: reads go on, writes are told to come again, deleting works, and it heals by
itself. What was answered is there, before and after."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from lineal.testing.crash import small_disk
from tests.server.conftest import Place, json_of
from tests.server.hosting import new_experiment, new_run, serving_store

RUN = "/experiments/runs"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    if os.geteuid() != 0:
        pytest.skip("needs root to mount a tmpfs")
    try:
        with small_disk(tmp_path / "disk", "12M") as place:
            yield place
    except (subprocess.CalledProcessError, FileNotFoundError):
        pytest.skip("cannot mount a tmpfs here")


def ready(client: httpx.Client) -> int:
    return httpx.get(str(client.base_url).partition("/api/")[0] + "/ready").status_code


def until_ready(client: httpx.Client, wanted: int) -> None:
    deadline = time.monotonic() + 30
    while ready(client) != wanted:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def until_written(client: httpx.Client, path: str) -> None:
    deadline = time.monotonic() + 30
    while client.post(path).status_code != 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def refused(answer: httpx.Response) -> None:
    problem = json_of(answer, 503)
    assert problem["code"] in ("not_writable", "busy") and int(answer.headers["retry-after"]) > 0
    assert "/" not in problem["detail"].replace("`", ""), "no reply names a path"


@contextmanager
def filled(disk: Path) -> Iterator[None]:
    """To the last block."""
    ballast = disk / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        size = 1024 * 1024
        while size:
            try:
                file.write(bytes(size))
            except OSError:
                size //= 2
    try:
        yield
    finally:
        ballast.unlink()


def test_of_the_database(disk: Path, tmp_path: Path) -> None:
    place = Place(tmp_path / "elsewhere", f"sqlite:///{disk}/lineal.db")
    with serving_store(place) as served:
        client = served.client
        ids = [new_run(client) for _ in range(3)]
        experiment = json_of(client.get("/experiments"))["experiments"][0]["id"]
        answered = dict.fromkeys(ids, 0)

        def log(run_id: str, count: int = 500) -> httpx.Response:
            step = answered[run_id]
            entries = [{"key": f"m{number}", "value": step, "step": step} for number in range(count)]
            answer = client.post(f"{RUN}/{run_id}/log-batch", json={"metrics": entries})
            if answer.status_code == 200:
                answered[run_id] = step + 1
            return answer

        def check() -> None:
            for run_id, count in answered.items():
                if count:
                    series = json_of(client.get(f"{RUN}/{run_id}/metrics/m0"))
                    assert series["step"] == list(range(count))
            assert json_of(client.get(RUN))["total"] == 3

        for run_id in ids:
            json_of(log(run_id))
        with filled(disk):
            for _ in range(200):
                answer = log(ids[0])
                if answer.status_code != 200:
                    break
            refused(answer)
            until_ready(client, 503)
            check()
            refused(log(ids[1]))
            json_of(client.post("/runs/delete", json={"run_ids": [ids[2]]}))
            answered.pop(ids[2])
            assert client.get(f"{RUN}/{ids[2]}").json()["lifecycle_stage"] == "deleted"
            assert json_of(client.get(RUN))["total"] == 2
            refused(log(ids[1], count=1))  # what is kept for deleting is nobody else's
            json_of(client.delete(f"/experiments/{experiment}"))
            json_of(client.post("/runs/delete", json={"run_ids": [ids[1]]}))
        until_ready(client, 200)
        until_written(client, f"/experiments/{experiment}/restore")
        json_of(client.post("/runs/restore", json={"run_ids": ids[1:]}))
        answered[ids[2]] = 1
        for run_id in ids:
            json_of(log(run_id))
        check()
        served.process.kill()
        served.process.wait(30)
    with serving_store(place) as served:
        client = served.client
        check()


def test_of_the_artifacts(disk: Path, place: Place) -> None:
    with serving_store(Place(disk, place.url)) as served:
        client = served.client
        run = f"{RUN}/{new_run(client)}"
        json_of(client.post(f"{run}/log-artifact", files={"file": ("a", b"hello")}))
        with filled(disk / "blobs"):
            refused(client.post(f"{run}/log-artifact", files={"file": ("b", bytes(100_000))}))
            digest = "0" * 64
            refused(client.put(f"/blobs/{digest}", content=bytes(100_000)))
            assert client.head(f"/blobs/{digest}").headers.get("upload-offset") is None
            assert client.get(f"{run}/artifacts/a").content == b"hello"
            until_ready(client, 503)
            if place.url.startswith("postgresql"):  # the database lies on another disk
                json_of(client.post(f"{run}/log-metrics", json={"metrics": {"m": 1}}))
        until_ready(client, 200)
        json_of(client.post(f"{run}/log-artifact", files={"file": ("b", bytes(100_000))}))
        listed = json_of(client.get(f"{run}/artifacts"))["artifacts"]
        assert [one["path"] for one in listed] == ["a", "b"]
        assert sorted(path.name[:5] for path in (disk / "blobs").rglob("*") if "draft" in path.name) == []


def test_more_than_the_disk_takes(disk: Path, place: Place) -> None:
    """In one upload: refused while it comes, and its room is given back."""
    with serving_store(Place(disk, place.url)) as served:
        run = f"{RUN}/{new_run(served.client)}"
        refused(served.client.post(f"{run}/log-artifact", files={"file": ("b", bytes(30_000_000))}))
        refused(served.client.put(f"/blobs/{'0' * 64}", content=bytes(30_000_000)))
        json_of(served.client.post(f"{run}/log-artifact", files={"file": ("b", bytes(3_000_000))}))
        new_experiment(served.client, "another")
