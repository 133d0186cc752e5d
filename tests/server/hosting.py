"""`lineal serve`: the app over a store of its own, within this process and as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineal.server.hosted import HostedSource
from lineal.server.serving import listen, make_server
from tests.server.conftest import SRC, Place, Served, json_of, sqlite_place
from tests.server.contract import check

BASE = "/api/v1"


@contextmanager
def hosting(source: HostedSource, port: int = 0, **more: Any) -> Iterator[httpx.Client]:
    listener = listen(port)
    ready = threading.Event()
    server = make_server(source, listener, ready.set, **more)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        assert ready.wait(30)
        url = f"http://localhost:{listener.getsockname()[1]}{BASE}"
        with httpx.Client(base_url=url, timeout=30, event_hooks={"response": [check]}) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
    assert not thread.is_alive()


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def source(request: Any, tmp_path: Path) -> Iterator[HostedSource]:
    url = "memory:"
    if request.param == "sqlite":
        url = sqlite_place(tmp_path / "srv").url
    elif request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    with HostedSource(url, tmp_path / "srv" / "blobs") as source:
        yield source


@pytest.fixture
def hosted(source: HostedSource) -> Iterator[httpx.Client]:
    with hosting(source) as client:
        yield client


@contextmanager
def serving_store(place: Path | Place, *arguments: str, stderr: Any = None) -> Iterator[Served]:
    """`lineal serve` in a process of its own (a folder: over SQLite). Its client names paths from /api/v1 on."""
    if isinstance(place, Path):
        place = sqlite_place(place)
    command = [sys.executable, "-m", "lineal.cli.main", "serve", "--port", "0", "--json"]
    command += ["--store", place.url, "--blobs", str(place.blobs), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(SRC)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            said = ""
            while not said.endswith("}\n"):
                line = process.stdout.readline()
                assert line, "it ended before it answered"
                said += line
            url = json.loads(said)["url"].rstrip("/") + BASE
            with httpx.Client(base_url=url, timeout=30, event_hooks={"response": [check]}) as client:
                yield Served(process, url, client)
        finally:
            process.terminate()
            process.wait(30)


def new_experiment(client: httpx.Client, name: str = "digits", **more: Any) -> Any:
    return json_of(client.post("/experiments", json={"name": name, **more}), 201)


def new_run(client: httpx.Client, **more: Any) -> str:
    found = json_of(client.get("/experiments", params={"search": "digits"}))["experiments"]
    experiment = found[0] if found else new_experiment(client)
    answer = client.post("/experiments/runs", json={"experiment_id": experiment["id"], **more})
    run_id: str = json_of(answer, 201)["run_id"]
    return run_id
