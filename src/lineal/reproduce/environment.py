"""The environment of a run, made again from its lock file; or the one that is here, and in what it differs.

A plan installs nothing and builds nothing: it asks the index whether it has each package as a wheel. Where only source is to be
had, that is said: installing it runs its code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal, TypeAlias

from lineal._version import __version__
from lineal.reproduce.captured import Environment
from lineal.reproduce.packages import LINEAL, Requirement, changed, installed, lines_of, normal, read_lock
from lineal.reproduce.problems import Problem
from lineal.reproduce.python import find_interpreter, find_uv
from lineal.reproduce.workspace import Find

EnvironmentChoice: TypeAlias = Literal["rebuild", "current"]

_INSTALL_TIMEOUT_S = 3_600
_GONE = re.compile(r"no version of (\S+?)==|(\S+) was not found in|(\S+?)==\S+ has no usable wheels|found for (\S+?)==")
_SOURCE_ONLY = "has no usable wheels"


class CannotInstall(Exception):
    """What the installer said."""


@dataclass(frozen=True, slots=True)
class EnvironmentPlan:
    """`python`: the interpreter that runs the command; for a rebuilt one, it is there once `install` was called."""

    choice: EnvironmentChoice
    python: str
    version: str
    tool: str = ""
    requirements: tuple[Requirement, ...] = ()
    projects: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    folder: Path | None = None
    problems: tuple[Problem, ...] = field(default=())


def current_environment(environment: Environment | None) -> EnvironmentPlan:
    """This interpreter, as it is."""
    import platform

    version = platform.python_version()
    problems: list[Problem] = []
    if environment is not None:
        if environment.python not in (None, version):
            said = f"it ran on Python {environment.python}, and this is {version}"
            problems.append(Problem("environment", "python", said, blocks=False))
        problems += changed(environment.packages, installed(sys.executable))
    return EnvironmentPlan("current", sys.executable, version, problems=tuple(problems))


def plan_rebuild(
    environment: Environment | None, find: Find, folder: Path, old_root: str | None, tree: Path
) -> EnvironmentPlan:
    """`folder`: where it will lie. Packages that were installed from the run's own tree are installed from the new `tree`."""
    nothing = EnvironmentPlan("rebuild", sys.executable, "")
    if environment is None or environment.lock is None:
        said = "the run has no lock file of its environment; --environment current runs it with what is installed here"
        return replace(nothing, problems=(Problem("environment", "lock", said, is_final=True),))
    try:
        text = find(environment.lock).read_text(encoding="utf-8")
    except (LookupError, OSError, UnicodeDecodeError) as error:
        said = f"the lock file cannot be had: {error}"
        return replace(nothing, problems=(Problem("environment", "lock", said, is_final=True),))
    uv = find_uv()
    interpreter = find_interpreter(environment.python, environment.implementation, uv)
    if isinstance(interpreter, Problem):
        return replace(nothing, problems=(replace(interpreter, is_final=True),))
    problems: list[Problem] = []
    if environment.python not in (None, interpreter.version):
        said = f"it ran on Python {environment.python}, and the nearest here is {interpreter.version}"
        problems.append(Problem("environment", "python", said, blocks=False))
    if environment.is_conda:
        said = "it ran in a conda environment: its Python packages are rebuilt, libraries that conda brought are not"
        problems.append(Problem("environment", "conda", said, blocks=False))
    requirements, indexes, ignored = read_lock(text)
    projects, stand_ins, local = _projects(environment, old_root, tree)
    requirements = [item for item in requirements if item.name not in environment.direct or item.address]
    requirements += stand_ins
    of_folders = tuple(f"{name} @ file://" for name in environment.direct)
    ignored = [item for item in ignored if not item.name.startswith(of_folders)]  # `_projects` has them
    try:
        python = _make(folder, interpreter.path, uv)
        available, gone = _ask_index(requirements, python, uv)
        if gone and indexes:
            available, gone = _ask_index(requirements, python, uv, indexes)
        else:
            indexes = []  # nobody else's index is asked for what the user's own has
    except (CannotInstall, OSError, subprocess.SubprocessError) as error:
        unusable = Problem("environment", "python", f"no environment can be made: {error}", is_final=True)
        return replace(nothing, problems=(unusable,))
    return EnvironmentPlan(
        "rebuild",
        python,
        interpreter.version,
        "pip" if uv is None else "uv",
        tuple(available),
        tuple(projects),
        tuple(indexes),
        folder,
        (*problems, *ignored, *local, *gone),
    )


def install(plan: EnvironmentPlan) -> None:
    """Fills the planned environment. Raises CannotInstall. May run code of packages that come as source."""
    if plan.choice == "current" or plan.folder is None:
        return
    listed = plan.folder / "requirements.txt"
    listed.write_text(lines_of(plan.requirements), encoding="utf-8")
    uv = find_uv() if plan.tool == "uv" else None
    if plan.requirements:
        _run([*_installer(plan.python, uv), *_extra(plan.indexes, uv), "--no-deps", "-r", str(listed)])
    for project in plan.projects:
        editable = ["-e"] if os.path.isdir(project) else []
        _run([*_installer(plan.python, uv), "--no-deps", *editable, project])
    _link_lineal(plan.python)


