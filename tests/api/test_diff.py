"""`lineal.diff`, `lineal.comparable` and their command, of runs whose code is in real repositories."""

from __future__ import annotations

import io
import json
import os
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import lineal
from lineal.cli.main import lineal as command
from lineal.journal.blobs import add_bytes
from lineal.journal.layout import Folder
from lineal.model.errors import InvalidInput
from lineal.record.records import ArtifactLogged, AttemptStarted, CaptureSet, DatasetUsed, MetricDefined, Record
from tests.server.test_lineage import segment

BASE = {
    "train.py": "".join(f"line {n}\n" for n in range(60)),
    "model/mlp.py": "layers = 2\n",
    "odd ü.py": "x = 1",
    "weights.bin": "\0\1\2",
    "old.py": "gone\n",
}
FIRST: dict[str, str | None] = {
    "train.py": BASE["train.py"].replace("line 7\n", "line seven\n").replace("line 40\n", "line forty\n"),
    "odd ü.py": "x = 2",
    "new.py": "fresh\n",
    "both.py": "1\n2\n",
    "old.py": None,
}
SECOND: dict[str, str | None] = {
    "train.py": BASE["train.py"].replace("line 7\n", "line 7!\n").replace("line 50\n", ""),
    "model/mlp.py": "layers = 3\n",
    "weights.bin": "\0\1\3",
    "both.py": "1\n3\n",
}


