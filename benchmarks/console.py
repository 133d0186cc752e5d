"""What it costs to record what a run prints: python -m benchmarks.console [MEGABYTES]

A program prints so many megabytes in lines of 100 bytes, then a chatty training prints ten lines a step; without Lineal's console, with it,
and through `tee`. CPU is that of the program (and of tee): the helper is nobody's child, and works on another core."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time

FLOOD = """
import sys, lineal
run = lineal.init("x", url=sys.argv[1])
line = "x" * 99
for _ in range(int(sys.argv[2]) * 10_000): print(line)
run.finish()
"""
CHATTY = """
import sys, lineal
run = lineal.init("x", url=sys.argv[1])
total = 0.0
for step in range(2_000):
    total += sum(n * n for n in range(20_000))
    for n in range(10): print("step", step, "line", n, "loss", total)
run.finish()
"""
WAYS = {"without": ("none", False), "through tee": ("none", True), "with console": ("console", False)}
"""Name -> LINEAL_CAPTURE, and whether `tee` is in between."""


def measure(source: str, way: str, megabytes: int) -> tuple[float, float]:
    """Seconds of wall clock and of CPU, of the program with all that it started."""
    capture, by_tee = WAYS[way]
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, "out"), "wb") as out:
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        command = [sys.executable, "-c", source, os.path.join(folder, "nb"), str(megabytes)]
        environ = {**os.environ, "LINEAL_CAPTURE": capture}
        if by_tee:
            program = subprocess.Popen(command, stdout=subprocess.PIPE, env=environ)
            subprocess.run(["tee", os.path.join(folder, "teed")], stdin=program.stdout, stdout=out, check=True)
            assert program.stdout is not None
            program.stdout.close()
            program.wait()
        else:
            subprocess.run(command, stdout=out, env=environ, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        wall = time.monotonic() - began
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main(megabytes: int) -> None:
    for title, source in ((f"{megabytes} MB of lines", FLOOD), ("a chatty training (20,000 lines)", CHATTY)):
        sys.stdout.write(f"{title}\n")
        for way in WAYS:
            wall, cpu = min(measure(source, way, megabytes) for _ in range(3))
            sys.stdout.write(f"  {way:<14} {wall:6.2f} s   CPU of the program {cpu:6.2f} s\n")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100)
