"""How each scenario is timed, inside the tracker's own process. Standard library only.

Every function gets the adapter (imported), the folder and the scenario's arguments, and answers a flat dict
of figures. What was logged is read back and compared, never inside the timing; a difference is reported as
`wrong`.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import process, values
from benchmarks.adapters import Adapter

Figures = dict[str, Any]
now = time.perf_counter
now_ns = time.perf_counter_ns


def freeze() -> None:
    """What the harness holds must not be walked by the collector inside a timed call."""
    gc.collect()
    gc.freeze()


def quantile(ordered: list[int], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def check(adapter: Adapter, found: Mapping[str, Any], wanted: Mapping[str, Mapping[int, Any]]) -> Figures:
    """Compare what was read with what was logged, step by step."""
    kept = total = 0
    for name in found:
        steps, numbers = adapter.columns(found[name])
        rest = dict(wanted[name])
        total += len(rest)
        for step, number in zip(steps, numbers, strict=True):
            value = rest.pop(int(step), None)
            if value is not None:
                kept += number == value or (not adapter.exact and abs(number - value) <= 1e-6 * max(1, abs(value)))
    return {} if kept == total else {"wrong": f"read {kept} of {total} points"}


def calls(adapter: Adapter, folder: Path, steps: int, metrics: int, ints: bool) -> Figures:
    """S2: the call as the loop sees it, timed one by one; the wall time a step includes `finish` (and the two
    clock reads around each call, some 0.1 us)."""
    made = values.calls(steps, metrics, "same", ints=ints)
    spent = [0] * steps
    began = now()
    run = adapter.open(folder, "calls", values.params())
    opened = now()
    adapter.log(made[0][0], 0)  # the first call pays for lazy set-up, and is reported on its own
    first = now()
    freeze()
    log = adapter.log
    start = now()
    for row, step in made[1:]:
        before = now_ns()
        log(row, step)
        spent[step] = now_ns() - before
    looped = now()
    adapter.finish()
    end = now()
    adapter.open_reader(folder)
    wrong = check(adapter, adapter.read(run, ["m0"]), values.expected(made))
    adapter.close_reader()
    ordered = sorted(spent[1:])
    return wrong | {
        "steps": steps,
        "p50_us": quantile(ordered, 0.5) / 1e3,
        "p99_us": quantile(ordered, 0.99) / 1e3,
        "max_us": ordered[-1] / 1e3,
        "wall_us": (end - start) / (steps - 1) * 1e6,
        "open_ms": (opened - began) * 1e3,
        "first_ms": (first - opened) * 1e3,
        "finish_ms": (end - looped) * 1e3,
    }


def _like_a_call() -> None:
    """About as long as one log call, and touches nothing: how long it takes at worst is the machine's
    doing."""
    for _ in range(60):
        pass


def longest(adapter: Adapter, folder: Path, seconds: float, pause_s: float, metrics: int) -> Figures:
    """S2: the longest single call, beside the longest of an empty loop of the same length in the same
    minute."""
    ring = [list(row.values()) for row in values.rows(4_096, metrics, ints=True)]
    keys = values.names(metrics)
    run = adapter.open(folder, "longest", {})
    log, count, worst, control, over = adapter.log, 0, 0, 0, 0
    freeze()
    end = now() + seconds
    while now() < end:
        for numbers in ring:
            row = dict(zip(keys, numbers, strict=True))
            before = now_ns()
            log(row, count)
            spent = now_ns() - before
            if spent > 1_000_000:
                over += 1
            if spent > worst:
                worst = spent
            before = now_ns()
            _like_a_call()
            spent = now_ns() - before
            if spent > control:
                control = spent
            count += 1
            if pause_s:
                time.sleep(pause_s)
        if pause_s and now() > end:
            break
    adapter.finish()
    adapter.open_reader(folder)
    steps, _ = adapter.columns(adapter.read(run, ["m0"])["m0"])
    adapter.close_reader()
    wrong = {} if len(steps) == count else {"wrong": f"read {len(steps)} of {count} points"}
    return wrong | {"calls": count, "max_ms": worst / 1e6, "over_1ms": over, "control_max_ms": control / 1e6}


def bulk(adapter: Adapter, folder: Path, steps: int, metrics: int, schema: str, float32: bool) -> Figures:
    """S3 and S4: log, finish, read one whole series by the tool's own path; then the bytes of everything on
    disk.

    A tiny run in another folder comes first, so that no import is timed.
    """
    warm = folder.parent / "warm"
    warm_run = adapter.open(warm, "warm", values.params())
    adapter.log({"m0": 0.5}, 0)
    adapter.finish()
    adapter.open_reader(warm)
    adapter.read(warm_run, ["m0"])
    adapter.close_reader()

    made = values.calls(steps, metrics, schema, float32=float32)
    points = sum(len(row) for row, _ in made)
    name = next(iter(made[0][0]))
    run = adapter.open(folder, "bulk", values.params())
    freeze()
    start = now()
    adapter.log_many(made)
    logged = now()
    adapter.finish()
    finished = now()
    adapter.open_reader(folder)
    found = adapter.read(run, [name])
    readable = now()
    wrong = check(adapter, found, values.expected(made))
    open_bytes = process.size(folder)
    adapter.close_reader()
    size = process.size(folder)
    return wrong | {
        "run": run,
        "points": points,
        "points_per_s": points / (readable - start),
        "points_per_s_logged": points / (finished - start),
        "log_s": logged - start,
        "finish_s": finished - logged,
        "first_read_s": readable - finished,
        "bytes_per_point": size["bytes"] / points,
        "disk_per_point": size["disk_bytes"] / points,
        "open_bytes_per_point": open_bytes["bytes"] / points,
    }


def read(adapter: Adapter, folder: Path, run: str, metrics: int) -> Figures:
    """S5: a fresh process opens what S3 left; one series, another one, then all."""
    keys = values.names(metrics)
    gc.collect()
    start = now()
    adapter.open_reader(folder)
    found = adapter.read(run, keys[:1])
    first = now()
    others = []
    for key in keys[1:6]:
        before = now()
        adapter.read(run, [key])
        others.append(now() - before)
    before = now()
    everything = adapter.read(run, keys)
    ten = now() - before
    steps, _ = adapter.columns(found[keys[0]])
    short = [key for key in keys if len(adapter.columns(everything[key])[0]) != len(steps)]
    adapter.close_reader()
    return ({"wrong": f"short series: {short}"} if short else {}) | {
        "points": len(steps),
        "first_ms": (first - start) * 1e3,
        "one_ms": median(others) * 1e3,
        "one_ns_per_point": median(others) / len(steps) * 1e9,
        "ten_ms": ten * 1e3,
        "ten_ns_per_point": ten / len(steps) / len(keys) * 1e9,
    }


def short_runs(adapter: Adapter, folder: Path, runs: int, metrics: int, steps: int, search: bool = False) -> Figures:
    """S6: whole short runs, one after another; one more, untimed, comes first (it may create the store)."""
    made = list(enumerate(values.rows(steps, metrics)))
    made = [(step, row) for step, row in made]
    everyone = [values.params(number) for number in range(runs)]
    adapter.open(folder, "warm", values.params())
    adapter.log(made[0][1], 0)
    adapter.finish()
    freeze()
    start = now()
    for number in range(runs):
        run = adapter.open(folder, f"run-{number}", everyone[number])
        for step, row in made:
            adapter.log(row, step)
        adapter.finish()
    spent = now() - start
    adapter.open_reader(folder)
    before = now()
    found = adapter.read(run, ["m0"])
    first = now() - before
    wrong = check(adapter, found, values.expected([(row, step) for step, row in made]))
    out: Figures = {"runs": runs, "runs_per_s": runs / spent, "first_query_ms": first * 1e3}
    if search:
        try:
            times = []
            for _ in range(11):
                before = now()
                hits = adapter.search()
                times.append(now() - before)
            out |= {"search_ms": median(times) * 1e3, "search_first_ms": times[0] * 1e3, "hits": hits}
        except NotImplementedError as why:
            out |= {"search": str(why)}
    adapter.close_reader()
    size = process.size(folder)
    return wrong | out | {"bytes_per_run": size["bytes"] / (runs + 1), "disk_per_run": size["disk_bytes"] / (runs + 1)}


def memory(adapter: Adapter, folder: Path, steps: int, metrics: int, bare_mib: float) -> Figures:
    """S9: resident memory once imported (by the worker), with an open run, and at the peak; helper processes
    counted."""
    imported = process.resident_mib()
    adapter.open(folder, "memory", values.params())
    made = values.rows(steps, metrics)
    adapter.log(next(made), 0)
    time.sleep(1)
    idle, helpers = process.resident_mib(), process.descendants()
    helper_mib = sum(process.resident_mib(pid) for pid in helpers)
    for step, row in enumerate(made, 1):
        adapter.log(row, step)
    adapter.finish()
    return {
        "bare_mib": bare_mib,
        "imported_mib": imported - bare_mib,
        "idle_mib": idle - bare_mib,
        "peak_mib": process.peak_mib() - bare_mib,
        "helpers": len(helpers),
        "helper_mib": helper_mib,
    }
