"""The code of a run that no repository has: its script, and the modules of the project that were imported."""

from __future__ import annotations

import os
import sys
import sysconfig

from lineal.client.capture.imported import imported_files
from lineal.client.capture.lineals import without_lineals
from lineal.client.capture.sources import Sources, read_sources
from lineal.client.capture.subject import tracked_command

_OWN = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def project_files(base: str, script: str | None) -> list[str]:
    """Names below `base`, of the script and of what was imported from there so far: nothing that was installed, and not Lineal."""
    installed = tuple(
        os.path.realpath(path) + os.sep
        for path in {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), _OWN}
        if path and not _holds(path, base)
    )
    real_base = os.path.realpath(base) + os.sep
    beginnings = (os.path.abspath(base) + os.sep, real_base)
    found: set[str] = set()
    paths = [_file_of(module) for module in list(sys.modules.values())]
    if tracked_command() is not None:  # what is loaded here is none of the command's
        paths = list(imported_files(script)) if script else []
    for path in [script, *paths]:
        if not isinstance(path, str) or (not path.endswith((".py", ".pyw", ".ipy", ".pyx")) and path != script):
            continue
        if not os.path.abspath(path).startswith(beginnings):
            continue
        real = os.path.realpath(path)
        if real.startswith(real_base) and not real.startswith(installed) and os.path.isfile(real):
            found.add(os.path.relpath(real, real_base))
    return sorted(found)


def _file_of(module: object) -> object:
    """What lies among the modules may be anything."""
    try:
        return getattr(module, "__file__", None)
    except Exception:
        return None


def _holds(folder: str, path: str) -> bool:
    """A project that lies in a folder of Python's own is a project all the same; one that holds an environment is one, too."""
    return (os.path.realpath(path) + os.sep).startswith(os.path.realpath(folder) + os.sep)


def snapshot(base: str, script: str | None, own: str = "") -> Sources:
    """Without what lies in `own`, the folder that runs are recorded in."""
    return read_sources(base, without_lineals(base, project_files(base, script), own))
