"""Which code ran, in every state a working tree may be in: real repositories, and none."""

import io
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import lineal
from lineal.client.capture import code as module
from lineal.client.capture import git as git_module
from lineal.client.capture import reuse
from lineal.client.capture.code import Code
from lineal.client.capture.secret_shapes import MASK
from lineal.record.records import ArtifactLogged, CaptureSet
from tests.unit.client.capture.repositories import ENVIRON, git, repository, write
from tests.unit.client.capture.said import captures, records

SRC = str(Path(lineal.__file__).parents[1])
TOKEN = "ghp_" + "a1B2" * 9


@pytest.fixture(autouse=True)
def looks_anew(monkeypatch):
    monkeypatch.setattr(module, "_seen", None)
    monkeypatch.setattr(git_module, "_took_too_long_s", None)
    monkeypatch.setattr(module, "script_path", lambda: None)
    for where in (module, reuse):  # of the test runner itself
        monkeypatch.setattr(where, "files_elsewhere", lambda base: [])


def look(folder: Path, environ=ENVIRON) -> Code:
    module._seen = None
    return module.code(environ, str(folder))


def unpacked(found: Code, key: str) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(found.files[key][1])) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_a_clean_tree(tmp_path):
    commit = repository(tmp_path, {"train.py": "x = 1\n", "sub/a.py": ""})
    content, files = look(tmp_path / "sub")
    assert (content["kind"], content["commit"], content["branch"], content["is_dirty"]) == (
        "git",
        commit,
        "main",
        False,
    )
    assert (content["root"], content["folder"], content["remote"]) == (str(tmp_path), "sub", None)
    assert files == {} and "trouble" not in content


def test_the_patch_makes_the_tree_again(tmp_path):
    """Staged, unstaged, binary, deleted, made executable, without a newline at the end."""
    tree, copy = tmp_path / "tree", tmp_path / "copy"
    repository(
        tree, {"a.py": "one\ntwo\n", "b.bin": b"\0\1" * 500, "gone.py": "x\n", "run.sh": "echo\n", "weird ü.py": "1\n"}
    )
    git(tmp_path, "clone", "--quiet", str(tree), "copy")
    write(tree, {"a.py": "one\n2", "b.bin": b"\0\2" * 700, "weird ü.py": "2\n", "staged.py": "new\n"})
    (tree / "gone.py").unlink()
    (tree / "run.sh").chmod(0o755)
    git(tree, "add", "staged.py", "a.py")
    content, files = look(tree)
    assert content["is_dirty"]
    assert sorted(content["patch"]["files"]) == ["a.py", "b.bin", "gone.py", "run.sh", "staged.py", "weird ü.py"]
    (tmp_path / "patch").write_bytes(files["patch"][1])
    git(copy, "apply", str(tmp_path / "patch"))

    def state(folder):
        paths = [path for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts]
        return {path.relative_to(folder): (path.read_bytes(), os.access(path, os.X_OK)) for path in paths}

    assert state(copy) == state(tree)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("diff.noprefix", "true"),
        ("diff.mnemonicPrefix", "true"),
        ("diff.relative", "true"),
        ("diff.context", "0"),
        ("color.ui", "always"),
        ("core.quotePath", "true"),
        ("core.autocrlf", "input"),
    ],
)
def test_the_patch_is_the_same_however_git_is_set_up(tmp_path, name, value):
    repository(tmp_path, {"sub/a.py": "one\ntwo\nthree\n", "ü.py": "1\n", "z.py": "1\n"})
    write(tmp_path, {"sub/a.py": "one\n2\nthree\n", "ü.py": "2\n", "z.py": "2\n"})
    usual = look(tmp_path / "sub").files["patch"][1]
    git(tmp_path, "config", name, value)
    assert look(tmp_path / "sub").files["patch"][1] == usual


