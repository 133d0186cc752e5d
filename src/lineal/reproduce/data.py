"""The data that the run used: whether it is still there, and still the same."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lineal.client.content_id import digest_of_path
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.lineage import DatasetUse
from lineal.reproduce.archive import BadArchive
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
    datasets: Sequence[DatasetUse], folder: str | None, root: str | None, tree: Path
) -> tuple[list[CheckedData], list[Problem]]:
    """`folder`: where the run ran, which relative paths are read from; `root`: its tree, `tree` the new one. Data below the old
    tree that the new one lacks is linked into it."""
    checked: list[CheckedData] = []
    problems: list[Problem] = []
    for use in datasets:
        name = use.dataset.name
        path = _path_of(use)
        if path is None:
            checked.append(CheckedData(name, use.dataset.digest, None))
            if use.dataset.source:
                said = f"dataset {name!r} came from {use.dataset.source}: whether it is the same now is not known"
                problems.append(Problem("data", name, said, blocks=False))
            continue
        place, is_linked = _place_of(os.path.join(folder or "", path), root, tree)
        trouble = _trouble(name, place, use.dataset.digest)
        if trouble is None and is_linked and root is not None:
            try:
                link_into(tree, os.path.relpath(place, root), Path(place))
            except (BadArchive, OSError) as error:
                trouble = f"dataset {name!r} cannot be linked into the new tree: {error}"
        if trouble is not None:
            problems.append(Problem("data", name, trouble))
        checked.append(CheckedData(name, use.dataset.digest, place, is_linked))
    return checked, problems


def _path_of(use: DatasetUse) -> str | None:
    """The path on disk that it was read from, if that is what its source says: as a text, a file: URI, or JSON with one."""
    source = use.dataset.source or ""
    if source.startswith("{"):
        try:
            said = json.loads(source)
        except ValueError:
            return None
        source = next((said[key] for key in ("path", "uri", "url") if isinstance(said.get(key), str)), "")
    if source.startswith("file://"):
        return source.removeprefix("file://")
    if not source or "\0" in source or "://" in source:
        return None
    return source if (use.dataset.source_type or "") in _LOCAL else None


def _place_of(path: str, root: str | None, tree: Path) -> tuple[str, bool]:
    """Where the new run will find it, and whether that takes a link."""
    absolute = os.path.normpath(path)
    if root is None or not os.path.isabs(absolute) or os.path.realpath(root) == os.path.realpath(tree):
        return absolute, False
    inside = os.path.relpath(absolute, root)
    if inside == os.curdir or inside.split(os.sep)[0] == os.pardir:
        return absolute, False
    rebuilt = tree / inside
    return (str(rebuilt), False) if os.path.lexists(rebuilt) else (absolute, True)


def _trouble(name: str, place: str, digest: str) -> str | None:
    try:
        now = digest_of_path(Path(place))
    except (NotFound, InvalidInput, FileNotFoundError):
        return f"dataset {name!r} is not at {place} any more: it was moved or deleted"
    except OSError as error:
        return f"dataset {name!r} cannot be read at {place}: {error.strerror or error}"
    if now == digest:
        return None
    return f"dataset {name!r} at {place} has changed since the run: its digest was {digest[:12]}, and is {now[:12]}"
