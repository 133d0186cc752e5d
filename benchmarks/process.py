"""What /proc and the file system say: memory, children, sizes. Standard library only; zeros where there is no
/proc."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")


def _status(pid: int | str, key: str) -> float:
    try:
        for line in (PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith(key + ":"):
                return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def resident_mib(pid: int | str = "self") -> float:
    return _status(pid, "VmRSS")


def peak_mib() -> float:
    return _status("self", "VmHWM")


def descendants(root: int | None = None) -> list[int]:
    parents: dict[int, int] = {}
    for entry in PROC.iterdir() if PROC.is_dir() else ():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    found, wanted = [], [root or os.getpid()]
    while wanted:
        parent = wanted.pop()
        children = [pid for pid, its in parents.items() if its == parent]
        found += children
        wanted += children
    return found


def session_members(session: int) -> list[int]:
    """Living processes of a session that we started (zombies are not living)."""
    found = []
    for entry in PROC.iterdir() if PROC.is_dir() else ():
        if entry.name.isdigit():
            try:
                rest = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(rest[3]) == session and rest[0] != "Z":
                found.append(int(entry.name))
    return found


def size(folder: Path) -> dict[str, int]:
    """Bytes of the files under a folder, and the blocks that the disk gave for them and for the folders."""
    total = blocks = 0
    for place, _, files in os.walk(folder):
        blocks += os.stat(place).st_blocks * 512
        for file in files:
            try:
                stat = os.lstat(os.path.join(place, file))
            except FileNotFoundError:
                continue
            total += stat.st_size
            blocks += stat.st_blocks * 512
    return {"bytes": total, "disk_bytes": blocks}
