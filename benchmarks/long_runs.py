"""A folder of N runs x one metric of so many points, made through the store's own writer.

    python -m benchmarks.long_runs 100 1000000 PLACE        (made if it is missing)

Noise on a falling curve, one spike a run, born as float32 as most training values are."""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

import numpy as np

from lineal.journal.layout import Folder
from lineal.model.entities import Attempt, Layout, SeriesKey, Stamp
from lineal.model.limits import BLOCK_ROWS
from lineal.series.columns import Block
from lineal.store.contracts import RunStart, Store
from lineal.store.open import open_store

FIRST_MS = 1_700_000_000_000
LAYOUT = Layout("int64", (SeriesKey("loss", (), "float64"),))


def values(points: int, number: int) -> np.ndarray:
    noise = np.random.default_rng(number)
    found = np.exp(-np.arange(points) / points * 4) + noise.normal(0, 0.02, points)
    found[points // 3] = 5.0
    return found.astype(np.float32).astype(np.float64)


def make(store: Store, number: int, points: int) -> None:
    run_id = f"{number:032x}"
    attempt = Attempt(f"a{number}", FIRST_MS + number)
    whole = values(points, number)
    with store.begin() as transaction:
        tenant = transaction.tenant("default")
        tenant.start_attempt(run_id, attempt, RunStart("long", f"long-{number}"), Stamp(FIRST_MS + number, "w", 1))
        tenant.define_layout(run_id, f"{number:015x}", 1, LAYOUT)
        for first in range(0, points, BLOCK_ROWS):
            steps = np.arange(first, min(first + BLOCK_ROWS, points))
            block = Block(LAYOUT, steps, steps, FIRST_MS + steps * 10, (whole[steps],))
            tenant.append_points(run_id, f"{number:015x}", attempt.attempt_id, [block])
        tenant.compact(run_id)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.long_runs", description=__doc__)
    parser.add_argument("runs", type=int)
    parser.add_argument("points", type=int)
    parser.add_argument("place", type=Path)
    asked = parser.parse_args()
    folder = Folder(asked.place)
    folder.ensure()
    with closing(open_store(f"sqlite:///{folder.database}")) as store:
        for number in range(asked.runs):
            if not store.tenant("default").find_run_ids(f"{number:032x}"):
                make(store, number, asked.points)


if __name__ == "__main__":
    main()
