"""Logged and registered models: numbers stay, what was changed here stands, and what only an approver may say is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import lineal
from lineal.cli.main import lineal as command
from lineal.ingest.approval import needs_approver
from lineal.record.records import AliasSet, ModelSet, ModelVersionCreated, StageSet
from tests.importing.foreign import Foreign, filled, run_id_of
from tests.importing.test_mlflow_stores import bring

MODEL_ID = "m-" + "a" * 32


@pytest.fixture
def source(tmp_path: Path) -> Foreign:
    made = filled(tmp_path / "mlflow.db", runs=1, metrics=1)
    made.add_models()
    return made


def say(folder: Path, *records: Any) -> None:
    lineal.api.say_outside(None, list(records), folder, None)


def test_numbers_are_those_of_mlflow_although_some_are_gone(source: Foreign, tmp_path: Path) -> None:
    said = bring(source.url, tmp_path / "lineal")
    assert said["found"] == said["there"]
    kinds = ("datasets", "logged_models", "registered_models", "model_versions", "aliases")
    assert [said["found"][kind] for kind in kinds] == [1, 1, 1, 2, 1]
    with lineal.open_store(tmp_path / "lineal") as store:
        registry = store.reader().registry()
        model = registry.get_model("fraud")
        assert (model.version_count, model.last_version, model.aliases) == (2, 4, {"champion": 2})
        assert (model.description, model.tags, model.created_ms) == ("finds it", {"team": "risk"}, 5_000)
        second = registry.get_version("fraud", 2)
        assert (second.stage, second.model_id, second.path) == ("production", MODEL_ID, f"models/{MODEL_ID}")
        fourth = registry.get_version("fraud", 4)
        assert (fourth.run_id, fourth.source, fourth.description) == (None, "s3://elsewhere", "no run made it")
        logged = store.reader().get_logged_model(MODEL_ID)
        assert (logged.name, logged.status, logged.params, logged.tags) == (
            "net",
            "ready",
            {"depth": "3"},
            {"kind": "cnn"},
        )
        assert [(one.name, one.value, one.dataset_name) for one in logged.metrics] == [("acc", 0.5, "iris")]
        assert logged.created_ms == 4_000
        details = store.get_run(run_id_of(0)).details
        [use] = details.datasets
        assert (use.dataset.name, use.context, use.tags) == ("iris", "training", {})
        assert [(one.role, one.step) for one in details.models] == [("output", 7)]
        assert {(one.path, one.uri) for one in details.artifacts} == {(f"models/{MODEL_ID}", "s3://bucket/model")}
        before = store.store().change_number()
    assert bring(source.url, tmp_path / "lineal")["there"] == said["there"]
    with lineal.open_store(tmp_path / "lineal") as store:
        assert store.store().change_number() == before


def test_what_was_changed_here_stands_until_mlflow_changes_it(source: Foreign, tmp_path: Path) -> None:
    folder = tmp_path / "lineal"
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        version_id = store.reader().registry().get_version("fraud", 2).version_id
        other_id = store.reader().registry().get_version("fraud", 4).version_id
    say(folder, StageSet(version_id, "archived"), AliasSet("fraud", "champion", other_id))
    say(folder, ModelSet("fraud", description="ours"), StageSet(other_id, "staging"))
    bring(source.url, folder)
    source.say("UPDATE model_versions SET description = 'changed' WHERE version = 4")
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        registry = store.reader().registry()
        assert registry.get_version("fraud", 2).stage == "archived"
        assert (registry.get_version("fraud", 4).stage, registry.get_version("fraud", 4).description) == (
            "staging",
            "changed",
        )
        assert registry.get_model("fraud").aliases == {"champion": 4}
        assert registry.get_model("fraud").description == "ours"
    source.say("UPDATE model_versions SET current_stage = 'None', last_updated_time = 7000 WHERE version = 2")
    source.add_version("fraud", 5, current_stage="Staging")
    source.say("UPDATE model_versions SET current_stage = 'Deleted_Internal' WHERE version = 4")
    said = bring(source.url, folder)
    assert said["found"] == said["there"]
    with lineal.open_store(folder) as store:
        registry = store.reader().registry()
        assert registry.get_version("fraud", 2).stage == "none"
        assert registry.get_version("fraud", 5).stage == "staging"
        deleted = registry.find_version(other_id)
        assert deleted is not None and deleted.lifecycle == "deleted"


def aliases(folder: Path) -> dict[str, int]:
    with lineal.open_store(folder) as store:
        return store.reader().registry().get_model("fraud").aliases


def test_an_alias_that_mlflow_removed_goes_here_too(source: Foreign, tmp_path: Path) -> None:
    folder = tmp_path / "lineal"
    source.say("INSERT INTO registered_model_aliases (name, alias, version) VALUES ('fraud', 'next', 4)")
    bring(source.url, folder)
    assert aliases(folder) == {"champion": 2, "next": 4}
    source.say("DELETE FROM registered_model_aliases WHERE alias = 'champion'")
    for _ in range(2):
        said = bring(source.url, folder)
        assert said["found"] == said["there"] and aliases(folder) == {"next": 4}
    # Given again, it is here again; and moved to and fro.
    source.say("INSERT INTO registered_model_aliases (name, alias, version) VALUES ('fraud', 'champion', 2)")
    for version in (2, 4, 2):
        source.say("UPDATE registered_model_aliases SET version = ? WHERE alias = 'champion'", version)
        bring(source.url, folder)
        assert aliases(folder) == {"champion": version, "next": 4}
    with lineal.open_store(folder) as store:
        before = store.store().change_number()
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        assert store.store().change_number() == before


def test_an_alias_that_was_changed_here_stays_whatever_mlflow_removed(source: Foreign, tmp_path: Path) -> None:
    folder = tmp_path / "lineal"
    bring(source.url, folder)
    with lineal.open_store(folder) as store:
        fourth = store.reader().registry().get_version("fraud", 4).version_id
    say(folder, AliasSet("fraud", "champion", fourth), AliasSet("fraud", "own", fourth))
    bring(source.url, folder)
    assert aliases(folder) == {"champion": 4, "own": 4}
    source.say("DELETE FROM registered_model_aliases")
    bring(source.url, folder)
    assert aliases(folder) == {"champion": 4, "own": 4}


def test_another_store_takes_no_alias_of_the_first(source: Foreign, tmp_path: Path) -> None:
    folder = tmp_path / "lineal"
    bring(source.url, folder)
    second = filled(tmp_path / "second.db", runs=1, metrics=1)
    second.add_models()
    second.say("UPDATE registered_models SET creation_time = 5001")
    second.say("DELETE FROM registered_model_aliases")
    bring(second.url, folder)
    assert aliases(folder) == {"champion": 2}


def test_a_model_of_that_name_that_is_here_already(source: Foreign, tmp_path: Path) -> None:
    folder = tmp_path / "lineal"
    say(folder, ModelVersionCreated("0" * 32, "fraud"))
    said = bring(source.url, folder)
    assert said["found"] == said["there"]
    assert "version 2 of 'fraud' is version 3 here" in said["notices"][0]


def test_a_model_of_no_run_keeps_its_files_or_where_they_are(source: Foreign, tmp_path: Path) -> None:
    source.say("UPDATE logged_models SET source_run_id = NULL")
    bring(source.url, tmp_path / "lineal")
    with lineal.open_store(tmp_path / "lineal") as store:
        model = store.reader().get_logged_model(MODEL_ID)
        assert (model.files, model.path) == ({}, None)
        assert model.tags == {"kind": "cnn", "mlflow.artifactLocation": "s3://bucket/model"}
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "w.bin").write_bytes(b"heavy")
    source.say("UPDATE logged_models SET artifact_location = ?", str(tmp_path / "files"))
    said = bring(source.url, tmp_path / "lineal")
    assert said["found"] == said["there"] and said["found"]["bytes"] == 5
    with lineal.open_store(tmp_path / "lineal") as store:
        model = store.reader().get_logged_model(MODEL_ID)
        assert model.files["w.bin"].size_bytes == 5
        assert store.find_blob(model.files["w.bin"].digest)


def test_a_version_leads_back_through_its_logged_model(source: Foreign, tmp_path: Path) -> None:
    bring(source.url, tmp_path / "lineal")
    graph = lineal.lineage("fraud@champion", url=tmp_path / "lineal", down=False)
    [version] = [one for one in graph["nodes"] if one["kind"] == "model_version"]
    edges = {(one["from"].partition(":")[2], one["to"].partition(":")[2], one["relation"]) for one in graph["edges"]}
    assert edges == {
        ("iris@d1", run_id_of(0), "used"),
        (run_id_of(0), MODEL_ID, "made"),
        (MODEL_ID, version["id"], "version"),
    }
    done = CliRunner().invoke(command, ["lineage", "fraud@champion", "--url", str(tmp_path / "lineal")])
    assert f"made of: logged model net {MODEL_ID}" in done.output


def test_names_that_cannot_be_one_here_are_told(source: Foreign, tmp_path: Path) -> None:
    source.say("INSERT INTO registered_models (name) VALUES ('a/b')")
    source.say("INSERT INTO registered_model_aliases (name, alias, version) VALUES ('fraud', 'v3', 2)")
    said = bring(source.url, tmp_path / "lineal", status=1)
    assert [one["why"] for one in said["problems"]] == [
        "'a/b' cannot be a registered model's name here",
        "alias 'v3' of 'fraud' cannot be one here",
    ]
    assert (said["found"]["registered_models"], said["there"]["registered_models"]) == (2, 1)
    assert (said["found"]["aliases"], said["there"]["aliases"]) == (2, 1)


def test_what_is_said_of_stages_and_aliases_needs_an_approver() -> None:
    """On a server an import by a writer's token names these (see `test_to_a_server.py`)."""
    assert needs_approver(StageSet("0" * 32, "staging")) and needs_approver(AliasSet("m", "a"))
