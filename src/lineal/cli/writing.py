"""A file that is there whole or not at all."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lineal.model.errors import InvalidInput


@contextmanager
def replacing(path: str, *, field: str = "output") -> Iterator[Path]:
    """The path to write to: a draft beside the file, which takes its place, synced, when the block ends well. What is no
    regular file (a pipe, /dev/null) is written directly. Raises InvalidInput for a folder, OSError as the disk says."""
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise InvalidInput(f"{path} is a folder; name a file in it", field=field)
    if target.exists() and not target.is_file():
        yield target
        return
    draft = target.with_name(f".{target.name[:200]}.{os.urandom(4).hex()}.part")
    try:
        draft.touch(exist_ok=False)
        yield draft
        with draft.open("rb") as file:
            os.fsync(file.fileno())
        draft.replace(target)
    finally:
        with contextlib.suppress(FileNotFoundError):
            draft.unlink()
