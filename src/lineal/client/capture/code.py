"""Which code ran: a commit with what was not committed; without git the files themselves; in a notebook the cells."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from lineal.client.capture import git
from lineal.client.capture.cells import CELLS_PATH, executed_cells
from lineal.client.capture.execution import script_path
from lineal.client.capture.lineals import without_lineals
from lineal.client.capture.redact import mask_text, strip_address
from lineal.client.capture.reuse import Sight, sight_of
from lineal.client.capture.secret_files import mask_file
from lineal.client.capture.snapshot import files_elsewhere, own_script, snapshot
from lineal.client.capture.sources import Sources, is_secret_file, read_sources
from lineal.journal.blobs import sha256
from lineal.model.captures import PATCH_MASKED, is_code_file
from lineal.model.limits import (
    CODE_HIDDEN_MAX_COUNT,
    CODE_REUSE_S,
    LEFT_OUT_NAMED_COUNT,
    PATCH_HASHED_MAX_BYTES,
    PATCH_MAX_BYTES,
)
from lineal.model.values import to_json

PATCH_PATH = ".lineal/code/patch.diff"
UNTRACKED_PATH = ".lineal/code/untracked.zip"
SNAPSHOT_PATH = ".lineal/code/source.zip"
ELSEWHERE_PATH = ".lineal/code/elsewhere.zip"
_PLACES_MAX_COUNT = 3


class Code(NamedTuple):
    """`files`, by the place in `content` ("patch", "untracked.archive") that is to say where each is kept: path and bytes."""

    content: dict[str, Any]
    files: dict[str, tuple[str, bytes]]


class _Place(NamedTuple):
    """What is looked at."""

    folder: str
    script: str | None
    cells: bytes | None
    own: str


class _Seen(NamedTuple):
    taken_s: float
    place: _Place
    code: Code
    sight: Sight


_seen: _Seen | None = None
"""When this process looked last, at what, what it saw, and by what it is known that it is so still."""


@dataclass(slots=True)
class _Look:
    """What is looked at, and what has been found out beside the code itself."""

    environ: Mapping[str, str]
    folder: str
    script: str | None
    own: str
    trouble: list[str] = field(default_factory=list)
    sight: Sight | None = None
    known: tuple[str, str] | None = None
    """The root of the repository and the commit, as soon as they are."""


def known_code(folder: str, own: str = "") -> Code | None:
    """What `code` would say, if that takes microseconds; None where the code must be looked at."""
    seen = _seen
    return _still(_place(folder, own)) if seen is not None and seen.sight.is_quick else None


def code(environ: Mapping[str, str], folder: str, own: str = "") -> Code:
    """As it is now, for a process that began in `folder`; without what lies in `own`, the folder that runs are recorded in.

    Runs that begin within CODE_REUSE_S share one look, if nothing was edited meanwhile. Raises nothing for what is not to be found:
    `trouble` says what is missing, and why."""
    global _seen
    place = _place(folder, own)
    found = _still(place)
    if found is not None:
        return found
    now_s = time.monotonic()
    look = _Look(environ, folder, place.script, own)
    found = _seen_by(look, place.cells)
    _seen = None if look.sight is None else _Seen(now_s, place, found, look.sight)
    return found


def _place(folder: str, own: str) -> _Place:
    return _Place(folder, own_script(script_path()), executed_cells(), own)


def _still(place: _Place) -> Code | None:
    """What was seen last, if that was there, a moment ago, and is so still."""
    global _seen
    seen = _seen
    if seen is None or seen.place != place or time.monotonic() - seen.taken_s >= CODE_REUSE_S:
        return None
    sight = seen.sight.renewed()
    if sight is None:
        return None
    if sight is not seen.sight:
        _seen = seen._replace(sight=sight)
    return seen.code


def _seen_by(look: _Look, cells: bytes | None) -> Code:
    if not look.folder and look.script is None:
        gone = {"kind": "none", "trouble": ["The working folder was removed before the run began."]}
        return Code(gone | {"digest": _digest(gone)}, {})
    found = _of_git(look) or _of_files(look)
    content, files = found
    if cells is not None:
        content["kind"] = "notebook"
        kept = mask_file(CELLS_PATH, cells)
        files["cells"] = (CELLS_PATH, kept)
        if kept != cells:
            look.trouble.append("Secrets were masked in the cells: they are not exactly what ran.")
            content["is_masked"] = True
        content["cells_digest"] = sha256(cells).hexdigest()
    content["digest"] = _digest(content)
    if look.trouble:
        content["trouble"] = look.trouble
    return found


def _of_git(look: _Look) -> Code | None:
    """None where there is no repository, or git does not answer."""
    repository = None
    places = [os.path.dirname(look.script) if look.script else "", look.folder]
    if look.script is None and look.folder:  # a tool was begun, wherever the program may lie
        places += [os.path.dirname(path) for path in files_elsewhere(look.folder)][:_PLACES_MAX_COUNT]
    try:
        for place in dict.fromkeys(filter(None, places)):
            try:
                repository = _repository(place, look)
                break
            except LookupError:
                continue
        return None if repository is None else _of_repository(repository, look)
    except git.GitFailed as error:
        look.trouble.append(f"git: {mask_text(str(error))}")
        return None if look.known is None else _of_commit(*look.known, look)
    finally:
        if repository is not None:
            repository.close()


def _repository(place: str, look: _Look) -> git.Repository:
    """A repository of another user's is looked into where the program that runs here lies in it: whoever may have written that one has no
    need of git. Its filters are left all the same."""
    try:
        return git.Repository(place, look.environ)
    except git.Refused:
        if look.script is None:
            raise
        found = git.Repository(place, look.environ, is_trusted=True)
        if os.path.realpath(look.script).startswith(os.path.realpath(found.root) + os.sep):
            found.leave_filters()
            return found
        raise


def _of_repository(repository: git.Repository, look: _Look) -> Code:
    root = repository.root
    head = repository.head()
    look.known = None if head is None else (root, head)
    sight = sight_of(root, look.script, repository.git_folder)
    tracked = repository.tracked()
    content: dict[str, Any] = {"kind": "git"}
    _look_at_hidden(repository, tracked, content, look)
    status = _status_of(repository, look.trouble)
    status.untracked = without_lineals(root, status.untracked, look.own)
    remote = repository.remote(status.branch)
    content |= {
        "commit": status.commit,
        "branch": status.branch,
        "remote": None if remote is None else strip_address(remote),
        "root": mask_text(root),
        "folder": _below(root, look.folder),
        "is_dirty": bool(status.changed or status.untracked or status.commit is None),
    }
    if look.script is not None:
        content["entry"] = _below(root, look.script)
    if status.submodules:
        content["submodules"] = [
            {"path": one.path, "commit": one.commit, "is_dirty": one.is_dirty}
            | ({"remote": strip_address(one.remote)} if one.remote else {})
            | (_changes_of(os.path.join(root, one.path), look.environ) if one.is_dirty else {})
            for one in status.submodules
        ]
    files: dict[str, tuple[str, bytes]] = {}
    if status.changed and status.commit is not None:
        _add_patch(repository, status.changed, content, files, look.trouble)
    if not status.is_untracked_known:
        look.trouble.append("There are too many files that git neither tracks nor ignores: none of them is kept.")
        content["is_untracked_known"] = False
    names = [*status.untracked, *_ignored(sight.project, tracked, status)]
    names += tracked.names() if status.commit is None else []
    _add_sources("untracked", UNTRACKED_PATH, read_sources(root, names, sight.project), content, files, look.trouble)
    _add_elsewhere(sight.elsewhere, content, files, look)
    look.sight = sight.watching(os.path.join(root, name) for name in (*status.changed, *names))
    return Code(content, files)


def _of_commit(root: str, commit: str, look: _Look) -> Code:
    """Where git tells no more, as on a slow disk of millions of files: the commit, and the modules that ran as they are."""
    look.trouble.append(
        "What was changed since the commit is not known: the script and the modules that were imported are kept."
    )
    content: dict[str, Any] = {
        "kind": "git",
        "commit": commit,
        "root": mask_text(root),
        "folder": _below(root, look.folder),
    }
    if look.script is not None:
        content["entry"] = _below(root, look.script)
    files: dict[str, tuple[str, bytes]] = {}
    _add_sources(
        "untracked", UNTRACKED_PATH, snapshot(root, look.script, look.own, look.folder), content, files, look.trouble
    )
    _add_elsewhere(files_elsewhere(root), content, files, look)
    return Code(content, files)


def _status_of(repository: git.Repository, trouble: list[str]) -> git.Status:
    """A filter fails wherever its program is not installed, as git-lfs in many an image: the commit is known all the same."""
    try:
        return repository.status()
    except git.GitFailed as error:
        if not repository.leave_filters():
            raise
        status = repository.status()
        trouble.append(
            f"git: {mask_text(str(error))}. Without the filters that are configured, files that they change may be said to differ."
        )
        return status


def _look_at_hidden(repository: git.Repository, tracked: git.Tracked, content: dict[str, Any], look: _Look) -> None:
    """`git update-index --assume-unchanged` and `--skip-worktree` make git blind for what ran all the same."""
    if not tracked.is_known:
        look.trouble.append("There are too many files to learn which of them git was told not to look at.")
    if not tracked.hidden:
        return
    try:
        if len(tracked.hidden) > CODE_HIDDEN_MAX_COUNT:
            raise git.GitFailed("there are too many")
        repository.reveal(tracked.hidden)
    except git.GitFailed as error:
        names = [mask_text(name) for name in tracked.hidden]
        content["not_looked_at"] = names[:LEFT_OUT_NAMED_COUNT]
        content["not_looked_at_count"] = len(names)
        look.trouble.append(
            f"git was told to take {len(names):,} files for unchanged, like {names[0]}: what was changed in them is not known ({error})."
        )


def _ignored(project: list[str], tracked: git.Tracked, status: git.Status) -> list[str]:
    """Of what the program runs, that which git ignores; and what lies in a repository of its own, which git does not look into."""
    if not tracked.is_known:
        return []
    untracked, inner = set(status.untracked), tuple(f"{one.path}/" for one in status.submodules)
    return tracked.others(name for name in project if name not in untracked and not name.startswith(inner))


def _changes_of(folder: str, environ: Mapping[str, str]) -> dict[str, str]:
    """The digest of what was not committed in a submodule, which is not kept; nothing where it is not wholly known."""
    try:
        inner = git.Repository(folder, environ)
        status = inner.status()
        if any(one.is_dirty for one in status.submodules) or not status.is_untracked_known:
            return {}
        patch = inner.patch(PATCH_MAX_BYTES) if status.changed else b""
        found = read_sources(inner.root, without_lineals(inner.root, filter(is_code_file, status.untracked)))
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
    except git.GitFailed as error:  # of a file that was never fetched there is nothing to compare with
        trouble.append(f"What was changed is not known, only in which files: git: {mask_text(str(error))}")
        content["changed"] = [mask_text(name) for name in changed]
        return
    if not patch:
        return
    kept, withheld = _masked_patch(patch)
    if withheld:
        trouble.append(f"Changes of {', '.join(withheld[:5])} are not kept: the name says that it holds secrets.")
        content["is_masked"] = True
    elif kept != patch:
        trouble.append(PATCH_MASKED)
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


def _of_files(look: _Look) -> Code:
    folder, script = look.folder, look.script
    base = os.path.dirname(script) if script is not None else folder
    content: dict[str, Any] = {"kind": "snapshot", "root": mask_text(base), "folder": _below(base, folder)}
    if script is not None:
        content["entry"] = _below(base, script)
    files: dict[str, tuple[str, bytes]] = {}
    _add_sources("snapshot", SNAPSHOT_PATH, snapshot(base, script, look.own, folder), content, files, look.trouble)
    if not files:
        content["kind"] = "none"
    _add_elsewhere(files_elsewhere(base), content, files, look)
    return Code(content, files)


def _add_elsewhere(paths: list[str], content: dict[str, Any], files: dict[str, tuple[str, bytes]], look: _Look) -> None:
    """Modules that lie outside of the tree, which no commit of it has: named by their paths, the first "/" left out."""
    found = read_sources(os.sep, without_lineals(os.sep, (path.lstrip(os.sep) for path in paths), look.own))
    _add_sources("elsewhere", ELSEWHERE_PATH, found, content, files, look.trouble)


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
    elsewhere = content.get("elsewhere", {})
    if elsewhere:
        counted["elsewhere"] = sorted(one[1] for one in elsewhere["files"]) + elsewhere.get("left_out", [])
    if any(untracked.values()):
        counted["untracked"] = {key: files for key, files in untracked.items() if files}
    return str(sha256(to_json(counted).encode()).hexdigest())


def _below(root: str, path: str) -> str:
    if not path:  # the working folder is gone
        return ""
    return mask_text(os.path.relpath(os.path.realpath(path), os.path.realpath(root)))
