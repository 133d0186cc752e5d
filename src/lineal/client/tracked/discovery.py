"""Where a command writes event files: below the folders that are customary, or that were named, and what it has open."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from lineal.model.limits import TRACK_FOLDERS_MAX_COUNT

CUSTOMARY = ("runs", "logs", "lightning_logs")
_MARK = "tfevents"  # in the name of every event file: TensorBoard itself looks for it


class Discovery:
    """`before`: sizes of the event files that were there when the command began, whose points are not this run's."""

    def __init__(self, folders: Sequence[str] | None) -> None:
        self._asks_system = folders is None
        self._folders = [os.path.abspath(folder) for folder in (CUSTOMARY if folders is None else folders)]
        self.before = dict(self._listed())

    def find(self, pid: int | None) -> set[str]:
        """Files that are new, or have grown since the command began."""
        found = {path for path, size in self._listed() if size != self.before.get(path, -1)}
        if self._asks_system and pid is not None:
            found.update(opened_by(pid))
        return found

    def _listed(self) -> Iterator[tuple[str, int]]:
        for folder in self._folders:
            for number, (place, _, names) in enumerate(os.walk(folder)):
                if number >= TRACK_FOLDERS_MAX_COUNT:
                    break
                for name in names:
                    if _MARK in name:
                        path = os.path.join(place, name)
                        try:
                            yield path, os.stat(path).st_size
                        except OSError:
                            continue


def opened_by(pid: int) -> Iterator[str]:
    """Event files that the process or a descendant has open for writing, as far as /proc says."""
    waiting = [pid]
    seen = set()
    while waiting:
        one = waiting.pop()
        if one in seen:
            continue
        seen.add(one)
        waiting += _children(one)
        try:
            numbers = os.listdir(f"/proc/{one}/fd")
        except OSError:
            continue
        for number in numbers:
            try:
                path = os.readlink(f"/proc/{one}/fd/{number}")
                if _MARK in os.path.basename(path) and os.path.isfile(path) and _is_written(one, number):
                    yield path
            except OSError:
                continue


def _children(pid: int) -> list[int]:
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as file:
                found += map(int, file.read().split())
    except (OSError, ValueError):
        pass
    return found


def _is_written(pid: int, number: str) -> bool:
    with open(f"/proc/{pid}/fdinfo/{number}", encoding="ascii") as file:
        for line in file:
            if line.startswith("flags:"):
                return int(line.split()[1], 8) & (os.O_WRONLY | os.O_RDWR) != 0
    return False
