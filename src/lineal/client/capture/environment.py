"""What a run runs in: Python, packages, operating system, chosen variables, container. Nothing of it differs between two runs of
one environment, so that a thousand of them keep it once."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from lineal.client.capture.asked import TookTooLong, ask
from lineal.client.capture.packages import installed_packages, lock_text
from lineal.client.capture.redact import mask_text
from lineal.client.capture.variables import of_environment
from lineal.model.limits import CONDA_EXPORT_MAX_BYTES, CONDA_TIMEOUT_S, PACKAGES_MAX_COUNT

LOCK_PATH = ".lineal/environment/requirements.txt"
CONDA_PATH = ".lineal/environment/conda.yaml"


class Environment(NamedTuple):
    """`files`, by the key of `content` that is to say where each is kept: its path within the run's artifacts, and its bytes."""

    content: dict[str, Any]
    files: dict[str, tuple[str, bytes]]


class _Seen(NamedTuple):
    """What this process looked at last, and how it then was. `is_whole`: conda was asked, too, where there is one."""

    state: Any
    environment: Environment
    is_whole: bool


_seen: _Seen | None = None


def known_environment(environ: Mapping[str, str]) -> tuple[Environment, bool] | None:
    """What `environment` would say, if that takes microseconds: nothing was installed or set since it was looked at. And whether that
    is the whole of it: nobody is asked by `whole_environment` any more."""
    seen = _seen
    return (seen.environment, seen.is_whole) if seen is not None and seen.state == _state(environ) else None


def environment(environ: Mapping[str, str]) -> Environment:
    """Some milliseconds; microseconds if nothing was installed or set since the last time. Asks no other program: what conda says is
    in it if `whole_environment` has asked before. Raises nothing for what is not to be found."""
    return _see(environ).environment


def whole_environment(environ: Mapping[str, str]) -> Environment | None:
    """With what conda says, which takes seconds the first time, or more. None where there is none."""
    global _seen
    if not is_conda(environ):
        return None
    seen = _see(environ)
    if not seen.is_whole:
        exported = conda_export(environ)
        content, files = seen.environment
        found = Environment(content, {**files, "conda_export": (CONDA_PATH, exported)} if exported else files)
        _seen = seen = _Seen(seen.state, found, is_whole=True)
    return seen.environment


def _see(environ: Mapping[str, str]) -> _Seen:
    global _seen
    state = _state(environ)
    seen = _seen
    if seen is None or seen.state != state:
        _seen = seen = _Seen(state, _look(environ), is_whole=not is_conda(environ))
    return seen


def _state(environ: Mapping[str, str]) -> object:
    return _places(), of_environment(environ)


def _places() -> list[tuple[str, int]]:
    """Installing or removing a package changes the folder that it lies in."""
    places = []
    for folder in sys.path:
        try:
            places.append((folder, os.stat(folder or ".").st_mtime_ns))
        except OSError:
            places.append((folder, 0))
    return places


def _look(environ: Mapping[str, str]) -> Environment:
    packages, left_out = installed_packages()
    named = packages[:PACKAGES_MAX_COUNT]
    left_out += len(packages) - len(named)
    version = ".".join(map(str, sys.version_info[:3]))
    content: dict[str, Any] = {
        "python": _python(version, environ),
        "packages": {one.name: one.version for one in named},
        "os": operating_system(),
        "variables": of_environment(environ),
    }
    if left_out:
        content["packages_left_out"] = left_out
    if direct := {one.name: said for one in named if (said := one.direct())}:
        content["direct"] = direct
    if container := find_container(environ):
        content["container"] = container
    files = {"lock": (LOCK_PATH, lock_text(packages, version).encode())}
    if is_conda(environ):
        content["conda"] = {"prefix": mask_text(environ.get("CONDA_PREFIX") or sys.prefix)}
        if name := environ.get("CONDA_DEFAULT_ENV"):
            content["conda"]["name"] = mask_text(name)
    return Environment(content, files)


def _python(version: str, environ: Mapping[str, str]) -> dict[str, Any]:
    name = sys.implementation.name
    return {
        "version": version,
        "implementation": {"cpython": "CPython", "pypy": "PyPy"}.get(name, name),
        "build": " ".join(sys.version.split("\n")),
        "kind": "conda" if is_conda(environ) else "venv" if sys.prefix != sys.base_prefix else "system",
        "executable": mask_text(sys.executable or ""),
        "prefix": mask_text(sys.prefix),
    }


def is_conda(environ: Mapping[str, str]) -> bool:
    """A shell may have a conda environment active while another Python runs."""
    return os.path.isdir(os.path.join(sys.prefix, "conda-meta"))


def conda_export(environ: Mapping[str, str]) -> bytes | None:
    """What `conda env export` says of this environment; None where conda is not found, refuses, or takes too long."""
    program = environ.get("CONDA_EXE") or shutil.which("conda", path=environ.get("PATH"))
    if not program:
        return None
    command = [program, "env", "export", "--prefix", sys.prefix]
    try:
        answer = ask(command, os.environ, time.monotonic() + CONDA_TIMEOUT_S, CONDA_EXPORT_MAX_BYTES)
    except (OSError, TookTooLong):
        return None
    if answer.code != 0 or not answer.output:
        return None
    return mask_text(answer.output.decode("utf-8", "replace")).encode()


def operating_system(release_file: str = "/etc/os-release") -> dict[str, str]:
    """Format of the file: freedesktop.org, os-release(5)."""
    uname = os.uname()
    said = {"kernel": uname.release, "machine": uname.machine, "name": uname.sysname}
    release = _assignments(release_file) or _assignments("/usr/lib/os-release")
    if release.get("NAME"):
        said["name"] = release["NAME"]
    if version := release.get("VERSION_ID") or release.get("BUILD_ID"):
        said["version"] = version
    if libc := _libc():
        said["libc"] = libc
    return said


def _libc() -> str | None:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (ValueError, OSError, AttributeError):  # musl and macOS have no such name
        return None


def find_container(environ: Mapping[str, str], root: str = "/") -> dict[str, str]:
    """Docker and Podman leave a file, Kubernetes and Apptainer a variable. Only some of them say which image it is."""
    marked: dict[str, str] = {}
    if environ.get("APPTAINER_CONTAINER") or environ.get("SINGULARITY_CONTAINER"):
        image = environ.get("APPTAINER_CONTAINER") or environ["SINGULARITY_CONTAINER"]
        marked = {"kind": "apptainer", "image": mask_text(image)}
    elif os.path.exists(os.path.join(root, "run/.containerenv")):
        said = _assignments(os.path.join(root, "run/.containerenv"))
        marked = {"kind": "podman"} | ({"image": mask_text(said["image"])} if said.get("image") else {})
    elif environ.get("KUBERNETES_SERVICE_HOST"):
        marked = {"kind": "kubernetes"}
    elif os.path.exists(os.path.join(root, ".dockerenv")):
        marked = {"kind": "docker"}
    return marked


def _assignments(path: str) -> dict[str, str]:
    """NAME="value" a line."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            pairs = [line.strip().partition("=") for line in file if "=" in line and not line.startswith("#")]
    except OSError:
        return {}
    return {name: value.strip("\"'") for name, _, value in pairs}
