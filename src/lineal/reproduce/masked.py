"""A patch in which secrets were masked. What it takes away or leaves as it was is in the commit, and is put back from there, or git
could not apply it; what it brings anew stays masked, and is named."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from lineal.client.capture.secret_shapes import MASK

_MASK = MASK.encode()
_HUNK = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")

Read = Callable[[str], bytes | None]
"""A file of the commit by its name; None where there is none."""


@dataclass(frozen=True, slots=True)
class Restored:
    """`masked`: file and line of what was there and is not known."""

    content: bytes
    masked: tuple[str, ...]


def restored(patch: bytes, read: Read) -> Restored:
    if _MASK not in patch:
        return Restored(patch, ())
    reader = _Reader(read)
    lines = [reader.line(line) for line in patch.split(b"\n")]
    return Restored(b"\n".join(lines), tuple(reader.masked))


class _Reader:
    def __init__(self, read: Read) -> None:
        self._read = read
        self._name: bytes = b""
        self._lines: list[bytes] | None = None
        self._old = self._new = self._old_left = self._new_left = 0
        self.masked: list[str] = []

    def line(self, line: bytes) -> bytes:
        if not (self._old_left > 0 or self._new_left > 0):
            self._head(line)
            return line
        sign = line[:1]
        if sign == b"\\":  # no newline at the end of the file
            return line
        if sign == b"+":
            if _MASK in line:
                self.masked.append(f"{self._name.decode('utf-8', 'replace')}:{self._new}")
        else:
            line = self._of_commit(line)
            self._old, self._old_left = self._old + 1, self._old_left - 1
        if sign != b"-":
            self._new, self._new_left = self._new + 1, self._new_left - 1
        return line

    def _head(self, line: bytes) -> None:
        if line.startswith((b"--- ", b"+++ ")):
            name = _name(line[4:])
            if name is not None:
                self._name, self._lines = name, None
        elif (found := _HUNK.match(line)) is not None:
            self._old, self._new = int(found[1]), int(found[3])
            self._old_left, self._new_left = int(found[2] or 1), int(found[4] or 1)

    def _of_commit(self, line: bytes) -> bytes:
        if _MASK not in line:
            return line
        if self._lines is None:
            content = self._read(self._name.decode("utf-8", "surrogateescape"))
            self._lines = [] if content is None else content.split(b"\n")
        return line[:1] + self._lines[self._old - 1] if 0 < self._old <= len(self._lines) else line


def _name(said: bytes) -> bytes | None:
    """git says odd names in quotes, and ends one that has a blank with a tab."""
    said = said.rstrip(b"\r").removesuffix(b"\t")
    if said.startswith(b'"') and said.endswith(b'"'):
        said = said[1:-1].decode("unicode_escape").encode("latin-1", "replace")
    return said[2:] if said.startswith((b"a/", b"b/")) else None
