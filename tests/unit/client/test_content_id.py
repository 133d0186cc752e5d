"""A run id that follows from code, data and params: equal for equal, different for anything that differs."""

from __future__ import annotations

import subprocess

import pytest

import lineal
from lineal.client.content_id import content_id


def git(place, *arguments):
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", *arguments]
    subprocess.run(command, cwd=place, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path, monkeypatch):
    place = tmp_path / "repository"
    place.mkdir()
    git(place, "init", "-q")
    (place / "train.py").write_text("print(1)\n")
    git(place, "add", ".")
    git(place, "commit", "-q", "-m", "one")
    monkeypatch.chdir(place)
    return place


def test_the_code_is_the_commit_and_the_patch_of_a_dirty_tree(repository):
    clean = content_id()
    assert clean == content_id()
    (repository / "train.py").write_text("print(2)\n")
    dirty = content_id()
    assert dirty != clean
    git(repository, "commit", "-q", "-a", "-m", "two")
    assert content_id() not in (clean, dirty)
    git(repository, "checkout", "-q", "HEAD~1")
    assert content_id() == clean


def test_without_a_repository_the_code_must_be_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(lineal.InvalidInput) as caught:
        content_id()
    assert caught.value.field == "code"
    assert content_id(code="v1") == content_id(code="v1")


def test_data_is_digested_where_it_is_a_file_or_folder(tmp_path):
    folder = tmp_path / "data"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.csv").write_text("1")
    (folder / "deep" / "b.csv").write_text("2")
    ids = [content_id(code="c", data=folder)]
    (folder / "deep" / "b.csv").write_text("3")
    ids.append(content_id(code="c", data=folder))
    (folder / "deep" / "b.csv").rename(folder / "deep" / "c.csv")
    ids.append(content_id(code="c", data=folder))
    ids.append(content_id(code="c", data=folder / "a.csv"))
    ids.append(content_id(code="c", data=[folder, folder / "a.csv"]))
    assert len(set(ids)) == 5
    assert content_id(code="c", data=str(folder)) == ids[2]


@pytest.mark.parametrize(
    "data", [None, "v2.1", "x" * 300, "a/" * 3000, "s3://bucket/" + "k" * 500, "nul\0", "", "\ud800"]
)
def test_data_that_is_only_a_name(data):
    assert content_id(code="c", data=data) == content_id(code="c", data=data)
    assert content_id(code="c", data=data).digest != content_id(code="d", data=data).digest


def test_params_count_with_their_types_and_whatever_their_order():
    same = [{"a": 1, "b": {"c": 2.5}}, {"b": {"c": 2.5}, "a": 1}, {"b/c": 2.5, "a": 1}]
    assert len({content_id(code="c", params=params) for params in same}) == 1
    other = [
        {"a": 1.0},
        {"a": 1},
        {"a": True},
        {"a": "1"},
        {"a": None},
        {},
        {"a": float("nan")},
        {"a": "NaN"},
        {"a": 2**53 + 1},
        {"a": 2.0**53},
    ]
    assert len({content_id(code="c", params=params) for params in other}) == len(other)
    assert content_id(code="c", params={"a": float("nan")}) == content_id(code="c", params={"a": float("nan")})


def test_parts_do_not_run_into_each_other():
    ids = [
        content_id(code="a", data="b"),
        content_id(code="ab"),
        content_id(code="a", data=["b"]),
        content_id(code="a", data=["b", ""]),
    ]
    assert ids[0] == ids[2]
    assert len({*ids}) == 3


def test_the_id_is_twelve_characters_of_the_digest():
    run_id = content_id(code="c")
    assert len(run_id) == 12
    assert run_id.digest.startswith(run_id)
    assert len(run_id.digest) == 64
