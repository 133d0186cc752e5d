"""How fast `lineal import mlflow` takes over a store: `python -m benchmarks.importing [--runs 1000] [--metrics 20] [--steps 100]`.

The store is made by plain SQL, as MLflow's migrations leave it. Figures are of the importing process: CPU time, which other work on
the machine changes little, wall time, and the memory that it took at most."""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.importing.foreign import Foreign, run_id_of


def make(path: Path, runs: int, metrics: int, steps: int) -> Foreign:
    made = Foreign(path)
    for number in range(runs):
        run_id = run_id_of(number)
        made.add_run(run_id)
        for metric in range(metrics):
            made.add_points(run_id, f"metric/{metric}", ((step, step * 0.1 + metric + number) for step in range(steps)))
        made.add_text("params", run_id, **{f"p{key}": str(key * number) for key in range(10)})
        made.add_text("tags", run_id, **{f"t{key}": str(key) for key in range(5)})
    return made


def measured(url: str, folder: Path, runs: int, points: int) -> str:
    before, began_s = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "lineal.cli.main", "import", "mlflow", url, "--url", str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    wall_s, after = time.perf_counter() - began_s, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return (
        f"{cpu_s:.1f} s CPU ({points / cpu_s:,.0f} points/s, {runs / cpu_s:,.0f} runs/s), {wall_s:.1f} s wall,"
        f" at most {after.ru_maxrss // 1024} MiB"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--metrics", type=int, default=20)
    parser.add_argument("--steps", type=int, default=100)
    given = parser.parse_args()
    points = given.runs * given.metrics * given.steps
    with tempfile.TemporaryDirectory() as place:
        source = make(Path(place, "mlflow.db"), given.runs, given.metrics, given.steps)
        print(f"{given.runs:,} runs x {given.metrics:,} metrics x {given.steps:,} steps")
        print(f"first  {measured(source.url, Path(place, 'lineal'), given.runs, points)}")
        print(f"again  {measured(source.url, Path(place, 'lineal'), given.runs, points)}")


if __name__ == "__main__":
    main()
