"""The folder of a reproduction: tree and environment are made in it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lineal.model.errors import InvalidInput


class Place:
    """`keeps` once it is worth a look."""

    def __init__(self, folder: Path, *, keeps: bool) -> None:
        self.folder = folder
        self.keeps = keeps


@contextmanager
def fresh_place(into: Path | None, *, is_dry: bool) -> Iterator[Place]:
    """`into`, which is made and stays; without it, or where nothing will start, a temporary one, which goes unless it `keeps`."""
    if into is not None and into.exists() and (not into.is_dir() or any(into.iterdir())):
        raise InvalidInput(f"{into} is there already, and not an empty folder", field="into")
    if into is not None and not is_dry:
        into.mkdir(parents=True, exist_ok=True)
        yield Place(into.resolve(), keeps=True)
        return
    place = Place(Path(tempfile.mkdtemp(prefix="lineal-reproduce-")).resolve(), keeps=False)
    try:
        yield place
    finally:
        if not place.keeps:
            shutil.rmtree(place.folder, ignore_errors=True)
