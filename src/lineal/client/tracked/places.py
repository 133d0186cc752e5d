"""What the series of an event file are called: by their tag, and by the folder where there is more than one."""

from __future__ import annotations

import os
import re

_SPLITS = frozenset(["train", "training", "val", "valid", "validation", "eval", "test", "testing", "dev"])
_TIME = re.compile(r"\A\d{9,11}(?:\.\d+)?\Z")


class Places:
    """The first folder with event files gives no prefix, unless it is one of a pair like train and validation; folders below
    one that is known give their path below it, others their name. The folder that `add_hparams` makes, whose name is a time,
    gives none."""

    def __init__(self) -> None:
        self._roots: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}

    def prefix_of(self, path: str) -> str:
        """ "", or ends with "/"."""
        folder = os.path.dirname(path)
        known = self._prefixes.get(folder)
        if known is None:
            known = self._prefixes[folder] = self._new(folder)
        return known

    def _new(self, folder: str) -> str:
        name = os.path.basename(folder)
        above = folder
        while True:
            if above in self._roots:
                below = "" if above == folder else os.path.relpath(folder, above).replace(os.sep, "/")
                parts = [part for part in below.split("/") if part and not _TIME.match(part)]
                return self._roots[above] + "".join(f"{part}/" for part in parts)
            parent = os.path.dirname(above)
            if parent == above:
                break
            above = parent
        if name.lower() in _SPLITS:
            root, below = os.path.dirname(folder), f"{name}/"
        else:
            root, below = folder, ""
        taken = set(self._roots.values())
        given = "" if not taken else f"{os.path.basename(root) or 'root'}/"
        number = 2
        while given in taken:
            given = f"{os.path.basename(root)}-{number}/"
            number += 1
        self._roots[root] = given
        return given + below
