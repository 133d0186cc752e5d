"""The patch between two trees that were both patched from one: it makes the first the second; of a tree to itself there is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.formats import patch_text
from lineal.formats.patch_text import file_patch
from lineal.formats.patches import Region, applied, read_patch, regions, split_lines
from lineal.store.code_difference import code_patch
from lineal.store.code_trees import FileState, Tree, Whole

LINES = st.sampled_from(
    ("a\n", "b\n", "\n", "-- x\n", "+++ b/x\n", "diff --git a/x b/x\n", "é\r\n", "@@ -1 +1 @@\n", "c")
)
FILES = st.lists(LINES, max_size=30).map("".join)
NAMES = ("x.py", "d/ü ß.txt", 'odd "name"\t', "z")
TREES = st.dictionaries(st.sampled_from(NAMES), FILES, max_size=4)


def patch_between(path: str, before: str | None, after: str | None) -> str:
    found = [Region(0, 0, tuple(split_lines(before or "")), tuple(split_lines(after or "")))]
    if before == after:
        return ""
    return file_patch(path, found, was_there=before is not None, is_there=after is not None)


def patched(tree: dict[str, str], patch: str) -> dict[str, str]:
    """As `git apply` would."""
    after = dict(tree)
    for path, change in read_patch(patch).items():
        assert change.kind != "opaque", change
        assert (path in tree) is (change.kind != "added"), path
        lines = applied(change.hunks, split_lines(tree.get(path, "")))
        if change.kind == "deleted":
            assert lines == []
            del after[path]
        else:
            after[path] = "".join(lines)
    return after


@st.composite
def edited(draw: st.DrawFn, base: dict[str, str]) -> dict[str, str]:
    """A few files of it gone, a few new, a few changed a little."""
    tree = dict(base)
    for path in draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True)):
        what = draw(st.sampled_from(("change", "change", "drop", "replace")))
        if what == "drop":
            tree.pop(path, None)
        elif what == "replace" or path not in tree:
            tree[path] = draw(FILES)
        else:
            lines = split_lines(tree[path])
            for _ in range(draw(st.integers(1, 3))):
                at = draw(st.integers(0, len(lines)))
                lines[at : at + draw(st.integers(0, 2))] = draw(st.lists(LINES, max_size=2))
            tree[path] = "".join(split_lines("".join(lines)))
    return tree


@st.composite
def three(draw: st.DrawFn) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    base = draw(TREES)
    return base, draw(edited(base)), draw(edited(base))


def tree_of(base: dict[str, str], tree: dict[str, str], untracked: set[str]) -> Tree:
    """What a capture would tell of it: the patch of the files that git tracks, the others whole."""
    names = sorted({*base, *tree} - untracked)
    files: dict[str, FileState] = {}
    files.update(read_patch("".join(patch_between(path, base.get(path), tree.get(path)) for path in names)))
    files.update({path: Whole(tree[path].encode()) for path in untracked if path in tree})
    return Tree("a" * 40, files)


@given(three(), st.sets(st.sampled_from(NAMES)))
def test_the_patch_between_two_trees_makes_one_the_other(
    trees: tuple[dict[str, str], dict[str, str], dict[str, str]], some: set[str]
) -> None:
    base, first, second = trees
    untracked = some - base.keys()
    one, other = tree_of(base, first, untracked), tree_of(base, second, untracked)
    found = code_patch(one, other)
    assert not found.unknown and not found.is_cut
    assert patched(first, found.text) == second
    assert set(found.files) == {path for path in {*first, *second} if first.get(path) != second.get(path)}
    assert code_patch(one, one).text == code_patch(other, tree_of(base, second, untracked)).text == ""


@given(three())
def test_snapshots_are_compared_whole(trees: tuple[dict[str, str], dict[str, str], dict[str, str]]) -> None:
    _, first, second = trees
    one, other = (Tree(None, {path: Whole(text.encode()) for path, text in tree.items()}) for tree in (first, second))
    assert patched(first, code_patch(one, other).text) == second


@given(FILES, FILES, FILES)
def test_regions_are_all_in_which_two_files_differ(base: str, first: str, second: str) -> None:
    hunks = [read_patch(patch_between("x", base, side)) for side in (first, second)]
    found = regions(*(one["x"].hunks if one else () for one in hunks))
    sides = [split_lines(first), split_lines(second)]
    at = [0, 0]
    for region in found:
        assert sides[0][at[0] : region.first_at] == sides[1][at[1] : region.second_at]
        assert tuple(sides[0][region.first_at : region.first_at + len(region.first)]) == region.first
        assert tuple(sides[1][region.second_at : region.second_at + len(region.second)]) == region.second
        at = [region.first_at + len(region.first), region.second_at + len(region.second)]
    assert sides[0][at[0] :] == sides[1][at[1] :]


def test_what_would_take_long_is_replaced_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = {"x": "a\nb\n" * 50}, {"x": "b\nc\na\n" * 50}
    trees = [Tree(None, {"x": Whole(tree["x"].encode())}) for tree in (before, after)]
    monkeypatch.setattr(patch_text, "_EFFORT", 10**12)
    short = code_patch(trees[0], trees[1]).text
    monkeypatch.setattr(patch_text, "_EFFORT", 1_000)
    long = code_patch(trees[0], trees[1]).text
    assert patched(before, short) == patched(before, long) == after
    assert long.count("@@ -") == 1 and len(long) > len(short)