def test_the_patch_of_a_submodule_is_applied_however_git_is_set_up(tmp_path):
    repository(tmp_path / "library", {"lib.py": "1\n"})
    tree, copy = tmp_path / "tree", tmp_path / "copy"
    repository(tree, {"a.py": ""})
    git(tree, "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    git(tree, "commit", "--quiet", "-m", "with a library")
    git(tmp_path, "clone", "--quiet", str(tree), "copy")
    git(tree / "lib", "commit", "--quiet", "--allow-empty", "-m", "next")
    git(tree, "config", "diff.submodule", "log")
    (tmp_path / "patch").write_bytes(look(tree).files["patch"][1])
    git(copy, "apply", "--index", str(tmp_path / "patch"))
    assert git(copy, "ls-files", "--stage", "lib").split()[1] == git(tree / "lib", "rev-parse", "HEAD")


def test_the_digest_is_of_what_ran(tmp_path):
    repository(tmp_path, {"a.py": "one\n"})
    digests = [look(tmp_path).content["digest"]]
    write(tmp_path, {"a.py": "two\n"})
    digests.append(look(tmp_path).content["digest"])
    write(tmp_path, {"new.py": "new\n"})
    digests.append(look(tmp_path).content["digest"])
    assert len(set(digests)) == 3
    write(tmp_path, {"a.py": "one\n"})
    (tmp_path / "new.py").unlink()
    assert look(tmp_path).content["digest"] == digests[0]


def test_untracked_source_is_kept_and_the_rest_is_named(tmp_path):
    repository(tmp_path, {".gitignore": "ignored.py\n", "a.py": ""})
    write(
        tmp_path,
        {
            "new.py": "new\n",
            "sub/deep.yaml": "lr: 1\n",
            "ignored.py": "no",
            "big.py": "x" * (1 << 20) + "x",
            "image.png": b"\0\1",
            ".env": f"TOKEN={TOKEN}",
            "deploy.pem": "key",
            ".lineal/journals/x": "ours",
        },
    )
    (tmp_path / "link.py").symlink_to("new.py")
    found = look(tmp_path)
    assert unpacked(found, "untracked.archive") == {"new.py": b"new\n", "sub/deep.yaml": b"lr: 1\n"}
    left = {one[0]: one[2] for one in found.content["untracked"]["left_out"]}
    assert set(left) == {"big.py", "image.png", ".env", "deploy.pem", "link.py"}
    assert found.content["untracked"]["left_out_count"] == 5


def test_the_folder_that_runs_are_recorded_in_is_no_code(tmp_path):
    repository(tmp_path, {"a.py": ""})
    write(tmp_path, {"recorded/journals/x": "ours", "new.py": ""})
    module._seen = None
    found = module.code(ENVIRON, str(tmp_path), str(tmp_path / "recorded"))
    assert [name for name, _, _ in found.content["untracked"]["files"]] == ["new.py"]
    (tmp_path / "new.py").unlink()
    module._seen = None
    assert not module.code(ENVIRON, str(tmp_path), str(tmp_path / "recorded")).content["is_dirty"]


def test_what_is_known_is_said_without_a_look(tmp_path, monkeypatch):
    repository(tmp_path, {"a.py": "", "b.py": ""})
    write(tmp_path, {"a.py": "1\n"})
    assert module.known_code(str(tmp_path)) is None
    seen = look(tmp_path)
    assert module.known_code(str(tmp_path)) is seen  # the very same: its JSON is made once
    assert module.known_code(str(tmp_path / "sub")) is None and module.known_code(str(tmp_path), str(tmp_path)) is None
    assert module._seen is not None
    monkeypatch.setattr(reuse, "CODE_AT_ONCE_MAX_COUNT", len(module._seen.sight.times) - 1)
    assert module.known_code(str(tmp_path)) is None and module.code(ENVIRON, str(tmp_path)) is seen
    monkeypatch.setattr(reuse, "CODE_AT_ONCE_MAX_COUNT", 100)
    assert module.known_code(str(tmp_path)) is seen
    monkeypatch.setitem(sys.modules, "another", sys)
    assert module.known_code(str(tmp_path)) is None  # it may be the project's
    write(tmp_path, {"a.py": "22\n"})
    assert module.code(ENVIRON, str(tmp_path)) is not seen


def test_too_much_is_left_out_and_counted(tmp_path, monkeypatch):
    from lineal.client.capture import sources

    monkeypatch.setattr(sources, "SOURCE_FILES_MAX_COUNT", 3)
    monkeypatch.setattr(sources, "LEFT_OUT_NAMED_COUNT", 2)
    monkeypatch.setattr(module, "PATCH_MAX_BYTES", 100)
    repository(tmp_path, {"a.py": "one\n"})
    write(tmp_path, {f"new{number}.py": "" for number in range(9)} | {"a.py": "two\n" * 100})
    content, files = look(tmp_path)
    assert len(content["untracked"]["files"]) == 3
    assert len(content["untracked"]["left_out"]) == 2 and content["untracked"]["left_out_count"] == 6
    assert "patch" not in files and content["changed"] == ["a.py"] and content["trouble"]
    write(tmp_path, {"a.py": "six\n" * 100})
    others = look(tmp_path).content
    assert others["changed"] == ["a.py"] and others["patch_digest"] != content["patch_digest"]
    monkeypatch.setattr(module, "PATCH_HASHED_MAX_BYTES", 200)
    others = look(tmp_path).content
    assert others["changed"] == ["a.py"] and "patch_digest" not in others


def test_code_that_is_left_out_is_known_by_its_digest(tmp_path, monkeypatch):
    from lineal.client.capture import sources

    repository(tmp_path, {"a.py": ""})
    found = []
    for letter in "xxy":
        write(tmp_path, {"big.py": letter * (1 << 20) + "\n", "big.csv": "1" * (1 << 20) + "\n"})
        found.append(look(tmp_path).content)
    left = {one[0]: one for one in found[0]["untracked"]["left_out"]}
    assert len(left["big.py"]) == 4 and len(left["big.csv"]) == 3
    assert found[0]["digest"] == found[1]["digest"] != found[2]["digest"]
    monkeypatch.setattr(sources, "SOURCE_HASHED_MAX_BYTES", 1 << 20)
    assert [len(one) for one in look(tmp_path).content["untracked"]["left_out"]] == [3, 3]


def test_what_a_run_writes_into_its_repository_is_no_other_code(tmp_path):
    repository(tmp_path, {"a.py": ""})
    clean = look(tmp_path).content
    results: dict[str, str | bytes] = {"results.csv": "1\n", "out/log.jsonl": "{}\n", "picture.png": b"\0"}
    others = ("out/1/.hydra/config.yaml", "out/multirun.yaml", "mlruns/0/meta.yaml", "wandb/run-1/files/code/a.py")
    write(tmp_path, results | dict.fromkeys((*others, "lightning_logs/version_0/hparams.yaml"), "1\n"))
    found = look(tmp_path)
    assert found.content["is_dirty"] and found.content["digest"] == clean["digest"]
    kept = unpacked(found, "untracked.archive")
    assert kept["results.csv"] == b"1\n" and "picture.png" not in kept and set(others) < set(kept)
    for name in ("b.py", "conf/model.YAML", "Makefile", "setup.cfg", "my_wandb/a.py"):
        write(tmp_path, {name: "x\n"})
        assert look(tmp_path).content["digest"] != clean["digest"], name
        (tmp_path / name).unlink()


def test_an_answer_without_end_is_cut_off(tmp_path, monkeypatch):
    repository(tmp_path, {"a.py": ""})
    write(tmp_path, {f"a-name-of-a-file-{number}.txt": "" for number in range(50)})
    asked = git_module.Repository(str(tmp_path), ENVIRON)
    real = asked._ask
    monkeypatch.setattr(asked, "_ask", lambda *words, **more: real(*words, **({"max_bytes": 500} | more)))
    status = asked.status()
    assert status.untracked == [] and not status.is_untracked_known and status.commit


def test_a_detached_head_and_no_commits(tmp_path):
    commit = repository(tmp_path / "detached", {"a.py": ""})
    git(tmp_path / "detached", "checkout", "--quiet", "--detach")
    content = look(tmp_path / "detached").content
    assert (content["commit"], content["branch"]) == (commit, None)
    (tmp_path / "new").mkdir()
    git(tmp_path / "new", "init", "--quiet")
    write(tmp_path / "new", {"a.py": "staged\n", "b.py": "not staged\n"})
    git(tmp_path / "new", "add", "a.py")
    found = look(tmp_path / "new")
    assert (found.content["commit"], found.content["branch"], found.content["is_dirty"]) == (None, "main", True)
    assert unpacked(found, "untracked.archive") == {"a.py": b"staged\n", "b.py": b"not staged\n"}


def test_submodules(tmp_path):
    commit = repository(tmp_path / "library", {"lib.py": "1\n"})
    repository(tmp_path / "tree", {"a.py": ""})
    git(tmp_path / "tree", "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    git(tmp_path / "tree", "commit", "--quiet", "-m", "with a library")
    expected = {"path": "lib", "commit": commit, "remote": str(tmp_path / "library"), "is_dirty": False}
    content = look(tmp_path / "tree").content
    assert content["submodules"] == [expected] and not content["is_dirty"]
    bytecode = {"__pycache__/lib.cpython-311.pyc": "what an import leaves"}
    write(tmp_path / "tree" / "lib", bytecode)
    write(tmp_path / "tree", bytecode)
    assert look(tmp_path / "tree").content == content
    write(tmp_path / "tree" / "lib", {"lib.py": "2\n"})
    content = look(tmp_path / "tree").content
    changes = content["submodules"][0].pop("changes_digest")
    assert content["submodules"] == [expected | {"is_dirty": True}] and content["is_dirty"]
    write(tmp_path / "tree" / "lib", {"lib.py": "3\n"})
    others = look(tmp_path / "tree").content
    assert others["submodules"][0]["changes_digest"] != changes and others["digest"] != content["digest"]
    write(tmp_path / "tree" / "lib", {"lib.py": "2\n", "new.py": "1\n"})
    assert look(tmp_path / "tree").content["submodules"][0]["changes_digest"] != changes
    write(tmp_path / "tree" / "lib", {"credentials.py": "secret: not even its digest\n"})
    assert "changes_digest" not in look(tmp_path / "tree").content["submodules"][0]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (f"https://ann:{TOKEN}@example.com/r.git", "https://example.com/r.git"),
        ("git@example.com:team/r.git", "git@example.com:team/r.git"),
        ("ssh://git@example.com/r.git", "ssh://git@example.com/r.git"),
    ],
    ids=["password", "scp", "ssh"],
)
def test_remotes_have_no_credentials(tmp_path, address, said):
    repository(tmp_path, {"a.py": ""})
    git(tmp_path, "remote", "add", "origin", address)
    assert look(tmp_path).content["remote"] == said


