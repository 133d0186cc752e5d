"""What was read from a server stays on this machine, under its SHA-256. What lies there is compared before it is handed on."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from lineal.journal.blobs import digest_file
from lineal.journal.layout import Folder, make_folders, sync_folder
from lineal.model.limits import FETCHED_COMPARED_MAX_BYTES, FETCHED_DRAFT_KEPT_S

Keep: TypeAlias = Callable[[bytes], object]
_Identity: TypeAlias = tuple[int, int, int]


class OtherBytes(Exception):
    """What came are not the bytes that the digest names."""


class Fetched:
    """Of one tenant. Threads and processes may use the same folder at once."""

    def __init__(self, folder: Folder, tenant: str) -> None:
        self._folder = folder
        self._place = os.path.join(folder.root, "fetched", tenant)
        self._compared: dict[str, _Identity] = {}

    def find(self, digest: str, size_bytes: int | None = None) -> str | None:
        """The path, if all of it is here: of that size, if it is known, and, once a process, of those bytes. A large file of the
        size that is known is not read: to do so would take longer than what is done with it."""
        path = os.path.join(self._place, digest)
        try:
            found = os.stat(path)
        except FileNotFoundError:
            return None
        if size_bytes is not None and found.st_size != size_bytes:
            return None
        identity = found.st_ino, found.st_size, found.st_mtime_ns
        if self._compared.get(digest) == identity:
            return path
        is_read = size_bytes is None or found.st_size <= FETCHED_COMPARED_MAX_BYTES
        try:
            if is_read and digest_file(path).digest != digest:
                return None
        except FileNotFoundError:  # deleted meanwhile, as anybody may
            return None
        self._compared[digest] = identity
        return path

    def drop(self, digest: str) -> None:
        """What is here under that digest are other bytes, as whoever read all of them says."""
        with suppress(FileNotFoundError):
            os.unlink(os.path.join(self._place, digest))

    def fetch(self, digest: str, send: Callable[[Keep], bool]) -> str | None:
        """`send` hands the bytes on piece by piece, False if there are none. They take the place of what was there once all are
        on disk. Raises OtherBytes, and what `send` does."""
        self._folder.ensure()
        make_folders(self._place, below=self._folder.root)
        self._remove_drafts()
        path = os.path.join(self._place, digest)
        draft = f"{path}.{os.urandom(8).hex()}"
        hasher = hashlib.sha256()
        try:
            with open(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600), "wb") as file:

                def keep(piece: bytes) -> None:
                    hasher.update(piece)
                    file.write(piece)

                if not send(keep):
                    return None
                if hasher.hexdigest() != digest:
                    raise OtherBytes(digest)
                file.flush()
                os.fsync(file.fileno())
                found = os.fstat(file.fileno())
            os.replace(draft, path)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(draft)
        sync_folder(self._place)
        self._compared[digest] = found.st_ino, found.st_size, found.st_mtime_ns
        return path

    def _remove_drafts(self) -> None:
        """Of processes that were killed."""
        with os.scandir(self._place) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if "." in entry.name and entry.stat().st_mtime < time.time() - FETCHED_DRAFT_KEPT_S:
                        os.unlink(entry.path)
