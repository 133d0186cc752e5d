"""The working tree of a run, made again in a fresh folder: commit, patch and untracked files; or the snapshot; or the cells.

Nothing that belongs to the run is executed by this."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from lineal.model.captures import PATCH_MASKED
from lineal.reproduce import git as repository
from lineal.reproduce.archive import BadArchive, is_inside, make_place, unpack
from lineal.reproduce.captured import Code, Kept, Submodule
from lineal.reproduce.git import git
from lineal.reproduce.masked import restored
from lineal.reproduce.problems import Problem

CELLS_NAME = "lineal_cells.py"

Find = Callable[[Kept], Path]
"""Where the bytes of one of the run's own files lie, compared with their digest. Raises LookupError with the reason."""


@dataclass(frozen=True, slots=True)
class Tree:
    """`origin` says where it came from; `files`: those that were captured, by their names in it."""

    root: Path
    origin: str
    files: tuple[str, ...]
    problems: tuple[Problem, ...]


def build_tree(code: Code, find: Find, root: Path) -> Tree:
    """Makes the tree at `root`, which is not there yet or empty. What could not be had is in `problems`."""
    root.mkdir(parents=True, exist_ok=True)
    problems = _named_missing(code)
    names: list[str] = []
    origin = "files kept with the run"
    if code.commit is not None:
        found = _check_out(code.commit, code.root, code.remote, root, problems, "the commit")
        if found is None:
            return Tree(root, "nothing", (), tuple(problems))
        origin = found
        if code.patch is not None:  # before the submodules: it may say which commits they are at
            _patch(code, code.patch, find, root, problems)
        for submodule in code.submodules:
            _add_submodule(submodule, code.root, root, problems)
        names = _tracked(root)
    for kept in (code.untracked, code.snapshot):
        if kept is not None:
            names += _unpack(kept, find, root, problems)
    if code.cells is not None:
        names += _place(code.cells, find, root, code.folder, problems)
    if not names and not problems:
        problems.append(Problem("code", "code", "no code was captured of the run", is_final=True))
    problems += _named_pointers(root)
    return Tree(root, origin, tuple(dict.fromkeys(names)), tuple(problems))


def _check_out(
    commit: str, local: str | None, remote: str | None, root: Path, problems: list[Problem], what: str
) -> str | None:
    """Where the commit was found, or None with a problem that says where it was looked for."""
    if not repository.is_commit(commit):
        problems.append(Problem("code", commit[:64], f"{what} {commit!r:.80} is no object id of git", is_final=True))
        return None
    made = repository.make_repository(root, commit)
    if not made.is_good:
        problems.append(Problem("code", commit, f"git cannot be used: {made.trouble}", is_final=True))
        return None
    origin = _obtain(commit, local, remote, root, problems, what)
    if origin is None:
        return None
    out = git(root, "checkout", "--quiet", "--detach", commit, "--")
    if not out.is_good:
        problems.append(Problem("code", commit, f"{what} cannot be checked out: {out.trouble}", is_final=True))
        return None
    if remote is not None and repository.is_remote_address(remote):
        git(root, "remote", "add", "--", "origin", remote)
    return origin


def _obtain(
    commit: str, local: str | None, remote: str | None, root: Path, problems: list[Problem], what: str
) -> str | None:
    looked: list[str] = []
    for place in dict.fromkeys(place for place in (local, remote) if place):
        objects = repository.objects_of(place.removeprefix("file://"))
        if objects is not None:
            repository.borrow_objects(root, objects)
            if repository.has_commit(root, commit):
                return place
            looked.append(f"not in the repository at {place}")
        elif place == local:
            looked.append(f"no repository at {place}")
    if remote is not None and repository.is_remote_address(remote):
        trouble = repository.fetch_commit(root, remote, commit)
        if trouble is None:
            return remote
        looked.append(f"not from {remote} ({trouble})")
    said = "; ".join(looked) or "no repository was captured"
    problems.append(Problem("code", commit, f"{what} {commit} cannot be had: {said}", is_final=True))
    return None


def _add_submodule(submodule: Submodule, local: str | None, root: Path, problems: list[Problem]) -> None:
    if not is_inside(submodule.path):
        problems.append(Problem("code", submodule.path, f"the submodule {submodule.path!r:.120} leads out of the tree"))
        return
    own = os.path.join(local, submodule.path) if local else None
    try:
        place = root / submodule.path
        if not place.is_dir():
            place = make_place(root, submodule.path)
        if place.resolve() != root.resolve() / submodule.path:
            raise BadArchive(f"{submodule.path!r:.120} leads through a link")
    except BadArchive as error:
        problems.append(Problem("code", submodule.path, f"the submodule cannot be placed: {error}"))
        return
    _check_out(submodule.commit, own, submodule.remote, place, problems, f"commit of the submodule {submodule.path}:")
    if submodule.is_dirty:
        said = f"changes in the submodule {submodule.path} were not committed, and are not kept"
        problems.append(Problem("code", submodule.path, said))


