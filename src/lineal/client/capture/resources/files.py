"""Small files of the kernel's, read with three calls and no text layer."""

from __future__ import annotations

import os

_FILE_MAX_BYTES = 1 << 20  # of /proc/stat on a machine of thousands of CPUs


def read(path: str) -> bytes:
    """b"" if it is not there, or not ours to read: the kernel says "no such process" in several ways."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except (OSError, ValueError):
        return b""
    try:
        pieces = []
        while piece := os.read(file, _FILE_MAX_BYTES):
            pieces.append(piece)
            if len(piece) < 4096 and len(pieces) == 1:
                break  # the kernel gives a small file whole: one call less
        return b"".join(pieces)
    except OSError:
        return b""
    finally:
        os.close(file)


def number(path: str) -> int | None:
    """The one number that a file holds; None for anything else ("max")."""
    text = read(path).strip()
    return int(text) if text.isdigit() else None


def fields(content: bytes, separator: bytes = b":") -> dict[bytes, int]:
    """Lines of a name and a number, such as those of /proc/meminfo and memory.stat."""
    found: dict[bytes, int] = {}
    for line in content.splitlines():
        name, _, rest = line.partition(separator)
        value = rest.split(None, 1)
        if value and value[0].isdigit():
            found[name] = int(value[0])
    return found
