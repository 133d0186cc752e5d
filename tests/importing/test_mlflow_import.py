"""What is new, what is odd, and what is refused."""

from __future__ import annotations

import json
import math
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import lineal
from lineal import api
from lineal.cli.main import lineal as command
from tests.importing.foreign import TABLES, Foreign, filled, run_id_of
from tests.importing.test_mlflow_stores import bring


def refused(*arguments: str, status: int) -> str:
    done = CliRunner().invoke(command, ["import", "mlflow", *arguments, "--json"])
    assert done.exit_code == status, done.output
    return str(json.loads(done.stdout)["error"]["message"])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "lineal"


# -- again ------------------------------------------------------------------------------------------------


def test_what_was_changed_here_stands_until_mlflow_changes_it(tmp_path: Path, folder: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=1)
    source.add_text("tags", run_id_of(0), kept="as it was", gone="soon", **{"mlflow.note.content": "first"})
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        assert store.get_run(run_id_of(0)).note == "first"
    api.tag_run(run_id_of(0), {"team": "mine", "kept": None, "own": "yes"}, url=folder)
    api.set_run_note(run_id_of(0), "my note", url=folder)
    api.rename_run(run_id_of(0), "my name", url=folder)
    assert bring(source.url, folder)["runs"]["unchanged"] == 1
    source.add_text("tags", run_id_of(0), kind="other")
    source.say("DELETE FROM tags WHERE key = 'gone'")
    said = bring(source.url, folder)
    assert said["runs"]["changed"] == 1 and said["found"] == said["there"]
    with lineal.open_store(folder) as store:
        run = store.get_run(run_id_of(0))
        assert run.tags == {"team": "mine", "own": "yes", "kind": "other", "mlflow.note.content": "first"}
        assert (run.note, run.name) == ("my note", "my name")
    source.add_text("tags", run_id_of(0), team="theirs", **{"mlflow.note.content": "second"})
    source.say("UPDATE runs SET name = 'their name'")
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        run = store.get_run(run_id_of(0))
        assert (run.tags["team"], run.note, run.name) == ("theirs", "second", "their name")


def test_a_run_that_goes_on_after_its_end(tmp_path: Path, folder: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=1)
    bring(source.url, folder)
    source.say("UPDATE runs SET status = 'RUNNING', end_time = NULL")
    source.add_points(run_id_of(0), "m/0", [(1_000, 1.0)])
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        assert store.get_run(run_id_of(0)).status == "running"
    source.say("UPDATE runs SET status = 'FAILED', end_time = 99000")
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        run = store.get_run(run_id_of(0))
        assert run.status == "failed" and [one.status for one in run.attempts] == ["finished", "failed"]
        assert len(run.history("m/0")) == 41 and run.losses == {}


def test_deleted_and_restored(tmp_path: Path, folder: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=2)
    source.say("UPDATE runs SET lifecycle_stage = 'deleted' WHERE run_uuid = ?", run_id_of(0))
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        assert [run.run_id for run in store.runs()] == [run_id_of(1)]
    source.say("UPDATE runs SET lifecycle_stage = CASE run_uuid WHEN ? THEN 'active' ELSE 'deleted' END", run_id_of(0))
    assert bring(source.url, folder)["runs"]["changed"] == 2
    with lineal.open_store(folder) as store:
        assert [run.run_id for run in store.runs()] == [run_id_of(0)]
    # Deleted here, and not in MLflow: it stays so.
    api.delete_run(run_id_of(0), url=folder)
    assert bring(source.url, folder)["runs"]["unchanged"] == 2
    with lineal.open_store(folder) as store:
        assert list(store.runs()) == []


def test_an_experiment_that_has_changed(tmp_path: Path, folder: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=2)
    bring(source.url, folder)
    source.say("INSERT INTO experiment_tags VALUES ('owner', 'bob', 7)")
    source.say("UPDATE experiments SET lifecycle_stage = 'deleted' WHERE experiment_id = 7")
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        experiment = store.get_experiment("digits")
        assert experiment.lifecycle == "deleted" and experiment.tags["owner"] == "bob"


