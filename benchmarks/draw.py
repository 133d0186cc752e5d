"""The `draw` scenario, Lineal only: what a chart of a hundred series costs, a hundred times longer runs
against short."""

from __future__ import annotations

import gc
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import process, values
from benchmarks.adapters import Adapter

REPEATS = 7
CHUNK = 5_000
MOST = 1.1  # `max_points` means about so many


def write(adapter: Adapter, folder: Path, metrics: int, long: int, short: int) -> dict[str, Any]:
    import numpy as np  # a dependency of Lineal's own

    rng = np.random.default_rng(values.SEED)
    keys = values.names(metrics)
    spent, runs = 0.0, {}
    for label, steps in (("long", long), ("short", short)):
        runs[label] = adapter.open(folder, f"draw-{label}", values.params())
        for start in range(0, steps, CHUNK):
            count = min(CHUNK, steps - start)
            decay = np.exp(-4 * np.arange(start, start + count) / steps)[:, None]
            block = (1 + np.arange(metrics) / 10) * decay + 0.05 * rng.standard_normal((count, metrics))
            made = [(dict(zip(keys, line, strict=True)), start + at) for at, line in enumerate(block.tolist())]
            before = time.perf_counter()
            adapter.log_many(made)
            spent += time.perf_counter() - before
        adapter.finish()
    journal = process.size(folder)["bytes"]
    before = time.perf_counter()
    adapter.open_reader(folder)
    adapter.read(runs["short"], keys[:1])
    ingest = time.perf_counter() - before
    adapter.close_reader()
    points = metrics * (long + short)
    return {
        "run": f"{runs['long']},{runs['short']}",
        "points": points,
        "log_s": spent,
        "ingest_s": ingest,
        "journal_bytes_per_point": journal / points,
        "bytes_per_point": process.size(folder)["bytes"] / points,
    }


def read(adapter: Adapter, folder: Path, run: str, metrics: int, buckets: int) -> dict[str, Any]:
    """A fresh process, its store opened; long and short in turn, so that the machine's moods hit both."""
    keys, draw = values.names(metrics), adapter.draw  # type: ignore[attr-defined]
    run_ids = dict(zip(("long", "short"), run.split(","), strict=True))
    adapter.open_reader(folder)
    gc.collect()
    times: dict[str, list[float]] = {"long": [], "short": []}
    widths, missing, wrong = set(), False, {}
    for _ in range(REPEATS):
        for label, run_id in run_ids.items():
            before = time.perf_counter()
            found = draw(run_id, keys, buckets)
            times[label].append((time.perf_counter() - before) * 1e3)
            for series in found.values():
                widths.add(len(series))
                counted = len(series) if series.buckets is None else int(series.buckets.count.sum())
                missing |= counted != series.point_count
    adapter.close_reader()
    if missing:
        wrong["wrong"] = "the buckets do not stand for all points"
    elif max(widths) > MOST * buckets:
        wrong["wrong"] = f"{max(widths)} buckets where {buckets} were asked for"
    long, short = median(times["long"]), median(times["short"])
    return wrong | {
        "long_ms": long,
        "long_first_ms": times["long"][0],
        "short_ms": short,
        "short_first_ms": times["short"][0],
        "ratio": long / short,
        "buckets_least": min(widths),
        "buckets_most": max(widths),
    }
