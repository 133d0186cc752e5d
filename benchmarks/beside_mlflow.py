"""`lineal serve` beside `mlflow server`, both over SQLite on this machine, in turn, round after round.

    python -m benchmarks.beside_mlflow [--rounds 3] [--runs 10000] [--requests 100] [--clients 8] [--place FOLDER]

Start, memory, log-batch of 1,000 metrics a request, the curves of ten runs x 10,000 points, and search over `--runs` runs of
10 params and 10 metrics. There is one load generator, on the same cores: it takes its share of what the servers could do.
MLflow's runs are written into its database by SQL, since its own road would take a quarter of an hour; what is searched and
drawn is asked through each server's own address. MLflow lives in an environment of its own (`requirements/mlflow.txt`)."""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks import many_runs, process
from benchmarks.environments import python_of

POINTS = 1_000
CURVES, CURVE_POINTS = 10, 10_000
ASKED = 30
Figures = dict[str, float]


class Contender(Protocol):
    """A server: how it is started, filled and asked. `log` gives path and body of a batch of (name, value, step, time)."""

    name: str

    def command(self, place: Path, port: int) -> list[str]: ...
    def fill(self, place: Path, count: int) -> None: ...
    def start_run(self, asker: Asker) -> str: ...
    def log(self, run: str, entries: list[tuple[str, float, int, int]]) -> tuple[str, bytes]: ...
    def curves(self, runs: list[str]) -> tuple[str, str, bytes | None]: ...
    def searches(self) -> dict[str, tuple[str, bytes]]: ...
    def count_runs(self, answer: bytes) -> int: ...


