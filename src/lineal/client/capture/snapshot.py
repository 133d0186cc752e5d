"""The code of a run that no repository has: its script, and the modules of the project that were imported."""

from __future__ import annotations

import functools
import os
import re
import sys
import sysconfig

from lineal.client.capture.execution import command_line
from lineal.client.capture.imported import imported_files
from lineal.client.capture.lineals import without_lineals
from lineal.client.capture.sources import Sources, read_sources
from lineal.client.capture.subject import tracked_command
from lineal.model.captures import is_code_file
from lineal.model.limits import SOURCE_FILES_MAX_COUNT

# Debuggers of editors bring their modules along, and compilers write theirs.
_MACHINERY = re.compile(r"/(?:site-packages|dist-packages|pydev|debugpy|torchinductor_[^/]*)/|/pydev_[^/]*\Z")
_YAML = (".yaml", ".yml")
_HYDRA_WRITES = ("outputs", "multirun")
_PACKAGES = re.compile(r"/(?:site-packages|dist-packages)/")
_OWN = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def project_files(base: str, script: str | None) -> list[str]:
    """Names below `base`, of the script and of what was imported from there so far: nothing that was installed, and not Lineal."""
    installed = _installed(base)
    real_base = os.path.realpath(base) + os.sep
    beginnings = (os.path.abspath(base) + os.sep, real_base)
    found: set[str] = set()
    for path in _candidates(script):
        if not os.path.abspath(path).startswith(beginnings):
            continue
        real = os.path.realpath(path)
        if real.startswith(real_base) and not real.startswith(installed) and os.path.isfile(real):
            found.add(os.path.relpath(real, real_base))
    return sorted(found)


def files_elsewhere(base: str) -> list[str]:
    """Of what was imported so far and is neither installed nor Lineal, that which lies outside of `base`: a library of one's own on the
    PYTHONPATH, say. Absolute; nothing for a command that runs in another process."""
    if tracked_command() is not None:
        return []
    installed = _installed(base)
    # Of most modules their name tells that they were installed: to resolve a thousand would take the training's time.
    usual = (*installed, *(place + os.sep for place in sysconfig.get_paths().values() if not _holds(place, base)))
    real_base = os.path.realpath(base) + os.sep
    found: set[str] = set()
    for path in _candidates(None):
        if path.startswith(usual) or _PACKAGES.search(path):
            continue
        real = os.path.realpath(path)
        if not real.startswith((real_base, *installed)) and not _MACHINERY.search(real) and os.path.isfile(real):
            found.add(real)
    return sorted(found)


def own_script(script: str | None) -> str | None:
    """Of a tool that runs a program (`python -m cProfile train.py`, `coverage run`), the program; None where it is no file (`pytest`, a
    command that a package has installed)."""
    if script is None or not _is_installed(script):
        return script
    given = sys.argv[0] if getattr(sys, "argv", None) else ""
    if given.endswith(".py") and os.path.isfile(given) and not _is_installed(given):
        return os.path.abspath(given)
    return None


def _is_installed(path: str) -> bool:
    real = os.path.realpath(path)
    scripts, folders = _python_folders()
    if os.path.dirname(real) == scripts:
        return not real.endswith(".py")
    return real.startswith(folders) or bool(_PACKAGES.search(real))


@functools.cache
def _python_folders() -> tuple[str, tuple[str, ...]]:
    """Where Python has its commands, and where its modules; asked for once a run, and a tenth of a short one."""
    places = sysconfig.get_paths()
    modules = tuple(os.path.realpath(places[name]) + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib"))
    return os.path.realpath(places["scripts"]), modules


def _installed(base: str) -> tuple[str, ...]:
    return tuple(
        os.path.realpath(path) + os.sep
        for path in {sys.prefix, sys.base_prefix, *sysconfig.get_paths().values(), _OWN}
        if path and not _holds(path, base)
    )


def _candidates(script: str | None) -> list[str]:
    """The script, whatever it is called, and source files of modules."""
    paths = [_file_of(module) for module in list(sys.modules.values())]
    if tracked_command() is not None:  # what is loaded here is none of the command's
        paths = list(imported_files(script)) if script else []
    return [
        path
        for path in [script, *paths]
        if isinstance(path, str) and (path == script or path.endswith((".py", ".pyw", ".ipy", ".pyx")))
    ]


def _file_of(module: object) -> object:
    """What lies among the modules may be anything."""
    try:
        return getattr(module, "__file__", None)
    except Exception:
        return None


def _holds(folder: str, path: str) -> bool:
    """A project that lies in a folder of Python's own is a project all the same; one that holds an environment is one, too."""
    return (os.path.realpath(path) + os.sep).startswith(os.path.realpath(folder) + os.sep)


def snapshot(base: str, script: str | None, own: str = "", folder: str = "") -> Sources:
    """Without what lies in `own`, the folder that runs are recorded in. `folder`: where the command was given."""
    names = {*project_files(base, script), *_given_files(base, folder), *_files_of_hydra(base)}
    return read_sources(base, without_lineals(base, names, own))


def _given_files(base: str, folder: str) -> set[str]:
    """Names below `base` of code and configuration that the command line names: `sh train.sh`, `--config small.yaml`."""
    real_base = os.path.realpath(base) + os.sep
    found: set[str] = set()
    for word in command_line():
        for name in {word, word.partition("=")[2]}:
            if "\0" in name or not is_code_file(name):
                continue
            real = os.path.realpath(os.path.join(folder, name))
            if real.startswith(real_base) and os.path.isfile(real):
                found.add(os.path.relpath(real, real_base))
    return found


def _files_of_hydra(base: str) -> set[str]:
    """Names below `base` of the files that Hydra may have composed this program's configuration from: without them it does not begin."""
    found: set[str] = set()
    try:
        held = sys.modules["hydra.core.hydra_config"].HydraConfig.get().runtime.config_sources
        sources = [str(one.path) for one in held if one.schema == "file" and one.provider in ("main", "command-line")]
    except Exception:  # it does not run under Hydra
        return found
    real_base = os.path.realpath(base) + os.sep
    looked_at = 0
    for source in sources:
        if not (os.path.realpath(source) + os.sep).startswith(real_base):
            continue
        for place, folders, names in os.walk(os.path.realpath(source)):
            folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _HYDRA_WRITES)
            looked_at += len(folders) + len(names)
            if looked_at > SOURCE_FILES_MAX_COUNT:  # it lies among data
                break
            found |= {os.path.relpath(os.path.join(place, name), real_base) for name in names if name.endswith(_YAML)}
    return found