def test_the_remote_that_the_branch_follows(tmp_path):
    repository(tmp_path, {"a.py": ""})
    git(tmp_path, "remote", "add", "origin", "https://example.com/origin.git")
    git(tmp_path, "remote", "add", "fork", "https://example.com/fork.git")
    assert look(tmp_path).content["remote"] == "https://example.com/origin.git"
    git(tmp_path, "config", "branch.main.remote", "fork")
    assert look(tmp_path).content["remote"] == "https://example.com/fork.git"


def test_secrets_are_masked_and_that_is_said(tmp_path):
    repository(tmp_path, {"a.py": "key = 1\n"})
    write(tmp_path, {"a.py": f"key = '{TOKEN}'\n", "new.py": f"other = '{TOKEN}'\n"})
    found = look(tmp_path)
    assert not any(TOKEN.encode() in content for _, content in found.files.values())
    assert TOKEN not in str(found.content) and MASK.encode() in found.files["patch"][1]
    assert unpacked(found, "untracked.archive") == {"new.py": f"other = '{MASK}'\n".encode()}
    assert found.content["is_masked"] and len(found.content["trouble"]) == 2


def test_what_a_repository_configures_is_not_run(tmp_path):
    repository(tmp_path, {"a.py": "1\n", ".gitattributes": "*.py diff=evil\n"})
    mark = tmp_path.parent / f"{tmp_path.name}-mark"
    script = tmp_path.parent / f"{tmp_path.name}-evil"
    script.write_text(f"#!/bin/sh\ntouch {mark}\n")
    script.chmod(0o755)
    for name in ("core.fsmonitor", "diff.external", "diff.evil.command", "diff.evil.textconv", "core.pager"):
        git(tmp_path, "config", name, str(script))
    write(tmp_path, {"a.py": "2\n"})
    mark.unlink(missing_ok=True)
    assert "patch" in look(tmp_path).files
    assert not mark.exists()


