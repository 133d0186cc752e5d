"""A request opens files of the data folder and of the page, and nothing else: Python's audit hook sees every attempt.

The hook watches the server's threads while every route is asked, kindly and with hostile names."""

from __future__ import annotations

import os
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import numpy.ma  # noqa: F401  (numpy loads it with the first np.unique)
import pytest

import lineal
from lineal.server.route_table import ENDPOINTS
from lineal.server.settings import STATIC
from tests.server.watched import SERVER_THREAD, WATCH, is_server_thread

FORBIDDEN = {
    "exec",
    "compile",
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.spawn",
    "os.posix_spawn",
    "os.fork",
    "pickle.find_class",
    "socket.connect",
    "socket.getaddrinfo",
    "ctypes.dlopen",
    "webbrowser.open",
    "urllib.Request",
}
OPENING = {"open", "os.listdir", "os.scandir", "sqlite3.connect", "os.rename", "os.remove", "os.mkdir"}
HOSTILE = (
    "../../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\etc\\passwd",
    "%2e%2e/etc/passwd",
    "file:///etc/passwd",
    "\0",
    "x\0y",
    "$(id)",
    "`id`",
    "'; DROP TABLE run; --",
    "__import__('os').system('id')",
    "\N{FULLWIDTH FULL STOP}" * 2 + "/etc",
)


class Watch:
    """Installed once, for good: audit hooks cannot be taken away."""

    def __init__(self) -> None:
        self.is_on = False
        self.seen: list[tuple[str, str]] = []
        sys.addaudithook(self._hear)

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.is_on and (event in FORBIDDEN or event in OPENING) and is_server_thread():
            self.seen.append((event, str(arguments[0]) if arguments else ""))


@pytest.fixture(scope="module")
def hook() -> Watch:
    return Watch()


@pytest.fixture
def watch(hook: Watch) -> Iterator[Watch]:
    hook.seen.clear()
    yield hook
    hook.is_on = False


def is_ours(event: str, place: str, folder: Path) -> bool:
    """Within the data folder or the page; or a module that Python loads late, which is code of ours and no one's wish."""
    if event in FORBIDDEN:
        return False
    if place.isdigit():  # a descriptor that is open already
        return True
    path = place.removeprefix("file:").partition("?")[0]
    # Whether the database lies on a network, which SQLite must know, and how much memory the process takes.
    if path in ("/proc/self/mountinfo", "/proc/self/statm"):
        return True
    roots = (
        folder,
        STATIC,
        Path(lineal.__file__).parent,
        *(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib", "purelib")),
    )
    return any(
        os.path.realpath(path).startswith(f"{os.path.realpath(root)}{os.sep}")
        or os.path.realpath(path) == os.path.realpath(root)
        for root in roots
    )


def ask_everything(client: httpx.Client, run_id: str, names: tuple[str, ...]) -> int:
    asked = 0
    bodies: dict[str, dict[str, Any]] = {
        "/api/v1/runs/search": {"filter": "name = 'x'"},
        "/api/v1/runs/groups": {"by": ["params.lr"]},
        "/api/v1/runs/series": {"run_ids": [run_id], "metrics": ["train/loss", *names]},
        "/api/v1/runs/tags": {"run_ids": [run_id], "tags": {name: name for name in names}},
        "/api/v1/runs/{run_id}": {"name": names[0], "note": names[-1]},
        "/api/v1/experiments/runs/compare": {"run_ids": [run_id, run_id], "metrics": list(names)},
        "/api/v1/filter/check": {"filter": "name matches '.*'"},
    }
    for endpoint in ENDPOINTS:
        if endpoint.path == "/api/v1/live":
            continue
        body = bodies.get(endpoint.path, {"run_ids": [run_id]}) if endpoint.body else None
        for name in names:
            path = endpoint.path.replace("{run_id}", run_id).replace("{experiment_id}", quote(name, safe=""))
            for part in ("{name:text}", "{path:text}"):
                path = path.replace(part, quote(name, safe=""))
            answer = client.request(
                endpoint.method,
                path,
                json=body,
                params={"prefix": name, "filter": name, "search": name, "field": name, "kind": "param"}
                if body is None
                else None,
            )
            assert answer.status_code < 500 and b"root:" not in answer.content
            asked += 1
    for name in names:
        for path in (f"/{quote(name, safe='')}", f"/assets/{quote(name)}", f"/t/{quote(name, safe='')}/api/v1/health"):
            assert b"root:" not in client.get(path).content
    with client.stream("GET", "/api/v1/live") as stream:
        assert next(stream.iter_lines()) == "retry: 1000"
    return asked


def test_nothing_beside_the_data_folder_is_opened(
    client: httpx.Client, folder: Path, runs: list[str], watch: Watch
) -> None:
    names = (*HOSTILE, "train/loss", "notes/hello.txt", "review")
    ask_everything(client, runs[0], names)  # modules that are loaded late are loaded now
    watch.is_on = True
    assert ask_everything(client, runs[0], names) > 100
    watch.is_on = False
    assert any(event == "sqlite3.connect" or place.startswith(str(folder)) for event, place in watch.seen), (
        "it hears nothing"
    )
    foreign = [(event, place) for event, place in watch.seen if not is_ours(event, place, folder)]
    assert not foreign


def test_the_watch_hears_what_it_should(watch: Watch, folder: Path) -> None:
    """Else the test above could not fail."""

    def stray() -> None:
        with tempfile.TemporaryFile() as file:
            file.read()
        compile("1", "x", "eval")

    watch.is_on = True
    thread = threading.Thread(target=stray, name=SERVER_THREAD)
    thread.start()
    thread.join()
    watch.is_on = False
    foreign = {event for event, place in watch.seen if not is_ours(event, place, folder)}
    assert {"open", "compile"} <= foreign


def test_every_test_of_the_server_is_watched(client: httpx.Client) -> None:
    before = WATCH.heard_count
    client.get("/api/v1/experiments")
    assert WATCH.is_on and not WATCH.foreign
    assert WATCH.heard_count > before, "it hears the server"
    thread = threading.Thread(target=os.listdir, args=("/etc",), name=SERVER_THREAD)
    thread.start()
    thread.join()
    assert WATCH.foreign == [("os.listdir", "/etc")]
    WATCH.foreign.clear()
