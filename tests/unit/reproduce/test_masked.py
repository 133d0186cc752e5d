"""Trees with secrets in them, made again: what the commit knows is put back, what it does not is named before anything starts."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineal.client.capture import code as capture
from lineal.client.capture import reuse
from lineal.client.capture.secret_files import mask_file
from lineal.client.capture.secret_shapes import MASK
from lineal.model.captures import PATCH_MASKED
from lineal.reproduce.captured import read_captured
from lineal.reproduce.masked import restored
from lineal.reproduce.workspace import Tree, build_tree
from tests.unit.client.capture.repositories import ENVIRON, write
from tests.unit.client.capture.repositories import repository as committed
from tests.unit.reproduce.conftest import Shelf

SECRET = "hunter2pwQ9"
CONF = f'lr = 1\npassword = "{SECRET}"\ndepth = 2\n'


def made_again(place: Path, shelf: Shelf, root: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Tree, str]:
    """And the patch that was kept."""
    monkeypatch.setattr(capture, "_seen", None)
    monkeypatch.setattr(capture, "script_path", lambda: None)
    for where in (capture, reuse):  # of the test runner itself
        monkeypatch.setattr(where, "files_elsewhere", lambda base: [])
    found = capture.code(ENVIRON, str(place))
    content = dict(found.content)
    path, patch = found.files["patch"]
    content["patch"] = {**content["patch"], "path": path, "digest": shelf.put(path, patch).digest}
    code = read_captured({"code": content}).code
    assert code is not None
    return build_tree(code, shelf.find, root), patch.decode("utf-8", "replace")


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("conf.py", CONF, CONF.replace("lr = 1", "lr = 3")),  # beside a secret
        ("conf.py", CONF, "lr = 1\ndepth = 2\n"),  # of one that went
        ("a é b.py", CONF, CONF.replace("depth = 2", "depth = 3")),
        ("conf.py", CONF.replace("\n", "\r\n"), CONF.replace("lr = 1", "lr = 3").replace("\n", "\r\n")),
        ("conf.py", CONF.rstrip(), CONF.rstrip().replace("lr = 1", "lr = 3")),
        ("conf.yaml", f"lr: 1\npassword: |\n  {SECRET}\n", f"lr: 3\npassword: |\n  {SECRET}\n"),
        ("conf.yaml", f"lr: 1\npassword: {SECRET}\n", f"lr: 3\npassword: {SECRET}\n"),
        ("conf.py", "x = 1\n" * 40 + CONF, "y = 2\n" + "x = 1\n" * 39 + CONF + "z = 3\n"),
    ],
)
def test_a_secret_that_the_commit_has_is_put_back(
    name: str, before: str, after: str, shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "old"
    committed(place, {"train.py": "x = 1\n"})
    (place / name).write_bytes(before.encode())
    _commit(place)
    (place / name).write_bytes(after.encode())
    tree, patch = made_again(place, shelf, tmp_path / "new", monkeypatch)
    assert SECRET not in patch and MASK in patch
    assert (tree.root / name).read_bytes() == after.encode()
    assert not tree.problems


def test_a_secret_that_only_the_run_had_is_named(shelf: Shelf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "old"
    committed(place, {"conf.py": CONF, "other.py": CONF})
    changed = CONF.replace("depth = 2\n", f'depth = 3\ntoken = "{SECRET}"\n')
    write(place, {"conf.py": changed, "other.py": CONF + "x = 1\n"})
    tree, patch = made_again(place, shelf, tmp_path / "new", monkeypatch)
    assert SECRET not in patch
    assert (tree.root / "conf.py").read_text() == changed.replace(f'token = "{SECRET}"', f'token = "{MASK}"')
    assert (tree.root / "other.py").read_text() == CONF + "x = 1\n"
    (problem,) = tree.problems
    assert not problem.blocks and "conf.py:4" in problem.text and "not exactly" in problem.text


def test_what_is_not_in_the_commit_leads_nowhere() -> None:
    asked: list[str] = []

    def read(name: str) -> bytes | None:
        asked.append(name)
        return None

    head = b"diff --git a/x b/x\n--- a/../../x\n+++ b/../../x\n@@ -1,2 +1 @@\n"
    patch = head + f" {MASK}\n-{MASK}\n".encode()
    assert restored(patch, read).content == patch and asked == ["../../x"]
    assert restored(b"no mask", read).content == b"no mask" and len(asked) == 1


def test_without_the_digest_of_the_patch_the_sentence_stays(shelf: Shelf, tmp_path: Path) -> None:
    place = tmp_path / "old"
    commit = committed(place, {"a.py": "x = 1\n"})
    patch = shelf.put(
        ".lineal/code/patch.diff", b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x = 1\n+x = 2\n"
    )
    said = {"kind": "git", "commit": commit, "root": str(place), "trouble": [PATCH_MASKED]}
    code = read_captured({"code": said | {"patch": {"path": patch.path, "digest": patch.digest}}}).code
    assert code is not None
    assert [problem.text for problem in build_tree(code, shelf.find, tmp_path / "new").problems] == [PATCH_MASKED]


LINES = st.lists(
    st.sampled_from(
        [
            "x = 1",
            "",
            f'password = "{SECRET}"',
            f"password: {SECRET}",
            "password: |",
            f"  {SECRET}",
            "y: 2",
            "  - a",
            "tokens:",
            "-- x",
        ]
    ),
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(LINES, LINES, st.sampled_from(["a.py", "a.yaml"]))
def test_what_was_is_put_back_whatever_was_changed(before: list[str], after: list[str], name: str) -> None:
    old = [f"{line}\n" for line in before]
    new = [f"{line}\n" for line in after]
    head = f"diff --git a/{name} b/{name}\n"
    patch = (head + "".join(difflib.unified_diff(old, new, f"a/{name}", f"b/{name}"))).encode()
    masked = mask_file(name, patch)
    found = restored(masked, lambda _: "".join(old).encode())
    pairs = list(zip(patch.split(b"\n"), found.content.split(b"\n"), strict=True))
    assert all(was == now for was, now in pairs[3:] if not was.startswith(b"+"))
    assert len(found.masked) == sum(MASK.encode() in now for _, now in pairs[3:])


def _commit(place: Path) -> None:
    from tests.unit.client.capture.repositories import git

    git(place, "add", "-A")
    git(place, "commit", "-qm", "conf")
