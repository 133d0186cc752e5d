"""What `lineal ui` costs: its start, memory at rest, a search, curves.

    python -m benchmarks.many_runs 10000 MANY;  python -m benchmarks.long_runs 100 10000 SHORT;  ... 100 1000000 LONG
    python -m benchmarks.server --many MANY --short SHORT --long LONG

One client on the same machine asks again and again over one connection; medians, with the 95th percentile in parentheses."""

from __future__ import annotations

import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MEDIA_TYPE = "application/vnd.lineal.series"


class Asker:
    """One kept connection."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("localhost", port, timeout=120)

    def ask(self, method: str, path: str, body: object = None, **headers: str) -> bytes:
        content = None if body is None else json.dumps(body)
        self._connection.request(method, path, content, {"content-type": "application/json", **headers})
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status == 200, said
        return said

    def time(self, times: int, method: str, path: str, body: object = None, **headers: str) -> str:
        size = len(self.ask(method, path, body, **headers))
        took = []
        for _ in range(times):
            began = time.perf_counter()
            self.ask(method, path, body, **headers)
            took.append((time.perf_counter() - began) * 1_000)
        took.sort()
        return f"{statistics.median(took):8.1f} ms ({took[int(len(took) * 0.95)]:.1f})   {size / 1024:,.0f} KiB"


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], int, float]]:
    """The process, its port, and the ms from its start to its first healthy answer."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "lineal.cli.main", "ui", "--port", "0", "--no-browser", "--folder", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            port = int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])
            Asker(port).ask("GET", "/api/v1/health")
            yield process, port, (time.perf_counter() - began) * 1_000
        finally:
            process.terminate()


def memory_mib(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def measure_start(folder: Path) -> None:
    starts, memory = [], []
    for _ in range(7):
        with serving(folder) as (process, _, took_ms):
            time.sleep(1)
            starts.append(took_ms)
            memory.append(memory_mib(process.pid))
    print(
        f"start to first answer        {statistics.median(starts):8.0f} ms ({max(starts):.0f} at most of {len(starts)})"
    )
    print(f"memory at rest               {statistics.median(memory):8.0f} MiB")


def measure_search(folder: Path, times: int) -> None:
    with serving(folder) as (process, port, _):
        asker = Asker(port)
        bodies: dict[str, dict[str, Any]] = {
            "newest 100": {},
            "100 by a metric": {"order_by": ["metrics.val/acc desc"]},
            "100 of half, by a metric": {"filter": "params.p0 > 0.5", "order_by": ["metrics.loss"]},
            "50 of half, by a metric": {"filter": "params.p0 > 0.5", "order_by": ["metrics.loss"], "limit": 50},
        }
        print(f"health                       {asker.time(times, 'GET', '/api/v1/health')}")
        for name, body in bodies.items():
            print(f"{name:28} {asker.time(times, 'POST', '/api/v1/runs/search', body)}")
        groups = {"by": ["params.optimizer"], "metrics": ["metrics.loss"]}
        print(f"{'groups':28} {asker.time(times, 'POST', '/api/v1/runs/groups', groups)}")
        print(f"{'experiments':28} {asker.time(times, 'GET', '/api/v1/experiments')}")
        print(f"memory after                 {memory_mib(process.pid):8.0f} MiB")


def measure_series(folder: Path, times: int, name: str) -> None:
    with serving(folder) as (process, port, _):
        asker = Asker(port)
        page = json.loads(asker.ask("POST", "/api/v1/runs/search", {"limit": 100}))
        ids = [run["run_id"] for run in page["runs"]]
        for count in (10, len(ids)):
            for points in (500, 1_000):
                body = {"run_ids": ids[:count], "metrics": ["loss"], "max_points": points}
                said = asker.time(times, "POST", "/api/v1/runs/series", body, accept=MEDIA_TYPE)
                print(f"{f'{count} x {name}, {points} rows':28} {said}")
        said = asker.time(max(3, times // 10), "POST", "/api/v1/runs/series", body)
        print(f"{'  the same as JSON':28} {said}")
        print(f"memory after                 {memory_mib(process.pid):8.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.server", description=__doc__)
    for name in ("many", "short", "long"):
        parser.add_argument(f"--{name}", type=Path)
    parser.add_argument("--times", type=int, default=50)
    asked = parser.parse_args()
    os.environ.pop("LINEAL_URL", None)
    if asked.many:
        measure_start(asked.many)
        measure_search(asked.many, asked.times)
    if asked.short:
        measure_series(asked.short, asked.times, "10 k points")
    if asked.long:
        measure_series(asked.long, asked.times, "1 M points")


if __name__ == "__main__":
    main()
