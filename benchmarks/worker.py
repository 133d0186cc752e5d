"""One scenario in one tracker's own Python: `python -m benchmarks.worker --tracker T --measure M --folder F
--args JSON`.

Prints one JSON line. Runs with nothing but the standard library and that tracker.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import draw, measures, process, search, values
from benchmarks.adapters import Adapter, load

SLEEP_UNTIL_KILLED_S = 600


def kill_child(adapter: Adapter, folder: Path, say: Any, steps: int, metrics: int, pause_s: float) -> None:
    """S7, the victim: log everything, say so the moment the last call has returned, and wait for the end."""
    made = values.calls(steps, metrics, "same")
    run = adapter.open(folder, "kill", values.params())
    line = json.dumps({"run": run}) + "\n"
    for row, step in made:
        adapter.log(row, step)
        if pause_s:
            time.sleep(pause_s)
    say(line)
    time.sleep(SLEEP_UNTIL_KILLED_S)


def recover(adapter: Adapter, folder: Path, run: str, steps: int, metrics: int) -> dict[str, Any]:
    """S7, the inheritor: count the points that the tool's own read path still finds and that are right."""
    wanted = values.expected(values.calls(steps, metrics, "same"))
    adapter.open_reader(folder)
    found = adapter.read(run, values.names(metrics))
    kept = 0
    for name, series in found.items():
        seen = set()
        for step, number in zip(*adapter.columns(series), strict=True):
            value = wanted[name].get(int(step))
            right = value is not None and abs(number - value) <= (0 if adapter.exact else 1e-6 * max(1, abs(value)))
            if right and step not in seen:
                seen.add(step)
                kept += 1
    adapter.close_reader()
    return {"recovered": kept, "lost": steps * metrics - kept, "of": steps * metrics}


WAYS: dict[str, Callable[..., dict[str, Any]]] = {
    "calls": measures.calls,
    "longest": measures.longest,
    "bulk": measures.bulk,
    "read": measures.read,
    "short_runs": measures.short_runs,
    "memory": measures.memory,
    "recover": recover,
    "draw_write": draw.write,
    "draw_read": draw.read,
    "search": search.search,
}


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--tracker", required=True)
    parser.add_argument("--measure", required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--args", type=json.loads, default={})
    options = parser.parse_args()

    # tools print to standard output: keep it for the one line
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(line: str) -> None:
        out.write(line)
        out.flush()

    adapter = load(options.tracker)
    os.environ.update(adapter.environment(options.folder))
    bare = process.resident_mib()
    began = time.perf_counter()
    version = adapter.import_tool()
    import_ms = (time.perf_counter() - began) * 1e3
    given = options.args
    if options.measure == "memory":
        given["bare_mib"] = bare
    if options.measure == "kill_child":
        kill_child(adapter, options.folder, say, **given)
        return 0
    figures = WAYS[options.measure](adapter, options.folder, **given)
    say(json.dumps({"version": version, "import_ms": import_ms, **figures}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
