"""What Lineal needs of the machine below it: SQLite, the disk, the file system, its locks."""

from __future__ import annotations

import contextlib
import fcntl
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from lineal.cli.check import Check
from lineal.cli.wording import bytes_text
from lineal.journal.layout import Folder
from lineal.journal.segment import mode_for
from lineal.model.limits import MIB, SEGMENT_MAX_BYTES

_LOOK_FREE_BYTES = 1_024 * MIB  # a day of ordinary logging and some model files
_BAD_FREE_BYTES = 4 * SEGMENT_MAX_BYTES  # a writer's segment, its spare, and what the database needs to take them in
_WAL_RACE_FIXED_IN = (3, 51, 3)
_NETWORK_FILE_SYSTEMS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "ceph", "lustre", "glusterfs", "fuse.sshfs", "fuse.glusterfs", "9p")
)
_LOCK_TIMEOUT_S = 30.0
_OTHER_PROCESS = """
import fcntl, sys
with open(sys.argv[1], "r+b") as file:
    try:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 7)
    except OSError:
        print("held")
    else:
        print("free")
"""


def check_programs(version: str) -> Iterator[Check]:
    yield Check("programs", "good", f"Lineal {version}, Python {platform.python_version()}, {platform.system()}")
    yield _check_sqlite(sqlite3.sqlite_version_info)


def _check_sqlite(version: tuple[int, ...]) -> Check:
    """Versions 3.7.0 to 3.51.2 can damage a database when two connections write and checkpoint at once."""
    text = ".".join(map(str, version))
    if version >= _WAL_RACE_FIXED_IN:
        return Check("SQLite", "good", text)
    return Check(
        "SQLite",
        "good",
        f"{text}. Before 3.51.3 two connections that write at once can damage a database. Lineal never has two; no other "
        "program should write to lineal.db",
    )


def check_disk(folder: Folder) -> Iterator[Check]:
    """Of the folder, which exists."""
    root = folder.root
    yield _check_writable(root)
    yield _check_file_system(root)
    yield _check_locks(root)
    yield _check_free(shutil.disk_usage(root).free)


def _check_writable(root: str) -> Check:
    refusal = why_not_writable(root)
    if refusal is None:
        return Check("writable", "good", "yes")
    return Check(
        "writable",
        "bad",
        f"no: {refusal}",
        "Runs cannot be recorded here. Mend the folder, or set LINEAL_URL to another; what is there can still be read.",
    )


def why_not_writable(root: str) -> str | None:
    """Asks by writing: permissions, quotas and read-only mounts answer in no other way. None if all is well."""
    probe = Path(root, f".doctor-{os.urandom(4).hex()}")
    try:
        fd = os.open(probe, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, bytes(4_096))
            os.fsync(fd)
        finally:
            os.close(fd)
            probe.unlink()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _check_file_system(root: str) -> Check:
    kind = file_system_of(root)
    mode = mode_for(root)
    how = "segments are mapped into memory" if mode == "mapped" else "segments are written call by call, 1.5 us each"
    if kind in _NETWORK_FILE_SYSTEMS:
        return Check(
            "file system",
            "look",
            f"{kind}, a network file system; {how}",
            "Read the folder from one host only: SQLite cannot share a database between hosts. A local disk is better.",
        )
    return Check("file system", "good", f"{kind or 'of a kind that is not known'}; {how}")


def file_system_of(path: str, mounts: str = "/proc/self/mountinfo") -> str | None:
    """The type of the file system that holds the path; None where the system does not say (proc(5))."""
    path = os.path.realpath(path)
    best, kind = "", None
    try:
        with open(mounts, encoding="utf-8", errors="replace") as lines:
            for line in lines:
                left, _, right = line.partition(" - ")
                point = left.split(" ")[4].encode().decode("unicode_escape")
                inside = path == point or path.startswith(point.rstrip("/") + "/")
                if inside and len(point) >= len(best):
                    best, kind = point, right.split(" ", 1)[0]
    except (OSError, IndexError, UnicodeDecodeError):
        return None
    return kind


def _check_locks(root: str) -> Check:
    """Who is alive is told by byte locks: one that is held here must be seen by another process."""
    probe = Path(root, f".doctor-{os.urandom(4).hex()}")
    try:
        fd = os.open(probe, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError:
        return Check("locks", "look", "cannot be tried where nothing can be written")
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 7)
        asked = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _OTHER_PROCESS, probe],
            capture_output=True,
            text=True,
            timeout=_LOCK_TIMEOUT_S,
            check=False,
        )
        seen = asked.stdout.strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        seen = str(error)
    finally:
        os.close(fd)
        with contextlib.suppress(OSError):
            probe.unlink()
    if seen == "held":
        return Check("locks", "good", "a lock taken in one process is seen by another")
    return Check(
        "locks",
        "bad",
        f"a lock taken in one process is not seen by another ({seen or 'no answer'})",
        "Living runs may be shown as lost. Use a folder on a local disk.",
    )


def _check_free(free_bytes: int) -> Check:
    detail = f"{bytes_text(free_bytes)} free"
    advice = "When it is full, training goes on and what cannot be written is counted. Make room."
    if free_bytes < _BAD_FREE_BYTES:
        return Check("disk", "bad", detail, advice)
    return Check("disk", "look", detail, advice) if free_bytes < _LOOK_FREE_BYTES else Check("disk", "good", detail)
