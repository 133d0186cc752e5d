"""Copies of what a run takes from another one, under the files' own names: a program may do with them as it likes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from lineal.client.datasets.hashing import PIECE_BYTES, digest_of_parts
from lineal.client.finding import Taken
from lineal.journal.blobs import digest_file
from lineal.journal.layout import make_folders
from lineal.model.errors import Damaged


def copy_taken(root: str, taken: Sequence[Taken], path: str | None) -> Path:
    """Where they lie: the file, or the folder that holds those below `path`. Each is compared with its digest, also one that was copied
    before. Damaged; OSError."""
    if path is None:
        [only] = taken
        target = os.path.join(root, "used", only.digest, os.path.basename(only.path))
        _copy(root, only, target)
        return Path(target)
    names = {one.path.removeprefix(f"{path}/"): one for one in taken}
    folder = os.path.join(root, "used", digest_of_parts((name, one.digest) for name, one in names.items()))
    for name, one in names.items():
        _copy(root, one, os.path.join(folder, *name.split("/")))
    return Path(folder)


def _copy(root: str, taken: Taken, target: str) -> None:
    if os.path.isfile(target) and digest_file(target).digest == taken.digest:
        return
    make_folders(os.path.dirname(target), below=root)
    draft = f"{target}.{os.urandom(8).hex()}"
    hasher = hashlib.sha256()
    try:
        with open(taken.place, "rb") as source, open(draft, "xb") as copy:
            while piece := source.read(PIECE_BYTES):
                hasher.update(piece)
                copy.write(piece)
        if hasher.hexdigest() != taken.digest:
            raise Damaged(
                f"artifact {taken.path!r:.120} of run {taken.run_id} has other bytes than those that were logged: its SHA-256 should"
                f" be {taken.digest}"
            )
        os.replace(draft, target)
    finally:
        if os.path.exists(draft):
            os.unlink(draft)
