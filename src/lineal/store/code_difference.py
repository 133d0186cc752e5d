"""The patch between the working trees of two runs, as far as what they recorded tells it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lineal.formats.patch_text import Effort, binary_patch, file_patch
from lineal.formats.patches import Hunk, Region, Unfitting, applied, regions, split_lines
from lineal.model.limits import DIFF_PATCH_MAX_BYTES
from lineal.store.code_trees import FileState, Repository, Tree, Whole, as_text


@dataclass(frozen=True, slots=True)
class CodePatch:
    """From one tree to another. `text`: a unified diff, which may be the beginning only (`is_cut`). `unknown`: what could not be
    told, in words; without any, the patch is all of the difference."""

    text: str
    files: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    is_cut: bool = False

    @property
    def is_empty(self) -> bool:
        """The two trees are known to be the same."""
        return not self.files and not self.unknown


def code_patch(first: Tree, second: Tree, repository: Repository | None = None) -> CodePatch:
    """What makes the first tree the second. Between two commits only a repository that has both can tell."""
    unknown = [*dict.fromkeys([*first.missing, *second.missing])]
    paths = {*first.files, *second.files}
    between: list[str] | None = []
    if first.commit != second.commit:
        known = repository if first.commit is not None and second.commit is not None else None
        between = None if known is None else known.changed(str(first.commit), str(second.commit))
        if between is None:
            unknown.insert(0, _why_not(first, second))
            return CodePatch("", (), tuple(unknown))
        paths |= set(between)
    if first.commit == second.commit:
        repository = None  # it is not needed, and may not have that commit
    pieces: list[str] = []
    files: list[str] = []
    size, is_cut, effort = 0, False, Effort()
    for path in sorted(paths):
        piece = _piece(path, first, second, repository, effort)
        if not piece:
            continue
        files.append(path)
        size += len(piece)
        if size > DIFF_PATCH_MAX_BYTES:
            is_cut = True
        else:
            pieces.append(piece)
    text = "".join(pieces).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return CodePatch(text, tuple(files), tuple(unknown), is_cut)


def _why_not(first: Tree, second: Tree) -> str:
    if first.commit is None or second.commit is None:
        return "one of the two has no commit: there is nothing that both trees could be compared with"
    return (
        f"what changed between the commits {first.commit[:12]} and {second.commit[:12]} is not known here: "
        "ask in a clone of the repository that has both"
    )


def _piece(path: str, first: Tree, second: Tree, repository: Repository | None, effort: Effort) -> str:
    """The part of the patch about one file; "" if nothing differs."""
    mine, others = first.files.get(path), second.files.get(path)
    if mine is not None and mine == others and first.commit == second.commit:
        return ""
    try:
        if repository is not None:
            return _whole_piece(path, first.content(path, repository), second.content(path, repository), effort)
        return _relative_piece(path, mine, others, effort)
    except Unfitting:
        return binary_patch(path)


def _relative_piece(path: str, mine: FileState | None, others: FileState | None, effort: Effort) -> str:
    """Of two trees over one commit, which is not at hand."""
    sides = [_whole_of(mine, others), _whole_of(others, mine)]
    if all(side is not None for side in sides):
        contents = [side.content for side in sides if side is not None]
        return _whole_piece(path, contents[0], contents[1], effort)
    if isinstance(mine, Whole) or isinstance(others, Whole):
        raise Unfitting(path)
    for state in (mine, others):
        if state is not None and state.kind != "modified":
            raise Unfitting(path)
    return file_patch(path, regions(_hunks_of(mine), _hunks_of(others)), modes=_modes(mine, others), effort=effort)


def _modes(mine: FileState | None, others: FileState | None) -> tuple[str, str] | None:
    """Before and after, if they differ: whether the file can be executed."""
    said = [None if state is None or isinstance(state, Whole) else state.modes for state in (mine, others)]
    base = next((modes[0] for modes in said if modes is not None), "")
    first, second = (base if modes is None else modes[1] for modes in said)
    return None if first == second else (first, second)


def _hunks_of(state: FileState | None) -> tuple[Hunk, ...]:
    return () if state is None or isinstance(state, Whole) else state.hunks


def _whole_of(state: FileState | None, other: FileState | None) -> Whole | None:
    """All of the file, if that can be told: a file that one side added is not in the commit, and of one that it deleted the patch has
    all that the commit had."""
    if isinstance(state, Whole):
        return state
    if state is not None and state.kind == "added":
        return Whole(_joined(line for hunk in state.hunks for line in hunk.new))
    if state is not None and state.kind == "deleted":
        return Whole(None)
    if isinstance(other, Whole) or (other is not None and other.kind == "added"):
        return Whole(None) if state is None else None
    if other is not None and other.kind == "deleted":
        base = [line for hunk in other.hunks for line in hunk.base]
        if state is None or state.kind == "modified":
            return Whole(_joined(applied(_hunks_of(state), base)))
    return None


def _joined(lines: Iterator[str] | list[str]) -> bytes:
    return "".join(lines).encode("utf-8", "surrogateescape")


def _whole_piece(path: str, mine: bytes | None, others: bytes | None, effort: Effort) -> str:
    if mine == others:
        return ""
    if any(b"\0" in side or len(side) > DIFF_PATCH_MAX_BYTES for side in (mine, others) if side is not None):
        raise Unfitting(path)
    lines = [tuple(split_lines(as_text(side or b""))) for side in (mine, others)]
    found = [Region(0, 0, lines[0], lines[1])]
    return file_patch(path, found, was_there=mine is not None, is_there=others is not None, effort=effort)
