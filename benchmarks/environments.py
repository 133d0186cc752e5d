"""A virtual environment for each peer, built on demand from `requirements/NAME.txt`, beside this file and
git-ignored: `python -m benchmarks.environments NAME ...` builds some beforehand.

Lineal and the CSV floor run in the Python that runs the benchmarks.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import subprocess
import sys
import venv
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENVS = HERE / ".venvs"
REQUIREMENTS = HERE / "requirements"


class NotInstalled(Exception):
    """The peer's environment could not be built; the message ends with pip's last words."""


def requirements_of(tracker: str) -> list[Path]:
    """`NAME.txt`, and `NAME.alone.txt`: without what its packages ask for, over what is there."""
    return [path for path in (REQUIREMENTS / f"{tracker}.txt", REQUIREMENTS / f"{tracker}.alone.txt") if path.exists()]


def text_of(requirements: Path) -> str:
    """With what it includes (`-r FILE`)."""
    lines = requirements.read_text().splitlines(keepends=True)
    return "".join(text_of(REQUIREMENTS / line[3:].strip()) if line.startswith("-r ") else line for line in lines)


def python_of(tracker: str, *, build: bool = True) -> Path:
    """The Python that has this tracker; built if it is not there or its requirements changed. Without `build`: NotInstalled then."""
    wanted = requirements_of(tracker)
    if not wanted:
        return Path(sys.executable)
    place = VENVS / tracker
    python = place / "bin" / "python"
    stamp = place / "requirements.sha256"
    texts = "".join(map(text_of, wanted)).encode()
    digest = hashlib.sha256(texts + platform.python_version().encode()).hexdigest()
    VENVS.mkdir(exist_ok=True)
    with (VENVS / f"{tracker}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # several processes may ask at once
        if python.exists() and stamp.exists() and stamp.read_text() == digest:
            return python
        if not build:
            raise NotInstalled(f"{tracker}: python -m benchmarks.environments {tracker} builds it")
        print(f"building the environment of {tracker} ...", file=sys.stderr, flush=True)
        venv.create(place, with_pip=True, clear=True)
        for path in wanted:
            _install(tracker, python, ["--no-deps"] if ".alone" in path.suffixes else [], path)
        stamp.write_text(digest)
    return python


def _install(tracker: str, python: Path, options: list[str], wanted: Path) -> None:
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run([*pip, *options, "-r", str(wanted)], capture_output=True, text=True)
    if done.returncode:
        raise NotInstalled(f"{tracker}: {done.stderr.strip().splitlines()[-1:]}")


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"


def _filesystem(folder: Path) -> str:
    best, kind = "", "unknown"
    try:
        for line in Path("/proc/mounts").read_text().splitlines():
            _, mounted, its_kind, *_ = line.split()
            inside = (
                mounted == "/" or str(folder.resolve()) == mounted or str(folder.resolve()).startswith(mounted + "/")
            )
            if inside and len(mounted) >= len(best):
                best, kind = mounted, its_kind
    except OSError:
        pass
    return kind


def machine(folder: Path) -> dict[str, str | int]:
    """What a reader must know to judge the figures; names no place."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        memory = 0.0
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release().split('-')[0]} {platform.machine()}",
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
        "memory_gib": round(memory),
        "filesystem": _filesystem(folder),
    }


if __name__ == "__main__":
    for name in sys.argv[1:]:
        python_of(name)
