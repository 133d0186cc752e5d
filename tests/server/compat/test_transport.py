"""How MLflow's protocol travels: its errors, its tenants, who may, what is not there."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.server.compat.asking import API, Mlflow
from tests.server.let_in import PASSWORD, World


def test_what_clients_ask_a_server_about_itself(one_mlflow: Mlflow) -> None:
    client = one_mlflow.client
    answer = client.get("/version")
    assert answer.text == "3.3.2" and answer.headers["content-type"].startswith("text/plain")
    assert client.get("/health").status_code == 200
    for root in ("/api", "/ajax-api"):
        info = client.get(f"{root}/3.0/mlflow/server-info").json()
        assert info["workspaces_enabled"] is True and info["multipart_uploads_enabled"] is False
    assert client.get("/t/acme/version").text == "3.3.2"
    assert client.get("/t/acme//version").text == "3.3.2"


def test_browsers_have_the_same_routes_elsewhere(one_mlflow: Mlflow) -> None:
    run = one_mlflow.run()
    answer = one_mlflow.client.get("/ajax-api/2.0/mlflow/runs/get", params={"run_id": run})
    assert answer.json() == one_mlflow.get("runs/get", run_id=run)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/2.0/mlflow/nothing"),
        ("POST", "/api/2.0/mlflow/runs/nothing"),
        ("GET", "/api/3.0/mlflow/nothing"),
        ("POST", "/ajax-api/2.0/nothing"),
        ("GET", "/api/2.0/mlflow/runs/create"),
        ("GET", "/t/acme/api/2.0/mlflow/nothing"),
    ],
)
def test_an_unknown_address_is_an_ordinary_404(one_mlflow: Mlflow, method: str, path: str) -> None:
    answer = one_mlflow.client.request(method, path)
    assert answer.status_code == 404 and answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/3.0/mlflow/traces"),
        ("GET", "/api/3.0/mlflow/traces/tr-1"),
        ("POST", "/api/2.0/mlflow/traces"),
        ("POST", "/v1/traces"),
        ("POST", "/graphql"),
        ("GET", "/api/3.0/mlflow/scorers/list"),
        ("POST", "/api/3.0/mlflow/datasets/create"),
        ("GET", "/ajax-api/3.0/mlflow/gateway/endpoints/list"),
        ("GET", "/api/3.0/mlflow/workspaces"),
    ],
)
def test_traces_and_what_belongs_to_them_are_refused_in_the_protocols_own_shape(
    one_mlflow: Mlflow, method: str, path: str
) -> None:
    answer = one_mlflow.client.request(method, path)
    assert answer.status_code == 404 and answer.json()["error_code"] == "ENDPOINT_NOT_FOUND"


def test_a_body_has_a_media_type(one_mlflow: Mlflow) -> None:
    client = one_mlflow.client
    answer = client.post(f"{API}/experiments/create", content=b'{"name": "x"}', headers={"content-type": "text/plain"})
    assert answer.status_code == 400 and "Content-Type must be one of" in answer.json()["message"]
    answer = client.post(f"{API}/experiments/create", content=b'{"name": "x"}')
    assert "Content-Type header is missing" in answer.json()["message"]
    for content in (b"", b"{", b"[]", b"null"):
        answer = client.post(f"{API}/experiments/create", content=content, headers={"content-type": "application/json"})
        assert answer.status_code == 400 and "Missing value for required parameter 'name'" in answer.json()["message"]
    twice = b'"{\\"name\\": \\"twice\\"}"'
    answer = client.post(
        f"{API}/experiments/create", content=twice, headers={"content-type": "application/json; charset=utf-8"}
    )
    assert answer.status_code == 200, answer.text


def test_a_body_that_is_too_large(one_mlflow: Mlflow) -> None:
    answer = one_mlflow.client.post(
        f"{API}/experiments/create", content=b" " * (9 << 20), headers={"content-type": "application/json"}
    )
    assert answer.status_code == 413 and answer.json()["error_code"] == "BAD_REQUEST"


def test_queries_may_repeat_and_take_true_and_false(one_mlflow: Mlflow) -> None:
    for name in ("a", "b"):
        one_mlflow.experiment(name)
    found = one_mlflow.get(
        "experiments/search", order_by=["name DESC", "creation_time"], max_results="2", view_type="3"
    )
    assert [one["name"] for one in found["experiments"]] == ["b", "a"]
    one_mlflow.refused("GET", "experiments/search", "INVALID_PARAMETER_VALUE", "view_type", params={"view_type": "7"})


# -- tenants -------------------------------------------------------------------------------------


def test_a_workspace_is_a_tenant(mlflow: Mlflow) -> None:
    client = mlflow.client
    headers = {"X-MLFLOW-WORKSPACE": "acme"}
    number = client.post(f"{API}/experiments/create", json={"name": "digits"}, headers=headers).json()["experiment_id"]
    path = f"{API}/experiments/get?experiment_id={number}"
    assert client.get(path, headers={"X-Tenant-ID": "acme"}).status_code == 200
    assert client.get(f"/t/acme{path}").status_code == 200
    assert client.get(f"/t/acme{path}", headers=headers).status_code == 200
    assert client.get(path).status_code == 404
    for more in ({"X-Tenant-ID": "other"}, {"X-MLFLOW-WORKSPACE": "Not A Tenant"}):
        answer = client.get(path, headers={**headers, **more})
        assert answer.status_code == 400 and answer.json()["error_code"] == "INVALID_PARAMETER_VALUE"
    answer = client.get("/api/v1/experiments", headers=headers)  # it is no header of ours
    assert answer.json()["experiments"] == []


# -- who may -------------------------------------------------------------------------------------


def _basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_a_password_or_a_token_says_who_asks(every_world: World) -> None:
    client = every_world.client
    path = f"{API.replace('/api', '/../..', 1)}"
    origin = every_world.origin
    token, reader = every_world.token("writer"), every_world.token("reader")
    tenant = {"X-MLFLOW-WORKSPACE": "acme"}
    del path

    def asked(headers: dict[str, str], method: str = "GET", **more: Any) -> Any:
        place = "experiments/create" if method == "POST" else "experiments/get?experiment_id=0"
        return client.request(method, f"{origin}{API}/{place}", headers={**tenant, **headers}, **more)

    for headers in (
        _basic("writer", PASSWORD),
        _basic("whoever", token),
        {"authorization": f"Bearer {token}"},
    ):
        assert asked(headers).status_code == 200, headers
        assert asked(headers).status_code == 200
    for headers in ({}, _basic("writer", "wrong password"), _basic("nobody", PASSWORD), {"authorization": "Basic %%"}):
        answer = asked(headers)
        assert answer.status_code == 401 and answer.json()["error_code"] == "UNAUTHENTICATED"
        assert "MLFLOW_TRACKING_TOKEN" in answer.json()["message"]
        assert "Basic" in answer.headers["www-authenticate"]
    answer = asked({"authorization": f"Bearer {reader}"}, "POST", json={"name": "x"})
    assert answer.status_code == 403 and answer.json()["error_code"] == "PERMISSION_DENIED"
    answer = asked(_basic("zoe", PASSWORD))
    assert answer.status_code == 404 and answer.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    assert asked(_basic("writer", PASSWORD), "POST", json={"name": "x"}).status_code == 200
    # Not a way into our own routes, whose pages would ask for a password box.
    assert client.get("/experiments", headers=_basic("writer", PASSWORD)).status_code == 401


def test_wrong_passwords_are_counted(world: World) -> None:
    statuses = [
        world.client.get(
            f"{world.origin}{API}/experiments/get?experiment_id=0", headers=_basic("writer", f"wrong password {at}")
        ).status_code
        for at in range(12)
    ]
    assert statuses[0] == 401 and statuses[-1] == 429
