"""Working trees made again from real repositories, also from hostile ones."""

from __future__ import annotations

import io
import os
import shutil
import stat
import subprocess
import zipfile
from pathlib import Path

import pytest

from lineal.reproduce.archive import BadArchive, is_inside, unpack
from lineal.reproduce.captured import Code, Kept, LeftOut, Submodule
from lineal.reproduce.git import is_remote_address, objects_of
from lineal.reproduce.workspace import Tree, build_tree, changed_files, link_into
from tests.unit.reproduce.conftest import Shelf, git, zipped


def files_of(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and ".git" not in path.relative_to(root).parts
    }


def patch_of(root: Path) -> bytes:
    words = ["git", "diff", "--binary", "--no-color", "--no-ext-diff", "HEAD"]
    return subprocess.run(words, cwd=root, capture_output=True, check=True).stdout


def code_of(root: Path, shelf: Shelf, **other: object) -> Code:
    patch = patch_of(root)
    kept = shelf.put(".lineal/code/patch.diff", patch) if patch else None
    said = {"kind": "git", "commit": git(root, "rev-parse", "HEAD").strip(), "root": str(root), "patch": kept}
    return Code(**(said | other))  # type: ignore[arg-type]


def built(code: Code, shelf: Shelf, tmp_path: Path) -> Tree:
    return build_tree(code, shelf.find, tmp_path / "new" / "tree")


def test_a_clean_commit(repository: Path, shelf: Shelf, tmp_path: Path) -> None:
    tree = built(code_of(repository, shelf), shelf, tmp_path)
    assert files_of(tree.root) == files_of(repository)
    assert not tree.problems and tree.origin == str(repository)
    assert sorted(tree.files) == ["rates.py", "train.py", "weights.bin"]


def test_a_dirty_tree_with_every_kind_of_change(repository: Path, shelf: Shelf, tmp_path: Path) -> None:
    (repository / "train.py").write_text("print('changed')\r\nno end of line")
    (repository / "weights.bin").write_bytes(os.urandom(300))
    (repository / "rates.py").unlink()
    (repository / "staged.py").write_text("A = 1\n")
    git(repository, "add", "staged.py")
    (repository / "sub").mkdir()
    (repository / "sub" / "new é.py").write_text("B = 2\n")
    untracked = shelf.put(".lineal/code/source.zip", zipped({"sub/new é.py": b"B = 2\n"}))
    tree = built(code_of(repository, shelf, untracked=untracked), shelf, tmp_path)
    assert not tree.problems
    assert files_of(tree.root) == files_of(repository)
    assert patch_of(tree.root) == patch_of(repository)  # what is captured of the new tree is the same again


def test_a_commit_that_no_branch_has_any_more(repository: Path, shelf: Shelf, tmp_path: Path) -> None:
    git(repository, "checkout", "-q", "--detach")
    (repository / "rates.py").write_text("RATE = 2\n")
    git(repository, "commit", "-q", "-am", "lost")
    code = code_of(repository, shelf)
    git(repository, "checkout", "-q", "main")
    assert (built(code, shelf, tmp_path).root / "rates.py").read_text() == "RATE = 2\n"


def test_from_a_linked_working_tree_and_a_shallow_clone(repository: Path, shelf: Shelf, tmp_path: Path) -> None:
    (repository / "rates.py").write_text("RATE = 2\n")
    git(repository, "commit", "-q", "-am", "second")
    linked, shallow = tmp_path / "linked", tmp_path / "shallow"
    git(repository, "worktree", "add", "-q", str(linked))
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", str(shallow))
    for number, root in enumerate((linked, shallow)):
        tree = build_tree(code_of(root, shelf), shelf.find, tmp_path / f"new{number}")
        assert not tree.problems and (tree.root / "rates.py").read_text() == "RATE = 2\n"


