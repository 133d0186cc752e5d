"""Registered models through `lineal`, over a local folder: found by every name, loaded only when whole, promoted, explained."""

from __future__ import annotations

import gc
import os
import weakref
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from sklearn.linear_model import LogisticRegression

import lineal
from lineal.journal.blobs import find_blob
from lineal.journal.layout import Folder
from lineal.model.errors import Locked
from lineal.registry import traced

X = np.random.default_rng(0).normal(size=(40, 3))
Y = (X[:, 0] > 0).astype(int)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("LINEAL_URL", str(tmp_path / "notebook"))
    return tmp_path / "notebook"


def trained(name="digits", **params):
    with lineal.init("exp", params=params) as run:
        run.log({"val/acc": params.get("acc", 0.5)})
        said = run.log_model(name, {"w": X * len(params)})
    return said


def blob_of(folder, version):
    return find_blob(Folder(folder), "default", version.files[0].digest)


# -- found ----------------------------------------------------------------------------------------


def test_a_version_is_found_by_every_name_that_it_has():
    first, second = trained(), trained()
    lineal.promote("digits/2", to="production", alias="champion")
    for ref in (
        "digits/2",
        "digits@champion",
        "digits/production",
        "digits/Production",
        "models:/digits/2",
        "models:/digits@champion",
    ):
        assert lineal.get_model_version(ref).version_id == second.version_id, ref
    assert lineal.get_model_version(first.version_id).version == 1
    assert lineal.get_model_version(first.run_id).version == 1
    assert lineal.get_model_version(first.run_id[:10]).version == 1


@pytest.mark.parametrize(
    ("ref", "error", "said"),
    [
        ("digits", lineal.InvalidInput, r"names a model.*digits@champion, digits/2"),
        ("digits/9", lineal.NotFound, "9"),
        ("digits/staging", lineal.NotFound, "no version in stage staging"),
        ("digits/best", lineal.InvalidInput, "neither a version's number nor a stage"),
        ("digits@nobody", lineal.NotFound, "no alias 'nobody'"),
        ("other@champion", lineal.NotFound, "other"),
        ("other/1", lineal.NotFound, "other"),
        ("other", lineal.NotFound, "no model, version or run 'other'"),
        ("f" * 32, lineal.NotFound, "no model, version or run"),
        ("", lineal.InvalidInput, "names no model version"),
        (5, lineal.InvalidInput, "names no model version"),
        ("a/b/c", lineal.InvalidInput, "neither a version's number nor a stage"),
    ],
)
def test_what_names_no_version_says_what_would(ref, error, said):
    trained()
    trained()
    lineal.promote("digits/1", alias="champion")
    with pytest.raises(error, match=said):
        lineal.get_model_version(ref)


def test_a_run_that_made_several_versions_asks_which():
    with lineal.init("exp") as run:
        run.log_model("a", {"w": X})
        run.log_model("b", {"w": X})
    with pytest.raises(lineal.InvalidInput, match=r"made 2 versions: say which .*a/1.*b/1"):
        lineal.get_model_version(run.run_id)
    with lineal.init("exp") as run:
        run.log({"x": 1})
    with pytest.raises(lineal.NotFound, match="made no version"):
        lineal.get_model_version(run.run_id)


def test_names_with_an_at_sign_are_names():
    trained("a@b")
    lineal.promote("a@b/1", alias="best")
    assert lineal.get_model_version("a@b@best").name == "a@b"
    with pytest.raises(lineal.InvalidInput, match="names a model"):
        lineal.get_model_version("a@b")


def test_models_are_listed_and_searched():
    for name in ("My_model", "my-model", "mymodel", "100%"):
        lineal.set_model(name)
    names = lambda *args, **kwargs: [one.name for one in lineal.models(*args, **kwargs)]  # noqa: E731
    assert names() == sorted(["My_model", "my-model", "mymodel", "100%"])
    assert (
        names("my_") == ["My_model"] and names("%") == ["100%"] and names("MY") == ["My_model", "my-model", "mymodel"]
    )
    assert names("my", limit=2) == ["My_model", "my-model"]
    with pytest.raises(lineal.InvalidInput, match="limit"):
        lineal.models(limit=0)