def test_a_filter_whose_program_is_not_installed(tmp_path):
    """git-lfs in an image that was copied together: its files look new to git, which asks the filter, which is not there."""
    commit = repository(tmp_path, {"a.py": "1\n", "w.bin": "pointer", ".gitattributes": "*.bin filter=large -text\n"})
    for key, value in (("process", "git-large process"), ("clean", "git-large clean"), ("required", "true")):
        git(tmp_path, "config", f"filter.large.{key}", value)
    os.utime(tmp_path / "w.bin", (1, 1))
    content = look(tmp_path).content
    assert content["kind"] == "git" and content["commit"] == commit and not content["is_dirty"]
    assert "Without the filters that are configured" in content["trouble"][0]
    write(tmp_path, {"a.py": "2\n"})
    found = look(tmp_path)
    assert found.content["patch"]["files"] == ["a.py"] and b"+2" in found.files["patch"][1]


def test_nothing_is_fetched_of_what_a_clone_left_behind(tmp_path):
    """Neither from a network, nor by a program that the repository names."""
    repository(tmp_path / "from", {"a.py": "1\n", "b.py": "3\n"})
    git(tmp_path / "from", "config", "uploadpack.allowFilter", "true")
    git(tmp_path / "from", "config", "uploadpack.allowAnySHA1InWant", "true")
    address = f"file://{tmp_path}/from"
    git(tmp_path, "clone", "--quiet", "--filter=blob:none", "--no-checkout", address, "part")
    git(tmp_path / "part", "sparse-checkout", "set", "--no-cone", "/a.py")
    git(tmp_path / "part", "checkout", "--quiet")
    write(tmp_path / "part", {"b.py": "2\n"})
    mark = tmp_path / "mark"
    write(tmp_path, {"evil": f'#!/bin/sh\ntouch {mark}\nexec git-upload-pack "$@"\n'})
    (tmp_path / "evil").chmod(0o755)
    git(tmp_path / "part", "config", "remote.origin.uploadpack", str(tmp_path / "evil"))
    content = look(tmp_path / "part").content
    assert not mark.exists()
    assert content["kind"] == "git" and content["commit"] == git(tmp_path / "from", "rev-parse", "HEAD")
    assert content["changed"] == ["b.py"] and "in which files" in content["trouble"][0]


def test_the_patch_has_its_context_whatever_the_shell_asks_of_git(tmp_path):
    repository(tmp_path, {"a.py": "1\n2\n3\n"})
    write(tmp_path, {"a.py": "1\n2\n4\n"})
    assert b"\n 2\n" in look(tmp_path, {**ENVIRON, "GIT_DIFF_OPTS": "-u0"}).files["patch"][1]


def test_without_git_installed_the_files_are_kept(tmp_path, monkeypatch):
    repository(tmp_path, {"train.py": "x = 1\n"})
    monkeypatch.setattr(module, "script_path", lambda: str(tmp_path / "train.py"))
    found = look(tmp_path, {"PATH": str(tmp_path)})
    assert found.content["kind"] == "snapshot" and unpacked(found, "snapshot.archive") == {"train.py": b"x = 1\n"}
    assert found.content["trouble"] == ["git: git is not installed"]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_somebody_else(tmp_path):
    repository(tmp_path, {"a.py": ""})
    for path in [tmp_path, *tmp_path.rglob("*")]:
        os.lchown(path, 1, 1)
    found = look(tmp_path)
    assert found.content["kind"] == "none" and "dubious ownership" in found.content["trouble"][0]


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_repository_of_somebody_else_whose_program_runs(tmp_path, monkeypatch):
    """In a container the files are those of the host's user: who runs their program has trusted them more than git would have to."""
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    mark = tmp_path / "mark"
    commit = repository(inside, {"train.py": "1\n", ".gitattributes": "*.py filter=evil\n"})
    git(inside, "config", "filter.evil.clean", f"touch {mark}; cat")
    write(inside, {"train.py": "2\n"})
    repository(outside, {"a.py": "", "train.py": ""})
    for folder in (inside, outside):
        for path in [folder, *folder.rglob("*")]:
            os.lchown(path, 1, 1)
    monkeypatch.setattr(module, "script_path", lambda: str(inside / "train.py"))
    found = look(tmp_path)
    assert found.content["commit"] == commit and b"+2" in found.files["patch"][1]
    assert not mark.exists()
    git(inside, "-c", "safe.directory=*", "config", "core.worktree", str(outside))
    assert look(tmp_path).content["kind"] == "snapshot"
    monkeypatch.setattr(module, "script_path", lambda: None)
    assert look(inside).content["kind"] == "none"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a folder away")
