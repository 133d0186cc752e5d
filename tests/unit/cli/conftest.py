"""Real folders with real runs, and a terminal of a chosen width."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import lineal
from lineal.cli.main import lineal as command

SRC = Path(__file__).resolve().parents[3] / "src"
Invoke = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "notebook"


@pytest.fixture
def invoke(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Calls the command on the test's folder. A traceback fails the test, whatever was expected."""
    monkeypatch.setenv("LINEAL_URL", str(folder))

    def call(*arguments: str) -> Result:
        result = CliRunner().invoke(command, arguments, prog_name="lineal")
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert "Traceback" not in result.stderr
        return result

    return call


@pytest.fixture
def ask(invoke: Invoke) -> Callable[..., Any]:
    """The same with `--json`, read."""

    def call(*arguments: str) -> Any:
        return json.loads(invoke(*arguments, "--json").stdout)

    return call


@pytest.fixture
def sweep(folder: Path) -> list[str]:
    """Six finished runs of two settings; their ids, oldest first."""
    ids = []
    for lr in (0.1, 0.01):
        for seed in range(3):
            params = {"optimizer": {"name": "sgd", "lr": lr}, "seed": seed}
            with lineal.init(
                "sweep", f"sgd-{lr}-{seed}", params=params, tags={"setting": f"lr {lr}"}, url=folder
            ) as run:
                for step in range(20):
                    run.log({"train/loss": 1 / (step + 1), "val/accuracy": lr + seed / 10 + step / 1000}, step=step)
            ids.append(run.run_id)
            started_ms = time.time_ns() // 1_000_000
            while time.time_ns() // 1_000_000 == started_ms:
                pass  # runs of the same millisecond are listed by id
    return ids


def in_terminal(columns: int, arguments: Sequence[str], folder: Path, **also: str) -> tuple[str, str, int]:
    """What a terminal of that width gets: as it came, without its escape sequences, and the exit status."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "NO_COLOR")}
    environment |= {"TERM": "xterm-256color", "PYTHONPATH": str(SRC), "LINEAL_URL": str(folder), **also}
    with subprocess.Popen(
        [sys.executable, "-m", "lineal.cli.main", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    ) as process:
        os.close(theirs)
        seen = b""
        while True:
            try:
                piece = os.read(ours, 65_536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            seen += piece
    os.close(ours)
    text = seen.decode().replace("\r\n", "\n")
    return text, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text), process.returncode


@pytest.fixture
def terminal(folder: Path) -> Callable[..., tuple[str, str, int]]:
    def call(columns: int, *arguments: str, **also: str) -> tuple[str, str, int]:
        return in_terminal(columns, arguments, folder, **also)

    return call