def test_without_the_old_folder_the_remote_has_it(repository: Path, shelf: Shelf, tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    git(tmp_path, "clone", "-q", "--bare", str(repository), str(bare))
    code = code_of(repository, shelf, remote=f"file://{bare}")
    shutil.rmtree(repository)
    tree = built(code, shelf, tmp_path)
    assert not tree.problems and tree.origin == f"file://{bare}" and (tree.root / "train.py").exists()


def test_a_commit_that_is_nowhere_is_named_with_the_places(repository: Path, shelf: Shelf, tmp_path: Path) -> None:
    gone = "0123456789" * 4
    tree = built(code_of(repository, shelf, commit=gone, remote="https://127.0.0.1:9/x.git"), shelf, tmp_path)
    (problem,) = tree.problems
    assert problem.is_final and problem.name == gone
    assert str(repository) in problem.text and "127.0.0.1" in problem.text


def test_a_repository_without_a_commit(shelf: Shelf, tmp_path: Path) -> None:
    kept = shelf.put(".lineal/code/source.zip", zipped({"train.py": b"1"}))
    tree = built(Code(kind="git", root=str(tmp_path), untracked=kept), shelf, tmp_path)
    assert not tree.problems and files_of(tree.root) == {"train.py": b"1"}
    empty = build_tree(Code(kind="git"), shelf.find, tmp_path / "other")
    assert [problem.is_final for problem in empty.problems] == [True]


def test_submodules(repository: Path, shelf: Shelf, tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    git(library, "init", "-q")
    (library / "lib.py").write_text("L = 1\n")
    git(library, "add", "-A")
    git(library, "commit", "-q", "-m", "lib")
    git(repository, "submodule", "--quiet", "add", str(library), "vendor/lib")
    git(repository, "commit", "-q", "-am", "with it")
    commit = git(library, "rev-parse", "HEAD").strip()
    submodules = (Submodule("vendor/lib", commit, None, False), Submodule("../out", commit, None, False))
    tree = built(code_of(repository, shelf, submodules=submodules), shelf, tmp_path)
    assert (tree.root / "vendor" / "lib" / "lib.py").read_text() == "L = 1\n"
    assert ["leads out" in problem.text for problem in tree.problems] == [True]
    dirty = (Submodule("vendor/lib", commit, None, True),)
    other = build_tree(code_of(repository, shelf, submodules=dirty), shelf.find, tmp_path / "other")
    assert [problem.name for problem in other.problems] == ["vendor/lib"]


def test_snapshots_and_cells(shelf: Shelf, tmp_path: Path) -> None:
    snapshot = shelf.put(".lineal/code/source.zip", zipped({"train.py": b"1", "lib/a.py": b"2"}))
    tree = built(Code(kind="snapshot", snapshot=snapshot), shelf, tmp_path)
    assert files_of(tree.root) == {"train.py": b"1", "lib/a.py": b"2"}
    cells = shelf.put(".lineal/code/cells.py", b"x = 1")
    tree = build_tree(Code(kind="notebook", cells=cells), shelf.find, tmp_path / "cells")
    assert files_of(tree.root) == {"lineal_cells.py": b"x = 1"}
    both = Code(kind="notebook", cells=cells, snapshot=snapshot, folder="lib")
    tree = build_tree(both, shelf.find, tmp_path / "both")
    assert files_of(tree.root) == {"train.py": b"1", "lib/a.py": b"2", "lib/lineal_cells.py": b"x = 1"}
    lost = Code(kind="snapshot", snapshot=Kept(".lineal/code/source.zip", "0" * 64))
    (problem,) = build_tree(lost, shelf.find, tmp_path / "lost").problems
    assert problem.is_final and "not on the shelf" in problem.text


def test_files_that_were_left_out_are_named(shelf: Shelf, tmp_path: Path) -> None:
    kept = shelf.put(".lineal/code/source.zip", zipped({"train.py": b"1"}))
    left_out = (LeftOut("big.csv", 10**9, "over the limit"),)
    (problem,) = built(Code(kind="snapshot", snapshot=kept, left_out=left_out), shelf, tmp_path).problems
    assert not problem.blocks and problem.name == "big.csv" and "over the limit" in problem.text
    code = Code(kind="snapshot", snapshot=kept, changed=("a.py",), trouble=("Secrets were masked.",))
    masked, patch = build_tree(code, shelf.find, tmp_path / "other").problems
    assert (masked.text, masked.blocks) == ("Secrets were masked.", False)
    assert patch.blocks and not patch.is_final and "a.py" in patch.text


def test_changes_since_the_run_are_named(repository: Path, shelf: Shelf, tmp_path: Path) -> None:
    tree = built(code_of(repository, shelf), shelf, tmp_path)
    assert not changed_files(tree, repository)
    (repository / "train.py").write_text("other")
    (repository / "rates.py").unlink()
    assert {problem.name: problem.text for problem in changed_files(tree, repository)} == {
        "train.py": "train.py has changed since the run",
        "rates.py": f"rates.py is gone from {repository}",
    }


# -- hostile ------------------------------------------------------------------------------------


def test_nothing_of_a_hostile_repository_is_executed(repository: Path, shelf: Shelf, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    program = tmp_path / "evil"
    program.write_text(f"#!/bin/sh\ntouch {marker}\ncat\n")
    program.chmod(0o755)
    (repository / ".gitattributes").write_text("*.py filter=evil diff=evil\n")
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "attributes")
    code = code_of(repository, shelf)
    for name in ("post-checkout", "reference-transaction", "post-index-change", "post-merge"):
        shutil.copy(program, repository / ".git" / "hooks" / name)
    for setting in (
        "filter.evil.smudge",
        "filter.evil.process",
        "diff.evil.textconv",
        "core.fsmonitor",
        "core.sshCommand",
    ):
        git(repository, "config", setting, str(program))
    git(repository, "config", "uploadpack.packObjectsHook", str(program))
    git(repository, "config", "core.hooksPath", str(repository / ".git" / "hooks"))
    tree = built(code, shelf, tmp_path)
    assert not tree.problems and (tree.root / "train.py").exists()
    assert not marker.exists()
    # The trap is a trap: git by itself falls into it.
    git(tmp_path, "-C", str(repository), "checkout", "-q", "--detach")
    assert marker.exists()


@pytest.mark.parametrize(
    "remote",
    ["ext::sh -c 'touch %s'", "--upload-pack=touch %s", "file::touch %s", "ssh://-oProxyCommand=touch %s/x", "-x:y"],
    ids=["ext", "option", "helper", "ssh-option", "dash"],
)
def test_a_hostile_remote_is_not_asked(remote: str, repository: Path, shelf: Shelf, tmp_path: Path) -> None:
    marker = tmp_path / "executed"
    address = remote.replace("%s", str(marker))
    assert not is_remote_address(address)
    tree = built(Code(kind="git", commit="1" * 40, remote=address), shelf, tmp_path)
    assert [problem.is_final for problem in tree.problems] == [True] and not marker.exists()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://example.org/a/b.git", True),
        ("git@example.org:a/b.git", True),
        ("ssh://git@example.org/a", True),
        ("/somewhere/else", False),
        ("../up", False),
        ("https://-x/", False),
        ("", False),
    ],
)
def test_addresses_of_remotes(address: str, expected: bool) -> None:
    assert is_remote_address(address) is expected