def _projects(
    environment: Environment, old_root: str | None, tree: Path
) -> tuple[list[str], list[Requirement], list[Problem]]:
    """Packages that were installed from a folder or file: the run's own project from the new tree, any other as it is now; and the
    same versions of an index, of those that are gone."""
    projects: list[str] = []
    stand_ins: list[Requirement] = []
    problems: list[Problem] = []
    for name, said in environment.direct.items():
        address = said.get("url")
        if normal(name) == LINEAL or not isinstance(address, str) or not address.startswith(("file://", "/")):
            continue
        place = address.removeprefix("file://")
        inside = os.path.relpath(place, old_root) if old_root else os.pardir
        if inside.split(os.sep)[0] != os.pardir:
            projects.append(str(tree / inside))
        elif os.path.exists(place):
            projects.append(place)
            text = f"{name} was installed from {place}, and is taken from there as it is now"
            problems.append(Problem("environment", name, text, blocks=False))
        else:
            version = environment.packages.get(name)
            text = f"{name} was installed from {place}, which is gone"
            if version is not None:
                stand_ins.append(Requirement(name, f"{name}=={version}", version=version))
                text += f": version {version} of the index stands in for it"
            problems.append(Problem("environment", name, text, blocks=version is None))
    return projects, stand_ins, problems


def _make(folder: Path, interpreter: str, uv: list[str] | None) -> str:
    """An empty environment; nothing of a run is in it yet."""
    if uv is not None:
        _run([*uv, "venv", "--quiet", "--no-project", "--python", interpreter, str(folder)])
    else:
        _run([interpreter, "-I", "-m", "venv", str(folder)])
    return str(folder / "bin" / "python")


def _ask_index(
    requirements: Sequence[Requirement], python: str, uv: list[str] | None, indexes: Sequence[str] = ()
) -> tuple[list[Requirement], list[Problem]]:
    """Which packages can be had, and which not. The installer names one at a time, and is asked again without it."""
    left = [item for item in requirements if item.version is not None]
    available = [item for item in requirements if item.version is None]
    problems: list[Problem] = []
    listed = Path(python).parent.parent / "asked.txt"
    while left:
        listed.write_text(lines_of(left), encoding="utf-8")
        wheels = ["--no-build"] if uv is not None else ["--only-binary", ":all:"]
        said = _call(
            [*_installer(python, uv), *_extra(indexes, uv), "--dry-run", "--no-deps", *wheels, "-r", str(listed)]
        )
        if said is None:
            break
        match = _GONE.search(re.sub(r"\s+", " ", said))
        name = next((group for group in match.groups() if group), "") if match else ""
        named = next((item for item in left if name and normal(item.name) == normal(name)), None)
        if named is None:
            problems.append(Problem("environment", "index", f"the index cannot be asked: {_last_line(said)}"))
            break
        left.remove(named)
        if _SOURCE_ONLY in said or (uv is None and _has_source(python, named)):
            available.append(named)
            text = f"{named.name} {named.version} is there as source only: installing it runs its code"
            problems.append(Problem("environment", named.name, text, blocks=False))
        else:
            text = f"{named.name} {named.version} is gone from the index"
            problems.append(Problem("environment", named.name, text))
    return sorted([*left, *available], key=lambda item: item.name.lower()), problems


def _has_source(python: str, asked: Requirement) -> bool:
    """pip does not say whether only a wheel is missing."""
    said = subprocess.run(
        [python, "-m", "pip", "index", "versions", "--pre", asked.name], capture_output=True, text=True, check=False
    )
    known = re.search(r"Available versions: (.*)", said.stdout)
    return known is not None and asked.version in known[1].replace(" ", "").split(",")


def _installer(python: str, uv: list[str] | None) -> list[str]:
    if uv is not None:
        return [*uv, "pip", "install", "--no-progress", "--python", python]
    return [python, "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]


def _extra(indexes: Sequence[str], uv: list[str] | None) -> list[str]:
    """PyTorch's own index, for its builds: every version is pinned, so that it does not matter which index has more of them."""
    found = [word for index in indexes for word in ("--extra-index-url", index)]
    return [*found, "--index-strategy", "unsafe-best-match"] if found and uv is not None else found


def _run(command: list[str]) -> None:
    said = _call(command)
    if said is not None:
        raise CannotInstall(said)


def _call(command: list[str]) -> str | None:
    """None if it went well, else its words. It runs in a folder without settings of a project."""
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    environment["UV_PYTHON_DOWNLOADS"] = "never"
    done = subprocess.run(
        command,
        cwd=os.sep,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_INSTALL_TIMEOUT_S,
        check=False,
    )
    return None if done.returncode == 0 else done.stdout.decode(errors="replace").strip() or "it failed"


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "no reason was given")[:300]


def _link_lineal(python: str) -> None:
    """The Lineal that reproduces records, too. It is never taken from an index, and no part of the experiment."""
    asked = subprocess.run(
        [python, "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    )
    place = Path(asked.stdout.strip())
    own = Path(__file__).resolve().parents[1]
    target = place / "lineal"
    if not target.exists():
        target.symlink_to(own, target_is_directory=True)
    information = place / f"lineal-{__version__}.dist-info"
    if not information.exists():
        information.mkdir()
        (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: lineal\nVersion: {__version__}\n")
        (information / "INSTALLER").write_text("lineal reproduce\n")
