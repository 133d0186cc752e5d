"""What this process takes of the machine."""

from __future__ import annotations

import os
import resource
import sys

_STATM = "/proc/self/statm"


def resident_bytes() -> int:
    """Where the system does not say what it is now: the most that it was."""
    try:
        with open(_STATM, encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def cpu_s() -> float:
    used = os.times()
    return used.user + used.system
