"""The servers that the comparisons need, each in a process of its own over an empty store."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.environments import python_of
from tests.ports import kept_port

ROOT = Path(__file__).resolve().parents[2]
WAIT_S = 120
STOCK = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "PYTHONPATH": "",
    # Webhooks may lead to a receiver of the scripts, as ours by --webhook-receiver; a new one is told at once.
    "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
    "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
    "MLFLOW_WEBHOOK_CACHE_TTL": "0",
    "MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY": "5f8Lx2mSxJ1cT0a4w6vKq9ZyN3hR7bDgUeWoPiQkM1E=",
}


def _wait(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + WAIT_S
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            if server.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"no server answers: {log.read_text(errors='replace')[-2000:]}") from None
            time.sleep(0.05)


@contextmanager
def _started(command: list[str], port: int, log: Path, more: dict[str, str]) -> Iterator[str]:
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, env={**os.environ, **more}, stdout=output, stderr=output, cwd=log.parent, start_new_session=True
        )
        try:
            _wait(f"{url}/health", server, log)
            yield url
        finally:
            os.killpg(server.pid, signal.SIGTERM)  # a stock server has workers
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


@contextmanager
def lineal_server(store: str = "sqlite", address: str | None = None) -> Iterator[str]:
    """`lineal serve` over an empty store; `address` is an empty PostgreSQL database, one is made if it is not given."""
    with tempfile.TemporaryDirectory() as folder, kept_port() as port:
        place = Path(folder)
        if store == "postgresql" and address is None:
            with _postgres() as address, lineal_server(store, address) as url:
                yield url
            return
        command = [sys.executable, "-m", "lineal.cli.main", "serve", "--port", str(port), "--log", "text"]
        command += ["--store", address or f"sqlite:///{place}/lineal.db", "--blobs", str(place / "blobs")]
        command += ["--webhook-receiver", "127.0.0.1:*"]
        with _started(command, port, place / "log", {"PYTHONPATH": str(ROOT / "src")}) as url:
            yield url


@contextmanager
def _postgres() -> Iterator[str]:
    """A whole server of one's own: a command has no fixtures."""
    from tests.postgres import FOLDER, Postgres

    place = Path(tempfile.mkdtemp(prefix=f"{FOLDER}own-"))
    place.chmod(0o711)
    server = Postgres(place)
    try:
        yield server.new("compat")
    finally:
        server.close()
        shutil.rmtree(place, ignore_errors=True)


@contextmanager
def stock_server() -> Iterator[str]:
    """`mlflow server` over SQLite with one worker."""
    with tempfile.TemporaryDirectory() as folder, kept_port() as port:
        place = Path(folder)
        command = [str(python_of("mlflow")), "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
        command += [
            "--backend-store-uri",
            f"sqlite:///{place}/mlflow.db",
            "--artifacts-destination",
            str(place / "artifacts"),
        ]
        with _started(command, port, place / "log", STOCK) as url:
            yield url
