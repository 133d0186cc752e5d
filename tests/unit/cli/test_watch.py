"""`lineal runs list --watch`: what is logged while it runs is seen, and Ctrl-C is how it ends well."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import lineal

SRC = Path(__file__).resolve().parents[3] / "src"
PATIENCE_S = 60.0
Until = Callable[[str], str]


def hears_interrupts() -> None:
    """In the child: tests that run in the background of a shell inherit an ignored SIGINT."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def watching(folder: Path, *arguments: str, columns: int = 100) -> Iterator[tuple[Until, subprocess.Popen[bytes]]]:
    """The command in a terminal. `until(text)` reads on till the text has been drawn, and returns all since the start."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "lineal.cli.main", "runs", "list", "--watch", *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=hears_interrupts,
        env=environment | {"TERM": "xterm-256color", "PYTHONPATH": str(SRC), "LINEAL_URL": str(folder)},
    )
    os.close(theirs)
    seen = ""
    poll = select.poll()  # select.select refuses descriptors above 1,023
    poll.register(ours, select.POLLIN)

    def until(text: str) -> str:
        nonlocal seen
        deadline = time.monotonic() + PATIENCE_S
        while text not in seen and time.monotonic() < deadline:
            if poll.poll(100):
                try:
                    piece = os.read(ours, 65_536).decode(errors="replace")
                except OSError:
                    break
                seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", piece)
        assert text in seen, seen[-2_000:]
        return seen

    try:
        yield until, process
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def end(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGINT)
    return process.wait(PATIENCE_S)


def test_a_terminal_is_redrawn_as_runs_log(folder: Path) -> None:
    with watching(folder) as (until, process):
        until("No runs in")
        run = lineal.init("e", "first-one", url=folder)
        try:
            until("first-one")
            assert "running" in until("1 run")
            run.log({"val/loss": 0.123456})
            until("0.1235")
        finally:
            run.finish()
        until("finished")
        assert end(process) == 0


def test_groups_are_watched_too(folder: Path) -> None:
    with watching(folder, "--group-by", "status", "--metric", "loss") as (until, process):
        until("no group")
        with lineal.init("e", url=folder) as run:
            run.log({"loss": 0.5})
        until("finished")
        until("0.5000")
        assert end(process) == 0


def test_a_pipe_is_refused_and_told_why(invoke, sweep: list[str]) -> None:
    result = invoke("runs", "list", "--watch")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--json" in result.stderr


@pytest.mark.parametrize("arguments", [["params.lr >"], ["--order-by", "nonsense"]])
def test_a_wrong_question_ends_it_at_once(folder: Path, sweep: list[str], arguments: list[str]) -> None:
    with watching(folder, *arguments) as (until, process):
        until("expected")
        assert process.wait(PATIENCE_S) == 2


def test_json_is_a_line_a_change(folder: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "lineal.cli.main", "runs", "list", "--watch", "--json", "status != 'running'"],
        stdout=subprocess.PIPE,
        preexec_fn=hears_interrupts,
        env={**os.environ, "PYTHONPATH": str(SRC), "LINEAL_URL": str(folder)},
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            assert json.loads(process.stdout.readline()) == {"runs": [], "total": 0, "next_page_token": None}
            for number in (1, 2):
                with lineal.init("e", f"run {number}", url=folder) as run:
                    run.log({"loss": 1.0})  # while it runs the answer is the same, and not said again
                answer = json.loads(process.stdout.readline())
                assert (answer["total"], answer["runs"][0]["name"]) == (number, f"run {number}")
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE_S) == 0
            assert process.stdout.read() == ""
        finally:
            process.kill()
