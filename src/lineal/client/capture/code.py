"""Which code ran: a commit with what was not committed; without git the files themselves; in a notebook the cells."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from lineal.client.capture import git
from lineal.client.capture.cells import CELLS_PATH, executed_cells
from lineal.client.capture.execution import script_path
from lineal.client.capture.redact import mask_file, mask_text, strip_address
from lineal.client.capture.snapshot import project_files, snapshot
from lineal.client.capture.sources import Sources, is_secret_file, read_sources
from lineal.journal.blobs import sha256
from lineal.model.captures import is_code_file
from lineal.model.limits import CODE_REUSE_S, PATCH_HASHED_MAX_BYTES, PATCH_MAX_BYTES
from lineal.model.values import to_json

PATCH_PATH = ".lineal/code/patch.diff"
UNTRACKED_PATH = ".lineal/code/untracked.zip"
SNAPSHOT_PATH = ".lineal/code/source.zip"


class Code(NamedTuple):
    """`files`, by the place in `content` ("patch", "untracked.archive") that is to say where each is kept: path and bytes."""

    content: dict[str, Any]
    files: dict[str, tuple[str, bytes]]


_seen: tuple[float, Any, Code] | None = None
"""When this process looked last, at what, and what it saw."""


def code(environ: Mapping[str, str], folder: str, own: str = "") -> Code:
    """As it is now, for a process that began in `folder`; without what lies in `own`, the folder that runs are recorded in.

    Runs that begin within CODE_REUSE_S share one look. Raises nothing for what is not to be found: `trouble` says what is
    missing, and why."""
    global _seen
    script, cells = script_path(), executed_cells()
    place = (folder, script, cells, own)
    now_s = time.monotonic()
    seen = _seen
    if seen is not None and seen[1] == place and now_s - seen[0] < CODE_REUSE_S and "commit" in seen[2].content:
        return seen[2]
    found = _look(environ, folder, script, cells, own)
    _seen = (now_s, place, found)
    return found


def _look(environ: Mapping[str, str], folder: str, script: str | None, cells: bytes | None, own: str) -> Code:
    trouble: list[str] = []
    if not folder and script is None:
        gone = {"kind": "none", "trouble": ["The working folder was removed before the run began."]}
        return Code(gone | {"digest": _digest(gone)}, {})
    found = _of_git(environ, folder, script, own, trouble)
    if found is None:
        found = _of_files(folder, script, trouble)
    content, files = found
    if cells is not None:
        content["kind"] = "notebook"
        files["cells"] = (CELLS_PATH, cells)
        content["cells_digest"] = sha256(cells).hexdigest()
    content["digest"] = _digest(content)
    if trouble:
        content["trouble"] = trouble
    return found


def _of_git(environ: Mapping[str, str], folder: str, script: str | None, own: str, trouble: list[str]) -> Code | None:
    """None where there is no repository, or git does not answer."""
    repository = None
    for place in dict.fromkeys([*([os.path.dirname(script)] if script else []), *([folder] if folder else [])]):
        try:
            repository = git.Repository(place, environ)
            break
        except LookupError:
            continue
        except git.GitFailed as error:
            trouble.append(f"git: {mask_text(str(error))}")
            return None
    if repository is None:
        return None
    try:
        return _of_repository(repository, environ, folder, script, own, trouble)
    except git.GitFailed as error:
        trouble.append(f"git: {mask_text(str(error))}")
        return None


def _of_repository(
    repository: git.Repository,
    environ: Mapping[str, str],
    folder: str,
    script: str | None,
    own: str,
    trouble: list[str],
) -> Code:
    status, root = repository.status(), repository.root
    if own:
        inside = os.path.relpath(os.path.realpath(own), os.path.realpath(root)) + os.sep
        status.untracked = [name for name in status.untracked if not name.startswith(inside)]
    remote = repository.remote(status.branch)
    content: dict[str, Any] = {
        "kind": "git",
        "commit": status.commit,
        "branch": status.branch,
        "remote": None if remote is None else strip_address(remote),
        "root": mask_text(root),
        "folder": _below(root, folder),
        "is_dirty": bool(status.changed or status.untracked or status.commit is None),
    }
    if script is not None:
        content["entry"] = _below(root, script)
    if status.submodules:
        content["submodules"] = [
            {"path": one.path, "commit": one.commit, "is_dirty": one.is_dirty}
            | ({"remote": strip_address(one.remote)} if one.remote else {})
            | (_changes_of(os.path.join(root, one.path), environ) if one.is_dirty else {})
            for one in status.submodules
        ]
    files: dict[str, tuple[str, bytes]] = {}
    if status.changed and status.commit is not None:
        _add_patch(repository, status.changed, content, files, trouble)
    if not status.is_untracked_known:
        trouble.append("There are too many files that git neither tracks nor ignores: none of them is kept.")
        content["is_untracked_known"] = False
    names = status.untracked if status.commit is not None else [*status.untracked, *repository.tracked()]
    _add_sources(
        "untracked", UNTRACKED_PATH, read_sources(root, names, project_files(root, script)), content, files, trouble
    )
    return Code(content, files)


def _changes_of(folder: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The digest of what was not committed in a submodule, which is not kept; nothing where it is not wholly known."""
    try:
        inner = git.Repository(folder, environ)
        status = inner.status()
        if any(one.is_dirty for one in status.submodules) or not status.is_untracked_known:
            return {}
        patch = inner.patch(PATCH_MAX_BYTES) if status.changed else b""
        found = read_sources(inner.root, filter(is_code_file, status.untracked))
    except (git.GitFailed, LookupError):
        return {}
    if found.left_out_count > len(found.left_out) or any(len(one) < 4 for one in found.left_out):
        return {}
    text = to_json([sha256(patch).hexdigest(), found.files, found.left_out])
    return {"changes_digest": str(sha256(text.encode()).hexdigest())}


