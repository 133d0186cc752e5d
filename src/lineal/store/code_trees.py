"""The working tree that a run's code capture tells of: a commit, and what was otherwise in the files beside it."""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from lineal.formats.patches import FileChange, Unfitting, applied, read_patch, split_lines
from lineal.model.limits import (
    DIFF_ARCHIVE_MAX_BYTES,
    DIFF_ARCHIVE_MAX_COUNT,
    DIFF_LINES_MAX_COUNT,
    DIFF_PATCH_MAX_BYTES,
)

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_DIGEST = re.compile("[0-9a-f]{64}")
ReadBlob: TypeAlias = Callable[[str, int], bytes | None]
"""The bytes of a digest (64 hexadecimal digits); None if they are not here, or more than so many."""


def reading(find: Callable[[str], str | None]) -> ReadBlob:
    """`find`: the path of a digest's bytes, None if they are not here."""

    def read(digest: str, max_bytes: int) -> bytes | None:
        path = find(digest)
        if path is None:
            return None
        with open(path, "rb") as file:
            content = file.read(max_bytes + 1)
        return content if len(content) <= max_bytes else None

    return read


class Repository(Protocol):
    """Commits that are at hand. What it does not have, it does not know: nothing is fetched."""

    def changed(self, first: str, second: str) -> list[str] | None:
        """Paths whose content differs between two commits; None if it lacks one of them, or cannot say."""
        ...

    def read(self, commit: str, path: str) -> bytes | None:
        """None: there is no such file in that commit."""
        ...


@dataclass(frozen=True, slots=True)
class Whole:
    """A file of which everything is known: None, it is not there."""

    content: bytes | None


FileState: TypeAlias = Whole | FileChange
"""A FileChange is relative to the commit."""


@dataclass(slots=True)
class Tree:
    """`commit` None: `files` are all that there is. A path that is not in `files` is as the commit has it. `missing`: what of it
    is not known, in words."""

    commit: str | None
    files: dict[str, FileState] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def content(self, path: str, repository: Repository) -> bytes | None:
        """With the commit at hand. None: no such file. Unfitting if it cannot be told."""
        state = self.files.get(path)
        if isinstance(state, Whole):
            return state.content
        base = repository.read(self.commit, path) if self.commit is not None else None
        if state is None:
            return base
        if state.kind == "opaque":
            raise Unfitting(path)
        if state.kind == "deleted":
            return None
        lines = applied(state.hunks, split_lines(as_text(base or b"")))
        return "".join(lines).encode("utf-8", "surrogateescape")


def tree_of(code: Mapping[str, Any], read: ReadBlob) -> Tree:
    """Of a code capture. What others said there otherwise is as if it had not been said."""
    commit = code.get("commit") if code.get("kind") != "snapshot" else None
    tree = Tree(commit if isinstance(commit, str) else None)
    untracked = code.get("untracked")
    if tree.commit is not None and code.get("is_dirty"):
        _add_patch(tree, code.get("patch"), read)
        if not code.get("patch") and not untracked and not code.get("submodules"):
            tree.missing.append("what was not committed was not recorded")
    tree.missing += [f"it was not recorded whole: {one}" for one in _texts(code.get("trouble"))]
    modules = code.get("submodules")
    for module in modules if isinstance(modules, list) else ():
        if isinstance(module, dict) and module.get("is_dirty"):
            tree.missing.append(f"the changes within the submodule {module.get('path')} are not known")
    if isinstance(untracked, dict):
        _add_archive(tree, untracked, "the files that git does not track", read)
    elsewhere = code.get("elsewhere")
    if isinstance(elsewhere, dict):
        _add_archive(tree, elsewhere, "the modules from outside of the tree", read)
    snapshot = code.get("snapshot")
    if tree.commit is None and isinstance(snapshot, dict):
        _add_archive(tree, snapshot, "the files of the snapshot", read)
    elif code.get("kind") == "snapshot":
        tree.missing.append("the files of the snapshot were not kept")
    cells = code.get("cells")
    if isinstance(cells, dict):
        content = _bytes_of(cells, DIFF_PATCH_MAX_BYTES, read)
        if content is None:
            tree.missing.append("the cells of the notebook are not here")
        else:
            tree.files[str(cells.get("path", "cells")).rpartition("/")[2]] = Whole(content)
    return tree


def _texts(said: Any) -> list[str]:
    return [one for one in said if isinstance(one, str)] if isinstance(said, list) else []


def as_text(content: bytes) -> str:
    return content.decode("utf-8", "surrogateescape")


def _add_patch(tree: Tree, patch: Any, read: ReadBlob) -> None:
    if not isinstance(patch, dict):
        return  # dirty by what git does not track
    content = _bytes_of(patch, DIFF_PATCH_MAX_BYTES, read)
    if content is None or content.count(b"\n") > DIFF_LINES_MAX_COUNT:
        tree.missing.append("the patch of what was not committed is not here, or too large to be read for this")
    else:
        tree.files.update(read_patch(as_text(content)))


def _add_archive(tree: Tree, said: Mapping[str, Any], what: str, read: ReadBlob) -> None:
    left_out = said.get("left_out")
    if isinstance(left_out, list) and left_out:
        tree.missing.append(f"{len(left_out)} of {what} were not kept")
    archive = said.get("archive")
    if not isinstance(archive, dict):
        if said.get("files"):
            tree.missing.append(f"{what} were not kept")
        return
    content = _bytes_of(archive, DIFF_ARCHIVE_MAX_BYTES, read)
    files = None if content is None else _unpacked(content)
    if files is None:
        tree.missing.append(f"{what} are not here, or too large to be read for this")
    else:
        tree.files.update({path: Whole(one) for path, one in files.items()})


def _bytes_of(said: Mapping[str, Any], max_bytes: int, read: ReadBlob) -> bytes | None:
    digest = said.get("digest")
    return read(digest, max_bytes) if isinstance(digest, str) and _DIGEST.fullmatch(digest) else None


def _unpacked(archive: bytes) -> dict[str, bytes] | None:
    """Its files; None for what is no archive, or unpacks to more than is read for this. Only the methods that Lineal writes are read: of
    the others zipfile does not bound what a piece unpacks to."""
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            members = [item for item in opened.infolist() if not item.is_dir()]
            if len(members) > DIFF_ARCHIVE_MAX_COUNT or any(one.compress_type not in _METHODS for one in members):
                return None
            found: dict[str, bytes] = {}
            size, lines = 0, 0
            for member in members:
                with opened.open(member) as file:
                    content = file.read(DIFF_ARCHIVE_MAX_BYTES - size + 1)
                size, lines = size + len(content), lines + content.count(b"\n")
                if size > DIFF_ARCHIVE_MAX_BYTES or lines > DIFF_LINES_MAX_COUNT:
                    return None
                found[member.filename] = content
            return found
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        zlib.error,
        struct.error,
    ):
        return None
