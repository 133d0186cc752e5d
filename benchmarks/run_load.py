"""Many runs at once through `lineal serve`: 500 programs that log 20 metrics each once a second.

    python -m benchmarks.run_load [--store sqlite:///...|postgresql://...] [--runs 500] [--metrics 20] [--seconds 60]

Reported: start and memory at rest; the answers' statuses and times (each answered after its commit is on disk); how long until a value
is on a run's page and found by a search; processor time and memory of the server. The load generator is one process on the same machine,
one connection a run; its own processor time is said, since it is taken from the server's."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.process import resident_mib

_TICKS = os.sysconf("SC_CLK_TCK")


class Connection:
    """One kept connection, which asks one thing after the other."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        head = f"{method} /api/v1{path} HTTP/1.1\r\nHost: localhost:{self._port}\r\nContent-Type: application/json\r\n"
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        said = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line[15:]) for line in said.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        return int(said[9:12]), await reader.readexactly(length)

    async def json(self, method: str, path: str, body: object = None) -> Any:
        status, said = await self.ask(method, path, b"" if body is None else json.dumps(body).encode())
        if status >= 400:
            raise RuntimeError(f"{method} {path}: {status} {said[:300]!r}")
        return json.loads(said)


@contextmanager
def serving(store: str, blobs: Path) -> Iterator[tuple[subprocess.Popen[str], int, float]]:
    """The process, its port, and the seconds from its start to its first healthy answer."""
    began_s = time.perf_counter()
    command = [sys.executable, "-m", "lineal.cli.main", "serve", "--port", "0", "--store", store, "--blobs", str(blobs)]
    with subprocess.Popen([*command, "--json", "--log", "quiet"], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            said = ""
            while not said.endswith("}\n"):
                said += process.stdout.readline()
            port = int(json.loads(said)["url"].rstrip("/").rpartition(":")[2])
            asyncio.run(Connection(port).json("GET", "/health"))
            yield process, port, time.perf_counter() - began_s
        finally:
            process.terminate()
            process.wait(60)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


class Load:
    def __init__(self, port: int, runs: int, metrics: int, seconds: int) -> None:
        self._port, self._runs, self._metrics, self._seconds = port, runs, metrics, seconds
        self.statuses: Counter[int] = Counter()
        self.took_s: list[float] = []
        self.starts_s: list[float] = []
        self.page_s: list[float] = []
        self.search_s: list[float] = []
        self.late_count = 0

    async def run(self) -> None:
        asker = Connection(self._port)
        experiment = (await asker.json("POST", "/experiments", {"name": "load"}))["id"]
        self._end_s = time.perf_counter() + self._seconds
        await asyncio.gather(*(self._one(experiment, number) for number in range(self._runs)), self._probe(experiment))

    async def _one(self, experiment: str, number: int) -> None:
        """One run's program; all of them start within the first second."""
        await asyncio.sleep(number / self._runs)
        connection = Connection(self._port)
        path = f"/experiments/runs/load-{number}"
        began_s = time.perf_counter()
        await connection.json("POST", "/experiments/runs", {"experiment_id": experiment, "run_id": f"load-{number}"})
        self.starts_s.append(time.perf_counter() - began_s)
        step, due_s = 0, time.perf_counter()
        while due_s < self._end_s:
            entries = [{"key": f"m{at}", "value": step * 0.25 + at, "step": step} for at in range(self._metrics)]
            body = json.dumps({"metrics": entries}).encode()
            began_s = time.perf_counter()
            status, _ = await connection.ask("POST", f"{path}/log-batch", body)
            self.took_s.append(time.perf_counter() - began_s)
            self.statuses[status] += 1
            step, due_s = step + 1, due_s + 1
            left_s = due_s - time.perf_counter()
            self.late_count += left_s < 0
            await asyncio.sleep(max(0.0, left_s))

    async def _probe(self, experiment: str) -> None:
        """How long until what was answered is seen."""
        connection = Connection(self._port)
        await connection.json("POST", "/experiments/runs", {"experiment_id": experiment, "run_id": "probe"})
        tick = 0
        while time.perf_counter() < self._end_s - 2:
            tick += 1
            await connection.json("POST", "/experiments/runs/probe/log-metrics", {"metrics": {"tick": tick}})
            began_s = time.perf_counter()
            while (await connection.json("GET", "/experiments/runs/probe"))["metrics"].get("tick") != tick:
                await asyncio.sleep(0.02)
            self.page_s.append(time.perf_counter() - began_s)
            asked = {"filter": f"metrics.tick = {tick}"}
            while not (await connection.json("POST", "/runs/search", asked))["runs"]:
                await asyncio.sleep(0.02)
            self.search_s.append(time.perf_counter() - began_s)
            await asyncio.sleep(1)


def quantiles(values: list[float]) -> str:
    ordered = sorted(values)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return (
        f"p50 {statistics.median(ordered) * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms, longest {ordered[-1] * 1000:.1f} ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store")
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("--metrics", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        store = asked.store or f"sqlite:///{folder}/lineal.db"
        with serving(store, Path(folder) / "blobs") as (process, port, started_s):
            time.sleep(1)
            print(f"start {started_s:.2f} s to the first healthy answer; at rest {resident_mib(process.pid):.0f} MiB")
            before_s, began_s, own_s = cpu_s(process.pid), time.perf_counter(), time.process_time()
            load = Load(port, asked.runs, asked.metrics, asked.seconds)
            asyncio.run(load.run())
            wall_s = time.perf_counter() - began_s
            print(
                f"{asked.runs} runs x {asked.metrics} metrics x 1 Hz for {asked.seconds} s, {store.partition(':')[0]}"
            )
            print(f"answers {dict(load.statuses)}; late by their own clock: {load.late_count}")
            print(f"log-batch {quantiles(load.took_s)}")
            print(f"start of a run {quantiles(load.starts_s)}")
            print(f"on a run's page {quantiles(load.page_s)}")
            print(f"found by a search {quantiles(load.search_s)}")
            used_s = cpu_s(process.pid) - before_s
            print(f"server: {used_s / wall_s:.2f} cores, {resident_mib(process.pid):.0f} MiB after it")
            print(f"load generator: {(time.process_time() - own_s) / wall_s:.2f} cores")


if __name__ == "__main__":
    main()
