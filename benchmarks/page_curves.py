"""The curves of S10, and how a tracker records them in its own Python:

    python -m benchmarks.page_curves TRACKER FOLDER

Runs with nothing but NumPy and that tracker."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from benchmarks import values
from benchmarks.adapters import load

RUNS, STEPS = 10, 10_000


def curve(number: int, steps: int) -> np.ndarray:
    """The noisy decaying doubles of every scenario; each run decays to a height of its own."""
    rng = np.random.default_rng(values.SEED + number)
    return (1 + number / 50) * np.exp(-4 * np.arange(steps) / steps) + 0.05 * rng.standard_normal(steps)


def record(tracker: str, folder: Path) -> None:
    adapter = load(tracker)
    adapter.import_tool()
    for number in range(RUNS):
        adapter.open(folder, f"curve-{number:03d}", {"lr": 10.0 ** -(number % 5), "seed": number})
        adapter.log_many(({"train/loss": value}, step) for step, value in enumerate(curve(number, STEPS).tolist()))
        adapter.finish()


if __name__ == "__main__":
    record(sys.argv[1], Path(sys.argv[2]))