def test_a_submodule_of_somebody_else_is_not_looked_into(tmp_path, monkeypatch):
    repository(tmp_path / "library", {"lib.py": "1\n"})
    tree = tmp_path / "tree"
    repository(tree, {"train.py": "1\n"})
    git(tree, "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    git(tree, "commit", "--quiet", "-m", "with a library")
    write(tree / "lib", {"__pycache__/lib.cpython-311.pyc": "what an import leaves"})
    monkeypatch.setattr(module, "script_path", lambda: str(tree / "train.py"))
    assert not look(tree).content["submodules"][0]["is_dirty"]
    for path in [tree, *tree.rglob("*")]:
        os.lchown(path, 1, 1)
    assert look(tree).content["submodules"][0]["is_dirty"]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names are texts")
def test_names_that_are_no_texts(tmp_path):
    """Nor lines. Two that look the same are one, and the other is named."""
    repository(tmp_path, {"a.py": "", ".gitignore": ""})
    for name in (b"bad\xff.py", b"bad\xfe.py", b"new\nline.py", b'"quoted".py'):
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_bytes(b"x = 1\n")
    write(tmp_path, {'a"\n.py': "1\n"})
    git(tmp_path, "add", 'a"\n.py')
    found = look(tmp_path)
    assert sorted(unpacked(found, "untracked.archive")) == ['"quoted".py', "bad?.py", "new\nline.py"]
    assert [one[0] for one in found.content["untracked"]["left_out"]] == ["bad?.py"]
    assert found.content["patch"]["files"] == ['a"\n.py']


def test_loops_pipes_and_a_file_of_a_gigabyte(tmp_path):
    repository(tmp_path, {"a.py": ""})
    (tmp_path / "loop1").symlink_to("loop2")
    (tmp_path / "loop2").symlink_to("loop1")
    (tmp_path / "self").symlink_to(".")
    os.mkfifo(tmp_path / "pipe.py")
    with open(tmp_path / "huge.py", "wb") as file:
        file.truncate(1 << 30)
    content = look(tmp_path).content
    left = {one[0]: one[2] for one in content["untracked"]["left_out"]}
    assert set(left) - {"pipe.py"} == {"loop1", "loop2", "self", "huge.py"} and "files" in content["untracked"]


@pytest.mark.parametrize(
    ("fault", "kind", "said"),
    [
        ("index.lock", "git", None),
        ("index", "git", "signature"),
        ("HEAD", "git", None),
        ("objects", "git", "bad object"),
    ],
)
def test_a_repository_that_is_damaged_or_in_use(tmp_path, monkeypatch, fault, kind, said):
    repository(tmp_path, {"train.py": "x = 1\n"})
    write(tmp_path, {"train.py": "x = 2\n"})
    monkeypatch.setattr(module, "script_path", lambda: str(tmp_path / "train.py"))
    place = tmp_path / ".git" / fault
    if fault == "objects":
        shutil.rmtree(place)
        place.mkdir()
    else:
        place.write_text("ref: refs/heads/nowhere\n" if fault == "HEAD" else "junk" * 10)
    content, files = look(tmp_path)
    assert content["kind"] == kind and files
    assert said is None or unpacked(module.Code(content, files), "untracked.archive") == {"train.py": b"x = 2\n"}
    assert ("trouble" in content) == (said is not None) and (said is None or said in content["trouble"][0])


def test_a_shallow_clone_and_a_submodule_that_is_not_checked_out(tmp_path):
    repository(tmp_path / "library", {"lib.py": ""})
    repository(tmp_path / "tree", {"a.py": ""})
    git(tmp_path / "tree", "submodule", "--quiet", "add", str(tmp_path / "library"), "lib")
    git(tmp_path / "tree", "commit", "--quiet", "-m", "with a library")
    git(tmp_path, "clone", "--quiet", "--depth", "1", f"file://{tmp_path}/tree", "copy")
    content = look(tmp_path / "copy").content
    assert not content["is_dirty"] and content["commit"] == git(tmp_path / "tree", "rev-parse", "HEAD")
    assert content["submodules"] == [
        {"path": "lib", "commit": git(tmp_path / "library", "rev-parse", "HEAD"), "is_dirty": False}
    ]


def test_a_git_that_took_too_long_is_not_asked_by_every_run(tmp_path, monkeypatch):
    repository(tmp_path, {"a.py": ""})
    monkeypatch.setattr(git_module, "GIT_TIMEOUT_S", 0.0)
    assert "git took more than 0 s" in look(tmp_path).content["trouble"][0]
    monkeypatch.setattr(git_module, "GIT_TIMEOUT_S", 30.0)
    assert "a while ago" in look(tmp_path).content["trouble"][0]
    monkeypatch.setattr(git_module, "GIT_REST_S", 0.0)
    assert look(tmp_path).content["kind"] == "git"


def test_of_a_git_that_takes_too_long_the_commit_is_known(tmp_path, monkeypatch):
    """It was asked for first."""
    commit = repository(tmp_path / "tree", {"train.py": "x = 1\n"})
    write(tmp_path / "tree", {"train.py": "x = 2\n"})
    slow = '#!/bin/sh\ncase "$*" in *status*) exec sleep 600;; esac\nPATH=${PATH#*:} exec git "$@"\n'
    write(tmp_path, {"bin/git": slow})
    (tmp_path / "bin" / "git").chmod(0o755)
    monkeypatch.setattr(git_module, "GIT_TIMEOUT_S", 6.0)
    monkeypatch.setattr(module, "script_path", lambda: str(tmp_path / "tree" / "train.py"))
    found = look(tmp_path, {**ENVIRON, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"})
    assert found.content["commit"] == commit and found.content.get("is_dirty") is None
    assert unpacked(found, "untracked.archive") == {"train.py": b"x = 2\n"}
    assert found.content["trouble"][0] == "git: git took more than 6 s"


def test_a_git_that_hangs_is_left(tmp_path, monkeypatch):
    (tmp_path / "git").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "git").chmod(0o755)
    monkeypatch.setattr(git_module, "GIT_TIMEOUT_S", 0.2)
    found = look(tmp_path, {"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert found.content["kind"] == "none" and found.content["trouble"] == ["git: git took more than 0.2 s"]


# -- whole programs -------------------------------------------------------------------------------


def run(folder: Path, *arguments: str, paths: tuple[Path, ...] = (), **more) -> None:
    path = os.pathsep.join([SRC, *map(str, paths)])
    environ = {**ENVIRON, "PYTHONPATH": path, "LINEAL_URL": str(folder / "lineal"), "LINEAL_CAPTURE": "code"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **more,
    )
    assert done.returncode == 0, done.stderr


def archive(folder: Path, key: str = "snapshot") -> dict[str, bytes]:
    ref = captures(folder / "lineal")["code"][key]["archive"]
    with zipfile.ZipFile(next((folder / "lineal" / "blobs").rglob(ref["digest"]))) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_without_a_repository_the_script_and_what_it_imports(tmp_path):
    """Also what it imports after init; nothing installed, nothing that is only there."""
    write(
        tmp_path,
        {
            "train.py": "import first, lineal\nrun = lineal.init()\nimport package.late, json\nrun.finish()\n",
            "first.py": "",
            "package/__init__.py": "",
            "package/late.py": "x = 2\n",
            "never.py": "",
        },
    )
    run(tmp_path, "train.py")
    assert set(archive(tmp_path)) == {"train.py", "first.py", "package/__init__.py", "package/late.py"}
    said = captures(tmp_path / "lineal")["code"]
    assert (said["kind"], said["entry"], said["folder"]) == ("snapshot", "train.py", ".")


@pytest.mark.parametrize("has_git", [True, False], ids=["git", "no-git"])
def test_a_script_that_ends_without_a_word_is_known_all_the_same(tmp_path, has_git):
    """CPython has forgotten its file by then, and what is among the modules may be anything."""
    text = (
        "import lineal, sys\nclass Odd:\n    @property\n    def __file__(self): raise RuntimeError\n"
        "sys.modules['odd'] = Odd()\nsys.modules['none'] = None\nlineal.init()\n"
    )
    write(tmp_path, {"train.py": text})
    if has_git:
        repository(tmp_path, {".gitignore": "/lineal\n"})
    run(tmp_path, "train.py")
    said = captures(tmp_path / "lineal")["code"]
    assert (said["kind"], said["entry"]) == ("git" if has_git else "snapshot", "train.py")
    if not has_git:
        assert archive(tmp_path) == {"train.py": text.encode()}


@pytest.mark.parametrize("has_git", [True, False])
def test_modules_from_outside_of_the_tree_are_known(tmp_path, has_git):
    """A library of one's own on the PYTHONPATH, which no commit of the tree has: another content is other code."""
    tree, library = tmp_path / "tree", tmp_path / "library"
    files = {"train.py": "import mine, lineal, json, click\nlineal.init().finish()\n", ".gitignore": "lineal\n"}
    if has_git:
        repository(tree, files)
    else:
        write(tree, files)
    write(library, {"mine/__init__.py": "from mine import rate\n", "mine/rate.py": "RATE = 1\n", "mine/never.py": ""})
    inside = str(library.resolve()).lstrip("/")
    digests = []
    for text in ("RATE = 1\n", "RATE = 2\n"):
        write(library, {"mine/rate.py": text})
        shutil.rmtree(tree / "lineal", ignore_errors=True)
        run(tree, "train.py", paths=(library,))
        said = captures(tree / "lineal")["code"]
        assert archive(tree, "elsewhere") == {
            f"{inside}/mine/__init__.py": b"from mine import rate\n",
            f"{inside}/mine/rate.py": text.encode(),
        }
        assert said["kind"] == ("git" if has_git else "snapshot") and not said.get("is_dirty")
        digests.append(said["digest"])
    assert digests[0] != digests[1]


def test_a_run_after_a_module_from_outside_was_edited_looks_again(tmp_path):
    library = tmp_path / "library"
    program = "import sys, mine, lineal\nlineal.init().finish()\nopen(mine.__file__, 'a').write('# more')\nlineal.init().finish()\n"
    repository(tmp_path / "tree", {"train.py": program, ".gitignore": "lineal\n"})
    write(library, {"mine.py": ""})
    run(tmp_path / "tree", "train.py", paths=(library,))
    said = [one.content for one in records(tmp_path / "tree" / "lineal") if isinstance(one, CaptureSet)]
    assert len({one["digest"] for one in said}) == len(said) == 2


@pytest.mark.parametrize("has_git", [True, False])
def test_a_tool_that_runs_the_program_is_not_the_program(tmp_path, has_git):
    """An environment may lie in quite another repository."""
    other = tmp_path / "other"
    tool = other / "lib" / "site-packages" / "tool" / "__main__.py"
    write(other, {"lib/site-packages/tool/__main__.py": "import own, train\n"})
    repository(other, {"a.py": ""})
    files = {"train.py": "import own, lineal\nlineal.init().finish()\n", "own.py": "x = 1\n", ".gitignore": "lineal\n"}
    tree = tmp_path / "tree"
    commit = repository(tree, files) if has_git else None
    write(tree, files)
    run(tree, "-m", "tool", paths=(tool.parents[1], tree))
    said = captures(tree / "lineal")["code"]
    assert said["root"] == str(tree) and said.get("commit") == commit
    assert has_git or set(archive(tree)) == {"own.py", "train.py"}


def test_code_and_configuration_that_the_command_line_names(tmp_path):
    """Not data, and nothing from outside of the folder."""
    names = ("a.yaml", "conf/b.toml", "c.json", "data.csv", "d.yaml")
    write(
        tmp_path,
        {"in/train.py": "import lineal\nlineal.init().finish()\n", "out.yaml": "", **{f"in/{n}": "x" for n in names}},
    )
    run(
        tmp_path / "in",
        "train.py",
        "a.yaml",
        "--config=conf/b.toml",
        "c.json",
        "data.csv",
        "../out.yaml",
        "none.yaml",
        "in",
    )
    assert set(archive(tmp_path / "in")) == {"train.py", "a.yaml", "conf/b.toml"}


def test_what_hydra_composes_a_configuration_from(tmp_path):
    pytest.importorskip("hydra")
    program = (
        "import hydra, lineal\n"
        "@hydra.main(config_path='conf', config_name='train', version_base='1.1')\n"
        "def main(config): lineal.init().finish()\nmain()\n"
    )
    files = {
        "train.py": program,
        "conf/train.yaml": "defaults: [model: small]\n",
        "conf/model/small.yaml": "depth: 3\n",
    }
    write(tmp_path, {**files, "conf/outputs/old.yaml": "", "conf/notes.txt": ""})
    run(tmp_path, "train.py", "model.depth=4")
    assert set(archive(tmp_path)) == set(files)


def test_the_program_that_a_tool_is_given(tmp_path):
    write(tmp_path, {"train.py": "import lineal\nlineal.init().finish()\n"})
    run(tmp_path, "-m", "cProfile", "-o", os.devnull, "train.py")
    assert list(archive(tmp_path)) == ["train.py"]


def test_a_command_of_an_installed_project_is_known_by_its_modules(tmp_path):
    """Begun in a folder that has no repository."""
    project, data = tmp_path / "project", tmp_path / "data"
    data.mkdir()
    commit = repository(project, {"src/mine.py": "import lineal\nlineal.init().finish()\n"})
    write(tmp_path, {"site-packages/tool.py": "import mine\n"})
    run(data, "-m", "tool", paths=(project / "src", tmp_path / "site-packages"))
    assert captures(data / "lineal")["code"]["commit"] == commit


def test_lineal_itself_is_no_code_of_the_project(tmp_path):
    """Where it lies below the project, as an editable installation may."""
    write(tmp_path, {"train.py": "import lineal\nlineal.init().finish()\n"})
    shutil.copytree(
        Path(SRC) / "lineal", tmp_path / "src" / "lineal", ignore=shutil.ignore_patterns("static", "__pycache__")
    )
    environ = {**ENVIRON, "PYTHONPATH": "src", "LINEAL_URL": "recorded", "LINEAL_CAPTURE": "code"}
    subprocess.run([sys.executable, "train.py"], cwd=tmp_path, env=environ, check=True, timeout=120)
    ref = captures(tmp_path / "recorded")["code"]["snapshot"]
    assert [name for name, _, _ in ref["files"]] == ["train.py"]


def test_a_script_in_a_repository_run_from_elsewhere(tmp_path):
    commit = repository(tmp_path / "project", {"train.py": "import lineal\nlineal.init().finish()\n"})
    (tmp_path / "elsewhere").mkdir()
    run(tmp_path / "elsewhere", "../project/train.py")
    said = captures(tmp_path / "elsewhere" / "lineal")["code"]
    assert (said["commit"], said["entry"], said["folder"]) == (commit, "train.py", "../elsewhere")


def test_the_patch_is_an_artifact_of_the_run(tmp_path):
    repository(tmp_path, {"train.py": "import lineal\n", ".gitignore": "/lineal\n"})
    write(tmp_path, {"train.py": "import lineal\nlineal.init().finish()\n"})
    run(tmp_path, "train.py")
    ref = captures(tmp_path / "lineal")["code"]["patch"]
    assert ref["files"] == ["train.py"]
    kept = [one for one in records(tmp_path / "lineal") if isinstance(one, ArtifactLogged)]
    assert [(one.path, one.digest, one.size_bytes) for one in kept] == [(ref["path"], ref["digest"], ref["size_bytes"])]


def test_runs_of_one_moment_share_one_look(tmp_path):
    text = (
        "import lineal\nfrom lineal.client.capture import git\nasked = []\nreal = git.Repository.status\n"
        "git.Repository.status = lambda self: asked.append(1) or real(self)\n"
        "for _ in range(20): lineal.init().finish()\n"
    )
    repository(tmp_path, {"train.py": text, ".gitignore": "/lineal\n"})
    run(tmp_path, "train.py")
    said = [one for one in records(tmp_path / "lineal") if isinstance(one, CaptureSet)]
    assert len(said) == 20 and len({str(one.content) for one in said}) == 1


def test_a_folder_of_lineals_is_no_source_whatever_it_is_called(tmp_path):
    repository(tmp_path, {"train.py": "x = 1\n"})
    write(tmp_path, {"new.py": "y = 2\n", "journals/mine.py": "z = 3\n"})
    lineal.init(url=tmp_path / "sub" / "nb").finish()
    assert any((tmp_path / "sub" / "nb" / "journals").iterdir())
    content, _ = look(tmp_path)
    assert [name for name, _, _ in content["untracked"]["files"]] == ["journals/mine.py", "new.py"]
    assert "left_out" not in content["untracked"]


# -- secrets by their names, and what lies beside the project -----------------------------------------


def test_values_beside_secret_names_are_masked(tmp_path):
    repository(tmp_path, {"a.py": ""})
    write(
        tmp_path,
        {
            "config.yaml": "password: hunter2\nuser: ann\npad_token: <pad>\ntoken: ${TOKEN}\n",
            "conf.py": 'password = "hunter2"\napi_key = read("key")\nname = "ann"\n',
            "setup.cfg": "aws_secret_access_key=hunter2hunter2\n",
            "settings.json": '{"auth": {"password": "hunter2"}, "lr": 0.1}\n',
        },
    )
    kept = unpacked(look(tmp_path), "untracked.archive")
    assert kept["config.yaml"].decode() == f'password: "{MASK}"\nuser: ann\npad_token: <pad>\ntoken: ${{TOKEN}}\n'
    assert kept["conf.py"].decode() == f'password = "{MASK}"\napi_key = read("key")\nname = "ann"\n'
    assert not any(b"hunter2" in content for content in kept.values())
    assert kept["settings.json"].decode() == f'{{"auth": {{"password": "{MASK}"}}, "lr": 0.1}}\n'


def test_a_tracked_file_of_secrets_is_no_part_of_the_patch(tmp_path):
    repository(tmp_path, {".env": "DEBUG=1\n", "a.py": "x = 1\n", "conf.yaml": "lr: 1\n"})
    write(tmp_path, {".env": "DEBUG=1\nDB=hunter2\n", "a.py": "x = 2\n", "conf.yaml": "lr: 1\npassword: hunter2\n"})
    found = look(tmp_path)
    patch = found.files["patch"][1]
    assert b"hunter2" not in patch and b"+x = 2" in patch and b".env" not in patch
    assert any(".env" in sentence for sentence in found.content["trouble"])


@pytest.mark.parametrize(
    "name", [".envrc", "prod.env", ".env-local", ".npmrc", ".git-credentials", "x.tfvars", ".docker/config.json"]
)
def test_files_of_secrets_are_left_out(tmp_path, name):
    repository(tmp_path, {"a.py": ""})
    write(tmp_path, {name: "hunter2"})
    found = look(tmp_path)
    assert not found.files and found.content["untracked"]["left_out"][0][0] == name


def test_an_environment_within_the_project_pushes_nothing_out(tmp_path, monkeypatch):
    from lineal.client.capture import sources

    monkeypatch.setattr(sources, "SOURCE_FILES_MAX_COUNT", 3)
    repository(tmp_path, {"tracked.py": ""})
    write(tmp_path, {f".venv/lib/m{number}.py": "" for number in range(9)} | {".venv/pyvenv.cfg": ""})
    write(tmp_path, {f"node_modules/m{number}.js": "" for number in range(9)})
    write(tmp_path, {f"a{number}.py": "" for number in range(9)} | {"zz.py": "x = 1\n"})
    monkeypatch.setattr(module, "script_path", lambda: str(tmp_path / "zz.py"))
    assert set(unpacked(look(tmp_path), "untracked.archive")) == {"zz.py", "a0.py", "a1.py"}


def test_a_working_folder_that_is_gone(tmp_path):
    text = (
        "import os, sys, tempfile, lineal\nplace = tempfile.mkdtemp()\nos.chdir(place)\nos.rmdir(place)\n"
        "lineal.init(url=sys.argv[1]).finish()\n"
    )
    run(tmp_path, "-c", text, str(tmp_path / "lineal"))
    assert captures(tmp_path / "lineal")["code"]["kind"] == "none"