class Asker:
    """One kept connection; a server that has closed it is connected to again."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("localhost", port, timeout=300)

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        for again in (True, False):
            try:
                self._connection.request(method, path, body, {"content-type": "application/json"})
                answer = self._connection.getresponse()
                break
            except (ConnectionError, http.client.RemoteDisconnected):
                self._connection.close()
                if not again:
                    raise
        said = answer.read()
        if answer.status not in (200, 201):
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:300]!r}")
        return said

    def post(self, path: str, body: object) -> Any:
        return json.loads(self.ask("POST", path, json.dumps(body).encode()))


class Lineal:
    name = "lineal"

    def __init__(self) -> None:
        self._experiment = ""

    def command(self, place: Path, port: int) -> list[str]:
        store = f"sqlite:///{place}/lineal.db"
        return [sys.executable, "-m", "lineal.cli.main", "serve", "--port", str(port), "--store", store]

    def fill(self, place: Path, count: int) -> None:
        for _ in many_runs.fill(count, f"sqlite:///{place}/lineal.db"):
            pass

    def start_run(self, asker: Asker) -> str:
        if not self._experiment:
            made = asker.post("/api/v1/experiments", {"name": "curves"})
            self._experiment = made["id"]
        run: str = asker.post("/api/v1/experiments/runs", {"experiment_id": self._experiment})["run_id"]
        return run

    def log(self, run: str, entries: list[tuple[str, float, int, int]]) -> tuple[str, bytes]:
        metrics = [{"key": k, "value": v, "step": s, "timestamp": t} for k, v, s, t in entries]
        return f"/api/v1/experiments/runs/{run}/log-batch", json.dumps({"metrics": metrics}).encode()

    def curves(self, runs: list[str]) -> tuple[str, str, bytes | None]:
        body = {"run_ids": runs, "metrics": ["loss"], "max_points": 500}
        return "POST", "/api/v1/runs/series", json.dumps(body).encode()

    def searches(self) -> dict[str, tuple[str, bytes]]:
        asked: dict[str, dict[str, Any]] = {
            "newest": {"limit": 100},
            "top": {"limit": 50, "order_by": ["metrics.val/acc desc"]},
            "half": {"limit": 50, "filter": "metrics.loss > 0.01", "order_by": ["metrics.val/acc desc"]},
        }
        return {name: ("/api/v1/runs/search", json.dumps(body).encode()) for name, body in asked.items()}

    def count_runs(self, answer: bytes) -> int:
        return len(json.loads(answer)["runs"])


class Mlflow:
    name = "mlflow"
    _API = "/api/2.0/mlflow"

    def command(self, place: Path, port: int) -> list[str]:
        store, artifacts = f"sqlite:///{place}/mlflow.db", str(place / "artifacts")
        options = ["--backend-store-uri", store, "--artifacts-destination", artifacts, "--port", str(port)]
        return [str(python_of("mlflow")), "-m", "mlflow", "server", *options]

    def fill(self, place: Path, count: int) -> None:
        """The tables that its SQL store keeps a run in; the server has made the database before."""
        with closing(sqlite3.connect(place / "mlflow.db")) as database, database:
            [experiment] = database.execute("SELECT min(experiment_id) FROM experiments").fetchone()
            for number in range(count):
                noise = np.random.default_rng(number)
                run, now = noise.bytes(16).hex(), many_runs.FIRST_MS + number * 1_000
                database.execute(
                    "INSERT INTO runs (run_uuid, name, source_type, source_name, entry_point_name, user_id, status,"
                    " start_time, end_time, source_version, lifecycle_stage, artifact_uri, experiment_id)"
                    " VALUES (?, ?, 'LOCAL', '', '', 'bench', 'FINISHED', ?, ?, '', 'active', '', ?)",
                    (run, f"run-{number}", now, now + 1_000, experiment),
                )
                params = [(key, str(value), run) for key, value in many_runs.params(number, noise).items()]
                database.executemany("INSERT INTO params (key, value, run_uuid) VALUES (?, ?, ?)", params)
                block = many_runs.block(number, noise)
                for key, values in zip(many_runs.METRICS, block.values, strict=True):
                    points = [
                        (key, 0.0 if value != value else value, now + 10 * step, run, step, value != value)
                        for step, value in enumerate(values.tolist())
                    ]
                    for table, rows in (("metrics", points), ("latest_metrics", points[-1:])):
                        database.executemany(
                            f"INSERT INTO {table} (key, value, timestamp, run_uuid, step, is_nan) VALUES (?, ?, ?, ?, ?, ?)",
                            rows,
                        )

    def start_run(self, asker: Asker) -> str:
        body = {"experiment_id": "0", "start_time": time.time_ns() // 1_000_000}
        run: str = asker.post(f"{self._API}/runs/create", body)["run"]["info"]["run_id"]
        return run

    def log(self, run: str, entries: list[tuple[str, float, int, int]]) -> tuple[str, bytes]:
        metrics = [{"key": k, "value": v, "step": s, "timestamp": t} for k, v, s, t in entries]
        return f"{self._API}/runs/log-batch", json.dumps({"run_id": run, "metrics": metrics}).encode()

    def curves(self, runs: list[str]) -> tuple[str, str, bytes | None]:
        """What its own page asks for a chart."""
        query = "&".join(f"run_ids={run}" for run in runs)
        return (
            "GET",
            f"/ajax-api/2.0/mlflow/metrics/get-history-bulk-interval?{query}&metric_key=loss&max_results=500",
            None,
        )

    def searches(self) -> dict[str, tuple[str, bytes]]:
        asked: dict[str, dict[str, Any]] = {
            "newest": {"max_results": 100},
            "top": {"max_results": 50, "order_by": ["metrics.`val/acc` DESC"]},
            "half": {"max_results": 50, "filter": "metrics.loss > 0.01", "order_by": ["metrics.`val/acc` DESC"]},
        }
        path = f"{self._API}/runs/search"
        return {name: (path, json.dumps({"experiment_ids": ["0"], **body}).encode()) for name, body in asked.items()}

    def count_runs(self, answer: bytes) -> int:
        return len(json.loads(answer)["runs"])


@contextmanager
def serving(contender: Contender, place: Path) -> Iterator[tuple[int, int, float]]:
    """The process's id, its port, and the seconds from its start to its first healthy answer."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.perf_counter()
    with open(place / "server.log", "ab") as log:
        server = subprocess.Popen(contender.command(place, port), stdout=log, stderr=log, start_new_session=True)
    try:
        health = "/health" if contender.name == "mlflow" else "/api/v1/health"
        while True:
            try:
                Asker(port).ask("GET", health)
                break
            except (OSError, RuntimeError, http.client.HTTPException):
                if server.poll() is not None or time.perf_counter() - began > 120:
                    raise RuntimeError(f"{contender.name} does not start: see {place / 'server.log'}") from None
                time.sleep(0.01)
        yield server.pid, port, time.perf_counter() - began
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def memory_mib(pid: int) -> float:
    """Of the server and everything that it started."""
    return sum(process.resident_mib(one) for one in process.session_members(pid))


