"""Code that git does not speak of by itself and that ran all the same; and code that was edited a moment ago."""

import io
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

import lineal
from lineal.client.capture import code as module
from lineal.client.capture import git as git_module
from lineal.client.capture import reuse
from lineal.client.capture.code import Code
from tests.unit.client.capture.repositories import ENVIRON, git, repository, write
from tests.unit.client.capture.said import captures

SRC = str(Path(lineal.__file__).parents[1])


@pytest.fixture(autouse=True)
def looks_anew(monkeypatch):
    monkeypatch.setattr(module, "_seen", None)
    monkeypatch.setattr(git_module, "_took_too_long_s", None)
    monkeypatch.setattr(module, "script_path", lambda: None)
    for where in (module, reuse):  # of the test runner itself
        monkeypatch.setattr(where, "files_elsewhere", lambda base: [])


def look(folder: Path) -> Code:
    module._seen = None
    return module.code(ENVIRON, str(folder))


def run(folder: Path, *words: str) -> None:
    environ = {**ENVIRON, "PYTHONPATH": SRC, "LINEAL_URL": str(folder / "lineal"), "LINEAL_CAPTURE": "code"}
    done = subprocess.run(
        [sys.executable, "train.py", *words], cwd=folder, env=environ, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr


def said_codes(folder: Path) -> list[dict]:
    """In the order of the runs' names."""
    with lineal.open_store(folder / "lineal") as store:
        found = {run.name: run.capture("code") for run in store.runs()}
    return [found[name] or {} for name in sorted(found)]


def kept(folder: Path, code: dict) -> dict[str, bytes]:
    digest = code["untracked"]["archive"]["digest"]
    with zipfile.ZipFile(io.BytesIO(next((folder / "lineal" / "blobs").rglob(digest)).read_bytes())) as file:
        return {name: file.read(name) for name in file.namelist()}


@pytest.mark.parametrize("option", ["--assume-unchanged", "--skip-worktree"])
def test_what_git_was_told_not_to_look_at_is_looked_at(tmp_path, option):
    tree, copy = tmp_path / "tree", tmp_path / "copy"
    repository(tree, {"a.py": "one\n", "b.py": "one\n", "same.py": "one\n", "dir/ü.py": "1\n"})
    git(tmp_path, "clone", "--quiet", str(tree), "copy")
    git(tree, "update-index", option, "a.py", "same.py", "dir/ü.py")
    clean = look(tree).content
    assert not clean["is_dirty"] and "trouble" not in clean
    write(tree, {"a.py": "two\n", "b.py": "two\n", "dir/ü.py": "2\n"})
    content, files = look(tree)
    assert content["is_dirty"] and sorted(content["patch"]["files"]) == ["a.py", "b.py", "dir/ü.py"]
    (tmp_path / "patch").write_bytes(files["patch"][1])
    git(copy, "apply", str(tmp_path / "patch"))
    assert [(copy / name).read_text() for name in ("a.py", "b.py", "same.py", "dir/ü.py")] == [
        "two\n",
        "two\n",
        "one\n",
        "2\n",
    ]
    write(tree, {"a.py": "six\n"})
    assert look(tree).content["digest"] != content["digest"] != clean["digest"]
    assert git(tree, "ls-files", "-v", "a.py")[0] in "hS", "the repository's own index is as it was"


def test_both_at_once_and_a_file_that_is_gone(tmp_path):
    repository(tmp_path, {"a.py": "one\n", "gone.py": "1\n", "never.py": "1\n"})
    git(tmp_path, "update-index", "--assume-unchanged", "a.py", "gone.py")
    git(tmp_path, "update-index", "--skip-worktree", "a.py", "never.py")
    write(tmp_path, {"a.py": "two\n"})
    (tmp_path / "gone.py").unlink()
    (tmp_path / "never.py").unlink()  # as in a sparse checkout: it was never wanted
    content, files = look(tmp_path)
    assert content["patch"]["files"] == ["a.py", "gone.py"] and b"deleted file" in files["patch"][1]


def test_a_sparse_checkout_has_no_changes(tmp_path):
    repository(tmp_path, {"a/x.py": "1\n", "b/y.py": "1\n", "top.py": "1\n"})
    git(tmp_path, "sparse-checkout", "set", "a")
    assert not (tmp_path / "b").exists()
    content = look(tmp_path).content
    assert not content["is_dirty"] and "trouble" not in content
    write(tmp_path, {"a/x.py": "2\n"})
    assert look(tmp_path).content["patch"]["files"] == ["a/x.py"]


def test_too_many_are_named_as_not_looked_at(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "CODE_HIDDEN_MAX_COUNT", 1)
    monkeypatch.setattr(module, "LEFT_OUT_NAMED_COUNT", 1)
    repository(tmp_path, {"a.py": "", "b.py": "", "c.py": ""})
    git(tmp_path, "update-index", "--assume-unchanged", "a.py", "b.py")
    write(tmp_path, {"b.py": "changed\n", "c.py": "changed\n"})
    content = look(tmp_path).content
    assert content["patch"]["files"] == ["c.py"]
    assert (content["not_looked_at"], content["not_looked_at_count"]) == (["a.py"], 2)
    assert "2 files" in content["trouble"][0]


def test_where_nothing_can_be_written_the_rest_is_known(tmp_path, monkeypatch):
    commit = repository(tmp_path, {"a.py": "one\n"})
    git(tmp_path, "update-index", "--assume-unchanged", "a.py")

    def refuse(**given):
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "mkdtemp", refuse)
    content = look(tmp_path).content
    assert content["commit"] == commit and content["not_looked_at"] == ["a.py"]
    assert "No usable temporary directory" in content["trouble"][0]


