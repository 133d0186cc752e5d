"""What two runs of the same code have in common, and what a code capture does not know of the content of its files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lineal.model.captures import is_code_file
from lineal.model.values import to_json


def identity_of(code: Mapping[str, Any]) -> str | None:
    """Of the commit and of what was otherwise in files of code; None where nothing tells which code it was. It is made of what the
    capture says of each, so that captures whose digest counts other files too are compared in the same way; one that says no
    more than a digest is known by that."""
    commit = _text(code.get("commit"))
    is_whole = code.get("kind") != "none" and (commit is None or not code.get("is_dirty") or _says_changes(code))
    pieces = _pieces(code) if is_whole else {}
    if pieces:
        return to_json({"commit": commit, **pieces})
    if is_whole and commit is not None:
        return commit
    return None if code.get("kind") == "none" else _text(code.get("digest"))


def others_of(code: Mapping[str, Any]) -> dict[str, str]:
    """Files that git does not track and that are no code: name -> digest, "" where it is not known."""
    return {name: digest for name, digest in _files(code, "untracked") if not is_code_file(name)}


def unknown_of(code: Mapping[str, Any]) -> list[str]:
    """Of which files of code the capture does not know the content, in words."""
    found = []
    for module in _dicts(code.get("submodules")):
        if module.get("is_dirty") and not _text(module.get("changes_digest")):
            found.append(f"the changes within the submodule {module.get('path')!s:.80}")
    if code.get("kind") == "git" and code.get("is_dirty") is None:
        found.append("the changes that are not committed")
    if code.get("changed") and not _text(code.get("patch_digest")):
        found.append("the changes that are not committed, too large to be looked at")
    if code.get("is_untracked_known") is False:
        found.append("the files that git does not track")
    if code.get("not_looked_at"):
        found.append("the changes in files that git was told to take for unchanged")
    for key in ("untracked", "snapshot", "elsewhere"):
        said = code.get(key)
        if not isinstance(said, dict):
            continue
        names = [name for name, digest in _left_out(said) if not digest and (key != "untracked" or is_code_file(name))]
        count = said.get("left_out_count")
        more = count - len(_lists(said.get("left_out"))) if isinstance(count, int) else 0
        if names or more > 0:
            shown = ", ".join(f"{name:.80}" for name in names[:3])
            rest = len(names) - 3 + more if len(names) > 3 else more
            found.append(" and ".join(one for one in (shown, f"{rest:,} more files" if rest > 0 else "") if one))
    return found


def _says_changes(code: Mapping[str, Any]) -> bool:
    """Of a tree that is not as it was committed: whether the capture says what there was instead."""
    if code.get("patch") and not _text(code.get("patch_digest")):
        return False
    if any(not digest for _, digest in _files(code, "untracked", with_left_out=False)):
        return False
    return any(code.get(key) for key in ("patch_digest", "changed", "untracked")) or any(
        module.get("is_dirty") for module in _dicts(code.get("submodules"))
    )


def _pieces(code: Mapping[str, Any]) -> dict[str, Any]:
    dirty = [
        [str(module.get(key)) for key in ("path", "commit", "changes_digest")]
        for module in _dicts(code.get("submodules"))
        if module.get("is_dirty")
    ]
    found = {
        "patch": _text(code.get("patch_digest")),
        "cells": _text(code.get("cells_digest")),
        "changed": [str(name) for name in code["changed"]] if isinstance(code.get("changed"), list) else None,
        "untracked": sorted([name, digest] for name, digest in _files(code, "untracked") if is_code_file(name)),
        "snapshot": sorted([name, digest] for name, digest in _files(code, "snapshot")),
        "submodules": sorted(dirty),
        "elsewhere": sorted(digest for _, digest in _files(code, "elsewhere")),
    }
    return {key: value for key, value in found.items() if value}


def _files(code: Mapping[str, Any], key: str, with_left_out: bool = True) -> Iterator[tuple[str, str]]:
    said = code.get(key)
    if isinstance(said, dict):
        for one in _lists(said.get("files")):
            if len(one) > 1 and isinstance(one[0], str):
                yield one[0], str(one[1])
        if with_left_out:
            yield from _left_out(said)


def _left_out(said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Name, size, why, and the digest where it was worked out."""
    for one in _lists(said.get("left_out")):
        if one and isinstance(one[0], str):
            yield one[0], str(one[3]) if len(one) > 3 else ""


def _lists(said: Any) -> list[list[Any]]:
    return [one for one in said if isinstance(one, list)] if isinstance(said, list) else []


def _dicts(said: Any) -> list[dict[str, Any]]:
    return [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
