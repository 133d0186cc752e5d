"""Files that grow while a run does, and are artifacts of it: kept anew when they have doubled, so that all that is kept of one
is at most twice what it comes to; and whole at the end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineal.client.run import Run


class GatheredFile:
    """`path`: of the artifact. The file itself is in `folder`, under that name."""

    def __init__(self, run: Run, folder: str, path: str) -> None:
        self._run = run
        self._below, _, name = path.rpartition("/")
        os.makedirs(folder)
        self._file = os.path.join(folder, name)
        self._kept_bytes = 0
        self._size_bytes = 0

    def append(self, text: str) -> None:
        data = text.encode("utf-8", "backslashreplace")
        with open(self._file, "ab") as file:
            file.write(data)
        self._size_bytes += len(data)

    def keep(self, *, final: bool) -> None:
        if self._size_bytes > (self._kept_bytes if final else 2 * self._kept_bytes):
            self._run.log_artifact(self._file, self._below)
            self._kept_bytes = self._size_bytes