def entries_of(shape: str, count: int, seed: int) -> list[list[tuple[str, float, int, int]]]:
    """Requests of 1,000 metrics. `tall`: 10 names at 100 steps; `wide`: 1,000 names at one."""
    chance, width = np.random.default_rng(seed), POINTS if shape == "wide" else 10
    return [
        [
            (f"metric_{at % width}", value, number * (POINTS // width) + at // width, 1_700_000_000_000 + number)
            for at, value in enumerate(chance.normal(size=POINTS).tolist())
        ]
        for number in range(count)
    ]


def _send(port: int, requests: list[tuple[str, bytes]], begin: Any, results: Any) -> None:
    asker = Asker(port)
    begin.wait()
    began, took = time.time(), []
    for path, body in requests:
        start = time.perf_counter()
        asker.ask("POST", path, body)
        took.append((time.perf_counter() - start) * 1_000)
    results.put((began, time.time(), took))


def load(contender: Contender, port: int, shape: str, clients: int, count: int) -> Figures:
    """Points/s and p99 of one request, answered after the commit."""
    asker = Asker(port)
    runs = [contender.start_run(asker) for _ in range(clients)]
    context = multiprocessing.get_context("spawn")
    begin, results = context.Barrier(clients), context.Queue()
    senders = []
    for seed, run in enumerate(runs):
        requests = [contender.log(run, entries) for entries in entries_of(shape, count, seed)]
        senders.append(context.Process(target=_send, args=(port, requests, begin, results)))
    for sender in senders:
        sender.start()
    found = [results.get() for _ in senders]
    for sender in senders:
        sender.join()
    seconds = max(end for _, end, _ in found) - min(began for began, _, _ in found)
    took = sorted(one for _, _, times in found for one in times)
    label = f"{shape}, {clients} client{'s' if clients > 1 else ''}"
    return {
        f"log-batch {label}: points/s": clients * count * POINTS / seconds,
        f"log-batch {label}: p99 ms": took[int(len(took) * 0.99)],
    }


def asked_ms(asker: Asker, method: str, path: str, body: bytes | None, times: int = ASKED) -> float:
    asker.ask(method, path, body)
    took = []
    for _ in range(times):
        began = time.perf_counter()
        asker.ask(method, path, body)
        took.append((time.perf_counter() - began) * 1_000)
    return statistics.median(took)


def measure(contender: Contender, place: Path, runs: int, clients: int, requests: int) -> Figures:
    figures: Figures = {}
    # MLflow takes a second a request where a query is slow: fewer requests say as much.
    count = requests if contender.name == "lineal" else max(3, requests // 20)
    with serving(contender, place) as (pid, port, seconds):
        figures["start s"] = seconds
        time.sleep(2)
        figures["memory idle MiB"] = memory_mib(pid)
        for shape in ("tall", "wide"):
            for number in (1, clients):
                figures |= load(contender, port, shape, number, count)
        figures["memory after the load MiB"] = memory_mib(pid)
    contender.fill(place, runs)
    with serving(contender, place) as (pid, port, _):
        asker = Asker(port)
        curves = [contender.start_run(asker) for _ in range(CURVES)]
        values = np.random.default_rng(1).normal(size=CURVE_POINTS).tolist()
        points = [("loss", value, step, 1_700_000_000_000 + step) for step, value in enumerate(values)]
        for run in curves:
            for first in range(0, CURVE_POINTS, POINTS):
                asker.ask("POST", *contender.log(run, points[first : first + POINTS]))
        figures[f"curves of {CURVES} runs x {CURVE_POINTS:,} points, ms"] = asked_ms(asker, *contender.curves(curves))
        for name, (path, body) in contender.searches().items():
            wanted = json.loads(body).get("limit") or json.loads(body)["max_results"]
            assert contender.count_runs(asker.ask("POST", path, body)) == wanted, name
            times = ASKED if contender.name == "lineal" else 5
            figures[f"search {runs:,} runs, {name}: ms"] = asked_ms(asker, "POST", path, body, times)
    return figures


def shown(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.beside_mlflow", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=100, help="Of each client; MLflow gets a twentieth.")
    parser.add_argument("--only", choices=["lineal", "mlflow"])
    parser.add_argument("--place", type=Path)
    given = parser.parse_args()
    makers: list[type[Lineal] | type[Mlflow]] = [Lineal, Mlflow]
    found: dict[str, list[Figures]] = {}
    for round_number in range(given.rounds):
        for maker in makers if round_number % 2 == 0 else makers[::-1]:
            contender: Contender = maker()
            if given.only in (None, contender.name):
                with tempfile.TemporaryDirectory(dir=given.place) as place:
                    figures = measure(contender, Path(place), given.runs, given.clients, given.requests)
                found.setdefault(contender.name, []).append(figures)
                print(
                    f"round {round_number + 1} {contender.name} load {os.getloadavg()[0]:.1f}",
                    file=sys.stderr,
                    flush=True,
                )
    print(f"| | {' | '.join(found)} | ratio |\n| --- |{' --- |' * (len(found) + 1)}")
    for figure in next(iter(found.values()))[0]:
        cells = []
        for rounds in found.values():
            numbers = [one[figure] for one in rounds]
            cells.append(f"{shown(statistics.median(numbers))} ({shown(min(numbers))} to {shown(max(numbers))})")
        ratios = [b[figure] / a[figure] for a, b in zip(*found.values(), strict=True)] if len(found) == 2 else []
        ratio = statistics.median(ratios) if ratios else 0.0
        better = 1 / ratio if ratio and figure.endswith("points/s") else ratio
        print(f"| {figure} | {' | '.join(cells)} | {f'{better:,.1f}x' if ratios else '-'} |")


if __name__ == "__main__":
    main()
