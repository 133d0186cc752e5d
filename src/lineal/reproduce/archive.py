"""Files out of a run's archive, into a folder and nowhere else."""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from pathlib import Path

from lineal.model.limits import REPRODUCED_ARCHIVE_MAX_BYTES, REPRODUCED_ARCHIVE_MAX_COUNT

_PIECE_BYTES = 1 << 20
_ENCRYPTED = 0x1  # general purpose bit 0 (APPNOTE.TXT 4.4.4)


class BadArchive(Exception):
    """Names what is wrong with it."""


def unpack(archive: Path, folder: Path) -> list[str]:
    """Writes its files and returns their names. Raises BadArchive, before anything is written, if one of the names leads out of the
    folder or into `.git`, if one is a link, or if it is too large or cannot be read to its end; and where a link in the folder
    leads out of it."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [item for item in opened.infolist() if not item.is_dir()]
            _check(members)
            for item in members:
                _read_through(opened, item)
            for item in members:
                _write(opened, item, folder)
            return [item.filename for item in members]
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise BadArchive(f"it is no archive that can be read ({error})") from error


def is_inside(name: str) -> bool:
    """Whether the name, with "/" between its parts, is one of a file within the folder it is put into, outside of `.git`."""
    parts = name.split("/")
    return (
        bool(name)
        and not any(character in name for character in ("\0", "\\", "\n"))
        and not os.path.isabs(name)
        and not any(part in ("", ".", "..") or part.rstrip(". ").lower() in (".git", "git~1") for part in parts)
    )


def _check(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > REPRODUCED_ARCHIVE_MAX_COUNT:
        raise BadArchive(f"it has more than {REPRODUCED_ARCHIVE_MAX_COUNT:,} files")
    if sum(item.file_size for item in members) > REPRODUCED_ARCHIVE_MAX_BYTES:
        raise BadArchive(f"its files are larger than {REPRODUCED_ARCHIVE_MAX_BYTES:,} bytes")
    for item in members:
        if not is_inside(item.filename):
            raise BadArchive(f"the name {item.filename!r:.120} leads out of the folder")
        mode = item.external_attr >> 16
        if mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
            raise BadArchive(f"{item.filename!r:.120} is no regular file")

        if item.flag_bits & _ENCRYPTED:
            raise BadArchive(f"{item.filename!r:.120} is encrypted")
        if item.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise BadArchive(f"{item.filename!r:.120} is compressed in a way that Lineal does not write")
    names = [item.filename for item in members]
    folders = {name[:place] for name in names for place, character in enumerate(name) if character == "/"}
    if len(set(names)) < len(names) or not folders.isdisjoint(names):
        raise BadArchive("two of its files have the same name, or one the name of another's folder")


def _read_through(opened: zipfile.ZipFile, item: zipfile.ZipInfo) -> None:
    """Its bytes are all there, as many as it says, and of its checksum."""
    left = item.file_size
    with opened.open(item) as source:
        while piece := source.read(_PIECE_BYTES):
            left -= len(piece)
            if left < 0:
                raise BadArchive(f"{item.filename!r:.120} is larger than it says")
    if left:
        raise BadArchive(f"{item.filename!r:.120} is smaller than it says")


def _write(opened: zipfile.ZipFile, item: zipfile.ZipInfo, folder: Path) -> None:
    target = make_place(folder, item.filename)
    executable = bool((item.external_attr >> 16) & stat.S_IXUSR)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o755 if executable else 0o644)
    with opened.open(item) as source, os.fdopen(handle, "wb") as file:
        while piece := source.read(_PIECE_BYTES):
            file.write(piece)


def make_folder(folder: Path, name: str) -> Path:
    """The folder of that name in it, made if it is not there. Raises BadArchive if one on the way is a link."""
    place = folder
    for part in name.split("/"):
        place = place / part
        try:
            place.mkdir()
        except FileExistsError:
            if place.is_symlink() or not place.is_dir():
                raise BadArchive(f"the name {name!r:.120} leads through {part!r:.80}, which is no folder") from None
    return place


def make_place(folder: Path, name: str) -> Path:
    """Where the file of that name goes: its folders are made, and what lies there by that name is taken away. Raises BadArchive if
    one of the folders is a link."""
    parents, slash, last = name.rpartition("/")
    target = (make_folder(folder, parents) if slash else folder) / last
    if target.is_symlink() or target.is_file():
        target.unlink()
    elif target.exists():
        raise BadArchive(f"{name!r:.120} is a folder already")
    return target
