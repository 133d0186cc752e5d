"""Small training programs, each a process of its own that may be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

SRC = Path(__file__).resolve().parents[2] / "src"

# Logs `argv[2]` calls and says each tenth that returned; then waits to be killed.
LOGS_AND_WAITS = """
import sys, lineal
run = lineal.init("digits", url=sys.argv[1])
print(run.run_id, flush=True)
for step in range(int(sys.argv[2])):
    run.log({"loss": 1 / (step + 1), "step": step}, step=step)
    if step % 10 == 9:
        print(step, flush=True)
print("done", flush=True)
sys.stdin.read()
"""


def start(program: str, *arguments: object, within: Sequence[str] = (), **environment: str) -> subprocess.Popen[str]:
    """`within`: a command that runs it."""
    return subprocess.Popen(
        [*within, sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SRC), **environment},
    )


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "the program ended"
    return line.strip()


def lineal_command(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lineal.cli.main", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "PYTHONPATH": str(SRC), **environment},
    )
