"""What `lineal serve` takes in: log-batch as JSON and journals, answered after the durable commit.

    python -m benchmarks.ingest [--clients 8] [--requests 200] [--place FOLDER]

The load comes from processes on the same machine, over kept connections; their bodies are made before the clock starts."""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

POINTS = 1_000


def ask(connection: http.client.HTTPConnection, path: str, body: bytes, kind: str = "application/json") -> Any:
    connection.request("POST", f"/api/v1{path}", body, {"content-type": kind})
    answer = connection.getresponse()
    said = answer.read()
    assert answer.status in (200, 201), said
    return json.loads(said)


def bodies(shape: str, count: int, seed: int) -> list[bytes]:
    """`wide`: 1,000 names at a step; `tall`: 10 names at 100 steps."""
    chance = random.Random(seed)
    width = POINTS if shape == "wide" else 10
    made = []
    for number in range(count):
        entries = [
            {
                "key": f"metric_{at % width}",
                "value": chance.gauss(0, 1),
                "step": number * (POINTS // width) + at // width,
                "timestamp": 1_700_000_000_000 + number,
            }
            for at in range(POINTS)
        ]
        made.append(json.dumps({"metrics": entries}).encode())
    return made


def send(port: int, run_id: str, shape: str, count: int, seed: int, begin: Any, results: Any) -> None:
    made = bodies(shape, count, seed)
    connection = http.client.HTTPConnection("localhost", port, timeout=120)
    begin.wait()
    took, began = [], time.time()
    for body in made:
        start = time.perf_counter()
        ask(connection, f"/experiments/runs/{run_id}/log-batch", body)
        took.append((time.perf_counter() - start) * 1_000)
    results.put((began, time.time(), took))


def measure(port: int, shape: str, clients: int, count: int) -> None:
    connection = http.client.HTTPConnection("localhost", port, timeout=120)
    name = f"{shape}-{clients}-{time.time_ns()}"
    experiment = ask(connection, "/experiments", json.dumps({"name": name}).encode())
    ids = [
        ask(connection, "/experiments/runs", json.dumps({"experiment_id": experiment["id"]}).encode())["run_id"]
        for _ in range(clients)
    ]
    context = multiprocessing.get_context("spawn")
    begin, results = context.Barrier(clients), context.Queue()
    processes = [
        context.Process(target=send, args=(port, run_id, shape, count, seed, begin, results))
        for seed, run_id in enumerate(ids)
    ]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    seconds = max(end for _, end, _ in found) - min(begin for begin, _, _ in found)
    took = sorted(one for _, _, times in found for one in times)
    rate = clients * count * POINTS / seconds
    p99 = took[int(len(took) * 0.99)]
    print(
        f"log-batch, {shape:5} {clients} clients  {rate / 1_000:8,.0f} k points/s   p50 {statistics.median(took):6.1f} ms"
        f"   p99 {p99:6.1f} ms",
        flush=True,
    )


def measure_journal(port: int, place: Path, steps: int = 50_000) -> None:
    import lineal
    from lineal.journal.layout import Folder

    folder = place / "notebook"
    with lineal.init(experiment="journal", url=folder) as run:
        for step in range(steps):
            run.log({f"m{at}": step * 0.1 + at for at in range(20)}, step=step)
    connection = http.client.HTTPConnection("localhost", port, timeout=120)
    segments = [(one, Path(one.path).read_bytes()) for one in Folder(folder).list_segments()]
    began = time.perf_counter()
    for segment, data in segments:
        if run.run_id.encode() not in data:
            continue
        path = f"/journals/{run.run_id}/{segment.writer}?segment={segment.number}"
        known = 0
        while known < len(data):
            piece = data[known : known + (1 << 20)]
            final = "true" if known + len(piece) == len(data) else "false"
            known = ask(connection, f"{path}&offset={known}&final={final}", piece, "application/octet-stream")["offset"]
    seconds = time.perf_counter() - began
    connection.request("GET", f"/api/v1/experiments/runs/{run.run_id}/metrics/m0?max_points=10")
    found = json.loads(connection.getresponse().read())
    assert found["point_count"] == steps, found["point_count"]
    print(f"journal, 1 MiB posts, 1 client  {steps * 20 / seconds / 1_000:8,.0f} k points/s", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest", description=__doc__)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--place", type=Path, help="Where the database is made; else a temporary folder.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=given.place) as place:
        store = f"sqlite:///{place}/srv/lineal.db"
        command = [sys.executable, "-m", "lineal.cli.main", "serve", "--port", "0", "--store", store]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                port = int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])
                for shape in ("wide", "tall"):
                    for clients in (1, given.clients):
                        measure(port, shape, clients, given.requests)
                measure_journal(port, Path(place))
                status = Path(f"/proc/{process.pid}/status")
                if status.exists():
                    lines = status.read_text(encoding="ascii").splitlines()
                    memory = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
                    print(f"memory after                 {memory:8.0f} MiB")
            finally:
                process.terminate()


if __name__ == "__main__":
    main()
