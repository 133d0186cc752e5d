"""Names and versions of packages: what the lock file asks for, and what an interpreter has."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lineal.reproduce.problems import Problem

LINEAL = "lineal"
_PINNED = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*===?\s*([A-Za-z0-9][A-Za-z0-9.!+_-]*)")
_DIRECT = re.compile(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*@\s*(\S+)")
_INDEX = re.compile(r"--extra-index-url (https://download\.pytorch\.org/whl/[\w.]+)")
_LIST = (
    "import json, importlib.metadata as m; "
    "print(json.dumps({d.metadata['Name']: d.version for d in m.distributions() if d.metadata['Name']}))"
)


@dataclass(frozen=True, slots=True)
class Requirement:
    """One line of a lock file: a version from the index, or an address."""

    name: str
    line: str
    version: str | None = None
    address: str | None = None


def normal(name: str) -> str:
    """The name as packaging compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def read_lock(text: str) -> tuple[list[Requirement], list[str], list[Problem]]:
    """The packages that it pins, and the indexes of PyTorch's builds that it names. Any other line (an option, a
    file, an address without https) is not followed: it would let the run that is read decide where programs come from."""
    found: list[Requirement] = []
    indexes: list[str] = []
    problems: list[Problem] = []
    for raw in text.splitlines():
        line = raw.partition(" #")[0].partition(" ;")[0].strip()
        if not line or line.startswith("#"):
            continue
        pinned, direct, index = _PINNED.fullmatch(line), _DIRECT.fullmatch(line), _INDEX.fullmatch(line)
        if pinned is not None:
            found.append(Requirement(pinned[1], line, version=pinned[2]))
        elif direct is not None and re.match(r"(?:git\+)?https://", direct[2]):
            found.append(Requirement(direct[1], line, address=direct[2]))
        elif index is not None:
            indexes.append(index[1])
        else:
            said = f"the lock file's line {line!r:.120} is not followed: it neither pins a version nor names an https address"
            problems.append(Problem("environment", line[:120], said))
    return [item for item in found if normal(item.name) != LINEAL], indexes, problems


def installed(python: str) -> dict[str, str]:
    """What that interpreter finds, by name."""
    done = subprocess.run([python, "-I", "-c", _LIST], capture_output=True, timeout=120, check=False)
    if done.returncode != 0:
        return {}
    return {str(name): str(version) for name, version in json.loads(done.stdout).items()}


def changed(then: Mapping[str, str], now: Mapping[str, str]) -> list[Problem]:
    """Which packages of then are gone, or have another version. What is there besides changes nothing that was used."""
    known = {normal(name): version for name, version in now.items()}
    found: list[Problem] = []
    for name, version in sorted(then.items()):
        here = known.get(normal(name))
        if normal(name) == LINEAL or here == version:
            continue
        text = f"{name} was {version}, and is {here}" if here else f"{name} {version} is not installed"
        found.append(Problem("environment", name, text, blocks=False))
    return found


def lines_of(requirements: Sequence[Requirement]) -> str:
    return "".join(f"{item.line}\n" for item in requirements)
