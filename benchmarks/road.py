"""The road from a training process to a server: python -m benchmarks.road

What `log()` costs while the server is there, down, slow and failing, beside no server at all; and how many points a second the
SDK's own road brings in, from one client and from eight, until the server answers with all of them. Everything runs on this machine:
clients and server share its cores."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lineal.testing.fault_proxy import faulty

_METRICS = 10

# A training loop: each step works for a while, then logs; what log() took is kept.
_LOOP = """
import json, sys, time, lineal
url, steps = sys.argv[1], int(sys.argv[2])
run = lineal.init("road", url=url)
names = [f"m{number}" for number in range(10)]
took = []
clock = time.perf_counter_ns
for step in range(steps):
    end = clock() + 200_000
    while clock() < end:
        pass
    values = dict.fromkeys(names, step * 0.5)
    begun = clock()
    run.log(values, step=step)
    took.append(clock() - begun)
took.sort()
print(json.dumps({"p50": took[len(took) // 2] / 1e3, "p99": took[len(took) * 99 // 100] / 1e3, "max": took[-1] / 1e3}))
run.finish(timeout_s=0)
"""

_RECORD = """
import sys, lineal
run = lineal.init("road", url=sys.argv[1])
names = [f"m{number}" for number in range(10)]
for step in range(int(sys.argv[2])):
    run.log({name: step * 0.1 + number for number, name in enumerate(names)}, step=step)
run.finish(timeout_s=0)
print(run.run_id)
"""

# Sends what was recorded, from the moment that a line comes in; says when it began and when all was acknowledged.
_SEND = """
import sys, time
from lineal.client.address import parse_address
from lineal.client.outbox import list_outboxes
from lineal.client.outgoing import Outgoing
from lineal.client.transport import Transport
[folder] = list_outboxes(sys.argv[1])
run_id = sys.argv[3]
transport = Transport(parse_address(sys.argv[2]))
writers = sorted({segment.writer for segment in folder.list_segments()})
print("ready", flush=True)
sys.stdin.readline()
begun = time.monotonic()
for writer in writers:
    outgoing = Outgoing(folder, writer, run_id)
    while outgoing.send(transport) == "sent":
        pass
print(begun, time.monotonic(), flush=True)
"""


@contextmanager
def served(place: Path) -> Iterator[str]:
    command = [
        sys.executable,
        "-m",
        "lineal.cli.main",
        "serve",
        "--port",
        "0",
        "--json",
        "--store",
        f"sqlite:///{place}/lineal.db",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            said = ""
            while not said.endswith("}\n"):
                said += process.stdout.readline()
            yield json.loads(said)["url"].rstrip("/")
        finally:
            process.terminate()


def run(program: str, *arguments: object, folder: Path) -> str:
    environment = {**os.environ, "LINEAL_FOLDER": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
    )
    return done.stdout.strip()


def loop_costs(place: Path, steps: int, rounds: int) -> dict[str, dict[str, float]]:
    """Each kind of server in turn, round by round, so that what else the machine does meets all of them."""
    costs: dict[str, list[dict[str, float]]] = {}
    with served(place / "loop") as url:
        port = int(url.rpartition(":")[2])
        with (
            faulty("localhost", port, seed=1, rate=0) as slow,
            faulty(
                "localhost", port, seed=1, rate=1, faults=("status_500", "reply_lost", "dropped", "html_502")
            ) as failing,
        ):
            slow.hold("POST ")
            kinds = {
                "no server": str(place / "plain"),
                "server": url,
                "down": "http://localhost:9",
                "slow": slow.url,
                "failing": failing.url,
            }
            for number in range(rounds):
                for kind, address in kinds.items():
                    said = run(_LOOP, address, steps, folder=place / f"{kind}-{number}")
                    costs.setdefault(kind, []).append(json.loads(said))
            slow.let_go()
    return {
        kind: {name: statistics.median(one[name] for one in of_kind) for name in ("p50", "p99", "max")}
        for kind, of_kind in costs.items()
    }


def road_rate(place: Path, clients: int, steps: int) -> float:
    """Points a second until all of them can be asked for."""
    folders = [place / f"road-{clients}-{number}" / ".lineal" for number in range(clients)]
    run_ids = [run(_RECORD, "http://localhost:9", steps, folder=folder) for folder in folders]
    with served(place / f"store-{clients}") as url:
        senders = [
            subprocess.Popen(
                [sys.executable, "-c", _SEND, str(folder), url, run_id],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for folder, run_id in zip(folders, run_ids, strict=True)
        ]
        for one in senders:
            assert one.stdout is not None and one.stdout.readline() == "ready\n"
        for one in senders:
            assert one.stdin is not None
            one.stdin.write("\n")
            one.stdin.flush()
        said = [one.communicate()[0].split() for one in senders]
        total = 0
        for run_id in run_ids:
            with urllib.request.urlopen(f"{url}/api/v1/runs/{run_id}") as answer:
                detail: Any = json.load(answer)
            total += sum(series["count"] for series in detail["series"])
        end_s = time.monotonic()
    assert total == clients * steps * _METRICS, "not all of it is there"
    return total / (end_s - min(float(begun) for begun, _ in said))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000, help="of the training loop")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--calls",
        type=int,
        default=200_000,
        help="of log() that are sent, 10 metrics each; by 8 clients a quarter each",
    )
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        place = Path(made)
        for clients, calls in ((1, asked.calls), (8, asked.calls // 4)):
            rate = road_rate(place, clients, calls)
            print(
                f"fast road, {clients} client{'s' if clients > 1 else ''}: {rate / 1e6:.2f} M points/s until queryable"
            )
        for kind, cost in loop_costs(place, asked.steps, asked.rounds).items():
            print(
                f"log() of 10 metrics, {kind:9}: p50 {cost['p50']:6.2f} us  p99 {cost['p99']:7.2f} us  max {cost['max']:9.1f} us"
            )


if __name__ == "__main__":
    main()
