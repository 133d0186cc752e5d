"""A random key in a file beside the blobs: made if it is not there; of servers that start at once all get the same."""

from __future__ import annotations

import os
from pathlib import Path


def load_key(folder: Path, name: str, size_bytes: int) -> bytes:
    """ValueError for a file that holds none."""
    path = folder / name
    if not path.exists():
        draft = folder / f".{name}-{os.urandom(8).hex()}"
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(os.urandom(size_bytes).hex().encode())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)  # not a rename: the first one stays
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    key = bytes.fromhex(path.read_text(encoding="ascii"))
    if len(key) != size_bytes:
        raise ValueError(f"{name} in the blobs folder is no key")
    return key