def test_a_locked_run_is_left_and_named(tmp_path: Path, folder: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=2)
    bring(source.url, folder)
    api.set_lock([run_id_of(0)], True, url=folder)
    assert bring(source.url, folder)["runs"]["unchanged"] == 2
    source.add_points(run_id_of(0), "m/0", [(1_000, 1.0)])
    said = bring(source.url, folder, status=1)
    assert said["problems"][0] == {
        "run_id": run_id_of(0),
        "why": "it is locked here, and has changed where it came from",
    }
    assert said["there"]["points"] == said["found"]["points"] - 1


# -- odd --------------------------------------------------------------------------------------------------


def test_values_that_are_no_numbers_or_too_large(tmp_path: Path, folder: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=1, metrics=0)
    largest = 1.7976931348623157e308
    values = [math.nan, largest, -largest, 5e-324, -0.0, 0.1]
    source.add_points(run_id_of(0), "odd", enumerate(values))
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        found = store.get_run(run_id_of(0)).history("odd").value.tolist()
    assert [repr(value) for value in found] == [
        "nan",
        "inf",
        "-inf",
        "5e-324",
        "0.0",
        "0.1",
    ]  # SQLite keeps no sign of 0


def test_several_values_of_one_step_and_steps_that_go_back(tmp_path: Path, folder: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=1, metrics=0)
    source.add_points(run_id_of(0), "m", [(5, 1.0), (3, 2.0), (-4, 3.0)])
    source.add_points(run_id_of(0), "m", [(5, 7.0), (5, math.nan), (5, 6.0)])
    source.add_points(run_id_of(0), "n", [(5, 1.0)])
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        run = store.get_run(run_id_of(0))
        assert run.history("m").step.tolist() == [-4, 3, 5, 5, 5, 5]
        assert run.metrics == {"m": 7.0, "n": 1.0}


def test_more_sets_of_names_than_a_journal_has_layouts(tmp_path: Path, folder: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=1, metrics=0)
    for step in range(400):
        for name in range(3):
            source.add_points(run_id_of(0), f"m{(step * 7 + name) % 500}", [(step, float(name))])
    said = bring(source.url, folder)
    assert said["there"]["points"] == 1_200


def test_times_that_cannot_be_kept_are_told(tmp_path: Path, folder: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=1, metrics=0)
    source.add_points(run_id_of(0), "m", [(1, 1.0)], at_ms=1_700_000_000_000_000_000)
    said = bring(source.url, folder)
    assert "1 times" in said["notices"][0] and run_id_of(0) in said["notices"][0]
    source.add_points(run_id_of(0), "m", [(2, 1.0)])
    again = bring(source.url, folder)
    assert again["there"]["points"] == again["found"]["points"] == 2


def test_an_id_that_cannot_be_one_is_named_and_counted(tmp_path: Path, folder: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=1)
    source.add_run("../../etc")
    said = bring(source.url, folder, status=1)
    assert said["problems"] == [{"run_id": "../../etc", "why": "its id cannot be one here"}]
    assert (said["found"]["runs"], said["there"]["runs"]) == (2, 1)


def test_a_name_that_is_too_long_is_told(tmp_path: Path, folder: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=1)
    source.say("UPDATE runs SET name = ?", "🧪" * 250)
    assert bring(source.url, folder)["found"]["runs"] == 1
    source.add_run(run_id_of(3), name="🧪" * 300)
    source.add_experiment(9, "🧪" * 300)
    said = bring(source.url, folder, status=1)
    assert {one["run_id"] for one in said["problems"]} == {None, run_id_of(3)}


def test_a_tag_without_a_value_and_a_run_without_a_name(tmp_path: Path, folder: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=1)
    source.add_text("tags", run_id_of(0), nothing=None)
    source.add_run(run_id_of(9), name=None, status="SCHEDULED", end_time=None)
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        assert store.get_run(run_id_of(0)).tags["nothing"] == ""
        run = store.get_run(run_id_of(9))
        assert (run.name, run.status) == (run_id_of(9)[:8], "running")


def test_workspaces_apart(tmp_path: Path, folder: Path) -> None:
    source = filled(tmp_path / "mlflow.db", runs=1)
    source.add_experiment(8, "digits", workspace="other")
    source.add_run(run_id_of(8), 8)
    said = bring(source.url, folder)
    assert said["found"]["runs"] == 1 and "other" in said["notices"][0]
    said = bring(source.url, folder, "--workspace", "other", "--tenant", "other")
    assert said["found"]["runs"] == said["there"]["runs"] == 1


