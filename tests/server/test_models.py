"""Registered models through a server, and through the dashboard of a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

import lineal
from lineal.client.host import boot_id
from lineal.dashboard import LocalSource
from lineal.local import LocalStore
from lineal.model.registry import new_version_id
from lineal.server.hosted import HostedSource
from tests.server.conftest import json_of, served_here, sqlite_place
from tests.server.hosting import BASE, hosted, hosting, new_run, source  # noqa: F401 (fixtures)
from tests.server.let_in import World

ACME = {"x-tenant-id": "acme"}


def register(client: httpx.Client, name: str = "digits", answers: int = 201, **more: Any) -> Any:
    return json_of(client.post(f"/models/{quote(name, safe='')}/versions", json=more), answers)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "notebook"


@pytest.fixture(params=["memory", "sqlite", "postgresql", "ui"])
def client(request: Any, folder: Path) -> Iterator[httpx.Client]:
    """Of a server, and of the dashboard of a local folder: the registry is changed by both."""
    if request.param != "ui":
        urls = {"memory": "memory:", "sqlite": sqlite_place(folder.parent / "srv").url}
        url = urls.get(request.param) or request.getfixturevalue("postgres_url")
        with HostedSource(url, folder.parent / "blobs") as hosted_source, hosting(hosted_source) as client:
            yield client
        return
    boot_id()  # read once a process, and not for a request
    with LocalStore(folder) as local:
        dashboard = LocalSource(local)
        with served_here(dashboard, BASE) as client:
            yield client
        dashboard.close()


def test_a_models_life(client: httpx.Client) -> None:
    assert json_of(client.get("/models")) == {"models": [], "next_page_token": None}
    made = json_of(
        client.post("/models", json={"name": "digits 🦊", "description": "# Reads digits", "tags": {"team": 1}}), 201
    )
    assert (made["name"], made["description"], made["tags"]) == ("digits 🦊", "# Reads digits", {"team": "1"})
    assert (made["last_version"], made["stages"], made["lifecycle_stage"]) == (0, {}, "active")
    assert json_of(client.post("/models", json={"name": "digits 🦊"}), 409)["field"] == "name"
    path = f"/models/{quote('digits 🦊')}"
    assert json_of(client.get(path)) == made
    changed = json_of(client.patch(path, json={"name": "scans", "tags": {"team": None, "k": "v" * 100_000}}))
    assert (changed["name"], changed["tags"]) == ("scans", {"k": "v" * 100_000})
    assert "'scans'" in json_of(client.get(path), 404)["detail"]
    json_of(client.post("/models", json={"name": "words"}), 201)
    assert json_of(client.patch("/models/words", json={"name": "scans"}), 409)["field"] == "name"
    assert [one["name"] for one in json_of(client.get("/models", params={"search": "SCA"}))["models"]] == ["scans"]
    assert json_of(client.get("/models", params={"search": "_"}))["models"] == []
    page = json_of(client.get("/models", params={"order_by": "last_updated", "limit": 1}))
    assert [one["name"] for one in page["models"]] == ["words"]
    rest = client.get("/models", params={"order_by": "last_updated", "page_token": page["next_page_token"]})
    assert [one["name"] for one in json_of(rest)["models"]] == ["scans"]
    assert json_of(client.get("/models", params={"page_token": page["next_page_token"]}), 400)["field"] == "page_token"
    assert json_of(client.delete("/models/scans"))["lifecycle_stage"] == "deleted"
    assert [one["name"] for one in json_of(client.get("/models"))["models"]] == ["words"]
    assert json_of(client.patch("/models/scans", json={"description": "x"}), 409)["field"] == "name"
    assert json_of(client.post("/models/scans/restore"))["lifecycle_stage"] == "active"
    for name in ("a/b", "a:b", "..", " "):
        assert json_of(client.post("/models", json={"name": name}), 400)["field"] == "name"


def test_a_versions_life(client: httpx.Client) -> None:
    first = register(
        client,
        source="s3://bucket/model",
        format="onnx",
        files=[{"path": "m/model.onnx", "size_bytes": 5, "digest": "a" * 64}, {"path": "m/x"}],
        signature={"inputs": [{"name": "x", "high": float("1e300")}]},
        input_example=[1.5, "NaN"],
        description="first",
        tags={"k": "v"},
        status="pending",
    )
    assert (first["name"], first["version"], first["run_id"], first["format"]) == ("digits", 1, None, "onnx")
    assert first["files"][1] == {"path": "m/x", "size_bytes": None, "digest": None}
    assert (first["signature"], first["input_example"]) == (
        {"inputs": [{"name": "x", "high": 1e300}]},
        [1.5, "NaN"],
    )
    version_id = new_version_id()
    second = register(client, version_id=version_id)
    assert (second["version"], second["files"], second["signature"]) == (2, [], None)
    assert register(client, answers=200, version_id=version_id) == second, "the same, however often it is said"
    assert json_of(client.post("/models/words/versions", json={"version_id": version_id}), 409)["field"] == "version_id"
    assert json_of(client.get("/models/words"), 404)["code"] == "not_found"
    assert json_of(client.get("/models/digits/versions/1")) == first
    page = json_of(client.get("/models/digits/versions", params={"limit": 1}))
    assert [one["version"] for one in page["versions"]] == [2] and "files" not in page["versions"][0]
    page = json_of(client.get("/models/digits/versions", params={"page_token": page["next_page_token"]}))
    assert [one["version"] for one in page["versions"]] == [1] and page["next_page_token"] is None
    changed = json_of(client.patch("/models/digits/versions/1", json={"tags": {"k": None, "a": 1}, "status": "ready"}))
    assert (changed["tags"], changed["status"], changed["description"]) == ({"a": "1"}, "ready", "first")

    staged = client.post("/models/digits/versions/1/stage", json={"stage": "production", "why": "the first"})
    assert json_of(staged)["stage"] == "production"
    body = {"stage": "production", "archive_existing": True, "why": "better by 2 %"}
    assert json_of(client.post("/models/digits/versions/2/stage", json=body))["stage"] == "production"
    assert json_of(client.get("/models/digits/versions/1"))["stage"] == "archived"
    found = json_of(client.get("/models/digits/versions", params={"stage": "archived"}))["versions"]
    assert [one["version"] for one in found] == [1]
    wrong = {"stage": "none", "archive_existing": True}
    assert json_of(client.post("/models/digits/versions/2/stage", json=wrong), 400)["field"] == "archive_existing"
    assert json_of(client.post("/models/digits/versions/2/stage", json={"stage": "Production"}), 400)

    alias = json_of(client.put("/models/digits/aliases/champion", json={"version": 1, "why": "a start"}))
    assert (alias["version"], alias["aliases"]) == (1, ["champion"])
    json_of(client.put("/models/digits/aliases/champion", json={"version": 2}))
    json_of(client.put("/models/digits/aliases/safe", json={"version": "@champion"}))
    assert json_of(client.get("/models/digits/aliases")) == {"aliases": {"champion": 2, "safe": 2}}
    assert json_of(client.get("/models/digits/aliases/champion"))["version_id"] == version_id
    assert json_of(client.get("/models/digits/versions/@safe"))["version"] == 2
    model = json_of(client.get("/models/digits"))
    assert model["stages"] == {"production": 2, "archived": 1} and model["aliases"] == {"champion": 2, "safe": 2}
    for alias in ("latest", "v2", "a b"):
        refused = client.put(f"/models/digits/aliases/{quote(alias)}", json={"version": 1})
        assert json_of(refused, 400)["field"] == "alias"
    assert json_of(client.put("/models/digits/aliases/x", json={"version": 9}), 404)["field"] == "version"
    assert json_of(client.request("DELETE", "/models/digits/aliases/safe")) == {"aliases": {"champion": 2}}
    json_of(client.request("DELETE", "/models/digits/aliases/safe"), 404)

    gone = json_of(client.delete("/models/digits/versions/@champion", params={"why": "broken"}))
    assert (gone["version"], gone["lifecycle_stage"], gone["aliases"]) == (2, "deleted", [])
    assert json_of(client.get("/models/digits/aliases")) == {"aliases": {}}
    assert json_of(client.patch("/models/digits/versions/2", json={"status": "ready"}), 409)["field"] == "version"
    assert json_of(client.post("/models/digits/versions/2/stage", json={"stage": "none"}), 409)["field"] == "version"
    assert register(client)["version"] == 3, "no number comes back"
    assert json_of(client.post("/models/digits/versions/2/restore"))["lifecycle_stage"] == "active"
    for version in ("4", "x", "-1", "@none", "9" * 40):
        assert json_of(client.get(f"/models/digits/versions/{version}"), 404)["field"] == "version"

    rows = json_of(client.get("/models/digits/transitions"))["transitions"]
    assert [(one["kind"], one["version"], one["alias"], one["before"], one["after"], one["why"]) for one in rows] == [
        ("alias", None, "champion", "2", None, "broken"),
        ("alias", None, "safe", "2", None, ""),
        ("alias", 2, "safe", None, "2", ""),
        ("alias", 2, "champion", "1", "2", ""),
        ("alias", 1, "champion", None, "1", "a start"),
        ("stage", 1, None, "production", "archived", "better by 2 %"),
        ("stage", 2, None, "none", "production", "better by 2 %"),
        ("stage", 1, None, "none", "production", "the first"),
    ]
    page = json_of(client.get("/models/digits/transitions", params={"version": 1, "limit": 1}))
    assert page["transitions"] == [rows[5]]
    assert (
        json_of(client.get("/models/digits/transitions", params={"before": page["next"], "limit": 9}))["transitions"]
        == (rows[6:])
    )


def test_it_leads_back_to_its_run(hosted: httpx.Client) -> None:  # noqa: F811
    run_id = new_run(hosted)
    for content in (b"first", b"second"):
        for name in ("m/model.pt", "m/sub/config", "model"):
            folder, _, file = name.rpartition("/")
            form: dict[str, Any] = {"files": {"file": (file, content)}, "data": {"artifact_path": folder}}
            json_of(hosted.post(f"/experiments/runs/{run_id}/log-artifact", **form))
    made = register(hosted, run_id=run_id, path="m/")
    artifacts = {one["path"]: one for one in json_of(hosted.get(f"/experiments/runs/{run_id}/artifacts"))["artifacts"]}
    assert (made["run_id"], made["path"]) == (run_id, "m")
    assert made["files"] == [
        {"path": path, "size_bytes": 6, "digest": artifacts[path]["digest"]} for path in ("m/model.pt", "m/sub/config")
    ]
    found = json_of(hosted.get("/model-versions/find", params={"run_id": run_id}))["versions"]
    assert [one["version_id"] for one in found] == [made["version_id"]]
    found = json_of(hosted.get("/model-versions/find", params={"version_id": made["version_id"]}))["versions"]
    assert [one["run_id"] for one in found] == [run_id]
    assert json_of(hosted.get("/model-versions/find", params={"version_id": "0" * 32}), 404)
    assert json_of(hosted.get("/model-versions/find", params={"run_id": "none"}))["versions"] == []
    assert json_of(hosted.get("/model-versions/find"), 400)["field"] == "version_id"
    assert json_of(hosted.post("/models/digits/versions", json={"run_id": "none"}), 404)["field"] == "run_id"
    json_of(hosted.post("/runs/delete", json={"run_ids": [run_id]}))
    assert json_of(hosted.post("/models/digits/versions", json={"run_id": run_id}), 409)["field"] == "run_id"


def test_a_repeated_request_registers_nothing_twice(hosted: httpx.Client) -> None:  # noqa: F811
    key = {"idempotency-key": "once"}
    answers = [hosted.post("/models/digits/versions", json={"source": "x"}, headers=key) for _ in range(2)]
    assert answers[0].status_code == answers[1].status_code == 201
    assert answers[0].json() == answers[1].json() and answers[0].json()["version"] == 1
    assert json_of(hosted.get("/models/digits"))["last_version"] == 1


def test_a_deleted_models_name_is_free(hosted: httpx.Client) -> None:  # noqa: F811
    register(hosted)
    json_of(hosted.delete("/models/digits"))
    assert json_of(hosted.post("/models/digits/versions", json={}), 409)["field"] == "name"
    json_of(hosted.post("/models", json={"name": "digits"}), 201)
    assert register(hosted)["version"] == 2
    assert [one["version"] for one in json_of(hosted.get("/models/digits/versions"))["versions"]] == [2]


def test_audit_rows_name_the_version(hosted: httpx.Client) -> None:  # noqa: F811
    register(hosted)
    json_of(hosted.post("/models/digits/versions/1/stage", json={"stage": "staging"}))
    rows = json_of(hosted.get("/audit"))["rows"]
    assert [(row["action"], row["subject_name"]) for row in rows] == [
        ("stage.set", "digits/1"),
        ("version.create", "digits/1"),
    ]
    [transition] = json_of(hosted.get("/models/digits/transitions"))["transitions"]
    assert (transition["writer"], transition["seq"], transition["time_ms"]) == (
        rows[0]["writer"],
        rows[0]["seq"],
        rows[0]["time_ms"],
    )


def test_a_folders_registry_is_its_programs_too(folder: Path) -> None:
    with lineal.init(url=folder) as run:
        run.log({"loss": 1.0})
    with LocalStore(folder) as local:
        dashboard = LocalSource(local)
        with served_here(dashboard, BASE) as client:
            register(client, run_id=run.run_id)
            json_of(client.put("/models/digits/aliases/champion", json={"version": 1}))
        dashboard.close()
    with LocalStore(folder) as local:
        local.refresh()
        found = local.reader().registry().find_alias("digits", "champion")
        assert found is not None and found.run_id == run.run_id


def test_who_moved_it_is_said(world: World) -> None:
    with world.asking(token=world.token("writer")) as client:
        client.headers.update(ACME)
        register(client)
        for refused in (
            client.post("/models/digits/versions/1/stage", json={"stage": "production"}),
            client.put("/models/digits/aliases/champion", json={"version": 1}),
            client.delete("/models/digits/versions/1"),
            client.delete("/models/digits"),
        ):
            assert json_of(refused, 403)["code"] == "forbidden"
        json_of(client.patch("/models/digits/versions/1", json={"description": "mine"}))
    with world.asking(token=world.token("approver")) as client:
        client.headers.update(ACME)
        json_of(client.post("/models/digits/versions/1/stage", json={"stage": "production", "why": "it is good"}))
    with world.asking(token=world.token("reader")) as client:
        client.headers.update(ACME)
        [row] = json_of(client.get("/models/digits/transitions"))["transitions"]
        assert (row["actor"], row["why"], row["after"]) == ("approver", "it is good", "production")
    with world.asking(token=world.token("zoe")) as client:
        json_of(client.get("/models/digits", headers=ACME), 404)


def test_a_former_name_leads_to_the_one_of_today(client: httpx.Client) -> None:
    register(client)
    json_of(client.patch("/models/digits", json={"name": "numbers"}))
    for path in ("/models/digits", "/models/digits/versions/1"):
        problem = json_of(client.get(path), 404)
        assert (problem["code"], problem["renamed_to"]) == ("not_found", "numbers")
        assert "renamed to 'numbers'" in problem["detail"]
    assert "renamed_to" not in json_of(client.get("/models/nobody"), 404)
