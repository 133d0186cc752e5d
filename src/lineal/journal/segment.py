"""Two writers of one segment behind one contract: mapped memory where the file system reserves blocks, `write(2)` elsewhere.

A page that cannot be allocated kills a process by SIGBUS. So a mapped segment's blocks are reserved before it is
mapped, which means something on ext4, xfs and tmpfs only; everywhere else, or by setting, the plain writer is used. Never
`mmap.flush()`: it holds the interpreter lock. `os.fdatasync` does not, and on Linux covers mapped pages."""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias

from lineal.journal.held import Held
from lineal.model.limits import KIB
from lineal.record.kinds import MAGIC

WriterMode: TypeAlias = Literal["mapped", "write"]

SEAL_RESERVE_BYTES = 128  # the frame that seals a segment must always fit
_PAGE_BYTES = 4 * KIB
_ZEROS = bytes(64 * KIB)
_MAPPED_FILE_SYSTEMS = frozenset(("ext4", "xfs", "tmpfs"))


class SegmentFull(ValueError):
    """The frame does not fit; the caller rolls to the next segment. (`mmap.write` says so by a plain ValueError.)"""


class Segment(Protocol):
    """An open segment. One thread at a time writes; `sync` may be called by another."""

    path: str

    @property
    def write(self) -> Callable[[bytes], object]:
        """Appends whole, or raises ValueError (it does not fit) or OSError and has appended nothing. Survives SIGKILL once
        it returned."""
        ...

    @property
    def end(self) -> int:
        """Bytes written so far."""
        ...

    def write_seal(self, frame: bytes) -> None:
        """Like `write`, but may use the reserve that `write` leaves."""
        ...

    def sync(self) -> None:
        """Everything written before is on disk. Does not hold the interpreter lock. Raises OSError."""
        ...

    def content(self) -> bytes:
        """What was written; also when the file was deleted meanwhile."""
        ...

    def is_deleted(self) -> bool: ...

    def close(self, *, cut: bool) -> None:
        """Lets go; with `cut` the file ends behind the last frame. Idempotent. Raises OSError."""
        ...


_ABANDONED: list[mmap.mmap] = []


class MappedSegment:
    """Costs a memory copy a frame. The file has its full size from the start."""

    __slots__ = ("_cut_at", "_fd", "_held", "_map", "path", "write")

    def __init__(self, path: str, size_bytes: int) -> None:
        """Creates the file. Raises OSError (ENOSPC before anything is mapped) and leaves no file then."""
        size_bytes = -(-size_bytes // _PAGE_BYTES) * _PAGE_BYTES
        self.path = path
        self._cut_at = 0
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._held = Held(self._fd)
        try:
            os.posix_fallocate(self._fd, 0, size_bytes)
            _write_zeros(self._fd, size_bytes)
            # What is mapped ends before the reserve, so that the map's own write, which costs half of one in Python, is the
            # segment's: it refuses what does not fit.
            self._map = mmap.mmap(self._fd, size_bytes - SEAL_RESERVE_BYTES)
        except BaseException:
            os.close(self._fd)
            os.unlink(path)
            raise
        self._map.write(MAGIC)
        self.write: Callable[[bytes], object] = self._map.write

    @property
    def end(self) -> int:
        return self._cut_at or self._map.tell()

    def write_seal(self, frame: bytes) -> None:
        end = self.end
        _check(self._held, self._fd, self.path)
        os.pwrite(self._fd, frame, end)
        self._cut_at = end + len(frame)

    def sync(self) -> None:
        os.fdatasync(self._fd)

    def content(self) -> bytes:
        return self._map[: self.end]

    def is_deleted(self) -> bool:
        return os.fstat(self._fd).st_nlink == 0

    def close(self, *, cut: bool) -> None:
        if self._fd < 0:
            return
        fd, self._fd = self._fd, -1
        try:
            self._cut_at = self.end
            if self._held.has(fd):
                self._map.close()
            else:  # it has a copy of the descriptor and would close whatever has that number now
                _ABANDONED.append(self._map)
            if cut:
                _check(self._held, fd, self.path)
                os.ftruncate(fd, self._cut_at)
                os.fdatasync(fd)
        finally:
            self._held.close(fd)


def _check(held: Held, fd: int, path: str) -> None:
    if not held.has(fd):
        raise OSError(errno.EBADF, os.strerror(errno.EBADF), path)


def _write_zeros(fd: int, size_bytes: int) -> None:
    """Reserved blocks are "unwritten" until something is in them: then every sync would have to commit their conversion, and
    a first touch of a page could wait for that commit, in the training thread. Writing them once ahead avoids both."""
    for start in range(0, size_bytes, len(_ZEROS)):
        os.pwrite(fd, _ZEROS[: size_bytes - start], start)


class FileSegment:
    """Costs a system call a frame. The file grows with what is written."""

    __slots__ = ("_fd", "_held", "_size", "end", "path")

    def __init__(self, path: str, size_bytes: int) -> None:
        self.path = path
        self._size = size_bytes
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_APPEND, 0o600)
        self._held = Held(self._fd)
        self.end = 0
        try:
            self._append(MAGIC)
        except BaseException:
            os.close(self._fd)
            os.unlink(path)
            raise

    def write(self, frame: bytes) -> None:
        if self.end + len(frame) > self._size - SEAL_RESERVE_BYTES:
            raise SegmentFull
        self._append(frame)

    def write_seal(self, frame: bytes) -> None:
        self._append(frame)

    def sync(self) -> None:
        os.fdatasync(self._fd)

    def content(self) -> bytes:
        return os.pread(self._fd, self.end, 0)

    def is_deleted(self) -> bool:
        return os.fstat(self._fd).st_nlink == 0

    def close(self, *, cut: bool) -> None:
        if self._fd < 0:
            return
        fd, self._fd = self._fd, -1
        try:
            if cut:
                os.fdatasync(fd)
        finally:
            self._held.close(fd)

    def _append(self, frame: bytes) -> None:
        if os.lseek(self._fd, 0, os.SEEK_CUR) != self.end:  # costs a tenth of asking which file it is
            _check(self._held, self._fd, self.path)
        try:
            if os.write(self._fd, frame) == len(frame):
                self.end += len(frame)
                return
            # A short write means that the disk ran full in the middle of the frame.
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.path)
        except BaseException:
            self._settle(len(frame))
            raise

    def _settle(self, size: int) -> None:
        """A signal handler may have raised after the write as well as before it: the file knows. Half a frame is taken back."""
        written = os.fstat(self._fd).st_size - self.end
        if written == size:
            self.end += size
        elif written > 0:
            os.ftruncate(self._fd, self.end)


def create_segment(mode: WriterMode, path: str, size_bytes: int) -> MappedSegment | FileSegment:
    return MappedSegment(path, size_bytes) if mode == "mapped" else FileSegment(path, size_bytes)


def mode_for(path: str) -> WriterMode:
    """Which writer the file system below `path` (which exists) can bear."""
    return "mapped" if file_system(path) in _MAPPED_FILE_SYSTEMS else "write"


def file_system(path: str) -> str | None:
    """Its type by /proc/self/mountinfo (proc(5)); None where there is no such file, or the device is not listed."""
    device = os.stat(path).st_dev
    wanted = f"{os.major(device)}:{os.minor(device)}"
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="replace") as mounts:
            for line in mounts:
                left, _, right = line.partition(" - ")
                if left.split(" ", 3)[2] == wanted:
                    return right.split(" ", 1)[0]
    except OSError:
        return None
    return None