# -- artifacts --------------------------------------------------------------------------------------------


def with_artifacts(tmp_path: Path, uri: str, place: Path | None = None) -> Foreign:
    source = filled(tmp_path / "mlflow.db", runs=1, metrics=1)
    source.say("UPDATE runs SET artifact_uri = ?", uri)
    if place is not None:
        (place / "a").mkdir(parents=True)
        (place / "a" / "b.txt").write_text("hello")
    return source


@pytest.mark.parametrize("kind", ["path", "file", "relative", "served", "given"])
def test_where_artifacts_lie(tmp_path: Path, folder: Path, kind: str) -> None:
    run = f"0/{run_id_of(0)}/artifacts"
    uri, place, options = {
        "path": (str(tmp_path / "x y"), tmp_path / "x y", []),
        "file": ((tmp_path / "x y").as_uri(), tmp_path / "x y", []),
        "relative": (f"./mlruns/{run}", tmp_path / "mlruns" / run, []),
        "served": (f"mlflow-artifacts:/{run}", tmp_path / "mlartifacts" / run, []),
        "given": (f"mlflow-artifacts:/{run}", tmp_path / "far" / run, ["--artifacts", str(tmp_path / "far")]),
    }[kind]
    said = bring(with_artifacts(tmp_path, uri, place).url, folder, *options)
    assert (said["there"]["artifacts"], said["there"]["bytes"], said["there"]["references"]) == (1, 5, 0)
    with lineal.open_store(folder) as store:
        [one] = store.get_run(run_id_of(0)).artifacts
        assert one.path == "a/b.txt"
        assert Path(store.find_blob(one.digest or "") or "").read_text() == "hello"


def test_the_counts_are_said_in_words(tmp_path: Path, folder: Path) -> None:
    source = with_artifacts(tmp_path, str(tmp_path / "files"), tmp_path / "files")
    done = CliRunner().invoke(command, ["import", "mlflow", source.url, "--folder", str(folder)])
    assert done.exit_code == 0, done.output
    *counts, last = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert {"runs 1", "artifacts 1", "size of artifacts 5 bytes", "logged models 0"} <= set(counts)
    assert last.endswith("1 new, 0 changed, 0 as they were.")


def test_what_lies_elsewhere_is_a_reference(tmp_path: Path, folder: Path) -> None:
    said = bring(with_artifacts(tmp_path, "s3://bucket/1/artifacts").url, folder)
    assert (said["there"]["artifacts"], said["there"]["references"]) == (0, 1)
    with lineal.open_store(folder) as store:
        [one] = store.get_run(run_id_of(0)).artifacts
        assert (one.uri, one.digest) == ("s3://bucket/1/artifacts", None)


def test_a_link_that_leads_out_is_not_followed(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "secret").write_text("password")
    source = with_artifacts(tmp_path, str(tmp_path / "files"), tmp_path / "files")
    (tmp_path / "files" / "innocent.txt").symlink_to(tmp_path / "secret")
    (tmp_path / "files" / "within.txt").symlink_to(tmp_path / "files" / "a" / "b.txt")
    said = bring(source.url, folder, status=1)
    assert "were not followed" in said["problems"][0]["why"]
    with lineal.open_store(folder) as store:
        assert [one.path for one in store.get_run(run_id_of(0)).artifacts] == ["a/b.txt", "within.txt"]


def test_a_file_that_has_changed_is_another_version(tmp_path: Path, folder: Path) -> None:
    source = with_artifacts(tmp_path, str(tmp_path / "files"), tmp_path / "files")
    bring(source.url, folder)
    (tmp_path / "files" / "a" / "b.txt").write_text("hello again")
    assert bring(source.url, folder)["runs"]["changed"] == 1
    with lineal.open_store(folder) as store:
        assert [(one.path, one.version) for one in store.get_run(run_id_of(0)).artifacts] == [
            ("a/b.txt", 1),
            ("a/b.txt", 2),
        ]


# -- refused ----------------------------------------------------------------------------------------------


