"""Other trackers' pages over the runs of S10, each by a server of its own environment, as its users start it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks import environments
from benchmarks.adapters import load
from benchmarks.page_curves import RUNS
from benchmarks.page_site import free_port

READY_S = 120.0
STOP_S = 10.0


class Peer(NamedTuple):
    """`package`: whose version is told. `environment`: whose Python and adapter record the runs. `command`: of folder and port.
    `ready`: what is asked until it answers with that many of the runs' names. `page`: where its charts are."""

    package: str
    environment: str
    command: Callable[[Path, int], list[str]]
    ready: str
    named: int
    page: str


PEERS = {
    "tensorboard": Peer(
        "tensorboard",
        "tensorboardX",
        lambda folder, port: ["tensorboard.main", "--logdir", str(folder), "--host", "127.0.0.1", "--port", str(port)],
        "/data/runs",
        RUNS,
        "/",
    ),
    "mlflow": Peer(
        "mlflow",
        "mlflow",
        lambda folder, port: [
            *("mlflow", "ui", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
            *("--host", "127.0.0.1", "--port", str(port)),
        ],
        "/health",
        0,
        "/#/experiments/1/runs?compareRunsMode=CHART",
    ),
    "trackio": Peer(
        "trackio",
        "trackio",
        lambda folder, port: ["trackio.cli", "show", "--project", "bench", "--host", "127.0.0.1"],
        "/",
        0,
        "/?project=bench",
    ),
}


def _surroundings(peer: Peer, folder: Path) -> dict[str, str]:
    path = str(environments.HERE.parent)
    return {**os.environ, **load(peer.environment).environment(folder), "PYTHONPATH": path, "BROWSER": "true"}


def version(name: str) -> str:
    peer = PEERS[name]
    ask = f"from importlib.metadata import version; print(version({peer.package!r}))"
    command = [str(environments.python_of(peer.environment)), "-c", ask]
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def make(name: str, place: Path) -> Path:
    """Its folder; made if it is not there whole."""
    peer = PEERS[name]
    folder, done = place / f"S10-{name}", place / f"S10-{name}.done"
    if not done.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        command = [
            str(environments.python_of(peer.environment)),
            *("-m", "benchmarks.page_curves", peer.environment, str(folder)),
        ]
        print(f"making {folder} (once) ...", file=sys.stderr, flush=True)
        subprocess.run(command, env=_surroundings(peer, folder), stdout=sys.stderr, check=True)
        done.touch()
    return folder


@contextmanager
def served(name: str, folder: Path, log: Path) -> Iterator[str]:
    """The address of its charts; everything the runs hold has been read by then."""
    peer, port = PEERS[name], free_port()
    address = f"http://127.0.0.1:{port}"
    command = [str(environments.python_of(peer.environment)), "-m", *peer.command(folder, port)]
    surroundings = _surroundings(peer, folder) | {"GRADIO_SERVER_PORT": str(port), "GRADIO_NUM_PORTS": "1"}
    with open(log, "w", encoding="utf-8") as output:
        server = subprocess.Popen(command, env=surroundings, stdout=output, stderr=output, start_new_session=True)
    try:
        _await(server, f"{address}{peer.ready}", peer.named)
        yield f"{address}{peer.page}"
    finally:
        # Some have workers of their own: the whole group is told.
        _signal_group(server, 15)
        try:
            server.wait(STOP_S)
        except subprocess.TimeoutExpired:
            _signal_group(server, 9)
            server.wait()


def _signal_group(server: subprocess.Popen[bytes], number: int) -> None:
    try:
        os.killpg(server.pid, number)
    except ProcessLookupError:
        pass


def _await(server: subprocess.Popen[bytes], url: str, named: int) -> None:
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if answer.read().decode().count("curve-") >= named:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            pass
        time.sleep(0.2)
    raise RuntimeError(f"{url} did not answer (exit {server.poll()})")


@contextmanager
def all_served(place: Path) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Addresses and versions of the peers that could be installed and started; one that could not is told and left out."""
    addresses: dict[str, str] = {}
    versions: dict[str, str] = {}
    with ExitStack() as stack:
        for name in PEERS:
            try:
                folder = make(name, place)
                addresses[name] = stack.enter_context(served(name, folder, place / f"S10-{name}.log"))
                versions[name] = version(name)
            except (environments.NotInstalled, RuntimeError, subprocess.CalledProcessError) as error:
                print(f"{name} is left out: {error}", file=sys.stderr)
        yield addresses, versions
