"""What a folder holds, for somebody who may not write there or must not wait. See docs/adr/0006."""

from __future__ import annotations

import os
import tempfile

from lineal.journal.layout import Folder
from lineal.store.open import copy_store, open_store


class Snapshot:
    """A private copy of the folder's database into which the journals' tails can be taken in. See docs/adr/0006."""

    def __init__(self, folder: Folder) -> None:
        self._source = folder.database
        self._folder = tempfile.TemporaryDirectory(prefix="lineal-snapshot-", ignore_cleanup_errors=True)
        self._place = self._folder.name
        self._stamp = self._now()
        copy = os.path.join(self._place, "lineal.db")
        if os.path.exists(folder.database):
            copy_store(f"sqlite:///{folder.database}", copy)
        self.store = open_store(f"sqlite:///{copy}")

    def is_current(self) -> bool:
        return self._stamp == self._now()

    def close(self) -> None:
        self.store.close()
        self._folder.cleanup()

    def _now(self) -> tuple[tuple[int, int], ...]:
        """Size and time of the database's files: they change with every commit."""
        found = []
        for path in (self._source, f"{self._source}-wal"):
            try:
                status = os.stat(path)
            except FileNotFoundError:
                continue
            found.append((status.st_size, status.st_mtime_ns))
        return tuple(found)
