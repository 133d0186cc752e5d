"""Real commands through the real `lineal track`, each in a working folder of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import lineal
from lineal.local import LoggedRun

SRC = Path(__file__).resolve().parents[2] / "src"
PATIENCE_S = 60.0


class Tracker:
    def __init__(self, place: Path) -> None:
        self.place = place
        self.notebook = place / "notebook"
        self.work = place / "work"
        self.work.mkdir()
        self.environ = {
            **{name: value for name, value in os.environ.items() if name not in ("RANK", "LOCAL_RANK", "WORLD_SIZE")},
            "PYTHONPATH": str(SRC),
            "LINEAL_URL": str(self.notebook),
            "LINEAL_CAPTURE": "none",
            "TMPDIR": str(self.temporary),
        }

    @property
    def temporary(self) -> Path:
        path = self.place / "tmp"
        path.mkdir(exist_ok=True)
        return path

    def write(self, name: str, text: str) -> Path:
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def start(self, *arguments: str, **also: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "lineal.cli.main", "track", *arguments],
            cwd=self.work,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **also,
        )

    def run(self, *arguments: str) -> tuple[int, str, str]:
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=PATIENCE_S)
        return process.returncode, out, err

    def python(self, text: str, *arguments: str, options: tuple[str, ...] = ()) -> tuple[int, str, str]:
        """Runs it as train.py."""
        self.write("train.py", text)
        return self.run(*options, "--", sys.executable, "train.py", *arguments)

    def runs(self) -> list[LoggedRun]:
        return list(lineal.runs(url=self.notebook))

    @property
    def only(self) -> LoggedRun:
        (run,) = self.runs()
        assert not list(self.temporary.iterdir()), "something is left over"
        return run


@pytest.fixture
def tracker(tmp_path: Path) -> Tracker:
    return Tracker(tmp_path)


def wait_until(holds: Callable[[], object], what: str) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until_s, f"not within {PATIENCE_S:.0f} s: {what}"
        time.sleep(0.02)
