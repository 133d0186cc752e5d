"""Another tenant's ids are as absent: the same requests are asked before it has anything, and after."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.server.conftest import json_of
from tests.server.let_in import World

RUN = "/experiments/runs"
WRITER = "b" * 15


def answers(client: httpx.Client, experiment: str, token: str, digest: str, headers: dict[str, str]) -> dict[str, Any]:
    """Everything that a client of zeta may ask about acme's run a1 and what belongs to it, and what it is told."""
    asked: list[tuple[str, str, Any]] = [
        ("GET", f"{RUN}/a1", None),
        ("GET", "/runs/a1", None),
        ("GET", "/runs/a", None),
        ("PATCH", "/runs/a1", {"name": "taken"}),
        ("GET", "/runs/a1/documents/review", None),
        ("GET", f"{RUN}/a1/metrics/m", None),
        ("GET", f"{RUN}/a1/artifacts", None),
        ("GET", f"{RUN}/a1/artifacts/secret.txt", None),
        ("GET", f"{RUN}", None),
        ("GET", f"{RUN}?experiment_id={experiment}", None),
        ("GET", f"{RUN}?filter=params.p%20%3D%201", None),
        ("GET", "/experiments", None),
        ("GET", f"/experiments/{experiment}", None),
        ("PATCH", f"/experiments/{experiment}", {"description": "taken"}),
        ("DELETE", f"/experiments/{experiment}", None),
        ("POST", f"/experiments/{experiment}/restore", None),
        ("POST", RUN, {"experiment_id": experiment, "run_id": "z9"}),
        ("POST", RUN, {"experiment_id": "EXPERIMENT", "run_id": "z8", "parent_run_id": "a1"}),
        ("POST", f"{RUN}/a1/log-metrics", {"metrics": {"m": 2}}),
        ("POST", f"{RUN}/a1/log-params", {"params": {"p": 2}}),
        ("POST", f"{RUN}/a1/log-batch", {"tags": [{"key": "k", "value": "taken"}]}),
        ("POST", f"{RUN}/a1/end?status=killed", None),
        ("POST", f"{RUN}/compare", {"run_ids": ["a1", "a2"]}),
        ("POST", f"{RUN}/compare", {"run_ids": ["z1", "a1"]}),
        ("POST", "/runs/search", {"filter": "params.p = 1"}),
        ("POST", "/runs/search", {"filter": "run_id = 'a1' or parent_run_id = 'a1'", "lifecycle_stage": "all"}),
        ("POST", "/runs/search", {"page_token": token, "limit": 1}),
        ("POST", "/runs/series", {"run_ids": ["a1"], "names": ["m"]}),
        ("POST", "/runs/series", {"run_ids": ["z1", "a1"], "names": ["m"]}),
        ("POST", "/runs/groups", {"by": ["params.p"]}),
        ("POST", "/runs/tags", {"run_ids": ["a1"], "tags": {"k": "taken"}}),
        ("POST", "/runs/delete", {"run_ids": ["z1", "a1"]}),
        ("POST", "/runs/restore", {"run_ids": ["a1"]}),
        ("GET", "/fields?kind=param", None),
        ("GET", "/fields/values?field=params.p", None),
        ("GET", "/members", None),
    ]
    told = {}
    own = json_of(client.get("/experiments", headers=headers))["experiments"][0]["id"]
    for method, path, body in asked:
        if isinstance(body, dict) and body.get("experiment_id") == "EXPERIMENT":
            body = {**body, "experiment_id": own}
        answer = client.request(method, path, json=body, headers=headers)
        told[f"{method} {path} {body}"] = (answer.status_code, answer.content)
    return told


@pytest.mark.parametrize("header", [True, False])
def test_another_tenants_things_are_as_absent(every_world: World, header: bool) -> None:
    world = every_world
    headers = {"x-tenant-id": "zeta"} if header else {}
    with world.asking(token=world.token("zoe")) as zoe, world.asking(token=world.token("writer")) as acme:
        own = json_of(zoe.post("/experiments", json={"name": "own"}), 201)["id"]
        for run_id in ("z1", "z2"):
            json_of(zoe.post(RUN, json={"experiment_id": own, "run_id": run_id}), 201)
        token = json_of(zoe.post("/runs/search", json={"limit": 1}))["next_page_token"]
        experiment = "0123456789abcdef"
        from lineal.model.ids import experiment_id

        experiment = experiment_id("acme", "digits")  # who knows the name can work out the id
        before = answers(zoe, experiment, token, "0" * 64, headers)
        assert json_of(acme.post("/experiments", json={"name": "digits"}), 201)["id"] == experiment
        for run_id in ("a1", "a2"):
            json_of(acme.post(RUN, json={"experiment_id": experiment, "run_id": run_id}), 201)
            json_of(acme.post(f"{RUN}/{run_id}/log-params", json={"params": {"p": 1}}))
            json_of(acme.post(f"{RUN}/{run_id}/log-metrics", json={"metrics": {"m": 1}}))
            json_of(acme.patch(f"/runs/{run_id}", json={"note": "secret"}))
        acme.post(f"{RUN}/a1/log-artifact", files={"file": ("secret.txt", b"secret")})
        kept = [acme.get(f"/runs/{run_id}").content for run_id in ("a1", "a2")]
        with world.asking(token=world.token("root")) as root:
            json_of(root.put("/members/root", json={"role": "reader"}, headers={"x-tenant-id": "acme"}))
        after = answers(zoe, experiment, token, "0" * 64, headers)
        different = {asked: (told, after[asked]) for asked, told in before.items() if told != after[asked]}
        assert not different
        refused = [asked for asked, (status, _) in before.items() if status == 404]
        assert len(refused) > 20, "most of it names something"
        assert kept == [acme.get(f"/runs/{run_id}").content for run_id in ("a1", "a2")], "nothing of acme was changed"