def test_what_is_set_is_read():
    model = lineal.set_model("digits", description="reads digits", tags={"team": "vision"})
    assert (model.description, model.tags, model.versions()) == ("reads digits", {"team": "vision"}, [])
    assert lineal.set_model("digits", tags={"team": None}).tags == {}
    trained()
    version = lineal.set_model_version("digits/1", description="a note", tags={"a": 1, "b": 2})
    assert (version.description, version.tags) == ("a note", {"a": "1", "b": "2"})
    assert lineal.set_model_version("digits/1", tags={"a": None}).tags == {"b": "2"}
    assert lineal.get_model("digits").description == "reads digits"


# -- loaded ---------------------------------------------------------------------------------------


def test_every_format_comes_back_as_it_was():
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 4]) for name in "xy"]
    graph = helper.make_model(helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", ends[:1], ends[1:]))
    model = LogisticRegression().fit(X, Y)
    with lineal.init("exp") as run:
        run.log_model("arrays", {"w": X})
        run.log_model("graph", graph)
        run.log_model("sklearn", model)
        run.log_model("pickled", model, format="pickle")
        run.log_model("joblibbed", model, format="joblib")
    assert (lineal.load_model("arrays/1")["w"] == X).all()
    assert lineal.load_model("graph/1") == graph
    assert (lineal.load_model("sklearn/1").predict(X) == model.predict(X)).all()
    for name in ("pickled", "joblibbed"):
        with pytest.raises(lineal.NotTrusted, match=f"{name}/1"):
            lineal.load_model(f"{name}/1")
        assert (lineal.load_model(f"{name}/1", trust=True).predict(X) == model.predict(X)).all()


def test_a_changed_byte_is_found_before_anything_is_read(folder):
    with lineal.init("exp") as run:
        run.log_model("digits", LogisticRegression().fit(X, Y), format="pickle")
    version = lineal.get_model_version("digits/1")
    path = blob_of(folder, version)
    os.chmod(path, 0o600)
    with open(path, "r+b") as file:
        file.seek(100)
        byte = file.read(1)
        file.seek(100)
        file.write(bytes([byte[0] ^ 1]))
    with pytest.raises(lineal.Damaged, match="other bytes than those that were logged"):
        version.load(trust=True)
    with pytest.raises(lineal.Damaged):
        version.download(folder.parent / "out")
    assert list((folder.parent / "out").iterdir()) == []
    os.unlink(path)
    with pytest.raises(lineal.NotFound, match="are not here"):
        lineal.load_model("digits/1")


def test_download_writes_nothing_over_and_nothing_outside(folder, tmp_path):
    trained()
    version = lineal.get_model_version("digits/1")
    version.download(tmp_path / "out")
    with pytest.raises(lineal.Conflict, match="exists already"):
        version.download(tmp_path / "out")


def test_a_version_of_which_nothing_is_kept_says_so(folder):
    from lineal.api import say_outside
    from lineal.record.records import ModelVersionCreated

    version_id = "0123456789abcdef" * 2
    said = ModelVersionCreated(version_id, "from-elsewhere", source="s3://bucket/model")
    say_outside(None, said, None, None)
    with pytest.raises(lineal.InvalidInput, match="no files that Lineal keeps: its source is 's3://bucket/model'"):
        lineal.load_model("from-elsewhere/1")
    outside = ModelVersionCreated("f" * 32, "evil", path="models", files=[["../../evil", 1, "0" * 64]])
    say_outside(None, outside, None, None)
    with pytest.raises((lineal.InvalidInput, lineal.NotFound)):
        lineal.get_model_version("evil/1").download(folder / "out")


# -- stamped --------------------------------------------------------------------------------------


def test_serving_tags_lead_back():
    said = trained()
    full = {
        "lineal.model": "digits",
        "lineal.model_version": "1",
        "lineal.version_id": said.version_id,
        "lineal.run_id": said.run_id,
    }
    model = lineal.load_model("digits/1")
    assert lineal.serving_tags(model) == full
    assert lineal.serving_tags("digits/1") == lineal.serving_tags(lineal.get_model_version("digits/1")) == full
    assert lineal.serving_tags(said) == {name: text for name, text in full.items() if name != "lineal.model_version"}
    for name in ("lineal.version_id", "lineal.run_id"):
        assert lineal.get_model_version(full[name]).version_id == said.version_id
    with pytest.raises(lineal.InvalidInput, match=r"not loaded by lineal\.load_model"):
        lineal.serving_tags(dict(model))


def test_what_cannot_be_referred_to_weakly_is_known_too_and_few_are_kept_alive():
    model = helper.make_model(helper.make_graph([], "g", [], []))
    traced.trace(model, {"a": "1"})
    others = [onnx.ModelProto() for _ in range(4)]
    assert traced.tags_of(model) == {"a": "1"}
    for one in others:
        traced.trace(one, {"b": "2"})
    assert traced.tags_of(model) is None and traced.tags_of(others[0]) == {"b": "2"}


def test_a_loaded_model_is_not_kept_alive():
    trained()
    model = lineal.load_model("digits/1")
    ref = weakref.ref(model)
    del model
    gc.collect()
    assert ref() is None


# -- promoted -------------------------------------------------------------------------------------


def test_promotion_says_why_and_locks_the_run():
    said = trained()
    version = lineal.promote("digits/1", to="production", alias="champion", why="best on held-out data")
    assert (version.stage, version.aliases) == ("production", ["champion"])
    assert [(one["kind"], one["before"], one["after"], one["why"]) for one in version.transitions()] == [
        ("stage", "none", "production", "best on held-out data"),
        ("alias", None, "1", "best on held-out data"),
    ]
    assert lineal.get_run(said.run_id).locked
    with pytest.raises(Locked):
        lineal.tag_run(said.run_id, {"a": 1})


def test_a_run_may_be_left_unlocked():
    said = trained()
    lineal.promote("digits/1", to="staging", lock_run=False)
    assert not lineal.get_run(said.run_id).locked
    lineal.promote("digits/1", to="archived")
    assert not lineal.get_run(said.run_id).locked


def test_a_running_run_is_not_locked_and_nothing_is_said():
    with lineal.init("exp") as run:
        run.log_model("digits", {"w": X})
        with pytest.raises(lineal.Conflict, match=r"still running.*lock_run=False"):
            lineal.promote("digits/1", to="production")
        assert lineal.get_model_version("digits/1").stage == "none"
        assert lineal.promote("digits/1", to="production", lock_run=False).stage == "production"


def test_the_others_of_a_stage_are_archived_when_asked():
    for _ in range(3):
        trained()
    lineal.promote("digits/1", to="production")
    lineal.promote("digits/2", to="production")
    lineal.promote("digits/3", to="production", archive_existing=True)
    assert [one.stage for one in lineal.get_model("digits").versions()] == ["production", "archived", "archived"]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({}, "to"),
        ({"to": "live"}, "to"),
        ({"alias": "latest"}, "alias"),
        ({"alias": "v3"}, "alias"),
        ({"alias": ""}, "alias"),
    ],
)
def test_what_is_no_promotion_is_refused(arguments, field):
    trained()
    with pytest.raises(lineal.InvalidInput) as refused:
        lineal.promote("digits/1", **arguments)
    assert refused.value.field == field


