"""Whether there may be GPUs at all, without loading anything for them."""

from __future__ import annotations

import os
from collections.abc import Callable

_MARKS = ("/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg")  # the last is WSL's


def has_driver(exists: Callable[[str], bool] = os.path.exists) -> bool:
    """In a container NVIDIA_VISIBLE_DEVICES says so, too."""
    return any(map(exists, _MARKS)) or os.environ.get("NVIDIA_VISIBLE_DEVICES", "void") not in ("", "void", "none")
