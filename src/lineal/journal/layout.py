"""Names of the files below a Lineal folder. No user's text ever becomes a path: writers' ids and digests do.

.lineal/
  .gitignore                        git is not to look in here: only in a folder that Lineal made
  VERSION                           format number of the folder
  journals/<writer>-<number>.seg    segments (spec/record.md)
  journals/<writer>.spare           the next segment, made ahead
  journals/locks                    who is alive (locks.py)
  journals/kept/                    applied segments with records of a newer kind
  journals/sent/                    segments that a server has acknowledged whole
  blobs/<tenant>/<2 hex>/<digest>   artifact bytes
  cache/digests                     of files that datasets were digested from
  used/<digest>/                    artifacts that runs took
  lineal.db                         the store
  ingest.lock                       who ingests
  servers/<digest of the address>/  what is on its way to a server: a folder like this one, with
    server                          its address
    heads/                          of its audit chain
    fetched/                        artifacts read from it
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from pathlib import Path
from typing import NamedTuple

from lineal.model.errors import NewerFormat, NotWritable

FOLDER_VERSION = 1
FOLDER_NAME = ".lineal"
SERVERS_NAME = "servers"
IGNORE_NAME = ".gitignore"

# gitignore(5): of this folder and what is in it, this file too, git sees nothing. Deleted, it stays deleted.
_IGNORE = "# Made by Lineal: what runs record is no part of the code.\n*\n"
_SEGMENT = re.compile(r"([0-9a-f]{15})-(\d{6,})\.seg")
_SPARE = re.compile(r"([0-9a-f]{15})\.spare.*")


class SegmentFile(NamedTuple):
    writer: str
    number: int
    path: str


class Folder:
    """Paths of one Lineal folder; touches the disk only in methods that say so."""

    __slots__ = ("blobs", "database", "ingest_lock", "journals", "kept", "locks", "root", "sent", "server", "version")

    def __init__(self, root: str | os.PathLike[str]) -> None:
        self.root = os.path.abspath(root)
        self.version = os.path.join(self.root, "VERSION")
        self.journals = os.path.join(self.root, "journals")
        self.locks = os.path.join(self.journals, "locks")
        self.kept = os.path.join(self.journals, "kept")
        self.sent = os.path.join(self.journals, "sent")
        self.server = os.path.join(self.root, "server")
        self.blobs = os.path.join(self.root, "blobs")
        self.database = os.path.join(self.root, "lineal.db")
        self.ingest_lock = os.path.join(self.root, "ingest.lock")

    def segment(self, writer: str, number: int) -> str:
        return os.path.join(self.journals, f"{writer}-{number:06d}.seg")

    def spare(self, writer: str) -> str:
        return os.path.join(self.journals, f"{writer}.spare")

    def check(self) -> bool:
        """Whether the folder exists; raises NewerFormat if a newer Lineal made it."""
        try:
            text = Path(self.version).read_text("ascii", "replace").strip()
        except FileNotFoundError:
            return os.path.isdir(self.journals)
        except NotADirectoryError:
            raise NotWritable(f"{self.root} is not a folder", field="url") from None
        if text.isdigit() and int(text) > FOLDER_VERSION:
            raise NewerFormat(
                f"{self.root} was written by a newer Lineal (folder version {text}, this one reads {FOLDER_VERSION}): upgrade "
                "Lineal, or choose another folder; nothing was changed"
            )
        return True

    def ensure(self) -> None:
        """Makes what is missing, readable by its owner alone. Raises NewerFormat, or OSError as the disk says."""
        if self.check() and os.path.isdir(self.journals) and os.path.exists(self.version):
            return
        outer, above = self.root, os.path.dirname(self.root)
        if os.path.basename(above) == SERVERS_NAME:
            outer = os.path.dirname(above)
            above = os.path.dirname(outer)
        os.makedirs(above, exist_ok=True)
        _make_outer(outer)
        make_folders(self.journals, below=above)
        if not os.path.exists(self.version):
            draft = f"{self.version}.{os.urandom(8).hex()}"
            with open(os.open(draft, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
                file.write(f"{FOLDER_VERSION}\n")
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, self.version)
            sync_folder(self.root)

    def list_segments(self) -> list[SegmentFile]:
        """By writer, then number; [] if there is no folder."""
        found = []
        for name in self._names():
            match = _SEGMENT.fullmatch(name)
            if match:
                found.append(SegmentFile(match[1], int(match[2]), os.path.join(self.journals, name)))
        return sorted(found)

    def list_numbers(self, writer: str) -> list[int]:
        """Of the writer's segments, those that were sent included."""
        names = self._names() + self._names(self.sent)
        matches = (_SEGMENT.fullmatch(name) for name in names)
        return sorted({int(match[2]) for match in matches if match and match[1] == writer})

    def list_sent_writers(self) -> set[str]:
        """Whose segments lie among the sent ones."""
        matches = (_SEGMENT.fullmatch(name) for name in self._names(self.sent))
        return {match[1] for match in matches if match}

    def find_segment(self, writer: str, number: int) -> str | None:
        """Its path, wherever it lies."""
        name = os.path.basename(self.segment(writer, number))
        for place in (self.journals, self.sent):
            path = os.path.join(place, name)
            if os.path.exists(path):
                return path
        return None

    def put_aside(self, writer: str, number: int) -> None:
        """To the sent ones. Raises OSError; nothing if it is there already, or nowhere."""
        path = self.segment(writer, number)
        if os.path.exists(path):
            os.makedirs(self.sent, mode=0o700, exist_ok=True)
            os.utime(path)  # from now on it is kept for a while
            os.replace(path, os.path.join(self.sent, os.path.basename(path)))

    def has_work(self) -> bool:
        """Whether there is anything for ingest to take in or to clear away."""
        return any(name.endswith(".seg") or _SPARE.fullmatch(name) for name in self._names())

    def list_spares(self) -> list[tuple[str, str]]:
        """(writer, path) of the segments made ahead."""
        matches = (_SPARE.fullmatch(name) for name in self._names())
        return [(match[1], os.path.join(self.journals, match[0])) for match in matches if match]

    def _names(self, place: str | None = None) -> list[str]:
        try:
            return os.listdir(self.journals if place is None else place)
        except (FileNotFoundError, NotADirectoryError):
            return []


