"""Tags of MLflow, read as captures."""

from __future__ import annotations

import pytest

from lineal.formats.mlflow_tags import TROUBLE, captures_of

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def told(**tags: str) -> dict[str, str]:
    return {"mlflow." + name.replace("__", "."): text for name, text in tags.items()}


def test_what_a_script_in_a_repository_leaves() -> None:
    tags = told(source__name="train.py", source__type="LOCAL", source__git__commit=COMMIT.upper(), user="alice")
    assert captures_of({**tags, "team": "red"}) == {
        "code": {"kind": "git", "commit": COMMIT, "trouble": [TROUBLE]},
        "execution": {"entry_point": {"kind": "script", "name": "train.py"}, "user": "alice"},
    }


def test_what_a_project_leaves() -> None:
    tags = told(
        source__name="https://me:secret@host/x#sub",
        source__type="PROJECT",
        source__git__commit=COMMIT,
        source__git__repoURL="https://me:secret@host/x.git?token=t",
        source__git__branch="main",
        project__entryPoint="train",
    )
    found = captures_of(tags)
    assert found["code"]["remote"] == "https://host/x.git" and found["code"]["branch"] == "main"
    assert found["execution"] == {
        "entry_point": {"kind": "program", "name": "https://host/x#sub"},
        "pipeline": {"name": "mlflow project", "step": "train"},
    }


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("ssh://git@host/b.git", "ssh://git@host/b.git"),
        ("ssh://me@host/b.git", "ssh://host/b.git"),
        ("https://token@host:8443/b", "https://host:8443/b"),
        ("https://[bad/b", "https://"),
        ("/srv/git/b.git", "/srv/git/b.git"),
    ],
)
def test_an_address_keeps_no_secret(address: str, kept: str) -> None:
    tags = told(source__git__commit=COMMIT, gitRepoURL=address)
    assert captures_of(tags)["code"]["remote"] == kept


@pytest.mark.parametrize(
    ("kind", "name", "is_"),
    [
        ("NOTEBOOK", "/Users/a/train", "notebook"),
        ("LOCAL", "python", "program"),
        ("JOB", "x.py", "program"),
        ("", "x", "program"),
    ],
)
def test_kinds_of_entry_points(kind: str, name: str, is_: str) -> None:
    assert captures_of(told(source__type=kind, source__name=name))["execution"]["entry_point"]["kind"] == is_


@pytest.mark.parametrize("commit", ["", "main", "12345", "x" * 40, "a" * 65])
def test_what_is_no_commit_tells_no_code(commit: str) -> None:
    assert captures_of(told(source__git__commit=commit, source__git__repoURL="https://host/x", user="alice")) == {}
