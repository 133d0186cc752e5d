"""Who may call which route: the app is held against access.txt, every route by every principal."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from lineal.server.app import make_app
from lineal.server.dispatch import Dispatch
from lineal.server.gate import Gate
from lineal.server.observed import Observed
from lineal.server.route_table import ENDPOINTS
from lineal.server.settings import Settings
from lineal.store.contracts import Store
from tests.server.conftest import json_of
from tests.server.let_in import PASSWORD, World

TABLE = Path(__file__).with_name("access.txt")
PRINCIPALS = ("none", "expired", "other", "reader", "writer", "approver", "admin", "server", "cookie")


class Row(NamedTuple):
    method: str
    path: str
    decisions: dict[str, str]


def rows() -> list[Row]:
    lines = [line.split() for line in TABLE.read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    assert tuple(lines[0]) == ("method", "path", *PRINCIPALS)
    return [Row(method, path, dict(zip(PRINCIPALS, said, strict=True))) for method, path, *said in lines[1:]]


def served() -> set[tuple[str, str]]:
    """Every method of every path that the app answers to."""
    app = make_app(None, None, Settings(1, Path("none")), Observed())  # type: ignore[arg-type]
    return {
        (method, route.path)  # type: ignore[attr-defined]
        for route in app.routes
        for method in getattr(route, "methods", None) or ("GET",)
        if method != "HEAD"
    }


def test_the_table_has_every_route_and_no_other() -> None:
    assert {(row.method, row.path) for row in rows()} == served(), "who may call a new route? Say it in access.txt"
    assert len(rows()) == len(served())


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"{one.method} {one.path}")
def test_every_route_says_who_may_call_it(endpoint: Any) -> None:
    assert endpoint.access is not None


@pytest.mark.parametrize("asks", [True, False])
def test_a_route_that_does_not_say_is_called_by_nobody(asks: bool) -> None:
    forgotten = replace(ENDPOINTS[0], access=None)
    serve = Dispatch(None, None, Gate(None, asks=asks), Observed()).serving({"GET": forgotten})  # type: ignore[arg-type]
    app = Starlette(routes=[Route(forgotten.path, serve)])

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.get(forgotten.path)

    answer = asyncio.run(asked())
    assert answer.status_code == 403 and answer.json()["code"] == "forbidden"


# -- every route by every principal -------------------------------------------------------------

# What a request needs beside its path, so that whoever is let in is answered well.
BODIES: dict[str, Any] = {
    "/api/v1/experiments": {"name": "new"},
    "/api/v1/experiments/runs/compare": {"run_ids": ["r1", "r2"]},
    "/api/v1/session": {"user": "nobody", "password": PASSWORD},
    "/api/v1/session/password": {"current": "wrong one", "new": PASSWORD},
    "/api/v1/tokens": {"name": "t", "role": "reader"},
    "/api/v1/users": {"name": "New", "password": PASSWORD},
    "/api/v1/members/{user}": {"role": "writer"},
    "/api/v1/runs/series": {"run_ids": ["r1"], "names": ["m"]},
    "/api/v1/runs/pieces": {"series": [{"run_id": "r1", "name": "m"}]},
    "/api/v1/runs/details": {"run_ids": ["r1"]},
    "/api/v1/runs/groups": {"by": ["params.p"]},
    "/api/v1/runs/tags": {"run_ids": ["r1"], "tags": {"k": "v"}},
    "/api/v1/runs/delete": {"run_ids": ["r2"]},
    "/api/v1/runs/restore": {"run_ids": ["r2"]},
    "/api/v1/filter/check": {"filter": "status = 'running'"},
    "/api/v1/models": {"name": "words"},
    "/api/v1/models/{name}/versions": {"run_id": "r1"},
    "/api/v1/models/{name}/versions/{version}/stage": {"stage": "production"},
    "/api/v1/models/{name}/aliases/{alias}": {"version": 1},
}
QUERIES: dict[str, dict[str, Any]] = {
    "/api/v1/fields/values": {"field": "params.p"},
    "/api/v1/journals/{run_id}/{writer_id}": {"offset": 0},
}


@pytest.fixture
def asking(world: World) -> Iterator[dict[str, httpx.Client]]:
    """A client for each principal; all ask for tenant acme, where there are two runs."""
    with world.asking(token=world.token("writer")) as client:
        experiment = json_of(client.post("/experiments", json={"name": "digits"}), 201)["id"]
        for run_id in ("r1", "r2"):
            client.post("/experiments/runs", json={"experiment_id": experiment, "run_id": run_id})
            client.post(f"/experiments/runs/{run_id}/log-params", json={"params": {"p": 1}})
            client.post(f"/experiments/runs/{run_id}/log-metrics", json={"metrics": {"m": 1}})
        json_of(client.post("/models/digits/versions", json={}), 201)
    shown: dict[str, dict[str, str]] = {
        "none": {},
        "expired": {"token": world.token("admin", expires_ms=1)},
        "other": {"token": world.token("zoe")},
        "server": {"token": world.token("root")},
        "cookie": {"session": world.session("reader")},
        **{role: {"token": world.token(role)} for role in ("reader", "writer", "approver", "admin")},
    }
    assert set(shown) == set(PRINCIPALS)
    clients = {}
    for name, secret in shown.items():
        with world.asking(**secret) as made:
            clients[name] = httpx.Client(
                base_url=world.origin, headers={**made.headers, "x-tenant-id": "acme"}, timeout=30
            )
    yield clients
    for client in clients.values():
        client.close()


def decision(client: httpx.Client, method: str, path: str, experiment: str) -> str:
    values = {
        "run_id": "r1",
        "experiment_id": experiment,
        "writer_id": "a" * 15,
        "user": "root",
        "token_id": "0" * 12,
        "version": "1",
        "alias": "champion",
        "name": "digits",
    }
    asked = path
    for name, value in values.items():
        asked = asked.replace(f"{{{name}}}", value)
    asked = asked.replace("{name:text}", "m").replace("{path:text}", "x.txt" if "artifacts" in path else "")
    asked = asked.replace("{rest:text}", "nothing").replace("{sha256}", "0" * 64).replace("{digest}", "0" * 64)
    body: dict[str, Any] = {}
    if method not in ("GET", "DELETE"):
        body = {"content": b""} if "journals" in path else {"json": BODIES.get(path, {})}
    if "mlflow" in path and method == "GET":
        asked += "?run_id=r1&metric_key=m&experiment_id=0&experiment_name=Default"
    with client.stream(method, asked, params=QUERIES.get(path), **body) as answer:
        if answer.status_code == 200 and "event-stream" in answer.headers["content-type"]:
            return "yes"
        answer.read()
        assert answer.status_code < 500 or answer.status_code == 501, answer.text
        code, field = "", ""
        if answer.headers.get("content-type", "").startswith("application/problem"):
            code, field = answer.json()["code"], answer.json().get("field")
        elif answer.status_code >= 400 and answer.headers.get("content-type") == "application/json":
            code, field = mlflow_refusal(answer.json())
        if answer.status_code == 401 and code == "unauthorized":
            return "401"
        if answer.status_code == 403:
            assert code == "forbidden", answer.text
            return "403"
        if answer.status_code == 404 and field == "X-Tenant-ID":
            return "404"
        return "yes"


def mlflow_refusal(said: Any) -> tuple[str, str]:
    """MLflow's dialect has words of its own: our code and field for them."""
    code = {"UNAUTHENTICATED": "unauthorized", "PERMISSION_DENIED": "forbidden"}.get(said["error_code"], "")
    return code, "X-Tenant-ID" if said["message"].startswith("no tenant ") else ""