def _patch(code: Code, kept: Kept, find: Find, root: Path, problems: list[Problem]) -> None:
    try:
        content = find(kept).read_bytes()
    except (LookupError, OSError) as error:
        problems.append(
            Problem("code", kept.path, f"the patch of the dirty tree cannot be had: {error}", is_final=True)
        )
        return
    if not content.strip():
        return
    whole = restored(content, lambda name: _committed(root, name))
    is_exact = code.patch_digest == sha256(whole.content).hexdigest()
    if is_exact or whole.masked:  # said better, or not true any more
        problems[:] = [problem for problem in problems if problem.text != PATCH_MASKED]
    if whole.masked and not is_exact:
        places = ", ".join(whole.masked[:5]) + (" and others" if len(whole.masked) > 5 else "")
        said = f"secrets were masked in what was changed at {places}: what runs is not exactly what ran"
        problems.append(Problem("code", kept.path, said, blocks=False))
    applied = git(root, "apply", "--index", "--whitespace=nowarn", "-", given=whole.content)
    if not applied.is_good:
        said = f"the patch of the dirty tree does not apply: {applied.trouble}"
        problems.append(Problem("code", kept.path, said, is_final=True))


def _committed(root: Path, name: str) -> bytes | None:
    """Before the patch is applied, a file of the tree is that of the commit."""
    place = root / name
    try:
        if not is_inside(name) or place.is_symlink() or place.resolve() != root.resolve() / name:
            return None
        return place.read_bytes()
    except (OSError, ValueError):
        return None


def _unpack(kept: Kept, find: Find, root: Path, problems: list[Problem]) -> list[str]:
    try:
        return unpack(find(kept), root)
    except (LookupError, OSError, BadArchive) as error:
        said = f"the archive of files cannot be used: {error}"
        problems.append(Problem("code", kept.path, said, is_final=True))
        return []


def _place(kept: Kept, find: Find, root: Path, folder: str, problems: list[Problem]) -> list[str]:
    """The cells of a notebook, as a script in the folder that it ran in."""
    name = CELLS_NAME if folder == "." else f"{folder}/{CELLS_NAME}"
    try:
        if not is_inside(name):
            name = CELLS_NAME  # it ran elsewhere
        shutil.copyfile(find(kept), make_place(root, name))
    except (LookupError, OSError, BadArchive) as error:
        problems.append(Problem("code", kept.path, f"the cells cannot be had: {error}", is_final=True))
        return []
    return [name]


def _tracked(root: Path) -> list[str]:
    listed = git(root, "ls-files", "-z").output.split(b"\0")
    return [os.fsdecode(name) for name in listed if name]


def _named_missing(code: Code) -> list[Problem]:
    """What was not captured, or not as it ran."""
    problems = [
        Problem("code", item.name, f"{item.name} was not kept with the run ({item.why})", blocks=False)
        for item in code.left_out
    ]
    problems += [Problem("code", "code", text, blocks=False) for text in code.trouble]
    if code.changed:
        names = ", ".join(code.changed[:5])
        problems.append(Problem("code", "patch", f"changes that were not committed are not kept: {names}"))
    return problems


def _named_pointers(root: Path) -> list[Problem]:
    """Files of Git LFS stay pointers: what fetches them is a program that the repository names the address for."""
    attributes = root / ".gitattributes"
    try:
        is_used = not attributes.is_symlink() and b"filter=lfs" in attributes.read_bytes()
    except OSError:
        return []
    said = "files that Git LFS keeps are pointers in the new tree; --link takes them from the old one"
    return [Problem("code", "Git LFS", said, blocks=False)] if is_used else []


def link_into(root: Path, name: str, source: Path) -> None:
    """Makes `name` in the tree mean a file or folder that lies elsewhere. Raises BadArchive, OSError."""
    if not is_inside(name):
        raise BadArchive(f"the name {name!r:.120} leads out of the folder")
    target = make_place(root, name)
    target.symlink_to(source, target_is_directory=source.is_dir())


def changed_files(tree: Tree, current: Path) -> list[Problem]:
    """In what the tree of now, at `current`, differs from the one that was captured."""
    found: list[Problem] = []
    for name in tree.files:
        then, now = tree.root / name, current / name
        if then.is_symlink() or not then.is_file():
            continue
        if not now.is_file():
            found.append(Problem("code", name, f"{name} is gone from {current}", blocks=False))
        elif not filecmp.cmp(then, now, shallow=False):
            found.append(Problem("code", name, f"{name} has changed since the run", blocks=False))
    return found
