"""run.log_model: what is kept and said, before anybody reads it; what is refused leaves nothing."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

import lineal

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LINEAL_URL", str(tmp_path / "notebook"))
    return tmp_path / "notebook"


@pytest.fixture
def run(folder):
    run = lineal.init("digits", "fit")
    yield run
    run.finish()


def test_a_model_becomes_files_of_the_run_and_a_version(run):
    said = run.log_model(
        "digits", LogisticRegression().fit(X, Y), input_example=X[:2], description="first", tags={"k": 1}
    )
    assert (said.name, said.run_id, said.path, said.format) == ("digits", run.run_id, "models/digits", "skops")
    version = lineal.get_model_version(said.version_id)
    assert (version.name, version.version, version.run_id, version.format) == ("digits", 1, run.run_id, "skops")
    assert (version.description, version.tags, version.stage, version.aliases) == ("first", {"k": "1"}, "none", [])
    assert version.signature == {"inputs": [{"name": None, "dtype": "float64", "shape": [None, 3]}]}
    assert version.input_example == X[:2].tolist()
    [file] = version.files
    [artifact] = lineal.get_run(run.run_id).artifacts
    assert file == (artifact.path, artifact.size_bytes, artifact.digest) and file.path == "models/digits/model.skops"


def test_numbers_count_up_and_every_version_keeps_its_own_bytes(run):
    for c in (0.1, 10.0):
        run.log_model("digits", LogisticRegression(C=c).fit(X, Y))
    assert [lineal.load_model(f"digits/{number}").C for number in (1, 2)] == [0.1, 10.0]
    assert [one.version for one in lineal.get_model("digits").versions()] == [2, 1]


def test_a_file_and_a_folder_are_taken_as_they_are(run, tmp_path):
    (tmp_path / "net" / "deep").mkdir(parents=True)
    (tmp_path / "net" / "config.json").write_text("{}")
    (tmp_path / "net" / "deep" / "weights.bin").write_bytes(b"123")
    one = run.log_model("file", tmp_path / "net" / "config.json", path="elsewhere")
    two = run.log_model("folder", str(tmp_path / "net"))
    assert [file.path for file in lineal.get_model_version(one.version_id).files] == ["elsewhere/config.json"]
    version = lineal.get_model_version(two.version_id)
    assert [file.path for file in version.files] == ["models/folder/config.json", "models/folder/deep/weights.bin"]
    assert (tmp_path / "net" / "deep" / "weights.bin").exists()
    target = version.download(tmp_path / "out")
    assert (target / "deep" / "weights.bin").read_bytes() == b"123"


def test_the_folder_of_lineal_is_no_part_of_a_model(folder):
    with lineal.init("digits") as run:
        (folder.parent / "model.txt").write_text("x")
        said = run.log_model("all", folder.parent)
    assert [file.path for file in lineal.get_model_version(said.version_id).files] == ["models/all/model.txt"]


def test_a_long_example_is_a_file(run):
    table = pd.DataFrame(np.arange(6_000.0).reshape(-1, 3), columns=list("abc"))
    said = run.log_model("digits", {"w": X}, input_example=table)
    version = lineal.get_model_version(said.version_id)
    assert [file.path for file in version.files] == [
        "models/digits/model.safetensors",
        "models/digits/input_example.json",
    ]
    assert version.input_example["columns"] == ["a", "b", "c"] and len(version.input_example["data"]) == 2_000
    assert list(version.load()) == ["w"]


def test_a_signature_that_is_given_outranks_the_example(run):
    said = run.log_model("digits", {"w": X}, signature={"inputs": "mine"}, input_example=X[:1])
    assert lineal.get_model_version(said.version_id).signature == {"inputs": "mine"}


def test_what_is_kept_as_a_pickle_warns_once(run, caplog):
    said = run.log_model("mine", Unfriendly())
    run.log_model("mine", Unfriendly())
    [record] = caplog.records
    assert re.search(r"model 'mine': a .*kept as a pickle.*trust=True", record.getMessage())
    with pytest.raises(lineal.NotTrusted, match="mine/1 is a pickle"):
        lineal.load_model("mine/1")
    assert lineal.load_model(said.version_id, trust=True).works


class Unfriendly:
    works = True

    def __getstate__(self):
        raise TypeError("not by skops")

    def __reduce__(self):
        return revived, ()


def revived():
    return Unfriendly()


@pytest.mark.parametrize(
    ("name", "arguments", "field"),
    [
        ("a/b", {}, "name"),
        ("", {}, "name"),
        ("..", {}, "name"),
        ("m", {"path": "../out"}, "path"),
        ("m", {"format": "keras"}, "format"),
        ("m", {"tags": 5}, "tags"),
        ("m", {"signature": 5}, "signature"),
        ("m", {"input_example": object()}, "input_example"),
        ("m", {"description": "x" * 2_000_000}, "text"),
    ],
)
def test_what_is_refused_names_the_argument_and_leaves_nothing(run, name, arguments, field):
    with pytest.raises(lineal.InvalidInput) as refused:
        run.log_model(name, {"w": X}, **arguments)
    assert refused.value.field == field
    assert lineal.models() == [] and lineal.get_run(run.run_id).artifacts == []


def test_a_missing_file_is_not_found(run):
    with pytest.raises(lineal.NotFound, match="no-such-file"):
        run.log_model("m", "no-such-file.onnx")


def test_a_disk_that_refuses_is_counted_and_makes_no_version(run, monkeypatch, caplog):
    from lineal.journal import blobs

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(blobs, "add_file", full)
        run.log_model("m", {"w": X})
    assert "could not be kept" in caplog.text
    run.finish()
    assert lineal.get_run(run.run_id).losses == {"artifact_not_kept": 1, "model_not_kept": 1}
    assert lineal.models() == []


def test_without_a_run_one_is_started_and_the_temporary_files_are_gone(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path / "scratch"))
    (tmp_path / "scratch").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    said = lineal.log_model("digits", {"w": X})
    current = lineal.current_run()
    assert current is not None and current.run_id == said.run_id
    lineal.finish()
    assert os.listdir(tmp_path / "scratch") == []


def test_after_finish_nothing_is_said(run, caplog):
    run.finish()
    run.log_model("m", {"w": X})
    assert "is finished" in caplog.text
    assert lineal.models() == []


def test_models_are_logged_by_spawned_and_forked_children(folder):
    with lineal.init("digits") as run:
        child = os.fork()
        if child == 0:
            run.log_model("of-a-child", {"w": X})
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
    assert lineal.get_model_version("of-a-child/1").run_id == run.run_id


def test_the_journal_holds_it_while_nothing_takes_it_in(folder):
    """A training process without a server: the number is given when the journal is applied."""
    with lineal.init("digits") as run:
        said = run.log_model("digits", {"w": X})
    moved = Path(f"{folder}-moved")
    folder.rename(moved)
    version = lineal.get_model_version(said.version_id, url=moved)
    assert version.version == 1 and list(version.load()) == ["w"]
    json.dumps(version.to_dict())
