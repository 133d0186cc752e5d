"""The file that this process began with. CPython takes it away from `__main__` when the script's last line has run (`_PyRun_SimpleFile`
in pythonrun.c), while runs that nobody finished are still open, and so may be the look at their code."""

from __future__ import annotations

import os
import sys

_known: str | None = None


def remember_main() -> None:
    """To be called while the script runs: when a run begins."""
    global _known
    _known = _of_main() or _known


def main_file() -> str | None:
    """Absolute; None in a notebook or a shell, and for a program from standard input or `-c`."""
    return _of_main() or _known


def _of_main() -> str | None:
    try:
        file = getattr(sys.modules.get("__main__"), "__file__", None)
        # Of the folder at this moment: a script may change it the moment after. And there may be none any more.
        return os.path.abspath(file) if isinstance(file, str) else None
    except Exception:
        return None
