"""A folder with real runs, the app over it within this process, and `lineal ui` as a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

import lineal
from lineal.dashboard import LocalSource
from lineal.local import LocalStore
from lineal.server.serving import listen, make_server
from lineal.server.source import Source
from tests.server.contract import check
from tests.server.watched import SERVER_THREAD, WATCH

if TYPE_CHECKING:
    from tests.server.let_in import World

SRC = Path(__file__).resolve().parents[2] / "src"


@pytest.fixture(autouse=True)
def watch_of_server() -> Iterator[None]:
    WATCH.foreign.clear()
    WATCH.may_call.clear()
    WATCH.is_on = True
    yield
    WATCH.is_on = False
    assert not WATCH.foreign, "the server did what no request may make it do"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "notebook"


@pytest.fixture
def source(folder: Path) -> Iterator[LocalSource]:
    with LocalStore(folder) as local:
        source = LocalSource(local)
        yield source
        source.close()


@contextmanager
def served_here(source: Source, base: str = "", port: int = 0, **more: Any) -> Iterator[httpx.Client]:
    """The app, served by a thread of this process. Its client names paths from `base` on, and holds answers to the contract."""
    listener = listen(port)
    ready = threading.Event()
    server = make_server(source, listener, ready.set, **more)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name=SERVER_THREAD)
    thread.start()
    try:
        assert ready.wait(30)
        with client_of(f"http://localhost:{listener.getsockname()[1]}{base}") as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
    assert not thread.is_alive()


def client_of(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, timeout=30, event_hooks={"response": [check]})


@pytest.fixture
def client(source: LocalSource) -> Iterator[httpx.Client]:
    """As the app's own page calls it."""
    with served_here(source) as client:
        yield client


@dataclass
class Served:
    """The app in a process of its own."""

    process: subprocess.Popen[str]
    url: str
    client: httpx.Client


@contextmanager
def started(command: str, *arguments: str, base: str = "", stderr: Any = None, **environment: str) -> Iterator[Served]:
    """`lineal ...` that says its address when it answers, until the block ends."""
    with subprocess.Popen(
        [sys.executable, "-m", "lineal.cli.main", command, "--port", "0", "--json", *arguments],
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SRC), **environment},
    ) as process:
        try:
            assert process.stdout is not None
            said = ""
            while not said.endswith("}\n"):
                line = process.stdout.readline()
                assert line, "it ended before it answered"
                said += line
            url = json.loads(said)["url"].rstrip("/") + base
            with client_of(url) as client:
                yield Served(process, url, client)
        finally:
            process.terminate()
            process.wait(30)


def serving(folder: Path, *arguments: str, **environment: str) -> AbstractContextManager[Served]:
    """`lineal ui`."""
    return started("ui", "--no-browser", *arguments, LINEAL_URL=str(folder), **environment)


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


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """`lineal serve --auth`, and people."""
    from tests.server.let_in import new_world

    with new_world(sqlite_place(tmp_path / "srv").url, tmp_path / "srv" / "blobs") as world:
        yield world


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def every_world(request: Any, tmp_path: Path) -> Iterator[World]:
    """The same over every store."""
    from tests.server.let_in import new_world

    url = {"memory": "memory:", "sqlite": sqlite_place(tmp_path / "srv").url}.get(request.param)
    with new_world(url or request.getfixturevalue("postgres_url"), tmp_path / "srv" / "blobs") as world:
        yield world


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
