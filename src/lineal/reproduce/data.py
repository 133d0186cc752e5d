"""The data that the run used: whether it is still there, and still the same."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lineal.client.datasets.files import digest_found, find
from lineal.model.errors import InvalidInput, LinealError, NotFound
from lineal.model.lineage import DatasetUse
from lineal.reproduce.archive import BadArchive
from lineal.reproduce.data_files import NotLookedAt, TooMuch, look
from lineal.reproduce.problems import Problem
from lineal.reproduce.workspace import link_into

_LOCAL = ("", "local", "file", "folder", "glob")


@dataclass(frozen=True, slots=True)
class CheckedData:
    """`place`: what the new run will read, None for what is not on this machine's disk. `is_linked`: it lies elsewhere, and the new
    tree has a link to it."""

    name: str
    digest: str
    place: str | None
    is_linked: bool = False


def check_data(
    datasets: Sequence[DatasetUse], folder: str | None, root: str | None, tree: Path, *, is_bounded: bool = False
) -> tuple[list[CheckedData], list[Problem]]:
    """`folder`: where the run ran, which relative paths are read from; `root`: its tree, `tree` the new one. Data below the old
    tree that the new one lacks is linked into it. `is_bounded`: what is large is not read, and named."""
    checked: list[CheckedData] = []
    problems: list[Problem] = []
    for use in datasets:
        name, digest = use.dataset.name, use.dataset.digest
        path = _path_of(use)
        if path is None:
            checked.append(CheckedData(name, digest, None))
            if use.dataset.source:
                said = f"dataset {name!r} came from {use.dataset.source}: whether it is the same now is not known"
                problems.append(Problem("data", name, said, blocks=False))
            continue
        old = os.path.normpath(os.path.join(folder or "", path))
        new = _in_new_tree(old, root, tree)
        found, trouble, is_unknown = _checked(use, old, new, tree, is_bounded)
        checked.append(found)
        if trouble is not None:
            problems.append(Problem("data", name, trouble, blocks=not is_unknown))
    return checked, problems


def _checked(
    use: DatasetUse, old: str, new: str | None, tree: Path, is_bounded: bool
) -> tuple[CheckedData, str | None, bool]:
    """With what is wrong with it, and whether that is only that it was too much to look at."""
    name, digest = use.dataset.name, use.dataset.digest
    try:
        if new is not None and _trouble(name, new, digest, is_bounded) is None:
            return CheckedData(name, digest, new), None, False
        trouble = _trouble(name, old, digest, is_bounded)
        if trouble is None and new is not None:
            trouble = _link(name, old, new, tree) or _trouble(name, new, digest, is_bounded)
    except TooMuch as error:
        text = f"dataset {name!r} at {old} is not compared by a dry run: {error}"
        return CheckedData(name, digest, old), text, True
    is_linked = trouble is None and new is not None
    return CheckedData(name, digest, new if is_linked else old, is_linked), trouble, False


def _path_of(use: DatasetUse) -> str | None:
    """The path on disk that it was read from, if that is what its source says: as a text, a file: URI, or JSON with one."""
    source = use.dataset.source or ""
    if source.startswith("{"):
        try:
            said = json.loads(source)
        except (ValueError, RecursionError):
            return None
        source = next((said[key] for key in ("path", "uri", "url") if isinstance(said.get(key), str)), "")
    if source.startswith("file://"):
        return source.removeprefix("file://")
    if not source or "\0" in source or "://" in source:
        return None
    return source if (use.dataset.source_type or "") in _LOCAL else None


def _in_new_tree(place: str, root: str | None, tree: Path) -> str | None:
    """Where the new run looks for what lay below the old tree; None for what lay elsewhere."""
    if root is None or not os.path.isabs(place) or os.path.realpath(root) == os.path.realpath(tree):
        return None
    inside = os.path.relpath(place, root)
    if inside == os.curdir or inside.split(os.sep)[0] == os.pardir:
        return None
    return str(tree / inside)


def _link(name: str, old: str, new: str, tree: Path) -> str | None:
    """Makes what lies at the old place appear at the new one: whole, or file by file where a part of it is there."""
    try:
        found = find(old)
        if os.path.exists(old) and not os.path.lexists(new):
            link_into(tree, os.path.relpath(new, tree), Path(old))
            return None
        place = new if found.names is None else os.path.normpath(os.path.join(new, os.path.relpath(found.root, old)))
        for inner in found.names or []:
            target = os.path.join(place, inner)
            if not os.path.lexists(target):
                link_into(tree, os.path.relpath(target, tree), Path(found.root, inner))
    except (BadArchive, LinealError, OSError) as error:
        return f"dataset {name!r} cannot be linked into the new tree: {error}"
    return None


def _trouble(name: str, place: str, digest: str, is_bounded: bool) -> str | None:
    """Raises TooMuch."""
    try:
        now = digest_found(look(place, is_bounded=is_bounded), shown=place).digest
    except TooMuch:
        raise
    except NotLookedAt as error:
        return f"dataset {name!r} is not looked at: {error}"
    except (NotFound, InvalidInput, FileNotFoundError):
        return f"dataset {name!r} is not at {place} any more: it was moved or deleted"
    except OSError as error:
        return f"dataset {name!r} cannot be read at {place}: {error.strerror or error}"
    if now == digest:
        return None
    return f"dataset {name!r} at {place} has changed since the run: its digest was {digest[:12]}, and is {now[:12]}"
