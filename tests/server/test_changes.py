"""What the page changes is recorded as statements, and seen by whoever asks next."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

import lineal
from lineal.dashboard import LocalSource
from lineal.local import LocalStore
from lineal.model import limits
from lineal.model.errors import NotWritable
from tests.server.conftest import json_of


def test_name_note_and_tags_of_a_run(client: httpx.Client, folder: Path, runs: list[str]) -> None:
    edit = {"name": "renamed", "note": "# why\n- because", "tags": {"team": None, "best": "yes"}}
    detail = json_of(client.patch(f"/api/v1/runs/{runs[0]}", json=edit))
    assert (detail["name"], detail["note"], detail["tags"]) == ("renamed", "# why\n- because", {"best": "yes"})
    assert json_of(client.patch(f"/api/v1/runs/{runs[0]}", json={"note": ""}))["note"] == ""
    assert json_of(client.patch(f"/api/v1/runs/{runs[0]}", json={}))["name"] == "renamed"
    with LocalStore(folder) as local:
        run = local.get_run(runs[0])
        assert (run.name, run.note, run.tags) == ("renamed", "", {"best": "yes"})
        actions = [row.action for row in local.reader().list_audit() if row.subject == runs[0]]
    assert {"name_set", "note_set", "tags_set"} <= set(actions) or len(set(actions)) >= 4


def test_a_run_that_is_running_is_changed_too(client: httpx.Client, folder: Path) -> None:
    with lineal.init(experiment="live", name="first", tags={"a": "1"}, url=folder) as run:
        detail = json_of(client.patch(f"/api/v1/runs/{run.run_id}", json={"name": "second", "tags": {"b": "2"}}))
        assert detail["status"] == "running" and detail["name"] == "second" and detail["tags"] == {"a": "1", "b": "2"}
    assert json_of(client.get(f"/api/v1/runs/{run.run_id}"))["name"] == "second"


def test_many_runs_at_once(client: httpx.Client, runs: list[str]) -> None:
    assert json_of(client.post("/api/v1/runs/tags", json={"run_ids": runs[:2], "tags": {"x": "1"}})) == {"count": 2}
    assert json_of(client.post("/api/v1/runs/search", json={"filter": "tags.x = '1'"}))["total"] == 2
    assert json_of(client.post("/api/v1/runs/delete", json={"run_ids": [*runs[:3], runs[0]]})) == {"count": 3}
    totals = {
        stage: json_of(client.post("/api/v1/runs/search", json={"lifecycle_stage": stage}))["total"]
        for stage in ("active", "deleted", "all")
    }
    assert totals == {"active": 1, "deleted": 3, "all": 4}
    assert json_of(client.get("/api/v1/experiments"))["experiments"][0]["run_count"] == 1
    grouped = {"by": ["tags.team"], "lifecycle_stage": "deleted"}
    assert json_of(client.post("/api/v1/runs/groups", json=grouped))["groups"][0]["run_count"] == 3
    assert json_of(client.get(f"/api/v1/runs/{runs[0]}"))["lifecycle_stage"] == "deleted"
    assert json_of(client.post("/api/v1/runs/restore", json={"run_ids": runs[:3]})) == {"count": 3}
    assert json_of(client.post("/api/v1/runs/search", json={}))["total"] == 4


def test_nothing_is_changed_where_one_of_them_is_not_there(client: httpx.Client, folder: Path, runs: list[str]) -> None:
    for path, more in (("delete", {}), ("restore", {}), ("tags", {"tags": {"x": "1"}})):
        answer = client.post(f"/api/v1/runs/{path}", json={"run_ids": [runs[0], "none"], **more})
        assert json_of(answer, 404)["field"] == "run_id"
    assert json_of(client.post("/api/v1/runs/search", json={"filter": "tags.x is null"}))["total"] == 4


@pytest.mark.parametrize(
    ("edit", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * (limits.NAME_MAX_BYTES + 1)}, "name"),
        ({"note": "x" * (limits.NOTE_MAX_BYTES + 1)}, "note"),
        ({"tags": {"": "x"}}, "tags"),
        ({"tags": {"a": "x" * (limits.TAG_VALUE_MAX_BYTES + 1)}}, "tags"),
        ({"tags": {"a": 1}}, "tags"),
        ({"status": "finished"}, None),
    ],
)
def test_what_cannot_be_said(client: httpx.Client, runs: list[str], edit: dict[str, Any], field: str | None) -> None:
    problem = json_of(client.patch(f"/api/v1/runs/{runs[0]}", json=edit), 400)
    assert field is None or (problem["field"] or "").startswith(field)


def test_any_text_is_a_name(client: httpx.Client, runs: list[str]) -> None:
    odd = "<b>\u0000\u202e \U0001f600 ../../x"
    detail = json_of(client.patch(f"/api/v1/runs/{runs[0]}", json={"name": odd, "tags": {odd: odd}}))
    assert detail["name"] == odd and detail["tags"][odd] == odd


def test_a_folder_that_refuses_is_said_to(
    client: httpx.Client, source: LocalSource, runs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise NotWritable("/home/ada/.lineal refuses writes")

    monkeypatch.setattr("lineal.api.say_outside", refuse)
    answer = client.post("/api/v1/runs/delete", json={"run_ids": runs})
    problem = json_of(answer, 503)
    assert problem["code"] == "not_writable" and answer.headers["retry-after"] == "5" and "ada" not in answer.text
    assert json_of(client.post("/api/v1/runs/search", json={}))["total"] == 4
