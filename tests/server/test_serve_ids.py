"""Which run a request reaches: never another one than it names."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.server.conftest import json_of
from tests.server.hosting import hosted, new_experiment, new_run, source  # noqa: F401 (fixtures)

RUN = "/experiments/runs"
ACME = {"X-Tenant-ID": "acme"}


def run_of_acme(client: httpx.Client, run_id: str) -> str:
    found = json_of(client.get("/experiments", headers=ACME))["experiments"]
    experiment = found[0] if found else json_of(client.post("/experiments", json={"name": "a"}, headers=ACME), 201)
    body = {"experiment_id": experiment["id"], "run_id": run_id}
    return str(json_of(client.post(RUN, json=body, headers=ACME), 201)["run_id"])


def params_of(client: httpx.Client, run_id: str, tenant: str) -> Any:
    return json_of(client.get(f"{RUN}/{run_id}", headers={"X-Tenant-ID": tenant}))["params"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("log-metrics", {"metrics": {"a": 1}}),
        ("log-params", {"params": {"a": 1}}),
        ("log-batch", {"tags": [{"key": "a", "value": 1}]}),
        ("end", None),
    ],
)
def test_what_is_said_of_an_absent_run_does_not_reach_one_whose_id_begins_so(
    hosted: httpx.Client,  # noqa: F811
    path: str,
    body: Any,
) -> None:
    new_run(hosted, run_id="trial-10")
    before = json_of(hosted.get("/runs/trial-10"))
    assert json_of(hosted.post(f"{RUN}/trial-1/{path}", json=body), 404)["field"] == "run_id"
    assert json_of(hosted.post(f"{RUN}/trial-1/log-artifact", files={"file": ("a", b"a")}), 404)["field"] == "run_id"
    for change in ("delete", "tags", "restore"):
        names = {"run_ids": ["trial-1"], **({"tags": {"a": "b"}} if change == "tags" else {})}
        assert json_of(hosted.post(f"/runs/{change}", json=names), 404)["field"] == "run_id"
    assert json_of(hosted.patch("/runs/trial-1", json={"name": "other"}), 404)["field"] == "run_id"
    assert json_of(hosted.get("/runs/trial-10")) == before
    assert json_of(hosted.get(f"{RUN}/trial-1"))["run_id"] == "trial-10"  # who reads sees which one it is


def test_a_run_is_found_in_the_tenant_that_holds_it(hosted: httpx.Client) -> None:  # noqa: F811
    run_of_acme(hosted, "theirs")
    json_of(hosted.post(f"{RUN}/theirs/log-params", json={"params": {"of": "acme"}}))
    assert params_of(hosted, "theirs", "acme") == {"of": "acme"}
    run_of_acme(hosted, "theirs-too")
    compared = json_of(hosted.post(f"{RUN}/compare", json={"run_ids": ["theirs", "theirs-too"]}))
    assert [run["run_id"] for run in compared["runs"]] == ["theirs", "theirs-too"]
    curves = json_of(hosted.post("/runs/series", json={"run_ids": ["theirs-too", "theirs"], "metrics": ["x"]}))
    assert curves["series"] == []
    # What changes many runs at once says whose they are.
    json_of(hosted.post("/runs/tags", json={"run_ids": ["theirs"], "tags": {"k": "v"}}), 404)


def test_a_run_that_the_default_tenant_gets_later_is_its_own(hosted: httpx.Client) -> None:  # noqa: F811
    run_of_acme(hosted, "shared")
    json_of(hosted.post(f"{RUN}/shared/log-params", json={"params": {"of": "acme"}}))
    new_run(hosted, run_id="shared")
    json_of(hosted.post(f"{RUN}/shared/log-params", json={"params": {"of": "default"}}))
    assert (params_of(hosted, "shared", "acme"), params_of(hosted, "shared", "default")) == (
        {"of": "acme"},
        {"of": "default"},
    )


def test_a_whole_id_elsewhere_comes_before_a_beginning_here(hosted: httpx.Client) -> None:  # noqa: F811
    new_run(hosted, run_id="deep-and-long")
    run_of_acme(hosted, "deep")
    assert json_of(hosted.get(f"{RUN}/deep"))["run_id"] == "deep"
    run_of_acme(hosted, "only-there")
    assert json_of(hosted.get(f"{RUN}/only"))["run_id"] == "only-there"
    json_of(hosted.post("/experiments", json={"name": "b"}, headers={"X-Tenant-ID": "beta"}), 201)
    experiment = json_of(hosted.get("/experiments", headers={"X-Tenant-ID": "beta"}))["experiments"][0]
    body = {"experiment_id": experiment["id"], "run_id": "only-there"}
    json_of(hosted.post(RUN, json=body, headers={"X-Tenant-ID": "beta"}), 201)
    json_of(hosted.get(f"{RUN}/only-there"), 404)  # two tenants hold it


def test_what_is_not_served_is_not_there_whatever_the_method(hosted: httpx.Client) -> None:  # noqa: F811
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"):
        assert hosted.request(method, "/nothing").status_code == 404
        assert hosted.request(method, "/experiments/a/b/c").status_code == 404
    refused = hosted.put("/experiments")
    assert refused.status_code == 405 and set(refused.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
    new_experiment(hosted, "x")


def test_null_is_as_good_as_nothing(hosted: httpx.Client) -> None:  # noqa: F811
    experiment = new_experiment(hosted, "x", description=None, tags=None, artifact_location=None)
    assert (experiment["description"], experiment["tags"]) == ("", {})
    optional = dict.fromkeys(("name", "description", "tags", "run_id", "parent_run_id", "user_id"))
    run = json_of(hosted.post(RUN, json={"experiment_id": experiment["id"], **optional}), 201)
    assert (run["description"], run["tags"]) == ("", {})
    assert json_of(hosted.post(f"{RUN}/{run['run_id']}/log-batch", json=dict.fromkeys(("metrics", "params", "tags"))))
    metrics = {"metrics": {"a": 1}, "step": None, "timestamp": None}
    assert json_of(hosted.post(f"{RUN}/{run['run_id']}/log-metrics", json=metrics))["count"] == 1
