"""What Lineal itself has recorded is nobody's code, wherever it lies in a project."""

from __future__ import annotations

import os
from collections.abc import Iterable

from lineal.journal.layout import FOLDER_NAME, Folder


def without_lineals(root: str, names: Iterable[str], own: str = "") -> list[str]:
    """Those names below `root` that lie in no folder of Lineal's: not in `own`, which this run is recorded in, in none of the usual name,
    and in none that looks like one, whatever it is called."""
    inside = os.path.relpath(os.path.realpath(own), os.path.realpath(root)) if own else None
    known = {"": inside == os.curdir}
    return [name for name in names if not _is_lineals(root, name.rpartition("/")[0], inside, known)]


def _is_lineals(root: str, folder: str, inside: str | None, known: dict[str, bool]) -> bool:
    if folder not in known:
        outer, _, own_name = folder.rpartition("/")
        place = Folder(os.path.join(root, folder))
        known[folder] = (
            _is_lineals(root, outer, inside, known)
            or folder == inside
            or own_name == FOLDER_NAME
            or (os.path.isfile(place.version) and os.path.isdir(place.journals))
        )
    return known[folder]
