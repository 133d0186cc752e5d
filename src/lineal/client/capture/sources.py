"""Source files that no commit has: which are taken, and the archive that keeps them."""

from __future__ import annotations

import io
import os
import re
import stat
import zipfile
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from lineal.client.capture.secret_files import mask_file
from lineal.journal.blobs import sha256
from lineal.model.captures import is_code_file
from lineal.model.limits import (
    LEFT_OUT_NAMED_COUNT,
    SOURCE_FILE_MAX_BYTES,
    SOURCE_FILES_MAX_BYTES,
    SOURCE_FILES_MAX_COUNT,
    SOURCE_HASHED_MAX_BYTES,
)
from lineal.model.values import clean_text

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first that a zip can say: equal files, equal archive
_INSTALLED_NAMES = ("site-packages", "node_modules", "__pycache__", "conda-meta")
_TEXT_SAMPLE_BYTES = 8_192
_PIECE_BYTES = 1 << 20
_SECRET_NAMES = re.compile(
    r"(?i)\A(\.env([.\-_].*|rc)?|.*\.env|\.npmrc|\.git-credentials|\.dockercfg|dockerconfig\.json|.*\.tfvars(\.json)?|\.netrc|\.pypirc|\.pgpass|\.htpasswd|id_(rsa|dsa|ecdsa|ed25519)|credentials?(\..*)?|secrets?(\..*)?"
    r"|.*\.(pem|key|p12|pfx|jks|keystore|kdbx|ovpn))\Z"
)


@dataclass(slots=True)
class Sources:
    """`files`: name, SHA-256 and size of each file as it lies there; `contents`: as it is kept, with secrets masked; `programs`: those of
    them that may be executed."""

    files: list[list[Any]] = field(default_factory=list)
    contents: list[tuple[str, bytes]] = field(default_factory=list)
    left_out: list[list[Any]] = field(default_factory=list)
    left_out_count: int = 0
    masked: list[str] = field(default_factory=list)
    programs: set[str] = field(default_factory=set)
    _names: set[str] = field(default_factory=set)
    _size: int = 0
    _hashed: int = 0

    def archive(self) -> bytes:
        """A zip: the same files make the same bytes."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
            for name, content in self.contents:
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = (0o755 if name in self.programs else 0o644) << 16
                file.writestr(entry, content)
        return buffer.getvalue()

    def said(self) -> dict[str, Any]:
        content: dict[str, Any] = {"files": self.files}
        if self.left_out_count:
            content |= {"left_out": self.left_out, "left_out_count": self.left_out_count}
        return content

    def _leave(self, name: str, size: int | None, why: str, path: str | None = None) -> None:
        """`path`: of a regular file, whose digest tells one content from another all the same, if it is code."""
        self.left_out_count += 1
        if len(self.left_out) < LEFT_OUT_NAMED_COUNT:
            digest = self._digest(path, size) if path is not None and size is not None and is_code_file(name) else None
            self.left_out.append([clean_text(name), size, why, *([] if digest is None else [digest])])

    def _digest(self, path: str, size: int) -> str | None:
        if self._hashed + size > SOURCE_HASHED_MAX_BYTES:
            return None
        self._hashed += size
        found, left = sha256(), size
        try:
            with open(path, "rb") as file:
                while left and (piece := file.read(min(left, _PIECE_BYTES))):
                    found.update(piece)
                    left -= len(piece)
        except OSError:
            return None
        return None if left else str(found.hexdigest())

    def take(self, root: str, name: str) -> None:
        path = os.path.join(root, name)
        if is_secret_file(name):
            return self._leave(name, None, "its name says that it holds secrets")
        try:
            status = os.lstat(path)
            if not stat.S_ISREG(status.st_mode):
                return self._leave(name, None, "no regular file")
            if status.st_size > SOURCE_FILE_MAX_BYTES:
                return self._leave(name, status.st_size, "larger than source code is", path)
            if len(self.files) >= SOURCE_FILES_MAX_COUNT or self._size + status.st_size > SOURCE_FILES_MAX_BYTES:
                return self._leave(name, status.st_size, "there are too many", path)
            with open(path, "rb") as file:
                content = file.read(SOURCE_FILE_MAX_BYTES + 1)
        except OSError as error:
            return self._leave(name, None, error.strerror or "cannot be read")
        if b"\0" in content[:_TEXT_SAMPLE_BYTES]:
            return self._leave(name, len(content), "no text", path)
        said = clean_text(name)
        if said in self._names:
            return self._leave(name, len(content), "another file has this name, as far as it can be read")
        self._names.add(said)
        kept = mask_file(name, content)
        if kept != content:
            self.masked.append(said)
        if status.st_mode & stat.S_IXUSR:
            self.programs.add(said)
        self._size += len(content)
        self.files.append([said, sha256(content).hexdigest(), len(content)])
        self.contents.append((said, kept))
        return None


def is_secret_file(name: str) -> bool:
    """Whether a file is never kept, whatever is in it."""
    return bool(_SECRET_NAMES.match(os.path.basename(name))) or name.endswith(".docker/config.json")


def read_sources(root: str, names: Iterable[str], first: Collection[str] = ()) -> Sources:
    """Of those names below `root`, what is text and small; `first` before the others, which there may be too many of. What was installed
    is no part of it."""
    sources = Sources()
    installed: dict[str, bool] = {"": False}
    for name in sorted(names, key=lambda name: (name not in first, name)):
        if not _is_installed(root, name.rpartition("/")[0], installed):
            sources.take(root, name)
    return sources


def _is_installed(root: str, folder: str, known: dict[str, bool]) -> bool:
    """Whether it lies in an environment of Python's, or where packages are put."""
    if folder not in known:
        outer, _, own_name = folder.rpartition("/")
        known[folder] = (
            own_name in _INSTALLED_NAMES
            or _is_installed(root, outer, known)
            or os.path.isfile(os.path.join(root, folder, "pyvenv.cfg"))
        )
    return known[folder]
