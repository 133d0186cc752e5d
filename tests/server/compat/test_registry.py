"""Registered models and their versions, as clients of MLflow say and read them."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import pytest

from tests.server.compat.asking import API, FILES, Mlflow, pairs
from tests.server.let_in import World


def asked(mlflow: Mlflow, method: str, path: str, status: int = 200, **body: Any) -> Any:
    """PATCH and DELETE carry a body."""
    answer = mlflow.client.request(method, f"{API}/{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def model(mlflow: Mlflow, name: str = "digits", **more: Any) -> Any:
    return mlflow.post("registered-models/create", name=name, **more)["registered_model"]


def version(mlflow: Mlflow, name: str = "digits", source: str = "s3://bucket/model", **more: Any) -> Any:
    return mlflow.post("model-versions/create", name=name, source=source, **more)["model_version"]


def test_a_model_from_its_making_to_its_end(mlflow: Mlflow) -> None:
    made = model(mlflow, tags=[{"key": "team", "value": "red"}], description="of digits")
    assert (made["name"], made["description"], pairs(made["tags"])) == ("digits", "of digits", {"team": "red"})
    assert isinstance(made["creation_timestamp"], int) and "latest_versions" not in made
    mlflow.refused(
        "POST",
        "registered-models/create",
        "RESOURCE_ALREADY_EXISTS",
        "Registered Model (name=digits) already exists.",
        json={"name": "digits"},
    )
    mlflow.refused(
        "POST",
        "registered-models/create",
        "RESOURCE_ALREADY_EXISTS",
        "already taken by a registered model",
        json={"name": "digits", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}]},
    )
    changed = asked(mlflow, "PATCH", "registered-models/update", name="digits", description="of letters")
    assert changed["registered_model"]["description"] == "of letters"
    mlflow.post("registered-models/set-tag", name="digits", key="k", value="v")
    asked(mlflow, "DELETE", "registered-models/delete-tag", name="digits", key="team")
    asked(mlflow, "DELETE", "registered-models/delete-tag", name="digits", key="team")
    version(mlflow)
    renamed = mlflow.post("registered-models/rename", name="digits", new_name="letters")["registered_model"]
    assert renamed["name"] == "letters" and renamed["latest_versions"][0]["name"] == "letters"
    assert pairs(renamed["tags"]) == {"k": "v"}
    assert mlflow.get("registered-models/get", name="letters")["registered_model"] == renamed
    missing = "Registered Model with name=digits not found"
    mlflow.refused("GET", "registered-models/get", "RESOURCE_DOES_NOT_EXIST", missing, params={"name": "digits"})
    model(mlflow)
    mlflow.refused(
        "POST", "registered-models/rename", "RESOURCE_ALREADY_EXISTS", json={"name": "digits", "new_name": "letters"}
    )
    asked(mlflow, "DELETE", "registered-models/delete", name="letters")
    for path in ("registered-models/get", "registered-models/get-latest-versions"):
        mlflow.refused("GET", path, "RESOURCE_DOES_NOT_EXIST", params={"name": "letters"})
    asked(mlflow, "DELETE", "registered-models/delete", 404, name="letters")
    assert [one["name"] for one in mlflow.get("registered-models/search")["registered_models"]] == ["digits"]


@pytest.mark.parametrize(
    ("name", "fragment"),
    [
        ("a/b", "Names cannot contain '/' or ':'"),
        ("a:b", "Names cannot contain '/' or ':'"),
        ("  ", "Missing value for required parameter 'name'"),
        ("..", "must not resolve to other names"),
        ("x" * 257, "exceeds the maximum length"),
        (7, "Invalid value 7 for parameter 'name' supplied"),
    ],
)
def test_a_model_has_a_name(one_mlflow: Mlflow, name: Any, fragment: str) -> None:
    one_mlflow.refused("POST", "registered-models/create", "INVALID_PARAMETER_VALUE", fragment, json={"name": name})


def test_versions_count_up_and_no_number_comes_back(mlflow: Mlflow) -> None:
    model(mlflow)
    run = mlflow.run()
    first = version(mlflow, run_id=run, run_link="http://x", tags=[{"key": "a", "value": "b"}], description="first")
    assert (first["version"], first["current_stage"], first["status"]) == ("1", "None", "READY")
    assert (first["run_id"], first["run_link"], first["source"]) == (run, "http://x", "s3://bucket/model")
    assert pairs(first["tags"]) == {"a": "b"} and first["description"] == "first"
    assert mlflow.get("model-versions/get", name="digits", version="1")["model_version"] == first
    assert version(mlflow)["version"] == "2"
    asked(mlflow, "DELETE", "model-versions/delete", name="digits", version="2")
    mlflow.refused(
        "GET",
        "model-versions/get",
        "RESOURCE_DOES_NOT_EXIST",
        "Model Version (name=digits, version=2) not found",
        params={"name": "digits", "version": "2"},
    )
    assert version(mlflow)["version"] == "3"
    changed = asked(mlflow, "PATCH", "model-versions/update", name="digits", version="1", description="new")
    assert changed["model_version"]["description"] == "new"
    mlflow.post("model-versions/set-tag", name="digits", version="1", key="k", value="v")
    asked(mlflow, "DELETE", "model-versions/delete-tag", name="digits", version="1", key="a")
    found = mlflow.get("model-versions/get", name="digits", version="1")["model_version"]
    assert pairs(found["tags"]) == {"k": "v"}
    assert mlflow.get("model-versions/get-download-uri", name="digits", version="1") == {
        "artifact_uri": "s3://bucket/model"
    }
    for number, fragment in (("x", "Parameter 'version' must be an integer, got 'x'."), ("-1", "must be an integer")):
        mlflow.refused(
            "GET",
            "model-versions/get",
            "INVALID_PARAMETER_VALUE",
            fragment,
            params={"name": "digits", "version": number},
        )
    mlflow.refused(
        "POST",
        "model-versions/create",
        "RESOURCE_DOES_NOT_EXIST",
        "Registered Model with name=none not found",
        json={"name": "none", "source": "s3://x"},
    )


def test_stages(mlflow: Mlflow) -> None:
    model(mlflow)
    for _ in range(3):
        version(mlflow)

    def move(number: str, stage: str, **more: Any) -> str:
        body = {"name": "digits", "version": number, "stage": stage, **more}
        moved: str = mlflow.post("model-versions/transition-stage", **body)["model_version"]["current_stage"]
        return moved

    assert move("1", "production") == "Production"
    assert move("2", "PRODUCTION", archive_existing_versions=True) == "Production"
    assert move("3", "Staging") == "Staging"
    found = {one["version"]: one["current_stage"] for one in mlflow.get("model-versions/search")["model_versions"]}
    assert found == {"1": "Archived", "2": "Production", "3": "Staging"}
    latest = mlflow.post("registered-models/get-latest-versions", name="digits")["model_versions"]
    assert sorted(one["version"] for one in latest) == ["1", "2", "3"]
    latest = mlflow.get("registered-models/get-latest-versions", name="digits", stages=["production", "None"])
    assert [one["version"] for one in latest["model_versions"]] == ["2"]
    for body, fragment in (
        ({"stage": "Nowhere"}, "Invalid Model Version stage: Nowhere"),
        ({"stage": "None", "archive_existing_versions": True}, "cannot archive existing model versions"),
        ({}, "Missing value for required parameter 'stage'"),
    ):
        mlflow.refused(
            "POST",
            "model-versions/transition-stage",
            "INVALID_PARAMETER_VALUE",
            fragment,
            json={"name": "digits", "version": "1", **body},
        )
    [row, *_] = mlflow.client.get("/api/v1/audit", params={"limit": 3}).json()["rows"]
    assert row["action"].startswith(("model", "version", "stage"))


def test_aliases(mlflow: Mlflow) -> None:
    model(mlflow)
    version(mlflow)
    version(mlflow)
    mlflow.post("registered-models/alias", name="digits", alias="champion", version="1")
    found = mlflow.get("registered-models/alias", name="digits", alias="champion")["model_version"]
    assert (found["version"], found["aliases"]) == ("1", ["champion"])
    mlflow.post("registered-models/alias", name="digits", alias="champion", version="2")
    assert mlflow.get("registered-models/get", name="digits")["registered_model"]["aliases"] == [
        {"alias": "champion", "version": "2"}
    ]
    assert mlflow.get("registered-models/alias", name="digits", alias="latest")["model_version"]["version"] == "2"
    for alias, fragment in (
        ("latest", "reserved"),
        ("v3", "reserved"),
        ("a b", "Invalid alias name"),
        ("x" * 256, "exceeds the maximum length"),
    ):
        mlflow.refused(
            "POST",
            "registered-models/alias",
            "INVALID_PARAMETER_VALUE",
            fragment,
            json={"name": "digits", "alias": alias, "version": "1"},
        )
    asked(mlflow, "DELETE", "model-versions/delete", name="digits", version="2")
    mlflow.refused(
        "GET",
        "registered-models/alias",
        "INVALID_PARAMETER_VALUE",
        "Registered model alias champion not found.",
        params={"name": "digits", "alias": "champion"},
    )
    for _ in range(2):
        asked(mlflow, "DELETE", "registered-models/alias", name="digits", alias="champion")


def test_searches(mlflow: Mlflow) -> None:
    for name, team in (("Anna", "red"), ("anton", "blue"), ("ben", "red")):
        model(mlflow, name, tags=[{"key": "team", "value": team}])
    model(mlflow, "ask", tags=[{"key": "mlflow.prompt.is_prompt", "value": "true"}])
    run = mlflow.run()
    version(mlflow, "Anna", run_id=run)
    version(mlflow, "Anna", "s3://other/place", tags=[{"key": "k", "value": "v"}])
    version(mlflow, "ben", run_id=run)

    def models(**more: Any) -> list[str]:
        return [one["name"] for one in mlflow.get("registered-models/search", **more).get("registered_models", [])]

    def versions(text: str, **more: Any) -> list[tuple[str, str]]:
        found = mlflow.get("model-versions/search", filter=text, **more).get("model_versions", [])
        return [(one["name"], one["version"]) for one in found]

    assert models() == ["Anna", "anton", "ben"]
    assert models(order_by=["name DESC"]) == ["ben", "anton", "Anna"]
    assert models(filter="name ILIKE 'an%'") == ["Anna", "anton"] and models(filter="name LIKE 'an%'") == ["anton"]
    assert models(filter="tags.team = 'red' AND name != 'ben'") == ["Anna"]
    assert models(filter="tags.`mlflow.prompt.is_prompt` = 'true'") == ["ask"]
    assert models(filter="tags.`mlflow.prompt.is_prompt` != 'true'", max_results=2) == ["Anna", "anton"]
    page = mlflow.get("registered-models/search", max_results=2)
    page = mlflow.get("registered-models/search", max_results=2, page_token=page["next_page_token"])
    assert [one["name"] for one in page["registered_models"]] == ["ben"] and "next_page_token" not in page

    assert versions("name = 'Anna'", order_by=["version_number"]) == [("Anna", "1"), ("Anna", "2")]
    assert versions("", order_by=["name", "version_number DESC"]) == [("Anna", "2"), ("Anna", "1"), ("ben", "1")]
    assert versions(f"run_id = '{run}'", order_by=["name"]) == [("Anna", "1"), ("ben", "1")]
    assert versions(f"run_id IN ('{run}', 'none') AND version_number >= 1 AND name = 'ben'") == [("ben", "1")]
    assert versions("source_path = 's3://other/place'") == [("Anna", "2")]
    assert versions("tags.k = 'v'") == [("Anna", "2")] and versions("version_number > 1") == [("Anna", "2")]
    for path, more, fragment in (
        ("registered-models/search", {"filter": "run_id = 'x'"}, "Invalid attribute key 'run_id'"),
        ("registered-models/search", {"filter": "name > 'x'"}, "Invalid comparator '>'"),
        ("registered-models/search", {"max_results": 1_001}, "max_results"),
        ("registered-models/search", {"page_token": "evil"}, "page token"),
        ("registered-models/search", {"order_by": ["size"]}, "Invalid order by key 'size'"),
        ("registered-models/search", {"filter": "name != thing"}, "not quoted or unidentified quote types"),
        ("registered-models/search", {"filter": "size = true"}, "Invalid clause(s) in filter string"),
        ("model-versions/search", {"filter": "name LIKE"}, "Invalid clause(s) in filter string"),
        ("model-versions/search", {"filter": "run_id IN ("}, "Invalid clause(s) in filter string"),
        ("model-versions/search", {"filter": "run_id IN (,)"}, "but got ill-formed list"),
        ("model-versions/search", {"filter": "run_id IN ('a',,'b')"}, "but got ill-formed list"),
        ("model-versions/search", {"filter": "run_id IN (1)"}, "but got different type in list"),
        ("model-versions/search", {"order_by": ["size"]}, "Invalid attribute key 'size'"),
        ("model-versions/search", {"max_results": 0}, "max_results"),
        ("model-versions/search", {"page_token": "evil"}, "page token"),
    ):
        mlflow.refused("GET", path, "INVALID_PARAMETER_VALUE", fragment, params=more)


# -- where a version's files are -----------------------------------------------------------------


def test_a_version_knows_the_files_of_its_run(mlflow: Mlflow) -> None:
    run = mlflow.run()
    for path, content in (("model/MLmodel", b"x"), ("model/a/w.bin", b"yz"), ("other.txt", b"no")):
        assert mlflow.client.put(f"{FILES}/0/{run}/artifacts/{path}", content=content).status_code == 200
    model(mlflow)
    source = f"mlflow-artifacts:/0/{run}/artifacts/model"
    made = version(mlflow, source=source, run_id=run)
    assert made["source"] == source
    version(mlflow, source=f"runs:/{run}/model", run_id=run)
    version(mlflow, source="models:/digits/1")
    for number in ("1", "2", "3"):
        answer = mlflow.client.get(
            "/model-versions/get-artifact", params={"name": "digits", "version": number, "path": "a/w.bin"}
        )
        assert (answer.status_code, answer.content) == (200, b"yz"), answer.text
        assert answer.headers["content-disposition"].startswith("attachment")
    uri = mlflow.get("model-versions/get-download-uri", name="digits", version="3")["artifact_uri"]
    assert uri == source
    for path in ("../other.txt", "..%2fother.txt", "/etc/passwd", "a/../../other.txt"):
        answer = mlflow.client.get(f"/model-versions/get-artifact?name=digits&version=1&path={quote(path, safe='')}")
        assert answer.status_code == 400, answer.text
    answer = mlflow.client.get("/model-versions/get-artifact?name=digits&version=1&path=other.txt")
    assert answer.status_code == 404


def test_the_format_of_a_version_is_known(mlflow: Mlflow) -> None:
    run = mlflow.run()
    for path in ("model/MLmodel", "model/model.pkl", "other/w.bin"):
        assert mlflow.client.put(f"{FILES}/0/{run}/artifacts/{path}", content=b"x").status_code == 200
    model(mlflow)
    version(mlflow, source=f"runs:/{run}/model", run_id=run)
    version(mlflow, source=f"runs:/{run}/other", run_id=run)
    formats = [mlflow.client.get(f"/api/v1/models/digits/versions/{number}").json()["format"] for number in (1, 2)]
    assert formats == ["mlflow", None]


@pytest.mark.parametrize(
    "source",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "file://localhost/etc",
        "etc/passwd",
        "mlflow-artifacts://host:9/../../../../",
        "http://host:9/api/2.0/mlflow-artifacts/artifacts/../../../../",
        "https://host/models/..%2f..%2fsecret",
        "https://host/models/%252e%252e/secret",
        "s3://bucket/models/../../other",
        "mlflow-artifacts:/models/a%00b",
        "dbfs:/a/./b",
    ],
)
def test_an_evil_source_is_refused(one_mlflow: Mlflow, source: str) -> None:
    model(one_mlflow)
    run = one_mlflow.run()
    for more in ({}, {"run_id": run}, {"run_id": "none"}):
        one_mlflow.refused(
            "POST",
            "model-versions/create",
            "INVALID_PARAMETER_VALUE",
            "Invalid model version source",
            json={"name": "digits", "source": source, **more},
        )
    assert one_mlflow.get("model-versions/search") == {}


def test_a_local_source_is_below_its_runs_own_place(one_mlflow: Mlflow) -> None:
    """What an experiment says of its place is not believed to be ours: nothing is opened, then or later."""
    number = one_mlflow.experiment("local", artifact_location="file:///data/runs")
    run, other = one_mlflow.run(number), one_mlflow.run(number)
    model(one_mlflow)
    made = version(one_mlflow, source=f"file:///data/runs/{run}/artifacts/model", run_id=run)
    assert made["version"] == "1"
    for source in (f"file:///data/runs/{other}/artifacts/model", f"file:///data/runs/{run}/artifacts/../../../etc"):
        one_mlflow.refused(
            "POST",
            "model-versions/create",
            "INVALID_PARAMETER_VALUE",
            "Invalid model version source",
            json={"name": "digits", "source": source, "run_id": run},
        )
    answer = one_mlflow.client.get("/model-versions/get-artifact?name=digits&version=1&path=x")
    assert answer.status_code == 404


def test_a_prompts_source_is_no_path(one_mlflow: Mlflow) -> None:
    tags = [{"key": "mlflow.prompt.is_prompt", "value": "true"}]
    model(one_mlflow, "ask", tags=tags)
    assert version(one_mlflow, "ask", "prompt-template", tags=tags)["version"] == "1"
    for source in ("/etc/passwd", "file:///etc/passwd", "http://x/../y"):
        one_mlflow.refused(
            "POST",
            "model-versions/create",
            "INVALID_PARAMETER_VALUE",
            json={"name": "ask", "source": source, "tags": tags},
        )


def test_a_source_that_is_not_there(one_mlflow: Mlflow) -> None:
    model(one_mlflow)
    for source in ("models:/digits/7", "models:/m-" + "0" * 32, "models:/digits@none"):
        one_mlflow.refused(
            "POST",
            "model-versions/create",
            "RESOURCE_DOES_NOT_EXIST",
            "Unable to fetch model from model URI source artifact location",
            json={"name": "digits", "source": source},
        )


def test_approvers_move_models(world: World) -> None:
    """Writers register; only approvers move what is registered towards production, or delete it."""

    def post(role: str, path: str, method: str = "POST", **body: Any) -> int:
        headers = {"authorization": f"Bearer {world.token(role)}", "x-tenant-id": "acme"}
        return world.client.request(method, f"{world.origin}{API}/{path}", headers=headers, json=body).status_code

    name = {"name": "digits"}
    assert post("reader", "registered-models/create", **name) == 403
    assert post("writer", "registered-models/create", **name) == 200
    assert post("writer", "model-versions/create", source="s3://x", **name) == 200
    for path, method, body in (
        ("model-versions/transition-stage", "POST", {"version": "1", "stage": "Production"}),
        ("registered-models/alias", "POST", {"version": "1", "alias": "champion"}),
        ("registered-models/alias", "DELETE", {"alias": "champion"}),
        ("model-versions/delete", "DELETE", {"version": "1"}),
        ("registered-models/delete", "DELETE", {}),
    ):
        assert post("writer", path, method, **name, **body) == 403
        assert post("approver", path, method, **name, **body) == 200


def test_a_logged_model_says_as_what_it_is_registered(mlflow: Mlflow) -> None:
    run = mlflow.run()
    made = mlflow.post("logged-models", experiment_id="0", name="m", source_run_id=run)["model"]["info"]
    model_id, place = made["model_id"], made["artifact_uri"].removeprefix("mlflow-artifacts:/")
    assert mlflow.client.put(f"{FILES}/{place}/MLmodel", content=b"x").status_code == 200
    model(mlflow)
    first = version(mlflow, source=made["artifact_uri"], model_id=model_id)
    assert (first["model_id"], first["run_id"]) == (model_id, run)
    second = version(mlflow, source=f"models:/{model_id}", model_id=model_id)
    tags = pairs(mlflow.get(f"logged-models/{model_id}")["model"]["info"]["tags"])
    assert json.loads(tags["mlflow.modelVersions"]) == [
        {"name": "digits", "version": int(one["version"])} for one in (first, second)
    ]
    for number in ("1", "2"):
        answer = mlflow.client.get(f"/model-versions/get-artifact?name=digits&version={number}&path=MLmodel")
        assert (answer.status_code, answer.content) == (200, b"x"), answer.text
