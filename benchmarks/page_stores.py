"""The folders that the page is measured over, made once through the SDK and kept outside of the repository.

    python -m benchmarks.page_stores NAME PLACE

S10: 10 runs x 10,000 points; dense: 100 x 10,000; long: 100 x 1,000,000; many: 100,000 short runs."""

from __future__ import annotations

import argparse
import multiprocessing
import shutil
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.page_curves import RUNS, STEPS, curve
from lineal.api import init, open_store

# Made anew when what is made, or how, changes.
VERSION = 1
CURVES = {"S10": (RUNS, STEPS), "dense": (100, 10_000), "long": (100, 1_000_000)}
NAMES = (*CURVES, "many")
MANY_RUNS = 100_000
PROCESSES = 2
CHUNK = 50_000


def cache() -> Path:
    return Path(tempfile.gettempdir(), f"lineal-bench-page-{VERSION}")


def record(folder: Path, number: int, steps: int) -> None:
    with init("curves", f"curve-{number:03d}", params={"lr": 10.0 ** -(number % 5), "seed": number}, url=folder) as run:
        log = run.log
        points = curve(number, steps)
        for start in range(0, steps, CHUNK):
            for step, value in enumerate(points[start : start + CHUNK].tolist(), start):
                log({"train/loss": value}, step)


def make_curves(folder: Path, runs: int, steps: int) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Pool(PROCESSES) as pool:
        pool.starmap(record, [(folder, number, steps) for number in range(runs)], chunksize=1)
    with open_store(folder) as store:
        assert store.runs(limit=1).total == runs


def make(name: str, place: Path) -> Path:
    """The folder called `name`; made if it is not there whole."""
    folder, done = place / name, place / f"{name}.done"
    if done.exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"making {folder} (once) ...", file=sys.stderr, flush=True)
    began = time.perf_counter()
    if name == "many":
        from benchmarks.many_runs import make as make_many

        for _ in make_many(MANY_RUNS, folder):
            pass
    else:
        make_curves(folder, *CURVES[name])
    done.touch()
    print(f"made in {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    return folder


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page_stores", description=__doc__)
    parser.add_argument("name", choices=NAMES)
    parser.add_argument("place", type=Path, nargs="?", default=cache())
    chosen = parser.parse_args()
    print(make(chosen.name, chosen.place))
