"""The same requests of MLflow's protocol to `lineal serve` and to a stock `mlflow server`, both over SQLite on this machine.

    python -m benchmarks.same_requests [--runs 10000] [--metrics 400] [--batches 40] [--place FOLDER]

What a script waits for (a metric, a batch of 1,000, the best 50 of many runs, one run, curves of ten runs), one request after
the other over one connection: wall time, and CPU time of the server, which other programs on the machine disturb less. MLflow's
runs are written into its database by SQL, as in `beside_mlflow`."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks import process
from benchmarks.beside_mlflow import Asker, Contender, Lineal, Mlflow, entries_of, serving, shown

API = "/api/2.0/mlflow"
CURVES, CURVE_POINTS, POINTS = 10, 2_400, 1_000  # 24,000 points: as many as one answer of a stock server holds
_TICKS = os.sysconf("SC_CLK_TCK")
Request = tuple[str, str, bytes | None]


class Protocol:
    """Requests, made before anything is timed."""

    def __init__(self, asker: Asker) -> None:
        self._asker = asker
        self.experiments = [one["experiment_id"] for one in self._found()]

    def _found(self) -> list[dict[str, str]]:
        found: list[dict[str, str]] = self._asker.post(f"{API}/experiments/search", {"max_results": 100})["experiments"]
        return found

    def new_run(self) -> str:
        body = {"experiment_id": "0", "start_time": 1_700_000_000_000}
        made: str = self._asker.post(f"{API}/runs/create", body)["run"]["info"]["run_id"]
        return made

    def metrics(self, count: int) -> list[Request]:
        run = self.new_run()
        bodies = (
            {"run_id": run, "key": "loss", "value": 1 / (step + 1), "timestamp": 1_700_000_000_000 + step, "step": step}
            for step in range(count)
        )
        return [("POST", f"{API}/runs/log-metric", json.dumps(body).encode()) for body in bodies]

    def batches(self, count: int, shape: str) -> list[Request]:
        run = self.new_run()
        return [
            ("POST", f"{API}/runs/log-batch", json.dumps({"run_id": run, "metrics": metrics}).encode())
            for entries in entries_of(shape, count, 1)
            for metrics in ([{"key": k, "value": v, "step": s, "timestamp": t} for k, v, s, t in entries],)
        ]

    def search(self, **more: object) -> Request:
        body = {"experiment_ids": self.experiments, "max_results": 50, **more}
        return "POST", f"{API}/runs/search", json.dumps(body).encode()

    def curves(self) -> tuple[Request, str]:
        """Of runs that it fills; and one of them."""
        runs = [self.new_run() for _ in range(CURVES)]
        values = np.random.default_rng(1).normal(size=CURVE_POINTS).tolist()
        for run in runs:
            for first in range(0, CURVE_POINTS, POINTS // 2):
                metrics = [
                    {"key": "loss", "value": value, "step": step, "timestamp": 1_700_000_000_000 + step}
                    for step, value in enumerate(values[first : first + POINTS // 2], first)
                ]
                self._asker.post(f"{API}/runs/log-batch", {"run_id": run, "metrics": metrics})
        query = "&".join(f"run_id={run}" for run in runs)
        path = f"/ajax-api/2.0/mlflow/metrics/get-history-bulk?metric_key=loss&{query}"
        return ("GET", path, None), runs[0]


def cpu_s(pid: int) -> float:
    """Of the server and everything that it started."""
    total = 0
    for one in process.session_members(pid):
        rest = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
        total += int(rest[11]) + int(rest[12])
    return total / _TICKS


def timed(asker: Asker, pid: int, requests: Sequence[Request]) -> tuple[float, float]:
    """Median wall time and mean CPU time of a request, in ms."""
    took = []
    before = cpu_s(pid)
    for request in requests:
        began = time.perf_counter()
        asker.ask(*request)
        took.append((time.perf_counter() - began) * 1_000)
    return statistics.median(took), (cpu_s(pid) - before) * 1_000 / len(requests)


def measure(contender: Contender, place: Path, given: argparse.Namespace) -> dict[str, tuple[float, float]]:
    figures: dict[str, tuple[float, float]] = {}
    with serving(contender, place):
        pass  # it makes its database
    contender.fill(place, given.runs)
    with serving(contender, place) as (pid, port, _):
        asker = Asker(port)
        protocol = Protocol(asker)
        by = ["metrics.`val/acc` DESC"]
        curves, run = protocol.curves()
        few = 20 if contender.name == "mlflow" else 100
        said: dict[str, Callable[[], list[Request]]] = {
            "log-metric": lambda: protocol.metrics(given.metrics),
            "log-batch, 1,000 metrics of 10 names": lambda: protocol.batches(given.batches, "tall"),
            "log-batch, 1,000 names": lambda: protocol.batches(given.batches, "wide"),
            f"best 50 of {given.runs:,} runs": lambda: [protocol.search(order_by=by)] * few,
            "... of those that satisfy a filter": lambda: [
                protocol.search(order_by=by, filter=f"metrics.loss > 0.0{at}") for at in range(few)
            ],
            "one run": lambda: [("GET", f"{API}/runs/get?run_id={run}", None)] * few,
            f"histories of {CURVES} runs, {CURVES * CURVE_POINTS:,} points": lambda: [curves] * few,
        }
        for name, requests in said.items():
            asker.ask(*requests()[0])
            figures[name] = timed(asker, pid, requests())
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.same_requests", description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--metrics", type=int, default=400)
    parser.add_argument("--batches", type=int, default=40)
    parser.add_argument("--place", type=Path)
    parser.add_argument("--only", choices=["lineal", "mlflow"])
    given = parser.parse_args()
    found: dict[str, dict[str, tuple[float, float]]] = {}
    for contender in (Lineal(), Mlflow()):
        if given.only in (None, contender.name):
            with tempfile.TemporaryDirectory(dir=given.place) as place:
                found[contender.name] = measure(contender, Path(place), given)
    print(f"load {os.getloadavg()[0]:.1f}\n")
    print(f"| | {' | '.join(f'{name}, ms (CPU ms)' for name in found)} | ratio (of CPU) |")
    print(f"| --- |{' --- |' * (len(found) + 1)}")
    for figure in next(iter(found.values())):
        each = [one[figure] for one in found.values()]
        cells = [f"{shown(wall)} ({shown(cpu)})" for wall, cpu in each]
        ratio = f"{each[1][0] / each[0][0]:.1f}x ({each[1][1] / each[0][1]:.1f}x)" if len(each) == 2 else "-"
        print(f"| {figure} | {' | '.join(cells)} | {ratio} |")


if __name__ == "__main__":
    main()
