"""Which files of a project a script imports, as its text says: for a command that runs in another process, whose modules nobody
here has loaded. What is imported by name at run time is not seen."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator

from lineal.model.limits import SOURCE_FILE_MAX_BYTES, SOURCE_FILES_MAX_COUNT


def imported_files(script: str) -> list[str]:
    """The script and what lies beside or below it and is imported, from there on too. Absolute paths."""
    root = os.path.dirname(os.path.abspath(script))
    found: dict[str, None] = {}
    waiting = [os.path.abspath(script)]
    while waiting and len(found) < SOURCE_FILES_MAX_COUNT:
        path = waiting.pop()
        if path in found:
            continue
        found[path] = None
        for name in _names(path, root):
            waiting += _files_of(root, name)
    return list(found)


def _names(path: str, root: str) -> Iterator[str]:
    """Dotted names that it imports; those of `from a import b` may be a module each."""
    try:
        if os.path.getsize(path) > SOURCE_FILE_MAX_BYTES:
            return
        with open(path, "rb") as file:
            tree = ast.parse(file.read())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    package = os.path.relpath(os.path.dirname(path), root).replace(os.sep, ".").strip(".")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1] if package else []
                base = ".".join([*above, *([base] if base else [])])
            if base:
                yield base
            yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


def _files_of(root: str, name: str) -> Iterator[str]:
    """The module's own file, and those of the packages that it is in."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        place = os.path.join(root, *parts[:count])
        for path in (f"{place}.py", os.path.join(place, "__init__.py")):
            if os.path.isfile(path):
                yield path