def test_the_same_id_in_two_tenants_is_two_runs(world: World) -> None:
    with world.asking(token=world.token("zoe")) as zoe, world.asking(token=world.token("writer")) as acme:
        for client in (acme, zoe):
            experiment = json_of(client.post("/experiments", json={"name": "digits"}), 201)["id"]
            json_of(client.post(RUN, json={"experiment_id": experiment, "run_id": "same"}), 201)
        json_of(acme.post(f"{RUN}/same/log-metrics", json={"metrics": {"m": 1}}))
        assert json_of(zoe.get(f"{RUN}/same"))["metrics"] == {} and json_of(acme.get(f"{RUN}/same"))["metrics"] == {
            "m": 1
        }
        journal = zoe.post(f"/journals/same/{WRITER}?offset=0", content=b"")
        assert journal.status_code < 500
        assert json_of(acme.get("/runs/same"))["attempts"] != []


def test_live_updates_tell_of_ones_own_tenant_only(world: World) -> None:
    with world.asking(token=world.token("zoe")) as zoe, world.asking(token=world.token("writer")) as acme:
        with zoe.stream("GET", "/live") as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 1000"
            for client, run_id in ((acme, "theirs"), (zoe, "own")):
                experiment = json_of(client.post("/experiments", json={"name": "digits"}), 201)["id"]
                json_of(client.post(RUN, json={"experiment_id": experiment, "run_id": run_id}), 201)
            data = next(line for line in lines if line.startswith("data:"))
        assert "own" in data and "theirs" not in data


def test_live_updates_end_with_the_token(world: World) -> None:
    with world.asking(token=world.token("writer")) as acme, acme.stream("GET", "/live") as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 1000"
        with world.asking(token=world.token("root")) as root:
            json_of(root.patch("/users/writer", json={"is_disabled": True}))
            experiment = root.post("/experiments", json={"name": "x"}, headers={"x-tenant-id": "acme"}).json()["id"]
            root.post(RUN, json={"experiment_id": experiment, "run_id": "r"}, headers={"x-tenant-id": "acme"})
        assert not [line for line in lines if line.startswith("data:")], "it ends without a word"


@pytest.mark.parametrize(
    "given", ["", "*", "acme,zeta", "ACME", "acme ", "acme.", "асme", "acme/", "acme%20", "/acme", "ac me", "acme\t"]
)
def test_look_alikes(world: World, given: str) -> None:
    """400 for what cannot be a tenant's name; and nothing that is not exactly the name is the tenant."""
    with world.asking(token=world.token("reader")) as client:
        try:
            answer = client.get("/experiments", headers={b"x-tenant-id": given.encode()})
        except httpx.LocalProtocolError:  # the client itself refuses to send it
            return
        if given == "acme ":  # HTTP knows no blanks at the end of a header
            assert answer.status_code == 200
        elif given == "acme.":
            assert json_of(answer, 404)["field"] == "X-Tenant-ID"
        else:
            assert json_of(answer, 400)["field"] in ("tenant", "X-Tenant-ID")


def test_a_tenant_is_named_once_and_in_one_way(world: World) -> None:
    with world.asking(token=world.token("reader")) as client:
        twice = [("x-tenant-id", "acme"), ("x-tenant-id", "acme")]
        assert json_of(client.get("/experiments", headers=twice), 400)["field"] == "X-Tenant-ID"
        base = str(client.base_url.copy_with(path="/"))
        path = f"{base}t/acme/api/v1/experiments"
        assert client.get(path).status_code == 200
        assert client.get(path, headers={"x-tenant-id": "acme"}).status_code == 200
        assert json_of(client.get(path, headers={"x-tenant-id": "zeta"}), 400)["field"] == "X-Tenant-ID"
        assert json_of(client.get(f"{base}t/zeta/api/v1/experiments"), 404)["detail"] == "no tenant 'zeta'"
        assert json_of(client.get(f"{base}t/nowhere/api/v1/experiments"), 404)["detail"] == "no tenant 'nowhere'"
        assert client.get(f"{base}t/*/api/v1/experiments").status_code == 400


def test_an_admin_of_the_server_may_name_any_tenant(world: World) -> None:
    with world.asking(token=world.token("root")) as root:
        json_of(root.post("/experiments", json={"name": "x"}, headers={"x-tenant-id": "brand-new"}), 201)
        tenants = {one["tenant"]: one["role"] for one in json_of(root.get("/session"))["tenants"]}
        assert tenants == dict.fromkeys(("acme", "brand-new", "zeta"), "admin")
    with world.asking(token=world.token("root", "reader")) as root:
        assert root.post("/experiments", json={"name": "y"}, headers={"x-tenant-id": "acme"}).status_code == 403
    with world.asking(token=world.token("root", "admin", ("acme",))) as root:
        assert root.get("/experiments", headers={"x-tenant-id": "zeta"}).status_code == 404
