"""A text by its lines, as those are looked at which stand near a secret's name: also a patch, whose lines begin with a sign."""

from __future__ import annotations

from collections.abc import Iterator

_NEAR_MAX_BYTES = 4_096
"""Of a line beside that of a name: nobody writes a longer value there, and each is read for each of its neighbours."""


class Lines:
    """A line is known by where it starts. `body` is what stands in it without the sign of a patch."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._changed: dict[int, bytes] = {}
        self.is_patch = content.startswith(b"diff --git ")
        # What stands before the first hunk names files.
        self.first = max(0, content.find(b"\n@@") + 1) if self.is_patch else 0

    def start_of(self, place: int) -> int:
        return self._content.rfind(b"\n", 0, place) + 1

    def end_of(self, start: int) -> int:
        end = self._content.find(b"\n", start)
        return len(self._content) if end < 0 else end

    def text(self, start: int) -> tuple[bytes, bytes]:
        """The sign, and the body as it is by now."""
        line = self._changed.get(start)
        if line is None:
            line = self._content[start : self.end_of(start)]
        if not self.is_patch:
            return b"", line
        if line.startswith(b"@@"):
            end = line.find(b"@@", 2)
            return (line[: end + 2], line[end + 2 :]) if end > 0 else (line, b"")
        return (line[:1], line[1:]) if line[:1] in (b" ", b"+", b"-") else (line, b"")

    def change(self, start: int, body: bytes) -> None:
        sign, old = self.text(start)
        if old != body:
            self._changed[start] = sign + body

    def after(self, start: int, count: int, max_bytes: int = _NEAR_MAX_BYTES) -> Iterator[tuple[int, bytes]]:
        """The next lines and their bodies, to the end of a hunk; without those that are longer."""
        for _ in range(count):
            start = self.end_of(start) + 1
            if start >= len(self._content):
                return
            if self.is_patch and self._content.startswith(b"@@", start):
                return
            if self.end_of(start) - start <= max_bytes:
                yield start, self.text(start)[1]

    def before(self, start: int, count: int) -> Iterator[tuple[int, bytes]]:
        for _ in range(count):
            if start <= self.first:
                return
            end, start = start - 1, self.start_of(start - 1)
            if self.is_patch and self._content.startswith(b"@@", start):
                return
            if end - start <= _NEAR_MAX_BYTES:
                yield start, self.text(start)[1]

    def joined(self) -> bytes:
        if not self._changed:
            return self._content
        pieces: list[bytes] = []
        done = 0
        for start, line in sorted(self._changed.items()):
            pieces += [self._content[done:start], line]
            done = self.end_of(start)
        pieces.append(self._content[done:])
        return b"".join(pieces)


def indent_of(body: bytes) -> int:
    return len(body) - len(body.lstrip(b" \t"))
