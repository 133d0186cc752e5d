"""Digests of files that were read before, by path, size, times and inode: a line each in the Lineal folder.

Many processes append to it at once, a line in one write; a line that is no whole one is stepped over. It may be deleted at any time."""

from __future__ import annotations

import contextlib
import json
import os
import re
import time
from typing import NamedTuple

from lineal.journal.layout import make_folders
from lineal.model.limits import DIGEST_CACHE_MAX_BYTES, DIGEST_CACHE_SETTLED_S

_DIGEST = re.compile("[0-9a-f]{64}")


class Stat(NamedTuple):
    """What must be unchanged of a file for its digest to be believed. The time of its last change of state cannot be set back by who
    writes other bytes of the same length and puts the time of writing back."""

    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int

    @classmethod
    def of(cls, stat: os.stat_result) -> Stat:
        return cls(stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)


class DigestCache:
    """Of one Lineal folder. Never raises: a cache that cannot be read is empty, one that cannot be written is not kept."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._path = os.path.join(root, "cache", "digests")
        self._known: dict[str, tuple[Stat, str]] | None = None
        self._news: list[str] = []

    def load(self) -> None:
        """Before it is asked, by one thread."""
        if self._known is None:
            self._known = self._read()

    def find(self, path: str, stat: Stat) -> str | None:
        known = (self._known or {}).get(path)
        return known[1] if known is not None and known[0] == stat else None

    def keep(self, path: str, stat: Stat, digest: str) -> None:
        """Unless it was written a moment ago: the next change might have the same times."""
        newest_ns = max(stat.mtime_ns, stat.ctime_ns)
        if time.time_ns() - newest_ns > DIGEST_CACHE_SETTLED_S * 1e9:
            self._news.append(json.dumps([path, *stat, digest]) + "\n")

    def save(self) -> None:
        news, self._news = self._news, []
        if not news:
            return
        with contextlib.suppress(OSError):
            make_folders(os.path.dirname(self._path), below=self._root)
            with contextlib.suppress(FileNotFoundError):
                if os.path.getsize(self._path) > DIGEST_CACHE_MAX_BYTES:
                    os.unlink(self._path)
            fd = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                for line in news:
                    os.write(fd, line.encode("ascii"))
            finally:
                os.close(fd)

    def _read(self) -> dict[str, tuple[Stat, str]]:
        known: dict[str, tuple[Stat, str]] = {}
        with contextlib.suppress(OSError), open(self._path, encoding="ascii", errors="replace") as file:
            for line in file:
                with contextlib.suppress(ValueError, TypeError):
                    path, size, mtime_ns, ctime_ns, inode, digest = json.loads(line)
                    if _DIGEST.fullmatch(digest):
                        known[path] = (Stat(size, mtime_ns, ctime_ns, inode), digest)
        return known
