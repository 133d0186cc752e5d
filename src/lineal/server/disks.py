"""Whether a disk takes what is written, and how much it still would."""

from __future__ import annotations

import os
from pathlib import Path

from lineal.model.errors import NotWritable
from lineal.model.limits import DISK_PROBE_BYTES


def disk_free_bytes(folder: Path) -> int:
    """For those who are not root; 0 where it cannot be told."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize


def check_takes(folder: Path) -> None:
    """Writes a little and takes it away again: full, read-only, over quota, gone - what else would say so? Raises NotWritable."""
    probe = folder / f".ready-{os.urandom(4).hex()}"
    try:
        try:
            probe.write_bytes(bytes(DISK_PROBE_BYTES))
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise NotWritable(f"the disk takes nothing: {error.strerror}") from error
