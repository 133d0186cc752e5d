"""What MLflow's tags tell of a run's code becomes its captures: found by filters, shown, compared."""

from __future__ import annotations

from pathlib import Path

import pytest

import lineal
from lineal.formats.mlflow_tags import TROUBLE
from lineal.importing import translate
from tests.importing.foreign import Foreign, filled, run_id_of
from tests.importing.test_mlflow_stores import bring

COMMIT, OTHER = "a" * 40, "b" * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lineal"


def with_source(path: Path, *commits: str) -> Foreign:
    made = filled(path, runs=len(commits))
    for number, commit in enumerate(commits):
        tags = {"mlflow.source.git.commit": commit, "mlflow.source.name": "train.py", "mlflow.source.type": "LOCAL"}
        made.add_text("tags", run_id_of(number), **tags)
    return made


def test_the_code_of_imported_runs_is_seen(tmp_path: Path, folder: Path) -> None:
    source = with_source(tmp_path / "mlflow.db", COMMIT, OTHER)
    source.add_text("tags", run_id_of(0), **{"mlflow.source.git.branch": "main", "mlflow.user": "alice"})
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        run = store.get_run(run_id_of(0))
        code = {"kind": "git", "commit": COMMIT, "branch": "main", "trouble": [TROUBLE]}
        assert run.capture("code") == code
        assert run.capture("execution") == {
            "entry_point": {"kind": "script", "name": "train.py"},
            "user": "alice",
        }
        assert [one.run_id for one in store.runs("git.commit ^= 'bbbb'")] == [run_id_of(1)]
        before = store.store().change_number()
    assert bring(source.url, folder)["runs"]["unchanged"] == 2
    with lineal.open_store(folder) as store:
        assert store.store().change_number() == before
    said = lineal.comparable(run_id_of(0), run_id_of(1), url=folder)
    assert [reason.kind for reason in said.reasons] == ["code"]


def test_one_commit_is_one_code_as_far_as_mlflow_tells(tmp_path: Path, folder: Path) -> None:
    source = with_source(tmp_path / "mlflow.db", COMMIT, COMMIT)
    bring(source.url, folder)
    said = lineal.comparable(run_id_of(0), run_id_of(1), url=folder)
    assert "code" not in [reason.kind for reason in said.reasons]
    assert any("the changes that are not committed" in one for one in said.unknown)


def test_a_commit_that_is_told_later_comes_later(tmp_path: Path, folder: Path) -> None:
    source = with_source(tmp_path / "mlflow.db", COMMIT)
    bring(source.url, folder)
    source.add_text("tags", run_id_of(0), **{"mlflow.source.git.commit": OTHER})
    assert bring(source.url, folder)["runs"]["changed"] == 1
    with lineal.open_store(folder) as store:
        assert (store.get_run(run_id_of(0)).capture("code") or {})["commit"] == OTHER
        assert [one.run_id for one in store.runs(f"git.commit = '{OTHER}'")] == [run_id_of(0)]


def test_what_was_captured_here_since_stands(tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt of Lineal's own knows more than a tag."""
    monkeypatch.setenv("LINEAL_CAPTURE", "code")
    source = with_source(tmp_path / "mlflow.db", COMMIT)
    bring(source.url, folder)
    lineal.init("Default", run_id=run_id_of(0), resume="must", url=folder).finish()
    with lineal.open_store(folder) as store:
        own = store.get_run(run_id_of(0)).capture("code")
    source.add_text("tags", run_id_of(0), **{"mlflow.source.git.commit": OTHER})
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        assert own is not None and store.get_run(run_id_of(0)).capture("code") == own
        assert OTHER in [one.content.get("commit") for one in store.get_run(run_id_of(0)).captures]


def test_old_columns_tell_what_tags_tell_now(tmp_path: Path, folder: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=1)
    source.say("UPDATE runs SET source_version = ?, source_name = 'fit.py', source_type = 'LOCAL'", COMMIT)
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        run = store.get_run(run_id_of(0))
        assert (run.capture("code") or {})["commit"] == COMMIT
        assert (run.capture("execution") or {})["entry_point"]["name"] == "fit.py"


def test_runs_of_an_import_that_knew_no_captures_get_them(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = with_source(tmp_path / "mlflow.db", COMMIT)
    with monkeypatch.context() as before:
        before.setattr(translate, "captures_of", lambda tags: {})
        bring(source.url, folder)
    with lineal.open_store(folder) as store:
        assert store.get_run(run_id_of(0)).captures == []
    assert bring(source.url, folder)["runs"]["changed"] == 1
    with lineal.open_store(folder) as store:
        assert (store.get_run(run_id_of(0)).capture("code") or {})["commit"] == COMMIT
    assert bring(source.url, folder)["runs"]["unchanged"] == 1
