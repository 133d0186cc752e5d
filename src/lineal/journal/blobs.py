"""Artifact bytes beside the journal, named by the SHA-256 of their content: a blob is there whole or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import stat
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from lineal.journal.layout import Folder, make_folders, sync_folder
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.ids import check_tenant
from lineal.model.limits import MIB

TakeMode: TypeAlias = Literal["copy", "move"]

_FICLONE = 0x40049409  # ioctl_ficlone(2): share the blocks of a whole file
_CHUNK_BYTES = 1 * MIB
_DRAFT, PART, _ASIDE = "draft-", "part-", ".aside"
_VECTOR_MAX_COUNT = 64  # pieces that are written without being joined; POSIX promises 16, Linux and macOS take 1,024
_LOOKS, _LOOK_S = 20, 0.005  # how long a blob that is held aside is waited for
_PLACE = re.compile(r"[0-9a-f]{2}")
_BLOB = re.compile(r"([0-9a-f]{64})(\.aside)?")


class Blob(NamedTuple):
    digest: str
    size_bytes: int


def add_file(folder: Folder, tenant: str, path: str, *, mode: TakeMode = "copy") -> Blob:
    """Takes the file as it is now (a reflink where the file system can, else a copy; with "move" the file itself).
    On disk when it returns; the same bytes are kept once a tenant.

    Raises NotFound for a missing file, InvalidInput for what is no regular file, OSError as the disk says."""
    try:
        source = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        raise NotFound(f"artifact file {path!r} does not exist", field="local_path") from None
    try:
        if not stat.S_ISREG(os.fstat(source).st_mode):
            raise InvalidInput(f"artifact {path!r} is not a regular file", field="local_path")
        with _draft(folder, tenant) as (draft, name):
            hasher = sha256()
            size = _clone(source, draft, hasher) if _reflink(source, draft) else _copy(source, draft, hasher)
            blob = place_draft(folder, tenant, draft, name, hasher.hexdigest(), size)
    finally:
        os.close(source)
    if mode == "move":
        os.unlink(path)
    return blob


def add_bytes(folder: Folder, tenant: str, content: bytes) -> Blob:
    """Like `add_file`, for bytes in memory."""
    with _draft(folder, tenant) as (draft, name):
        view = memoryview(content)
        while view:
            view = view[os.write(draft, view) :]
        return place_draft(folder, tenant, draft, name, sha256(content).hexdigest(), len(content))


def digest_file(path: str) -> Blob:
    """What `add_file` would say of the file as it is now, without taking it. Raises OSError."""
    hasher = sha256()
    size = 0
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            hasher.update(chunk)
            size += len(chunk)
    return Blob(hasher.hexdigest(), size)


class Draft:
    """Bytes that arrive piece by piece. Nothing of them is seen before `place`."""

    def __init__(self, folder: Folder, tenant: str, fd: int, name: str) -> None:
        self._folder = folder
        self._tenant = tenant
        self._fd = fd
        self._name = name
        self._hasher = sha256()
        self._size = 0

    def hash(self, pieces: Sequence[bytes]) -> None:
        """What is written, in the same order: before, after or at the same time in another thread."""
        for piece in pieces:
            self._hasher.update(piece)

    def write(self, pieces: Sequence[bytes]) -> None:
        """Raises OSError as the disk says."""
        for written in write_all(self._fd, pieces):
            self._size += written

    @property
    def digest(self) -> str:
        """SHA-256 of what was hashed so far, in hex."""
        return str(self._hasher.hexdigest())

    def place(self) -> Blob:
        """On disk when it returns."""
        return place_draft(self._folder, self._tenant, self._fd, self._name, self._hasher.hexdigest(), self._size)


@contextlib.contextmanager
def drafting(folder: Folder, tenant: str) -> Iterator[Draft]:
    """A draft that is gone when the block ends, unless it was placed."""
    with _draft(folder, tenant) as (fd, name):
        yield Draft(folder, tenant, fd, name)


def find_blob(folder: Folder, tenant: str, digest: str) -> str | None:
    """Path of the blob, for reading only; None if it is not here."""
    path = _path(folder, tenant, digest)
    return path if _is_here(path, os.path.exists) else None


def keep_blob(folder: Folder, tenant: str, digest: str) -> str | None:
    """As `find_blob`; and no sweep takes it before the grace is over: for whoever will refer to it without sending it again."""
    path = _path(folder, tenant, digest)
    return path if _is_here(path, _renew) or os.path.exists(path) else None


def _is_here(path: str, is_there: Callable[[str], bool]) -> bool:
    """Also of one that a sweep holds aside for the moment that it takes to look at its age."""
    for _ in range(_LOOKS):
        if is_there(path):
            return True
        if not os.path.exists(f"{path}{_ASIDE}"):
            return is_there(path)  # it may have been put back in between
        time.sleep(_LOOK_S)
    return False


def lend_blob(path: str, folder: Folder, tenant: str, digest: str) -> None:
    """That file as a blob of another folder: by a second name for it, where that can be. Raises OSError."""
    target = _path(folder, tenant, digest)
    if os.path.exists(target):
        return
    make_folders(os.path.dirname(target), below=folder.root)
    try:
        os.link(path, target)
    except FileExistsError:
        pass
    except OSError:  # another file system, or one without links
        add_file(folder, tenant, path)


def put_aside(folder: Folder, tenant: str, digest: str) -> None:
    """To the sent ones: a server has it. Nothing if it is not here. Raises OSError."""
    path, place = _path(folder, tenant, digest), os.path.join(folder.sent, tenant)
    os.makedirs(place, mode=0o700, exist_ok=True)
    with contextlib.suppress(FileNotFoundError):
        os.utime(path)  # from now on it is kept for a while
        os.replace(path, os.path.join(place, digest))


# -- sweeping: what `ingest/sweep.py` may do to the files ------------------------------------------


class BlobFile(NamedTuple):
    """A blob as it lies there. `is_aside`: a sweep that was killed had put it aside."""

    digest: str
    path: str
    size_bytes: int
    changed_s: float
    is_aside: bool = False


def list_blob_tenants(folder: Folder) -> list[str]:
    """Tenants that have a place for blobs. What a disk has of its own there (lost+found, .snapshot) is none."""
    places = (entry for entry in _entries(folder.blobs) if entry.is_dir(follow_symlinks=False))
    return sorted(place.name for place in places if _is_tenant(place.name))


def _is_tenant(name: str) -> bool:
    try:
        return check_tenant(name) == name
    except InvalidInput:
        return False


def list_blobs(folder: Folder, tenant: str, beginning: str = "") -> Iterator[BlobFile]:
    """Those whose digest begins so: with one hexadecimal digit, or any."""
    for place in _entries(os.path.join(folder.blobs, tenant)):
        is_place = _PLACE.fullmatch(place.name) and place.name.startswith(beginning)
        if not (is_place and place.is_dir(follow_symlinks=False)):
            continue
        for entry in _entries(place.path):
            match = _BLOB.fullmatch(entry.name)
            found = _status(entry) if match else None
            if match and found:
                yield BlobFile(match[1], entry.path, found.st_size, found.st_mtime, bool(match[2]))


def list_drafts(folder: Folder, tenant: str) -> Iterator[BlobFile]:
    """Copies and uploads that were not finished: being written, or left by a process that was killed."""
    for entry in _entries(blobs_of(folder, tenant)):
        found = _status(entry) if entry.name.startswith((_DRAFT, PART)) else None
        if found:
            yield BlobFile("", entry.path, found.st_size, found.st_mtime)


def remove_blob(blob: BlobFile, *, older_than_s: float) -> bool:
    """Removes it unless it is younger than that by now: whoever logs the same bytes renews it (`_renew`), and either does so
    before it is put aside, which is seen here, or finds no blob and places its own."""
    aside = blob.path if blob.is_aside else f"{blob.path}{_ASIDE}"
    try:
        if not blob.is_aside:
            if os.stat(blob.path).st_mtime > older_than_s:
                return False
            os.rename(blob.path, aside)
        if os.stat(aside).st_mtime > older_than_s:
            os.rename(aside, aside.removesuffix(_ASIDE))
            return False
        os.unlink(aside)
    except FileNotFoundError:
        return False
    return True


def bring_back(blob: BlobFile) -> None:
    """A blob put aside by a sweep that was killed, which something refers to after all."""
    os.replace(blob.path, blob.path.removesuffix(_ASIDE))


def _entries(place: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(place) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """Of a regular file that is still there."""
    try:
        found = entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
    return found if stat.S_ISREG(found.st_mode) else None


# -- inside, and for `parts.py` ------------------------------------------------------------------


def blobs_of(folder: Folder, tenant: str) -> str:
    return os.path.join(folder.blobs, tenant)


def _path(folder: Folder, tenant: str, digest: str) -> str:
    return os.path.join(folder.blobs, tenant, digest[:2], digest)


@contextlib.contextmanager
def _draft(folder: Folder, tenant: str):  # type: ignore[no-untyped-def]
    """An open file beside the blobs that is gone afterwards unless it was placed."""
    place = blobs_of(folder, tenant)
    make_folders(place, below=folder.root)
    name = os.path.join(place, f"{_DRAFT}{os.urandom(8).hex()}")
    fd = os.open(name, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        yield fd, name
    finally:
        os.close(fd)
        with contextlib.suppress(FileNotFoundError):
            os.unlink(name)


def write_all(fd: int, pieces: Sequence[bytes]) -> Iterator[int]:
    """Writes them where the file stands, and yields how much each call of the system took. Raises OSError."""
    left = [
        memoryview(piece) for piece in (pieces if len(pieces) <= _VECTOR_MAX_COUNT else [b"".join(pieces)]) if piece
    ]
    while left:
        written = os.writev(fd, left)
        yield written
        while left and written >= len(left[0]):
            written -= len(left.pop(0))
        if written:
            left[0] = left[0][written:]


def place_draft(folder: Folder, tenant: str, draft: int, name: str, digest: str, size: int) -> Blob:
    path = _path(folder, tenant, digest)
    if not _renew(path):
        os.utime(draft)  # an upload of many days is young when it is whole
        os.fdatasync(draft)
        make_folders(os.path.dirname(path), below=folder.root)
        os.rename(name, path)
        sync_folder(os.path.dirname(path))
    return Blob(digest, size)


def _renew(path: str) -> bool:
    """Makes a blob that is here young again, so that no sweep takes it before the record that refers to it is written."""
    try:
        os.utime(path)
    except OSError:  # not here, or somebody else's: the draft takes its place
        return False
    return True


def _reflink(source: int, target: int) -> bool:
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def _clone(source: int, target: int, hasher: Any) -> int:
    """Hashes the clone, not the source, which may change meanwhile."""
    size = 0
    while chunk := os.pread(target, _CHUNK_BYTES, size):
        hasher.update(chunk)
        size += len(chunk)
    return size


def _copy(source: int, target: int, hasher: Any) -> int:
    size = 0
    while chunk := os.read(source, _CHUNK_BYTES):
        hasher.update(chunk)
        view = memoryview(chunk)
        while view:
            view = view[os.write(target, view) :]
        size += len(chunk)
    return size


def sha256(content: bytes = b"") -> Any:
    import hashlib  # late: 2 ms of OpenSSL that a script without artifacts need not pay

    return hashlib.sha256(content)
