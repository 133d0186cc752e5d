"""A folder of N short runs x (10 params + 10 metrics), made through the store's own writer.

    python -m benchmarks.many_runs 100000 PLACE        (made if it is missing or has fewer runs; goes on where it stopped)

What the params and metrics hold is made for unkind questions: numbers and texts of few and of many values, params that some
runs lack, a metric that is NaN at times, names that are all different."""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from lineal.journal.layout import Folder
from lineal.model.entities import Attempt, Cursor, Layout, SeriesKey, Stamp
from lineal.model.values import ParamValue
from lineal.series.columns import Block
from lineal.store.contracts import RunQuery, RunStart, TenantWriter
from lineal.store.open import open_store

RUNS_OF_TRANSACTION = 1_000
STEPS = 5
FIRST_MS = 1_700_000_000_000
METRICS = ("loss", "acc", "val/loss", "val/acc", "f1", "lr", "grad_norm", "time/step", "memory", "epoch")
LAYOUT = Layout("int64", tuple(SeriesKey(name, (), "int64" if name == "epoch" else "float64") for name in METRICS))
OPTIMIZERS = ("adam", "adamw", "sgd", "lion", "rmsprop")
COLORS = ("amber", "azure", "crimson", "indigo", "ivory", "jade", "olive", "scarlet", "teal", "violet")
ENDS = ("finished",) * 17 + ("failed", "failed", "killed")


def params(number: int, noise: np.random.Generator) -> dict[str, ParamValue]:
    found: dict[str, ParamValue] = {
        "lr": float(10 ** noise.uniform(-5, -1)),
        "layers": int(noise.integers(1, 33)),
        "optimizer": OPTIMIZERS[number % len(OPTIMIZERS)],
        "dropout": float(round(noise.uniform(0, 0.5), 2)),
        "batch_size": int(2 ** noise.integers(3, 11)),
        "seed": int(noise.integers(0, 2**63)),
        "data/path": f"s3://bucket/set-{noise.integers(1_000):04d}/part.parquet",
        "p0": float(noise.random()),
    }
    if number % 4:
        found["scheduler"] = ("cosine", "linear", "none", "0.5")[number % 4]
    found["warmup"] = "auto" if number % 10 == 0 else int(noise.integers(0, 10_000))
    return found


def block(number: int, noise: np.random.Generator) -> Block:
    scale = noise.random()
    decay = np.exp(-np.arange(STEPS)) * scale
    values: list[np.ndarray] = []
    for key in LAYOUT.series:
        if key.value_type == "int64":
            values.append(np.arange(STEPS, dtype=np.int64))
        else:
            values.append(decay + 0.05 * noise.normal(size=STEPS))
    if number % 50 == 0:
        values[0][-1] = np.nan
    now = FIRST_MS + number * 1_000
    steps = np.arange(STEPS, dtype=np.int64)
    return Block(LAYOUT, steps + 10, steps, now + 10 * steps, tuple(values))


def tell(writer: TenantWriter, number: int) -> None:
    """One run, as its journal would say it."""
    noise = np.random.default_rng(number)
    run_id, name = noise.bytes(16).hex(), f"{number:015x}"
    now = FIRST_MS + number * 1_000
    color = COLORS[int(noise.integers(len(COLORS)))]
    start = RunStart(f"experiment-{number % 20:02d}", f"{color}-{noise.integers(10_000):04d}-{number}", user_id="bench")
    writer.start_attempt(run_id, Attempt("a1", now), start, Stamp(now, name, 1))
    writer.set_params(run_id, "a1", params(number, noise), Stamp(now, name, 2))
    writer.set_tags(run_id, {"team": f"team-{number % 7}", "color": color}, Stamp(now, name, 3))
    writer.define_layout(run_id, name, 1, LAYOUT)
    writer.append_points(run_id, name, "a1", [block(number, noise)])
    ended = now + int(noise.integers(1_000, 1_000_000))
    status = ENDS[int(noise.integers(len(ENDS)))]
    writer.end_attempt(run_id, "a1", status, None, Stamp(ended, name, 20))  # type: ignore[arg-type]
    writer.set_cursor(Cursor(name, run_id, 20, 1, 4_096))
    writer.compact(run_id)


@contextmanager
def _without_collector() -> Iterator[None]:
    """A transaction keeps much and makes no cycles: looking for them is a seventh of its time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def make(count: int, place: Path) -> Iterator[int]:
    """Fills the folder up to `count` runs; says how many there are after each transaction."""
    folder = Folder(place)
    folder.ensure()
    yield from fill(count, f"sqlite:///{folder.database}")


def fill(count: int, url: str) -> Iterator[int]:
    """`make`, of a store."""
    with closing(open_store(url)) as store:
        there = store.tenant("default").list_runs(RunQuery(lifecycle=None, limit=0)).total
        while there < count:
            until = min(count, there + RUNS_OF_TRANSACTION)
            with _without_collector(), store.begin() as transaction:
                writer = transaction.tenant("default")
                for number in range(there, until):
                    tell(writer, number)
            there = until
            yield there


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_runs", description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("place", type=Path)
    chosen = parser.parse_args()
    began, first = time.perf_counter(), None
    for there in make(chosen.count, chosen.place):
        first = there - RUNS_OF_TRANSACTION if first is None else first
        if there % 20_000 == 0 or there == chosen.count:
            rate = (there - first) / (time.perf_counter() - began)
            print(f"{there:,} runs, {rate:,.0f} a second", file=sys.stderr, flush=True)
    size = Folder(chosen.place).database
    print(f"{Path(size).stat().st_size / chosen.count:,.0f} bytes of database a run")


if __name__ == "__main__":
    main()