def test_what_is_no_source_is_refused_with_what_was_expected(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no database")
    (tmp_path / "empty").mkdir()
    sqlite3.connect(tmp_path / "other.db").execute("CREATE TABLE runs (id INTEGER)").connection.close()
    assert "is no file" in refused(f"sqlite:///{tmp_path}/nothing.db", status=3)
    assert "does not exist" in refused(str(tmp_path / "nothing"), status=3)
    assert "no SQLite database" in refused(f"sqlite:///{tmp_path}/text", status=2)
    assert "alembic_version, experiments and runs were expected" in refused(f"sqlite:///{tmp_path}/other.db", status=2)
    assert "is no mlruns folder" in refused(str(tmp_path / "empty"), status=2)
    assert "say sqlite:///" in refused(str(tmp_path / "other.db"), status=2)
    for url, status in (("mysql://me:secret@host/mlflow", 2), ("postgresql://me:secret@localhost:9/mlflow", 5)):
        said = refused(url, status=status)
        assert ("was expected" in said or "does not answer" in said) and "secret" not in said
    assert not (tmp_path / ".lineal").exists()


def test_revisions(tmp_path: Path, folder: Path) -> None:
    Foreign(tmp_path / "old.db", "451aebb31d03")
    assert "mlflow db upgrade" in refused(f"sqlite:///{tmp_path}/old.db", status=2)
    new = Foreign(tmp_path / "new.db", "ffffffffffff")
    assert "--unknown-schema" in refused(new.url, status=5)
    assert bring(new.url, folder, "--unknown-schema")["found"]["experiments"] == 1
    new.say("ALTER TABLE runs RENAME COLUMN artifact_uri TO moved")
    assert "lacks runs.artifact_uri" in refused(new.url, "--unknown-schema", status=2)


def test_an_older_schema_without_times_and_workspaces(tmp_path: Path, folder: Path) -> None:
    path = tmp_path / "mlflow.db"
    connection = sqlite3.connect(path)
    older = TABLES.replace(
        ", creation_time BIGINT, last_update_time BIGINT, workspace VARCHAR(63) DEFAULT 'default' NOT NULL", ""
    )
    connection.executescript(older.replace("creation_time BIGINT, last_update_time BIGINT,", ""))
    connection.executescript(
        "INSERT INTO alembic_version VALUES ('bd07f7e963c5'); INSERT INTO runs (run_uuid, status, experiment_id)"
        f" VALUES ('{run_id_of(1)}', 'FINISHED', 3);"
    )
    columns = [row[1] for row in connection.execute("PRAGMA table_info(experiments)")]
    values: dict[str, Any] = {"experiment_id": 3, "name": "old", "lifecycle_stage": "active", "workspace": "default"}
    given = {name: value for name, value in values.items() if name in columns}
    marks = ", ".join("?" * len(given))
    connection.execute(f"INSERT INTO experiments ({', '.join(given)}) VALUES ({marks})", list(given.values()))
    connection.commit()
    connection.close()
    said = bring(f"sqlite:///{path}", folder)
    assert said["there"]["runs"] == 1 and said["there"]["experiments"] == 1


def test_a_damaged_line_of_a_metric_is_named(tmp_path: Path, folder: Path) -> None:
    run = tmp_path / "mlruns" / "1" / run_id_of(1)
    for name in ("metrics", "params", "tags"):
        (run / name).mkdir(parents=True)
    (tmp_path / "mlruns" / "1" / "meta.yaml").write_text("experiment_id: '1'\nname: e\nlifecycle_stage: active\n")
    (run / "meta.yaml").write_text(f"run_id: {run_id_of(1)}\nstatus: 3\nstart_time: 5\nend_time: 6\n")
    (run / "metrics" / "m").write_text("1 0.5 0\n2 nonsense 1\n")
    said = bring(str(tmp_path / "mlruns"), folder, status=1)
    assert "line 2" in said["problems"][0]["why"]
    (run / "metrics" / "m").write_text("1 0.5 0\n2 0.75 1\n1 0.5 0\n3 inf\n")
    said = bring(str(tmp_path / "mlruns"), folder)
    assert said["found"] == said["there"] and said["found"]["points"] == 4
    with lineal.open_store(folder) as store:
        run_there = store.get_run(run_id_of(1))
        assert run_there.metrics == {"m": 0.75} and run_there.status == "finished"
