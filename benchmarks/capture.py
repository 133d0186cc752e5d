"""What it costs that a run records itself: python -m benchmarks.capture [FILES] [RUNS]

`init` in a fresh process, in a git repository of so many files (20,000) with a dirty tree: wall clock, CPU of the thread that called it
(what to look at on a busy machine), and the process's peak memory. Then short runs of one process (S6: 10 params, 5 metrics x 10 steps),
which share code and environment, with the bytes that the folder has afterwards. With and without, one after the other."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

WANTED = {"nothing": "none", "all but console": "no-console", "all": "all"}

INIT = """
import json, os, sys, time, resource
import lineal
began, cpu = time.perf_counter(), time.thread_time()
run = lineal.init("x", url=sys.argv[1])
cpu_ms = (time.thread_time() - cpu) * 1000
init_ms = (time.perf_counter() - began) * 1000
began = time.perf_counter()
run.finish()
finish_ms = (time.perf_counter() - began) * 1000
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
sys.stderr.write(json.dumps([init_ms, cpu_ms, finish_ms, peak]))
"""
SHORT = """
import json, os, sys, time
import lineal
folder, count = sys.argv[1], int(sys.argv[2])
params = {f"p{n}": n / 7 for n in range(10)}
def short(number):
    with lineal.init("s6", url=folder, params=params) as run:
        for step in range(10):
            run.log({f"m{n}": step * n + number / 3 for n in range(5)}, step=step)
short(0)
before = os.times()
began = time.perf_counter()
for number in range(count):
    short(number)
wall = time.perf_counter() - began
after = os.times()
sys.stderr.write(json.dumps([count / wall, count / (after.user + after.system - before.user - before.system)]))
"""


def repository(folder: Path, files: int) -> None:
    """One commit, and a changed, a staged and an untracked file."""
    for number in range(files):
        place = folder / f"d{number // 200}"
        place.mkdir(exist_ok=True)
        (place / f"f{number}.py").write_text(f"n = {number}\n")
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "x"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    (folder / "d0" / "f0.py").write_text("n = 'changed'\n")
    (folder / "new.py").write_text("n = 'new'\n")


def answer(program: str, folder: Path, cwd: Path, capture: str, *arguments: str) -> list[float]:
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder), *arguments],
        cwd=cwd,
        env={**os.environ, "LINEAL_CAPTURE": capture},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
    )
    said: list[float] = json.loads(done.stderr.decode().splitlines()[-1])
    return said


def kept_bytes(folder: Path) -> int:
    """After the first question, as S6 counts: what journals said is in the store by then."""
    import lineal

    with lineal.open_store(folder) as store:
        store.runs(limit=1)
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def main(files: int, runs: int) -> None:
    with tempfile.TemporaryDirectory() as place:
        tree, out = Path(place, "tree"), Path(place, "out")
        tree.mkdir()
        repository(tree, files)
        sys.stdout.write(f"init in a repository of {files:,} files, medians of 7\n")
        asked: dict[str, list[list[float]]] = {name: [] for name in WANTED}
        for number in range(7):
            for name, capture in WANTED.items():
                asked[name].append(answer(INIT, out / f"{name}-{number}", tree, capture))
        for name, said in asked.items():
            init_ms, cpu_ms, finish_ms, peak = (statistics.median(column) for column in zip(*said, strict=True))
            sys.stdout.write(
                f"  {name:<16} init {init_ms:6.1f} ms (CPU {cpu_ms:5.1f})   finish {finish_ms:6.1f} ms   peak {peak:6.1f} MiB\n"
            )
        sys.stdout.write(f"{runs:,} short runs of one process\n")
        for name, capture in WANTED.items():
            folder = out / f"{name}-short"
            per_wall, per_cpu = answer(SHORT, folder, tree, capture, str(runs))
            size = kept_bytes(folder) / (runs + 1)
            said_of = f"{per_wall:6.0f} runs/s   {per_cpu:6.0f} runs a second of CPU   {size / 1024:5.1f} KB a run"
            sys.stdout.write(f"  {name:<16} {said_of}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000, int(sys.argv[2]) if len(sys.argv) > 2 else 2_000)
