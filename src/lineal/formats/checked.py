"""A file of a model, which is read only as the bytes that were logged: compared with their digest before they are handed on, piece
by piece, so that a large one costs no memory but what its reader keeps of it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from lineal.formats.tell import tell
from lineal.model.errors import Damaged

_PIECE_BYTES = 1 << 20


class CheckedFile:
    """`what` names it in messages, `place` is where its bytes lie on this machine, `digest` the SHA-256 that they must have, in hex.
    What has other bytes raises Damaged, whichever way it is asked for; `on_damage` is told first."""

    def __init__(self, what: str, place: str, digest: str, on_damage: Callable[[], None] | None = None) -> None:
        self._what = what
        self._place = place
        self._digest = digest
        self._on_damage = on_damage
        self._is_checked = False

    def tell(self, name: str) -> str | None:
        """Which format it seems to have, from a few of its bytes, which are not compared with anything."""
        with open(self._place, "rb") as file:
            return tell(name, file)

    def check(self) -> None:
        """Compares it, once."""
        if not self._is_checked:
            with self.opened():
                pass

    @contextmanager
    def opened(self) -> Iterator[BinaryIO]:
        """The file from its first byte on, after it was compared. It is the same open file: one that takes its place meanwhile is
        not read."""
        with open(self._place, "rb") as file:
            hasher = hashlib.sha256()
            while piece := file.read(_PIECE_BYTES):
                hasher.update(piece)
            self._compare(hasher.hexdigest())
            file.seek(0)
            yield file

    def read(self) -> bytearray:
        """All of it, read once: what is compared is what is handed on."""
        hasher = hashlib.sha256()
        with open(self._place, "rb", buffering=0) as file:
            content = bytearray(os.fstat(file.fileno()).st_size)
            view, at = memoryview(content), 0
            while at < len(content) and (count := file.readinto(view[at : at + _PIECE_BYTES])):
                hasher.update(view[at : at + count])
                at += count
            view.release()
        self._compare(hasher.hexdigest() if at == len(content) else "")
        return content

    def copy(self, path: str | os.PathLike[str]) -> None:
        """Into a file that is not there yet (else FileExistsError), and is not there after bytes that are others."""
        hasher = hashlib.sha256()
        with open(self._place, "rb") as source, open(path, "xb") as target:
            try:
                while piece := source.read(_PIECE_BYTES):
                    hasher.update(piece)
                    target.write(piece)
                self._compare(hasher.hexdigest())
            except BaseException:
                Path(path).unlink()
                raise

    def _compare(self, digest: str) -> None:
        if digest != self._digest:
            if self._on_damage is not None:
                self._on_damage()
            raise Damaged(
                f"{self._what} has other bytes than those that were logged: its SHA-256 should be {self._digest}"
            )
        self._is_checked = True