def state(store: Store) -> list[Any]:
    """Everything that a refused request could have changed. (Not the change number: audit rows are chained meanwhile.)"""
    tenants = [(name, [row.number for row in store.tenant(name).list_audit()]) for name in ("", *store.list_tenants())]
    return [*tenants, store.tenant("acme").list_series("r1"), store.tenant("acme").find_cursor("a" * 15)]


def test_every_route_by_every_principal(world: World, asking: dict[str, httpx.Client]) -> None:
    """Decisions are those of the table; and whoever is not let in changes nothing."""
    [experiment] = json_of(asking["reader"].get("/api/v1/experiments"))["experiments"]
    wrong = []
    with world.source.opened() as store:
        for row in rows():
            for name in PRINCIPALS:
                if name == "cookie":  # signing out ends it
                    asking[name].headers["cookie"] = f"lineal_session={world.session('reader')}"
                before = state(store)
                found = decision(asking[name], row.method, row.path, experiment["id"])
                if found != row.decisions[name]:
                    wrong.append((row.method, row.path, name, f"is {found}, not {row.decisions[name]}"))
                if found != "yes":
                    assert state(store) == before, (row, name)
    assert not wrong, "\n".join(" ".join(one) for one in wrong)


def test_every_answer_is_the_same_under_a_tenants_prefix(world: World, asking: dict[str, httpx.Client]) -> None:
    """A header that the client cannot send is a path: decided alike."""
    [experiment] = json_of(asking["reader"].get("/api/v1/experiments"))["experiments"]
    for name in ("none", "other", "reader"):
        client = asking[name]
        del client.headers["x-tenant-id"]
        for row in rows():
            if row.method == "GET" and row.path.startswith("/api/v1/"):
                found = decision(client, "GET", f"/t/acme{row.path}", experiment["id"])
                assert found == row.decisions[name], (row, name)
