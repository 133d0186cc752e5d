"""A blob that arrives in several uploads: what is there of it so far, under its digest, seen by nobody until it is whole."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from typing import TYPE_CHECKING

from lineal.journal.blobs import PART, Blob, blobs_of, place_draft, sha256, write_all
from lineal.journal.layout import Folder, make_folders
from lineal.model.errors import Busy
from lineal.model.limits import MIB

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_CHUNK_BYTES = 1 * MIB
_TRIES = 10


def part_bytes(folder: Folder, tenant: str, digest: str) -> int:
    """How much of it is there; 0 also if nothing is."""
    try:
        return os.stat(_path(folder, tenant, digest)).st_size
    except FileNotFoundError:
        return 0


class Part:
    """One upload's hold on it. `close` keeps what was written; raises Busy while another has it."""

    def __init__(self, folder: Folder, tenant: str, digest: str) -> None:
        self._folder = folder
        self._tenant = tenant
        self._name = _path(folder, tenant, digest)
        make_folders(blobs_of(folder, tenant), below=folder.root)
        self._fd = _held(self._name)
        self._hasher: Any = sha256()
        self.size_bytes = os.fstat(self._fd).st_size
        self._hashed_bytes = 0

    def restart(self) -> None:
        """Throws away what is there."""
        os.ftruncate(self._fd, 0)
        os.lseek(self._fd, 0, os.SEEK_SET)
        self.size_bytes = self._hashed_bytes = 0
        self._hasher = sha256()

    def hash(self, pieces: Sequence[bytes]) -> None:
        """What is written, in the same order: before, after or at the same time in another thread."""
        for piece in pieces:
            self._hasher.update(piece)
            self._hashed_bytes += len(piece)

    def write(self, pieces: Sequence[bytes]) -> None:
        """Behind what is there. OSError as the disk says; one that is full gets back what the part took."""
        os.lseek(self._fd, self.size_bytes, os.SEEK_SET)
        try:
            for written in write_all(self._fd, pieces):
                self.size_bytes += written
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                self.drop()
            raise

    def digest(self) -> str:
        """SHA-256 of what is there, in hex; reads what earlier uploads left."""
        if self._hashed_bytes != self.size_bytes:
            self._hasher, self._hashed_bytes = sha256(), 0
            while chunk := os.pread(self._fd, _CHUNK_BYTES, self._hashed_bytes):
                self._hasher.update(chunk)
                self._hashed_bytes += len(chunk)
        return str(self._hasher.hexdigest())

    def catch_up(self) -> None:
        """Reads what is there already, so that what is written next needs not be read again."""
        self.digest()

    def place(self) -> Blob:
        """As a blob, on disk when it returns. The part is gone."""
        blob = place_draft(self._folder, self._tenant, self._fd, self._name, self.digest(), self.size_bytes)
        self._unlink()
        return blob

    def drop(self) -> None:
        with contextlib.suppress(OSError):
            self.restart()
        self._unlink()

    def close(self) -> None:
        """Idempotent. A part of nothing is none."""
        if self._fd >= 0:
            if not self.size_bytes:
                self._unlink()
            os.close(self._fd)
            self._fd = -1

    def _unlink(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(self._name), os.fstat(self._fd)):  # and nobody else may, while we hold it
                os.unlink(self._name)


def remove_part(path: str, older_than_s: float) -> bool:
    """Unless somebody has it, or wrote to it meanwhile."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(fd).st_mtime > older_than_s:
            return False
        os.unlink(path)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def _path(folder: Folder, tenant: str, digest: str) -> str:
    return os.path.join(blobs_of(folder, tenant), f"{PART}{digest}")


def _held(name: str) -> int:
    """An open file under that name, locked. The one who had it before may have placed or dropped it in between."""
    for _ in range(_TRIES):
        fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(fd), os.stat(name)):
                return fd
        except BlockingIOError:
            os.close(fd)
            break
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)
    raise Busy("these bytes are being sent by another request")
