"""What the child's processes say of themselves: each appends lines of JSON to a file of its own, in a folder that goes with
`lineal track`. No lock, no socket: a process that dies leaves whole lines."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from typing import Any

from lineal.model.limits import TRACK_SPOOL_READ_BYTES


class Spool:
    def __init__(self) -> None:
        self.folder = tempfile.mkdtemp(prefix="lineal-track-")
        self._positions: dict[str, int] = {}

    def read_new(self) -> list[dict[str, Any]]:
        """Whole lines that were not read yet, at most so many bytes of each file."""
        found: list[dict[str, Any]] = []
        for name in sorted(os.listdir(self.folder)):
            if name.endswith(".jsonl"):
                found += self._lines(name)
        return found

    def _lines(self, name: str) -> list[dict[str, Any]]:
        with open(os.path.join(self.folder, name), "rb") as file:
            file.seek(self._positions.get(name, 0))
            piece = file.read(TRACK_SPOOL_READ_BYTES)
        whole, newline, _ = piece.rpartition(b"\n")
        if not newline:
            if len(piece) == TRACK_SPOOL_READ_BYTES:  # a line without an end
                self._positions[name] = self._positions.get(name, 0) + len(piece)
            return []
        self._positions[name] = self._positions.get(name, 0) + len(whole) + 1
        found = []
        for line in whole.split(b"\n"):
            try:
                said = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(said, dict):
                found.append(said)
        return found

    def remove(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def say(folder: str, line: dict[str, Any]) -> None:
    """From a process of the child that has Lineal. Raises OSError."""
    text = json.dumps(line, default=str) + "\n"
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    number = os.open(os.path.join(folder, f"{os.getpid()}.jsonl"), flags, 0o600)
    try:
        os.write(number, text.encode())
    finally:
        os.close(number)