@pytest.mark.parametrize("commit", ["HEAD", "--help", "main", "1" * 39, "$(id)"])
def test_a_commit_is_an_object_id_and_nothing_else(commit: str, repository: Path, shelf: Shelf, tmp_path: Path) -> None:
    (problem,) = built(Code(kind="git", commit=commit, root=str(repository)), shelf, tmp_path).problems
    assert "no object id" in problem.text


@pytest.mark.parametrize(
    "name",
    [
        "../out",
        "/etc/out",
        "a/../../out",
        "a\\..\\out",
        ".git/hooks/post-commit",
        "a/.GIT/config",
        "a//b",
        "./a",
        ".git /x",
        "",
    ],
)
def test_names_that_lead_out(name: str, tmp_path: Path) -> None:
    assert not is_inside(name)
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("good.py", b"1")
        opened.writestr(zipfile.ZipInfo(name or "x/.."), b"evil")
    target = tmp_path / "deep" / "target"
    target.mkdir(parents=True)
    with pytest.raises(BadArchive):
        unpack(archive, target)
    assert not list(target.iterdir())


def test_links_in_archives_and_through_the_tree(tmp_path: Path) -> None:
    outside, target, archive = tmp_path / "outside", tmp_path / "target", tmp_path / "archive.zip"
    outside.mkdir()
    target.mkdir()
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(link, str(outside))
    with pytest.raises(BadArchive, match="no regular file"):
        unpack(archive, target)
    (target / "data").symlink_to(outside, target_is_directory=True)
    archive.write_bytes(zipped({"data/written": b"evil"}))
    with pytest.raises(BadArchive, match="no folder"):
        unpack(archive, target)
    with pytest.raises(BadArchive):
        link_into(target, "data/x", tmp_path)
    (target / "file").symlink_to(outside / "written")
    archive.write_bytes(zipped({"file": b"good"}))
    unpack(archive, target)
    assert (target / "file").read_bytes() == b"good" and not list(outside.iterdir())


