"""Which files a place of data means. The place is one that a record names, and a record may name any: nothing that is no regular
file is opened, and a plan alone does not read without end."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import islice

from lineal.client.datasets.files import Found, files_below, find
from lineal.model.limits import REPRODUCED_DATA_MAX_BYTES, REPRODUCED_DATA_MAX_COUNT

_MAGIC = frozenset("*?[")
_SYSTEM = ("/proc", "/sys", "/dev")
_MEMORY = "/dev/shm"  # a disk like others


class NotLookedAt(Exception):
    """Says why."""


class TooMuch(NotLookedAt):
    """For a plan alone."""


def look(place: str, *, is_bounded: bool) -> Found:
    """NotLookedAt for what the system itself makes up; TooMuch, if `is_bounded`, for what is large; and what `find` raises."""
    path = os.path.abspath(os.path.expanduser(place))
    is_pattern = not os.path.exists(path) and bool(_MAGIC & set(place))
    root, pattern = _parts(path) if is_pattern else (path, [])
    _refuse_system([root])
    if is_bounded and (is_pattern or os.path.isdir(path)):
        _bound_walk(root, pattern)
    found = find(place)
    paths = found.paths()
    _refuse_system({os.path.dirname(inner) for inner in paths} | {inner for inner in paths if os.path.islink(inner)})
    if is_bounded:
        _bound_size(paths)
    return found


def _parts(path: str) -> tuple[str, list[str]]:
    """The folder below which all that fits the pattern lies, and the rest of it."""
    parts = path.split(os.sep)
    first = next((place for place, part in enumerate(parts) if _MAGIC & set(part)), len(parts))
    return os.sep.join(parts[:first]) or os.sep, parts[first:]


def _refuse_system(paths: Sequence[str] | set[str]) -> None:
    for path in paths:
        real = os.path.realpath(path)
        is_system = any(real == folder or real.startswith(folder + os.sep) for folder in _SYSTEM)
        if real == os.sep or (is_system and real != _MEMORY and not real.startswith(_MEMORY + os.sep)):
            raise NotLookedAt(f"{path} is none of data, but of the system")


def _bound_walk(root: str, pattern: Sequence[str]) -> None:
    """`pattern`: its parts, from the first that is one; none of a folder."""
    if not pattern or "**" in pattern:
        if sum(1 for _ in islice(files_below(root), REPRODUCED_DATA_MAX_COUNT + 1)) > REPRODUCED_DATA_MAX_COUNT:
            raise TooMuch(f"there are more than {REPRODUCED_DATA_MAX_COUNT:,} files")
    elif len(pattern) > 1:  # glob follows links to folders, which may lead round
        count = 0
        for folder, folders, files in os.walk(root):
            count += len(folders) + len(files)
            if count > REPRODUCED_DATA_MAX_COUNT:
                raise TooMuch(f"there are more than {REPRODUCED_DATA_MAX_COUNT:,} files")
            if any(os.path.islink(os.path.join(folder, name)) for name in folders):
                raise TooMuch("a link to a folder is among them")


def _bound_size(paths: Sequence[str]) -> None:
    total = sum(os.stat(path).st_size for path in paths)
    if total > REPRODUCED_DATA_MAX_BYTES:
        raise TooMuch(f"it is larger than {REPRODUCED_DATA_MAX_BYTES >> 30} GiB")