def test_nothing_of_ours_stays_behind(tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    repository(tmp_path / "tree", {"a.py": ""})
    git(tmp_path / "tree", "update-index", "--assume-unchanged", "a.py")
    before = (tmp_path / "tree" / ".git" / "index").read_bytes()
    write(tmp_path / "tree", {"a.py": "x\n"})
    assert "patch" in look(tmp_path / "tree").files
    assert not list(scratch.iterdir()) and (tmp_path / "tree" / ".git" / "index").read_bytes() == before


def test_a_further_working_tree_has_an_index_of_its_own(tmp_path):
    repository(tmp_path / "tree", {"a.py": "1\n"})
    git(tmp_path / "tree", "worktree", "add", "--quiet", "-b", "other", str(tmp_path / "further"))
    git(tmp_path / "further", "update-index", "--assume-unchanged", "a.py")
    write(tmp_path / "further", {"a.py": "2\n"})
    content = look(tmp_path / "further").content
    assert (content["branch"], content["root"], content["patch"]["files"]) == (
        "other",
        str(tmp_path / "further"),
        ["a.py"],
    )
    assert not look(tmp_path / "tree").content["is_dirty"]


def test_modules_that_git_ignores_are_kept_if_they_ran(tmp_path):
    """Also those of a repository within this one, which git does not look into; none that were not imported."""
    text = "import generated, inner.deep, lineal, sys\nlineal.init(name=sys.argv[1]).finish()\n"
    repository(tmp_path, {"train.py": text, ".gitignore": "/generated.py\n/ignored.py\n/lineal\n/inner\n__pycache__\n"})
    write(tmp_path, {"generated.py": "x = 1\npassword = 'hunter2'\n", "ignored.py": "", "inner/never.py": ""})
    repository(tmp_path / "inner", {"deep.py": "y = 2\n"})
    run(tmp_path, "r1")
    (code,) = said_codes(tmp_path)
    assert not code["is_dirty"] and code["is_masked"]
    assert kept(tmp_path, code) == {"generated.py": b"x = 1\npassword = '[masked]'\n", "inner/deep.py": b"y = 2\n"}
    write(tmp_path, {"generated.py": "x = 2\n"})
    run(tmp_path, "r2")
    assert said_codes(tmp_path)[1]["digest"] != code["digest"]


def test_an_ignored_script_is_kept_and_a_submodule_is_not_copied(tmp_path):
    repository(tmp_path / "library", {"lib.py": "1\n"})
    tree = tmp_path / "tree"
    repository(tree, {".gitignore": "/train.py\n/lineal\n"})
    git(tree, "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    git(tree, "commit", "--quiet", "-m", "with a library")
    write(tree, {"train.py": "import lib.lib, lineal\nlineal.init().finish()\n"})
    run(tree)
    code = captures(tree / "lineal")["code"]
    assert set(kept(tree, code)) == {"train.py"}


# -- looks that are shared ---------------------------------------------------------------------------

SHARED = """
import os, subprocess, sys, lineal
import helper
from lineal.client.capture import code, git
code.CODE_REUSE_S = 3600.0
asked, real = [], git.Repository.status
git.Repository.status = lambda self: asked.append(1) or real(self)
lineal.init(name="r1").finish()
lineal.init(name="r2").finish()
assert len(asked) == 1, asked
{between}
lineal.init(name="r3").finish()
assert len(asked) == {looks}, asked
"""


@pytest.mark.parametrize(
    ("between", "looks", "is_other"),
    [
        ("", 1, False),
        ("import json.tool", 1, False),
        ("open('results.csv', 'w').write('1')", 1, False),
        ("import late", 2, False),
        ("open('helper.py', 'a').write('x = 2')", 2, True),
        ("open('changed.py', 'w').write('x = 3')", 2, True),
        ("open('untracked.py', 'w').write('x = 3')", 2, True),
        ("subprocess.run(['git', 'add', 'changed.py'], check=True)", 2, False),
        ("subprocess.run(['git', 'commit', '--quiet', '--amend', '-m', 'x'], check=True)", 2, True),
        ("subprocess.run(['git', 'checkout', '--quiet', '-b', 'other'], check=True)", 2, False),
    ],
    ids=["nothing", "module", "results", "late", "imported", "changed", "untracked", "add", "amend", "branch"],
)
def test_a_look_is_shared_only_while_nothing_was_edited(tmp_path, between, looks, is_other):
    files = {"train.py": SHARED.format(between=between, looks=looks), "helper.py": "", "changed.py": "", "late.py": ""}
    repository(tmp_path, {**files, ".gitignore": "/lineal\n__pycache__\n"})
    write(tmp_path, {"changed.py": "x = 1\n", "untracked.py": "x = 1\n"})
    run(tmp_path)
    first, second, third = said_codes(tmp_path)
    assert first == second and (second["digest"] != third["digest"]) == is_other


def test_with_too_many_files_to_watch_each_run_looks(tmp_path, monkeypatch):
    from lineal.client.capture import reuse

    repository(tmp_path, {"a.py": ""})
    write(tmp_path, {f"new{number}.py": "" for number in range(5)})
    assert look(tmp_path).content and module._seen is not None
    monkeypatch.setattr(reuse, "CODE_WATCHED_MAX_COUNT", 4)
    look(tmp_path)
    assert module._seen is None
