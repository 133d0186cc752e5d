"""Programs that print, run for real."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import lineal
from lineal.client.capture.console.screen import Screen
from lineal.local import LoggedRun

TIMEOUT_S = 120  # of a program that takes one: a machine under load is not a fault


def environment(capture: str = "console", **more: str) -> dict[str, str]:
    return {**os.environ, "LINEAL_CAPTURE": capture, "PYTHONUNBUFFERED": "", **more}


def command(source: str, folder: Path) -> list[str]:
    head = "import os, sys, subprocess, threading, time, lineal\n"
    return [sys.executable, "-c", head + textwrap.dedent(source), str(folder)]


def start(source: str, folder: Path, capture: str = "console", **more: Any) -> subprocess.Popen[bytes]:
    given: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment(capture)} | more
    return subprocess.Popen(command(source, folder), **given)


def run(source: str, folder: Path, capture: str = "console", **more: Any) -> subprocess.CompletedProcess[bytes]:
    given: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "env": environment(capture)} | more
    return subprocess.run(command(source, folder), timeout=TIMEOUT_S, check=False, **given)


def logged(folder: Path) -> list[LoggedRun]:
    """By start."""
    return sorted(lineal.runs(url=folder), key=lambda one: one.details.run.started_ms)


def texts(folder: Path, stream: str | None = None) -> list[str]:
    [one] = logged(folder)
    return [line.text for line in one.console() if stream in (None, line.stream)]


def folded(printed: bytes) -> list[str]:
    screen = Screen()
    screen.feed(printed, 1)
    return [text for _, text in screen.take()]
