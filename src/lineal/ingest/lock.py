"""Who ingests a folder: one process at a time, by `flock` on `ingest.lock`, which the kernel frees when it dies."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from lineal.model.errors import Busy, NotWritable

_POLL_S = 0.005


@contextmanager
def ingest_lock(path: str, wait_s: float) -> Iterator[None]:
    """Holds the lock within the block. Raises Busy when `wait_s` are over, NotWritable where no lock file can be made."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise NotWritable(f"{path} cannot be opened for writing: {error.strerror}") from None
    try:
        deadline_s = time.monotonic() + wait_s
        while not _try(fd):
            if time.monotonic() >= deadline_s:
                raise Busy("another process is taking in this folder's journals; try again in a moment")
            time.sleep(_POLL_S)
        yield
    finally:
        fcntl.flock(fd, fcntl.LOCK_UN)  # closing is not enough: a child forked meanwhile has the same lock
        os.close(fd)


def _try(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
