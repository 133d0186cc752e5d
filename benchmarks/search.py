"""S6/search: every unkind question over many runs, through the Python API, each time with other constants.

python -m benchmarks.search PLACE      (a table of all questions, for docs/adr/0011; PLACE as many_runs.py made it)"""

from __future__ import annotations

import argparse
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from benchmarks.adapters import Adapter

LIMIT = 50
REPEATS = 9
ARRIVING = 100
NAMES = {10_000: "10k", 100_000: "100k", 1_000_000: "1m"}


class Question(NamedTuple):
    title: str
    filter: Callable[[random.Random], str]
    order: str | None = None
    offset: int = 0
    by_token: bool = False


def _p0(chance: random.Random) -> str:
    return f"params.p0 > {chance.uniform(0.4, 0.6)}"


QUESTIONS = (
    Question("no filter", lambda chance: ""),
    Question("half pass", lambda chance: f"params.p0 > {chance.uniform(0.49, 0.51)}"),
    Question("0.1 % pass", lambda chance: f"params.p0 < {chance.uniform(0.0009, 0.0011)}"),
    Question("none pass", lambda chance: f"params.p0 > {chance.uniform(1, 2)}"),
    Question(
        "OR across params and metrics",
        lambda chance: f"params.lr > {chance.uniform(0.01, 0.02)} or metrics.val/acc < {chance.uniform(0, 0.01)}",
    ),
    Question(
        "NOT of an OR",
        lambda chance: f"not (params.optimizer = 'adam' or metrics.acc > {chance.uniform(0.1, 0.2)})",
    ),
    Question(
        "IN lists",
        lambda chance: f"params.layers in (1, 2, {chance.randrange(3, 30)}) and tags.team in ('team-1', 'team-2')",
    ),
    Question("IS NULL", lambda chance: f"params.scheduler is null and params.warmup > {chance.uniform(0, 9_000)}"),
    Question("LIKE '%x%', 1,000 values", lambda chance: f"params.data/path like '%set-0{chance.randrange(10)}%'"),
    Question("LIKE '%x%', names all different", lambda chance: f"name like '%{chance.randrange(100):02d}%'"),
    Question("ILIKE 'x%'", lambda chance: f"name ilike 'CRIMSON-{chance.randrange(10)}%'"),
    Question("LIKE on numbers", lambda chance: f"params.lr like '%{chance.randrange(100):02d}%'"),
    Question("names before a text", lambda chance: f"name < 'c{chance.randrange(10)}'"),
    Question("MATCHES", lambda chance: f"name matches '^(amber|azure)-{chance.randrange(10)}.*7$'"),
    Question("by a param", _p0, "params.lr"),
    Question("by a param of numbers and texts", _p0, "params.warmup desc"),
    Question("by ints beyond 2^53", _p0, "params.seed desc"),
    Question("by a metric, no filter", lambda chance: "", "metrics.loss desc"),
    Question("by min(metric)", _p0, "min(metrics.val/loss)"),
    Question("by three keys", _p0, "params.optimizer, params.layers desc, metrics.acc desc"),
    Question("by name", _p0, "name desc"),
    Question("page 1,000 by offset", lambda chance: f"params.p0 > {chance.uniform(0.001, 0.1)}", "metrics.acc", 1_000),
    Question(
        "page 1,000 by token", lambda chance: f"params.p0 > {chance.uniform(0.001, 0.1)}", "metrics.acc", 1_000, True
    ),
)


class Asked(NamedTuple):
    """Milliseconds: the first question of its kind in the process, then the medians of the wall and of this thread's time."""

    first: float
    wall: float
    own: float
    total: int


def ask(store: Any, question: Question, chance: random.Random) -> Asked:
    walls, owns, total = [], [], 0
    for _ in range(REPEATS + 1):
        filter = question.filter(chance)
        # Page 1,000, or the last whole one where there are fewer.
        offset = question.offset * LIMIT
        if offset:
            offset = min(offset, store.runs(filter, order_by=question.order, limit=0).total - LIMIT)
        where: dict[str, Any] = {"offset": offset}
        if question.by_token:
            page = store.runs(filter, order_by=question.order, limit=1, offset=offset - 1)
            where = {"page_token": page.next_page_token}
        began, own = time.perf_counter(), time.thread_time()
        found = store.runs(filter, order_by=question.order, limit=LIMIT, **where)
        walls.append((time.perf_counter() - began) * 1e3)
        owns.append((time.thread_time() - own) * 1e3)
        total = found.total
    return Asked(walls[0], median(walls[1:]), median(owns[1:]), total)


def place_of(runs: int) -> Path:
    """A folder of so many runs, made when it is missing; outside of everything, since it takes minutes."""
    from benchmarks import many_runs  # needs numpy, which peers' environments may lack

    place = Path(tempfile.gettempdir()) / "lineal-bench" / NAMES.get(runs, str(runs))
    for _ in many_runs.make(runs, place):
        pass
    return place


def search(adapter: Adapter, folder: Path, runs: int) -> dict[str, Any]:
    """S6/search, in the worker."""
    import lineal

    chance = random.Random(runs)
    place = place_of(runs)
    with lineal.open_store(str(place)) as store:
        asked = {question.title: ask(store, question, chance) for question in QUESTIONS}
    worst = max(asked, key=lambda title: asked[title].wall)
    figures: dict[str, Any] = {
        "runs": runs,
        "worst_ms": asked[worst].wall,
        "worst_own_ms": max(one.own for one in asked.values()),
        "worst_question": worst,
        "middle_ms": median(one.wall for one in asked.values()),
        "first_ms": max(one.first for one in asked.values()),
        "database_bytes_per_run": (place / "lineal.db").stat().st_size / runs,
    }
    if runs <= 100_000:
        figures["arriving_ms"] = arriving(place, folder)
    return figures | {f"{title} ms": one.wall for title, one in asked.items()}


def arriving(place: Path, folder: Path) -> float:
    """A question asked again and again while runs arrive, ARRIVING in each commit."""
    from benchmarks import many_runs
    from lineal.query.parser import parse, parse_orders
    from lineal.store.contracts import RunQuery
    from lineal.store.open import open_store, sqlite_url

    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "arriving.db"
    shutil.copyfile(place / "lineal.db", copy)
    spent = []
    query = RunQuery(parse("params.p0 > 0.5 and metrics.acc > 0.1"), parse_orders("metrics.loss desc"), limit=LIMIT)
    store = open_store(sqlite_url(copy))
    reader = store.tenant("default")
    for number in range(REPEATS + 1):
        with store.begin() as transaction:
            writer = transaction.tenant("default")
            for arrived in range(ARRIVING):
                many_runs.tell(writer, 5_000_000 + number * ARRIVING + arrived)
        began = time.perf_counter()
        reader.list_runs(query)
        spent.append((time.perf_counter() - began) * 1e3)
    store.close()
    copy.unlink()
    return median(spent[1:])


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    parser.add_argument("place", type=Path)
    place = parser.parse_args().place
    import lineal

    chance = random.Random(0)
    print("| Question | matches | first ms | p50 ms | of it this thread's ms |\n| --- | --- | --- | --- | --- |")
    with lineal.open_store(str(place)) as store:
        for question in QUESTIONS:
            one = ask(store, question, chance)
            print(
                f"| {question.title} | {one.total:,} | {one.first:,.0f} | {one.wall:,.1f} | {one.own:,.1f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