def _make_outer(path: str) -> None:
    """Makes the folder, if it is not there, and hides it from git. One that was there is its owner's (a project, a shared disk) and stays
    as it is, but for an empty one of the usual name: who makes that tells Lineal where to record. Not to be hidden is no fault."""
    if not os.path.isdir(path):
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, 0o700)
            _hide(path)
        sync_folder(os.path.dirname(path))
    elif os.path.basename(path) == FOLDER_NAME:
        with contextlib.suppress(OSError):
            if not os.listdir(path):
                _hide(path)


def _hide(path: str) -> None:
    with contextlib.suppress(OSError):
        fd = os.open(os.path.join(path, IGNORE_NAME), os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o600)
        try:
            os.write(fd, _IGNORE.encode())
        finally:
            os.close(fd)


def make_folders(path: str, *, below: str) -> None:
    """Makes the folders of `path` that are missing under `below`, for their owner alone, their names on disk."""
    missing = []
    while path != below and not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path)
    for folder in reversed(missing):
        with contextlib.suppress(FileExistsError):
            os.mkdir(folder, 0o700)
        sync_folder(os.path.dirname(folder))


def sync_folder(path: str) -> None:
    """A new file's name is on disk only when its folder is (fsync(2)). Some file systems cannot, and say EINVAL."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(fd)


def find_root(start: str | None = None) -> str:
    """Where data goes when nobody says: the nearest `.lineal` upward; else beside the nearest `.git`; else here."""
    here = Path(start or os.getcwd()).absolute()
    places = [here, *here.parents]
    for place in places:
        if (place / FOLDER_NAME).is_dir():
            return str(place / FOLDER_NAME)
    for place in places:
        if (place / ".git").exists():
            return str(place / FOLDER_NAME)
    return str(here / FOLDER_NAME)
