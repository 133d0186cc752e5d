"""A folder with real runs, the app over it within this process, and `lineal ui` as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

import lineal
from lineal.dashboard import LocalSource
from lineal.local import LocalStore
from lineal.server.serving import listen, make_server
from tests.server.contract import check

SRC = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "notebook"


@pytest.fixture
def source(folder: Path) -> Iterator[LocalSource]:
    with LocalStore(folder) as local:
        source = LocalSource(local)
        yield source
        source.close()


@pytest.fixture
def client(source: LocalSource) -> Iterator[httpx.Client]:
    """The app, served by a thread of this process, as its own page calls it."""
    listener = listen(0)
    ready = threading.Event()
    server = make_server(source, listener, ready.set)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        assert ready.wait(30)
        url = f"http://localhost:{listener.getsockname()[1]}"
        with httpx.Client(base_url=url, timeout=30, event_hooks={"response": [check]}) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
    assert not thread.is_alive()


@dataclass
class Served:
    """`lineal ui` in a process of its own."""

    process: subprocess.Popen[str]
    url: str
    client: httpx.Client


@contextmanager
def serving(folder: Path, *arguments: str, **environment: str) -> Iterator[Served]:
    with subprocess.Popen(
        [sys.executable, "-m", "lineal.cli.main", "ui", "--port", "0", "--no-browser", "--json", *arguments],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SRC), "LINEAL_URL": str(folder), **environment},
    ) as process:
        try:
            assert process.stdout is not None
            said = ""
            while not said.endswith("}\n"):
                line = process.stdout.readline()
                assert line, "it ended before it answered"
                said += line
            url = json.loads(said)["url"]
            with httpx.Client(base_url=url, timeout=30, event_hooks={"response": [check]}) as client:
                yield Served(process, url, client)
        finally:
            process.terminate()
            process.wait(30)


@pytest.fixture
def served(folder: Path) -> Iterator[Served]:
    with serving(folder) as one:
        yield one


@pytest.fixture
def runs(folder: Path) -> list[str]:
    """Four finished runs of two settings; ids, oldest first."""
    ids = []
    for number in range(4):
        params = {"lr": 0.1 * (number + 1), "model": {"kind": "mlp" if number % 2 else "cnn"}, "seed": number}
        with lineal.init(
            experiment="digits", name=f"run-{number}", params=params, tags={"team": "red"}, url=folder
        ) as run:
            for step in range(1_200):
                run.log({"train/loss": 1 / (step + 1), "epoch": step // 100}, step=step)
            run.log_text("hello there", "notes/hello.txt")
            run.set_json("review", {"score": number})
        ids.append(run.run_id)
    return ids


def json_of(response: Any, status: int = 200) -> Any:
    assert response.status_code == status, response.text
    return response.json()


@dataclass(frozen=True)
class Place:
    """Where a server keeps what it is told: a database, and a folder beside it."""

    folder: Path
    url: str

    @property
    def blobs(self) -> Path:
        return self.folder / "blobs"


def sqlite_place(folder: Path) -> Place:
    return Place(folder, f"sqlite:///{folder}/lineal.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: Any, tmp_path: Path) -> Place:
    """Empty, in each of the databases."""
    if request.param == "sqlite":
        return sqlite_place(tmp_path / "srv")
    return Place(tmp_path / "srv", request.getfixturevalue("postgres_url"))
