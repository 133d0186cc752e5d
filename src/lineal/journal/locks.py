"""Who is alive: every writer locks the byte at its own id in `journals/locks`, and the kernel lets go when it dies.

POSIX record locks are not inherited by forked children and work between containers of one kernel. Their trap: a
process that closes *any* descriptor of the file drops all its locks on it. So a process opens the file once, keeps it open
for life, and asks its own register before it asks the kernel. See docs/adr/0005."""

from __future__ import annotations

import errno
import fcntl
import os
import threading

from lineal.journal.held import Held

_OFFSET_MASK = (1 << 60) - 1


class WriterLocks:
    """The locks file of one folder as this process sees it. Use `locks_of`."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._fd = -1
        self._writable = False
        self._inode = -1
        self._kept = Held()
        self._held: set[str] = set()
        self._guard = threading.RLock()  # a signal handler may come in while the same thread holds it

    def hold(self, writer: str) -> None:
        """Declares the writer alive until `release` or the end of this process. Raises OSError if that cannot be said."""
        with self._guard:
            self._open(writable=True)
            fcntl.lockf(self._fd, fcntl.LOCK_EX, 1, _offset(writer))
            self._held.add(writer)

    def retake(self) -> None:
        """Takes again what this process holds: a file of ours that the host opened and closed (a copy of the folder) drops the
        kernel's locks without a word. Costs a system call a writer; raises OSError."""
        with self._guard:
            if self._held:
                self._open(writable=True)
            for held in self._held:
                fcntl.lockf(self._fd, fcntl.LOCK_EX, 1, _offset(held))

    def release(self, writer: str) -> None:
        with self._guard:
            if writer in self._held:
                self._held.discard(writer)
                if self._kept.has(self._fd):
                    fcntl.lockf(self._fd, fcntl.LOCK_UN, 1, _offset(writer))

    def is_live(self, writer: str) -> bool:
        """Whether some process holds the writer's byte. No file means that nobody ever did."""
        with self._guard:
            if writer in self._held:
                return True
            try:
                self._open(writable=False)
            except FileNotFoundError:
                return False
            try:
                fcntl.lockf(self._fd, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, _offset(writer))
            except OSError as error:
                if error.errno in (errno.EACCES, errno.EAGAIN):
                    return True
                raise
            fcntl.lockf(self._fd, fcntl.LOCK_UN, 1, _offset(writer))
            return False

    def _open(self, *, writable: bool) -> None:
        """Opens the file, again if it was deleted and made anew, and takes again what this process holds."""
        if self._fd >= 0 and (self._writable or not writable) and self._is_current():
            return
        flags = os.O_RDWR | os.O_CREAT if writable or self._held else os.O_RDONLY
        fd = os.open(self._path, flags | os.O_CLOEXEC, 0o600)
        if self._fd >= 0:
            self._kept.close(self._fd)
        self._kept = Held(fd)
        self._fd, self._writable = fd, bool(flags & os.O_RDWR)
        self._inode = os.fstat(fd).st_ino
        for held in self._held:
            fcntl.lockf(fd, fcntl.LOCK_EX, 1, _offset(held))

    def _is_current(self) -> bool:
        try:
            return os.stat(self._path).st_ino == self._inode and self._kept.has(self._fd)
        except FileNotFoundError:
            return False


_registers: dict[str, WriterLocks] = {}
_registers_guard = threading.RLock()


def locks_of(path: str) -> WriterLocks:
    """The one register of that locks file in this process."""
    path = os.path.realpath(path)
    with _registers_guard:
        return _registers.get(path) or _registers.setdefault(path, WriterLocks(path))


def _offset(writer: str) -> int:
    return int(writer, 16) & _OFFSET_MASK


def _forget_after_fork() -> None:
    """A child holds none of its parent's locks. It closes its copies: that drops only locks of its own, and it has none."""
    global _registers_guard
    _registers_guard = threading.RLock()
    for register in _registers.values():
        if register._fd >= 0:
            register._kept.close(register._fd)
    _registers.clear()


os.register_at_fork(after_in_child=_forget_after_fork)