def test_an_alias_moves_and_goes():
    trained()
    trained()
    lineal.promote("digits/1", alias="champion")
    lineal.promote("digits/2", alias="champion", why="better")
    assert lineal.get_model("digits").aliases == {"champion": 2}
    lineal.delete_alias("digits", "champion", why="retired")
    assert lineal.get_model("digits").aliases == {}
    assert [(one["before"], one["after"], one["why"]) for one in lineal.get_model("digits").transitions()] == [
        ("2", None, "retired"),
        ("1", "2", "better"),
        (None, "1", ""),
    ]
    with pytest.raises(lineal.NotFound, match="no alias 'champion'"):
        lineal.delete_alias("digits", "champion")


def test_a_version_without_a_run_is_promoted():
    from lineal.api import say_outside
    from lineal.record.records import ModelVersionCreated

    say_outside(None, ModelVersionCreated("e" * 32, "from-elsewhere", source="s3://bucket"), None, None)
    assert lineal.promote("from-elsewhere/1", to="production").run() is None


def test_numbers_follow_time_also_where_the_clock_of_the_files_does_not_tell_it(folder):
    """Runs that nobody has taken in yet, whose files were written within one tick of the file system."""
    said = [trained() for _ in range(5)]
    segments = Folder(folder).list_segments()
    for segment in segments:
        os.utime(segment.path, ns=(10**18, 10**18))
    assert len(segments) == 5
    assert [lineal.get_model_version(one.version_id).version for one in said] == [1, 2, 3, 4, 5]