class Clone:
    """A repository of its own, whose trees are captured as an attempt would."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.git("init", "-q", "-b", "main")
        self.write(BASE)
        self.commit = self.make_commit("first")

    def git(self, *arguments: str) -> bytes:
        names = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
        environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        done = subprocess.run(
            ["git", *names, *arguments], cwd=self.root, capture_output=True, check=True, env=environment
        )
        return done.stdout

    def write(self, files: dict[str, str] | dict[str, str | None]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if text is None:
                path.unlink()
            else:
                path.write_bytes(text.encode())

    def make_commit(self, message: str) -> str:
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        return self.git("rev-parse", "HEAD").decode().strip()

    def restore(self) -> None:
        self.git("reset", "-q", "--hard")
        self.git("clean", "-qfd")

    def tree(self) -> dict[str, bytes]:
        found = self.git("ls-files", "-z", "--cached", "--others").decode().split("\0")
        return {
            name: (self.root / name).read_bytes() for name in sorted(set(found)) if name and (self.root / name).exists()
        }

    def capture(self, folder: Folder, branch: str = "main") -> list[Record]:
        """The records, with the bytes that they name kept in the folder."""
        commit = self.git("rev-parse", "HEAD").decode().strip()
        patch = self.git("diff", "--binary", "--no-color", "--no-ext-diff", "--no-renames", "HEAD")
        others = [name for name in self.git("ls-files", "-z", "--others").decode().split("\0") if name]
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name in others:
                archive.writestr(name, (self.root / name).read_bytes())
        kept = [add_bytes(folder, "default", content) for content in (patch, packed.getvalue())]
        paths = (".lineal/code/patch.diff", ".lineal/code/source.zip")
        said = [
            {"path": path, "digest": blob.digest, "size_bytes": blob.size_bytes}
            for path, blob in zip(paths, kept, strict=True)
        ]
        code: dict[str, Any] = {
            "kind": "git",
            "commit": commit,
            "branch": branch,
            "is_dirty": bool(patch or others),
            "digest": f"{commit}{said[0]['digest']}{sorted((name, (self.root / name).read_text()) for name in others)}",
        }
        if patch:
            code["patch"] = said[0]
        if others:
            code["untracked"] = {"archive": said[1], "files": [[name, "", 0] for name in others]}
        artifacts: list[Record] = [
            ArtifactLogged(path, blob.size_bytes, blob.digest) for path, blob in zip(paths, kept, strict=True)
        ]
        return [CaptureSet("a1", "code", code), *artifacts]


class Notebook:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = Folder(root)
        self.folder.ensure()
        self.count = 0

    def add(self, run_id: str, *records: Record) -> str:
        self.count += 1
        writer = f"{self.count:015x}"
        started = AttemptStarted("a1", "digits", run_id)
        Path(self.folder.segment(writer, 1)).write_bytes(segment(run_id, writer, [started, *records]))
        return run_id


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path / "clone")


@pytest.fixture
def notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Notebook:
    monkeypatch.setenv("LINEAL_URL", str(tmp_path / "notebook"))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)  # in no repository
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    return Notebook(tmp_path / "notebook")


def patch_of(*run_ids: str) -> Any:
    return lineal.diff(*run_ids).code[-1].patch


def check_patch(clone: Clone, patch: str, before: dict[str, bytes], after: dict[str, bytes], tmp_path: Path) -> None:
    """`git apply` makes the one of the other, but for what is binary."""
    place = tmp_path / "apply"
    for name, content in before.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    text = "".join(part for part in patch.split("\0") if "Binary files" not in part)
    subprocess.run(["git", "apply", "-"], cwd=place, input=text.encode(), check=True, capture_output=True)
    made = {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    binary = {name for name in {*before, *after} if b"\0" in before.get(name, b"") + after.get(name, b"")}
    assert {name: made[name] for name in made if name not in binary} == {
        name: content for name, content in after.items() if name not in binary
    }


def without_binary(patch: str) -> str:
    parts = patch.split("diff --git ")
    return "".join(f"diff --git {part}" for part in parts[1:] if "Binary files" not in part)


def test_the_patch_between_two_dirty_trees_of_one_commit(clone: Clone, notebook: Notebook, tmp_path: Path) -> None:
    captured, trees = [], []
    for files in (FIRST, SECOND):
        clone.write(files)
        trees.append(clone.tree())
        captured.append(clone.capture(notebook.folder))
        clone.restore()
    one, other = (notebook.add(name, *records) for name, records in zip(("one", "other"), captured, strict=True))
    found = patch_of(one, other)
    assert found.unknown == () and not found.is_cut
    assert set(found.files) == {"train.py", "model/mlp.py", "odd ü.py", "weights.bin", "new.py", "both.py", "old.py"}
    assert "-line seven\n+line 7!\n" in found.text and "Binary files a/weights.bin" in found.text
    check_patch(clone, without_binary(found.text), trees[0], trees[1], tmp_path)
    same = notebook.add("same", *captured[0])
    assert lineal.diff(one, same).code[1].patch is None
    assert lineal.diff(one, same).is_empty and not lineal.diff(one, other).is_empty


def test_between_commits_only_a_clone_that_has_both_can_tell(
    clone: Clone, notebook: Notebook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.write(FIRST)
    first, tree = clone.capture(notebook.folder), clone.tree()
    clone.restore()
    clone.write({"model/mlp.py": "layers = 4\n", "train.py": BASE["train.py"].replace("line 20\n", "line twenty\n")})
    clone.make_commit("second")
    clone.write({"model/mlp.py": "layers = 5\n", "both.py": "1\n2\n"})
    second, after = clone.capture(notebook.folder, "fix"), clone.tree()
    one, other = notebook.add("one", *first), notebook.add("other", *second)
    found = patch_of(one, other)
    assert found.text == "" and "in a clone of the repository" in found.unknown[0]
    # A hostile configuration of the repository is not acted on.
    evil = tmp_path / "evil"
    clone.git("config", "diff.external", f"touch {evil}")
    clone.git("config", "core.fsmonitor", f"touch {evil}")
    monkeypatch.chdir(clone.root / "model")
    found = patch_of(one, other)
    assert found.unknown == () and not evil.exists()
    assert "-layers = 2\n+layers = 5\n" in found.text and "both.py" not in found.files
    check_patch(clone, without_binary(found.text), tree, after, tmp_path)
    assert patch_of(other, one).files == found.files


def test_what_was_committed_as_it_ran_is_the_same_code(
    clone: Clone, notebook: Notebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.write({"train.py": "print(1)\n", "new.py": "x = 1\n"})
    first = clone.capture(notebook.folder)
    clone.make_commit("as it ran")
    second = clone.capture(notebook.folder)
    one, other = notebook.add("one", *first), notebook.add("other", *second)
    assert not lineal.diff(one, other).comparable.is_fair  # here nobody knows
    monkeypatch.chdir(clone.root)
    found = lineal.diff(one, other)
    assert found.code[1].patch is not None and found.code[1].patch.is_empty
    assert found.comparable.is_fair and found.is_empty
    shown = CliRunner().invoke(command, ["runs", "diff", "one", "other"]).output
    assert "from one to other: the same files" in shown and "No difference but what is another in every run" in shown


def test_what_is_not_here_is_said(clone: Clone, notebook: Notebook) -> None:
    clone.write(SECOND)
    records = clone.capture(notebook.folder)
    code = next(one for one in records if isinstance(one, CaptureSet))
    lost = {**code.content, "patch": {"path": "p", "digest": "e" * 64, "size_bytes": 1}, "digest": "x"}
    bad = {**code.content, "patch": {"digest": "../../../../etc/passwd"}, "digest": "y"}
    bad["untracked"] = {"archive": code.content["patch"], "left_out": [1]}
    one = notebook.add("one", *records)
    for name, content, count in (("lost", lost, 1), ("bad", bad, 3)):
        found = patch_of(one, notebook.add(name, CaptureSet("a1", "code", content)))
        assert len(found.unknown) == count, found.unknown
    snapshot = notebook.add("snapshot", CaptureSet("a1", "code", {"kind": "snapshot", "digest": "z"}))
    assert "no commit" in patch_of(one, snapshot).unknown[0]
    another = notebook.add("another", CaptureSet("a1", "code", {"kind": "snapshot", "digest": "zz"}))
    found_of_two = lineal.diff(snapshot, another)
    assert [row.kind for row in found_of_two.code] == ["snapshot", "snapshot"]
    assert "a snapshot" in CliRunner().invoke(command, ["runs", "diff", "snapshot", "another"]).output
    none = notebook.add("none")
    assert lineal.diff(one, none).code[0].run_id == "one" and len(lineal.diff(one, none).code) == 1
    assert "none recorded no code" in lineal.comparable(one, none).unknown


def test_circumstances_data_and_fairness(notebook: Notebook) -> None:
    def said(**changed: Any) -> list[Record]:
        packages = {"numpy": "2.3", "pandas": "3.0", "gone": "1"} | changed.get("packages", {})
        packages = {name: version for name, version in packages.items() if version}
        return [
            CaptureSet(
                "a1", "environment", {"python": {"version": changed.get("python", "3.13")}, "packages": packages}
            ),
            CaptureSet("a1", "hardware", {"cpu": {"count": 8}, "gpus": changed.get("gpus", [])}),
            CaptureSet("a1", "execution", {"command": ["python", "train.py"], "pid": changed.get("pid", 1)}),
            CaptureSet(
                "a1", "code", {"kind": "git", "commit": "a" * 40, "digest": changed.get("code", "d"), "is_dirty": True}
            ),
            DatasetUsed("train", changed.get("train", "d1"), "v1", context="training"),
            DatasetUsed("test", changed.get("test", "d2"), context="evaluation"),
            MetricDefined("loss", changed.get("goal"), None, changed.get("unit", "nats")),
        ]

    one, same = notebook.add("one", *said()), notebook.add("same", *said(pid=7))
    other = notebook.add(
        "other",
        *said(
            python="3.14",
            packages={"numpy": "2.4", "gone": "", "new": "1"},
            gpus=[{"name": "H100"}],
            test="d9",
            code="e",
        ),
    )
    found = lineal.diff(one, same)
    assert found.is_empty and found.comparable.is_fair and found.comparable.unknown == ()
    found = lineal.diff(one, other)
    assert [(row.name, row.change, row.values) for row in found.packages] == [
        ("gone", "removed", {"one": "1"}),
        ("new", "added", {"other": "1"}),
        ("numpy", "changed", {"one": "2.3", "other": "2.4"}),
    ]
    assert [fact.name for fact in found.environment if fact.differs] == ["python.version"]
    assert [(fact.name, fact.differs) for fact in found.hardware] == [("gpus", True), ("cpu.count", False)]
    assert [(fact.name, fact.values["one"]) for fact in found.execution] == [("command", "python train.py")]
    assert [(row.name, row.context, row.differs) for row in found.datasets] == [
        ("test", "evaluation", True),
        ("train", "training", False),
    ]
    reasons = [(reason.kind, reason.name) for reason in found.comparable.reasons]
    assert reasons == [("data", "test"), ("code", None)] and not found.comparable.is_fair
    shown = CliRunner().invoke(command, ["runs", "diff", "one", "other"])
    assert shown.exit_code == 0, shown.output
    for text in (
        "No: other data: test (evaluation)",
        "the same commit, and other changes",
        "numpy",
        "python.version",
        "gpus",
    ):
        assert text in shown.output, shown.output
    answer = json.loads(CliRunner().invoke(command, ["runs", "diff", "one", "other", "--json"]).output)
    assert answer["comparable"]["is_fair"] is False and answer["packages"][2]["values"] == {
        "one": "2.3",
        "other": "2.4",
    }


def test_metrics_that_do_not_mean_the_same_are_no_fair_comparison(notebook: Notebook) -> None:
    with lineal.init("digits", run_id="low") as run:
        run.define_metric("loss", goal="min", unit="nats")
        run.log({"loss": 1.0})
    with lineal.init("digits", run_id="high") as run:
        run.define_metric("loss", goal="max", unit="nats")
        run.log({"loss": 1.0})
    found = lineal.comparable("low", "high")
    assert [(reason.kind, reason.name, dict(reason.values)) for reason in found.reasons] == [
        ("metric", "loss", {"low": "min", "high": "max"})
    ]
    assert found.unknown == ("no run recorded its data", "no run recorded its code")


def test_too_few_runs_are_refused(notebook: Notebook) -> None:
    notebook.add("one")
    with pytest.raises(InvalidInput, match="2 to 10 different runs, not 1"):
        lineal.diff("one", "one")


GIT = {"kind": "git", "commit": "a" * 40, "is_dirty": True, "digest": "d" * 64}
CLEAN = {**GIT, "is_dirty": False}
ONE_DIGEST = "1" * 64


def untracked(*files: list[Any], **more: Any) -> dict[str, Any]:
    return {**GIT, "untracked": {"files": list(files), **more}}


def two_codes(notebook: Notebook, one: dict[str, Any], other: dict[str, Any]) -> tuple[str, str]:
    used = DatasetUsed("train", "d1", context="training")
    first, second = f"one-{notebook.count}", f"other-{notebook.count}"
    return (
        notebook.add(first, CaptureSet("a1", "code", one), used),
        notebook.add(second, CaptureSet("a1", "code", other), used),
    )


@pytest.mark.parametrize(
    ("code", "what"),
    [
        ({**GIT, "submodules": [{"path": "lib", "commit": "b", "is_dirty": True}]}, "within the submodule lib"),
        ({**GIT, "changed": ["big.py"], "trouble": ["too large"]}, "too large to be looked at"),
        ({**CLEAN, "is_untracked_known": False, "trouble": ["too many"]}, "the files that git does not track"),
        (
            {**CLEAN, "not_looked_at": ["a.py"], "trouble": ["told"]},
            "the changes in files that git was told to take for unchanged",
        ),
        (untracked(left_out=[["big.py", 9, "too large"]], left_out_count=1), "the content of big.py"),
        (untracked(left_out=[["a.csv", 9, "too large"]], left_out_count=3), "the content of 2 more files"),
        (untracked(left_out=[["w.bin", 9, "no text"]], left_out_count=1), "no code, are the same: w.bin"),
        ({"kind": "snapshot", "digest": "d" * 64, "snapshot": {"left_out": [["a.py", 1, "x"]]}}, "content of a.py"),
        ({**CLEAN, "elsewhere": {"files": [], "left_out": [["lib/b.py", 1, "x"]]}}, "content of lib/b.py"),
    ],
)
def test_code_whose_content_is_not_known_is_not_said_to_be_the_same(
    notebook: Notebook, code: dict[str, Any], what: str
) -> None:
    runs = two_codes(notebook, code, code)
    found = lineal.comparable(*runs)
    assert found.is_fair and what in found.unknown[0], found.unknown
    difference = lineal.diff(*runs)
    assert not difference.is_empty and difference.comparable.unknown == found.unknown


@pytest.mark.parametrize(
    "code",
    [
        {**GIT, "submodules": [{"path": "lib", "commit": "b", "is_dirty": True, "changes_digest": ONE_DIGEST}]},
        {**GIT, "changed": ["big.py"], "patch_digest": ONE_DIGEST},
        untracked(left_out=[["big.py", 9, "too large", ONE_DIGEST]], left_out_count=1),
        {**CLEAN, "elsewhere": {"files": [["home/ada/library/b.py", ONE_DIGEST, 9]]}},
    ],
)
def test_a_digest_tells_code_that_was_not_kept(notebook: Notebook, code: dict[str, Any]) -> None:
    runs = two_codes(notebook, code, code)
    assert lineal.comparable(*runs).unknown == () and lineal.diff(*runs).is_empty
    other = json.loads(json.dumps(code).replace(ONE_DIGEST, "2" * 64)) | {"digest": "e" * 64}
    assert [reason.kind for reason in lineal.comparable(*two_codes(notebook, code, other)).reasons] == ["code"]


def test_what_runs_write_into_their_repository_is_no_other_code(notebook: Notebook) -> None:
    """Also of captures whose digest counted it."""
    one = untracked(["a.py", ONE_DIGEST, 1], ["results.csv", ONE_DIGEST, 1])
    other = untracked(["a.py", ONE_DIGEST, 1], ["results.csv", "2" * 64, 1]) | {"digest": "e" * 64}
    runs = two_codes(notebook, one, other)
    found = lineal.comparable(*runs)
    assert (
        found.is_fair and "it matters that untracked files, which are no code, differ: results.csv" in found.unknown[0]
    )
    assert not lineal.diff(*runs).is_empty
    written = untracked(["results.csv", ONE_DIGEST, 1]) | {"digest": "e" * 64}
    assert lineal.comparable(*two_codes(notebook, CLEAN, written)).is_fair
    other["untracked"]["files"][0][1] = "3" * 64
    assert not lineal.comparable(*two_codes(notebook, one, other)).is_fair


def test_a_clean_commit_is_the_same_with_a_digest_and_without(notebook: Notebook) -> None:
    without = {key: value for key, value in CLEAN.items() if key != "digest"}
    found = lineal.comparable(*two_codes(notebook, CLEAN, without))
    assert found.is_fair and found.unknown == ()
    assert not lineal.comparable(*two_codes(notebook, CLEAN, {**without, "commit": "b" * 40})).is_fair
    assert lineal.comparable(*two_codes(notebook, GIT, {**GIT, "digest": ""})).unknown


def test_only_other_data_under_one_name_and_context_is_a_reason(notebook: Notebook) -> None:
    code = CaptureSet("a1", "code", CLEAN)
    used = {
        "one": [DatasetUsed("train", "d1", context="training")],
        "renamed": [DatasetUsed("training-set", "d1", context="training")],
        "bare": [DatasetUsed("train", "d1")],
        "more": [DatasetUsed("train", "d1", context="training"), DatasetUsed("val", "d2", context="eval")],
        "else": [DatasetUsed("train", "d3", context="training")],
    }
    for name, records in used.items():
        notebook.add(name, code, *records)
    for name in ("renamed", "bare"):
        assert lineal.comparable("one", name).is_fair and lineal.comparable("one", name).unknown == (), name
    found = lineal.comparable("one", "more")
    assert found.is_fair and "one did not use val (eval)" in found.unknown[0]
    assert [reason.name for reason in lineal.comparable("one", "else").reasons] == ["train"]
