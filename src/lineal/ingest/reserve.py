"""Room on the database's disk that is kept for deleting: where a disk is full, that is what people do next."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from lineal.ingest.desk import Desk, Said
from lineal.model.limits import RESERVE_BYTES, RESERVE_RETRY_S


@dataclass(frozen=True, slots=True)
class Freeing:
    """A work that puts something away."""

    work: Callable[[Desk], Said]

    def __call__(self, desk: Desk) -> Said:
        return self.work(desk)


class Reserve:
    """A file that is as large as it says. For one thread."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._tried_s = 0.0
        self.is_there = False
        self._make()

    def is_back(self) -> bool:
        """Whether it is there, or can be again."""
        if not self.is_there and time.monotonic() - self._tried_s >= RESERVE_RETRY_S:
            self._make()
        return self.is_there

    def give(self) -> None:
        """Its room to whoever writes next."""
        self.is_there = False
        self._tried_s = time.monotonic()
        with contextlib.suppress(OSError):
            os.unlink(self._path)

    def _make(self) -> None:
        self._tried_s = time.monotonic()
        try:
            # Written, not only claimed: a file system may promise blocks that it has not.
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            try:
                view = memoryview(bytes(RESERVE_BYTES))
                while view:
                    view = view[os.write(fd, view) :]
                os.fdatasync(fd)
            finally:
                os.close(fd)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(self._path)
        else:
            self.is_there = True
