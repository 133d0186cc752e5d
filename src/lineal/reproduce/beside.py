"""What a run read from beside its working tree, or from files in it that no commit and no archive has: modules, configuration."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Callable, Sequence
from pathlib import Path

from lineal.model.limits import SOURCE_FILE_MAX_BYTES
from lineal.reproduce.archive import BadArchive, is_inside, make_place
from lineal.reproduce.captured import Config, Kept
from lineal.reproduce.problems import Problem

_NAMED_COUNT = 3


def named_elsewhere(modules: Sequence[tuple[str, str]]) -> list[Problem]:
    """Modules outside of the tree stay where they are: whether they are what they were."""
    problems: list[Problem] = []
    same: list[str] = []
    for path, digest in modules:
        now = _digest(path)
        if now == digest:
            same.append(path)
        else:
            said = "is gone" if now is None else "has changed since"
            text = f"{path}, which it imported from outside of its tree, {said}; .lineal/code/elsewhere.zip of the run has it"
            problems.append(Problem("code", path, text))
    if same:
        names = ", ".join(same[:_NAMED_COUNT]) + (
            f" and {len(same) - _NAMED_COUNT:,} more" if len(same) > _NAMED_COUNT else ""
        )
        text = f"it imported from outside of its tree, where it lies unchanged: {names}"
        problems.append(Problem("code", same[0], text, blocks=False))
    return problems


def _digest(path: str) -> str | None:
    """None for what is no regular file of the size that code has: a record may name anything."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            return None
        if status.st_size > SOURCE_FILE_MAX_BYTES:
            return ""
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, ValueError):
        return None


def place_configs(
    configs: Sequence[Config], find: Callable[[Kept], Path], old_root: str | None, tree: Path
) -> list[Problem]:
    """Those that lay in the old tree and are not in the new one."""
    problems: list[Problem] = []
    for config in configs:
        name = os.path.relpath(config.place, old_root) if old_root and os.path.isabs(config.place) else ""
        if not is_inside(name) or os.path.lexists(tree / name):
            continue
        if config.is_masked:
            text = f"{name} has secrets, and was kept without them; --link takes it from the old tree"
            problems.append(Problem("code", name, text))
            continue
        try:
            shutil.copyfile(find(config.kept), make_place(tree, name))
        except (LookupError, OSError, BadArchive) as error:
            problems.append(Problem("code", name, f"the configuration {name} cannot be had: {error}"))
    return problems