def _add_patch(
    repository: git.Repository,
    changed: list[str],
    content: dict[str, Any],
    files: dict[str, tuple[str, bytes]],
    trouble: list[str],
) -> None:
    try:
        patch = repository.patch(PATCH_MAX_BYTES, PATCH_HASHED_MAX_BYTES)
    except git.TooLarge as error:
        trouble.append(
            f"The changes that are not committed are larger than {PATCH_MAX_BYTES:,} bytes: only their files are named."
        )
        content["changed"] = [mask_text(name) for name in changed]
        if error.digest is not None:
            content["patch_digest"] = error.digest
        return
    if not patch:
        return
    kept, withheld = _masked_patch(patch)
    if withheld:
        trouble.append(f"Changes of {', '.join(withheld[:5])} are not kept: the name says that it holds secrets.")
        content["is_masked"] = True
    elif kept != patch:
        trouble.append("Secrets were masked in the patch: applied, it is not exactly what ran.")
        content["is_masked"] = True
    files["patch"] = (PATCH_PATH, kept)
    content["patch"] = {"files": [mask_text(name) for name in changed]}
    content["patch_digest"] = sha256(patch).hexdigest()


def _masked_patch(patch: bytes) -> tuple[bytes, list[str]]:
    """File by file: the letters of a binary one may look like anything. And whose changes were left out."""
    kept: list[bytes] = []
    withheld: list[str] = []
    for part in re.split(rb"(?m)^(?=diff --git )", patch):
        name = _patched_name(part)
        if name and is_secret_file(name):
            withheld.append(mask_text(name))
        else:
            kept.append(part if b"\nGIT binary patch\n" in part else mask_file(name, part))
    return b"".join(kept), withheld


def _patched_name(part: bytes) -> str:
    """Both sides are the same, since renames are not looked for."""
    line = part.partition(b"\n")[0].removeprefix(b"diff --git ").decode("utf-8", "replace")
    return line[: len(line) // 2].strip('"').removeprefix("a/")


def _of_files(folder: str, script: str | None, trouble: list[str]) -> Code:
    base = os.path.dirname(script) if script is not None else folder
    content: dict[str, Any] = {"kind": "snapshot", "root": mask_text(base), "folder": _below(base, folder)}
    if script is not None:
        content["entry"] = _below(base, script)
    files: dict[str, tuple[str, bytes]] = {}
    _add_sources("snapshot", SNAPSHOT_PATH, snapshot(base, script), content, files, trouble)
    if not files:
        content["kind"] = "none"
    return Code(content, files)


def _add_sources(
    key: str,
    path: str,
    sources: Sources,
    content: dict[str, Any],
    files: dict[str, tuple[str, bytes]],
    trouble: list[str],
) -> None:
    if not (sources.files or sources.left_out_count):
        return
    content[key] = sources.said()
    if sources.files:
        files[f"{key}.archive"] = (path, sources.archive())
    if sources.masked:
        trouble.append(f"Secrets were masked in {', '.join(sources.masked[:5])}: it is not exactly what ran.")
        content["is_masked"] = True


def _digest(content: Mapping[str, Any]) -> str:
    """Of what ran, not of where it lay; of the files that git does not track those that are code."""
    keys = ("commit", "patch_digest", "snapshot", "submodules", "changed", "cells_digest")
    counted = {key: content[key] for key in keys if content.get(key)}
    untracked = {
        key: [one for one in files if is_code_file(one[0])]
        for key, files in content.get("untracked", {}).items()
        if key in ("files", "left_out")
    }
    if any(untracked.values()):
        counted["untracked"] = {key: files for key, files in untracked.items() if files}
    return str(sha256(to_json(counted).encode()).hexdigest())


def _below(root: str, path: str) -> str:
    if not path:  # the working folder is gone
        return ""
    return mask_text(os.path.relpath(os.path.realpath(path), os.path.realpath(root)))