def test_an_archive_that_lies_about_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, target = tmp_path / "archive.zip", tmp_path / "target"
    target.mkdir()
    archive.write_bytes(zipped({"zeros": bytes(100_000)}))
    monkeypatch.setattr("lineal.reproduce.archive.REPRODUCED_ARCHIVE_MAX_BYTES", 50_000)
    with pytest.raises(BadArchive, match="50,000"):
        unpack(archive, target)
    monkeypatch.setattr("lineal.reproduce.archive.REPRODUCED_ARCHIVE_MAX_COUNT", 0)
    with pytest.raises(BadArchive, match="files"):
        unpack(archive, target)
    archive.write_bytes(b"no archive")
    with pytest.raises(BadArchive, match="no archive"):
        unpack(archive, target)


def damaged(method: int) -> bytes:
    """Two files: a good one, and one with bytes that its way of compressing never writes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as opened:
        opened.writestr(zipfile.ZipInfo("good.py"), b"1")
        opened.writestr("bad.py", bytes(range(256)) * 8)
    content = bytearray(buffer.getvalue())
    start = content.index(b"bad.py") + len("bad.py")
    content[start : start + 12] = b"\xff" * 12
    return bytes(content)


def encrypted() -> bytes:
    content = bytearray(zipped({"good.py": b"1", "bad.py": b"2"}))
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    content[content.rindex(b"PK\x03\x04") + 6] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    "content",
    [
        damaged(zipfile.ZIP_DEFLATED),
        damaged(zipfile.ZIP_STORED),
        damaged(zipfile.ZIP_LZMA),
        damaged(zipfile.ZIP_BZIP2),
        encrypted(),
        zipped({"good.py": b"1", "bad": b"1", "bad/x": b"1"}),
    ],
    ids=["deflated", "checksum", "lzma", "bzip2", "encrypted", "file-and-folder"],
)
def test_an_archive_that_cannot_be_read_writes_nothing(content: bytes, tmp_path: Path) -> None:
    archive, target = tmp_path / "archive.zip", tmp_path / "target"
    target.mkdir()
    archive.write_bytes(content)
    with pytest.raises(BadArchive):
        unpack(archive, target)
    assert not list(target.iterdir())


def test_a_hostile_patch_stays_in_the_tree(repository: Path, shelf: Shelf, tmp_path: Path) -> None:
    for number, name in enumerate(["../../out.txt", ".git/hooks/post-checkout", "/out.txt"]):
        text = (
            f"diff --git a/{name} b/{name}\nnew file mode 100755\n--- /dev/null\n+++ b/{name}\n@@ -0,0 +1 @@\n+evil\n"
        )
        patch = shelf.put(".lineal/code/patch.diff", text.encode())
        root = tmp_path / f"new{number}" / "tree"
        tree = build_tree(code_of(repository, shelf, patch=patch), shelf.find, root)
        assert not (tmp_path / "out.txt").exists() and not (root / ".git" / "hooks").exists()
        assert [problem.is_final for problem in tree.problems] == [True] or files_of(root).keys() <= {
            *files_of(repository),
            "out.txt",
        }


def test_a_submodule_behind_a_link(repository: Path, shelf: Shelf, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "lib").mkdir(parents=True)
    (repository / "vendor").symlink_to(outside, target_is_directory=True)
    git(repository, "add", "-A")
    git(repository, "commit", "-q", "-m", "link")
    commit = git(repository, "rev-parse", "HEAD").strip()
    code = code_of(repository, shelf, submodules=(Submodule("vendor/lib", commit, None, False),))
    (problem,) = built(code, shelf, tmp_path).problems
    assert problem.name == "vendor/lib" and not list((outside / "lib").iterdir())


def test_objects_of_what_is_no_repository(tmp_path: Path) -> None:
    assert objects_of(tmp_path) is None and objects_of("relative") is None
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    assert objects_of(tmp_path) is None
