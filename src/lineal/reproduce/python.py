"""The interpreter that a rebuilt environment starts from, and the program that installs into it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec

from lineal.reproduce.problems import Problem

# A record may say anything: a path in the place of a version would be a program that is started, "-x" an option of uv.
_VERSION = re.compile(r"[0-9]+\.[0-9]+(?:\.[0-9]+)?(?:(?:a|b|rc)[0-9]+)?")
_ASK = "import platform; print(platform.python_version(), platform.python_implementation())"


@dataclass(frozen=True, slots=True)
class Interpreter:
    path: str
    version: str


def find_uv() -> list[str] | None:
    """How uv is called here, if it is installed: as a program, or as a module."""
    beside = os.path.join(os.path.dirname(sys.executable), "uv")
    path = beside if os.access(beside, os.X_OK) else shutil.which("uv")
    if path is not None:
        return [path]
    return [sys.executable, "-m", "uv"] if find_spec("uv") is not None else None


def find_interpreter(version: str | None, implementation: str | None, uv: list[str] | None) -> Interpreter | Problem:
    """One of that version; else of the same "3.11"; else a problem. Nothing is downloaded."""
    own = Interpreter(getattr(sys, "_base_executable", None) or sys.executable, platform.python_version())
    if version is None:
        return own
    if not _VERSION.fullmatch(version):
        return Problem("environment", "python", f"{version!r:.80} is no version of Python: nothing is looked for")
    if implementation not in (None, "CPython", "cpython"):
        return Problem("environment", "python", f"it ran on {implementation:.80} {version}: only CPython is rebuilt")
    if version == own.version:
        return own
    minor = ".".join(version.split(".")[:2])
    found = [own] if own.version.startswith(f"{minor}.") else []
    for name in [version, minor]:
        for path in _candidates(name, uv):
            known = _ask(path)
            if known is not None and known.version == version:
                return known
            if known is not None and known.version.startswith(f"{minor}."):
                found.append(known)
    if found:
        return found[0]
    return Problem("environment", "python", f"Python {version} is not here; `uv python install {minor}` gets it")


def _candidates(name: str, uv: list[str] | None) -> list[str]:
    found = [path] if (path := shutil.which(f"python{name}")) is not None else []
    if uv is not None:
        asked = subprocess.run([*uv, "python", "find", "--no-python-downloads", name], capture_output=True, check=False)
        if asked.returncode == 0:
            found.append(os.fsdecode(asked.stdout).strip())
    return found


def _ask(path: str) -> Interpreter | None:
    try:
        done = subprocess.run([path, "-I", "-c", _ASK], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version, _, implementation = done.stdout.strip().partition(" ")
    return Interpreter(path, version) if implementation == "CPython" else None