# -- renamed, put away, brought back --------------------------------------------------------------


FORMER = ("digits", "digits/1", "digits@champion", "digits/staging", "models:/digits/1")


def test_a_renamed_model_keeps_what_it_has_and_is_reached_by_its_former_name():
    trained()
    lineal.promote("digits/1", to="staging", alias="champion", why="first")
    assert lineal.rename_model("digits", "numbers").aliases == {"champion": 1}
    assert lineal.get_model_version("numbers@champion").stage == "staging"
    asks: list[Any] = [lambda: lineal.get_model("digits")]
    asks += [lambda ref=ref: lineal.get_model_version(ref) for ref in FORMER]
    for ask in asks:
        with pytest.raises(lineal.NotFound, match="renamed to 'numbers'") as caught:
            ask()
        assert caught.value.renamed_to == "numbers"
    trained("digits")
    assert [one.version for one in lineal.get_model("numbers").versions()] == [2, 1]
    assert lineal.rename_model("numbers", "numbers").name == "numbers"
    lineal.set_model("other")
    for name, error in (("other", lineal.Conflict), ("a/b", lineal.InvalidInput)):
        with pytest.raises(error):
            lineal.rename_model("numbers", name)
    with pytest.raises(lineal.NotFound):
        lineal.rename_model("nobody", "somebody")


def test_a_deleted_model_is_out_of_lists_until_it_is_restored():
    trained()
    assert lineal.delete_model("digits").details.lifecycle == "deleted"
    assert lineal.delete_model("digits").details.lifecycle == "deleted"  # twice is once
    assert lineal.models() == [] and [one.name for one in lineal.models(deleted=True)] == ["digits"]
    with pytest.raises(lineal.Conflict, match="is deleted"):
        lineal.load_model("digits/1")
    with pytest.raises(lineal.Conflict, match="restore it first"):
        lineal.rename_model("digits", "numbers")
    with pytest.raises(lineal.Conflict, match="restore it first"):
        lineal.restore_model_version("digits/1")
    assert lineal.restore_model("digits").details.lifecycle == "active"
    assert lineal.load_model("digits/1") is not None
    for change in (lineal.delete_model, lineal.restore_model):
        with pytest.raises(lineal.NotFound):
            change("nobody")


def test_a_deleted_version_loses_its_aliases_and_its_number_never_comes_back():
    trained()
    trained()
    lineal.promote("digits/2", alias="champion")
    gone = lineal.delete_model_version("digits@champion", why="trained on the test set")
    assert (gone.version, gone.details.lifecycle, gone.aliases) == (2, "deleted", [])
    assert lineal.get_model("digits").aliases == {}
    assert lineal.get_model("digits").transitions()[0]["why"] == "trained on the test set"
    assert [one.version for one in lineal.get_model("digits").versions()] == [1]
    assert [one.version for one in lineal.get_model("digits").versions(deleted=True)] == [2]
    trained()
    assert [one.version for one in lineal.get_model("digits").versions()] == [3, 1]
    back = lineal.restore_model_version("digits/2")
    assert (back.details.lifecycle, back.aliases) == ("active", [])
    with pytest.raises(lineal.NotFound):
        lineal.delete_model_version("digits/9")
