"""Descriptors that are kept for long. A program may close all that it has not opened itself, as daemons do when they begin; the system
then gives their numbers to files of the program's, which nobody here may write to, cut or close."""

from __future__ import annotations

import errno
import os


class Held:
    """Knows of each descriptor what it was of."""

    __slots__ = ("_files",)

    def __init__(self, *descriptors: int) -> None:
        self._files: dict[int, tuple[int, int]] = {}
        self.add(*descriptors)

    def add(self, *descriptors: int) -> None:
        for descriptor in descriptors:
            status = os.fstat(descriptor)
            self._files[descriptor] = status.st_dev, status.st_ino

    def has(self, *descriptors: int) -> bool:
        """Whether they are still of what they were."""
        try:
            for descriptor in descriptors:
                status = os.fstat(descriptor)
                if self._files.get(descriptor) != (status.st_dev, status.st_ino):
                    return False
        except OSError as error:
            if error.errno != errno.EBADF:  # a signal handler's, say: TimeoutError is one
                raise
            return False
        return True

    def close(self, descriptor: int) -> None:
        """Of another's nothing. Raises OSError as the disk says."""
        if self.has(descriptor):
            self._files.pop(descriptor, None)
            os.close(descriptor)
