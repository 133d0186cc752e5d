"""Runs, experiments, groups, names: as they were logged."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import httpx
import pytest

import lineal
from lineal.local import LocalStore
from tests.server.conftest import json_of

SEARCH = "/api/v1/runs/search"


def ids_of(page: dict[str, Any]) -> list[str]:
    return [run["run_id"] for run in page["runs"]]


def test_the_fixed_shape_of_a_run_is_that_of_the_facade(client: httpx.Client, folder: Path, runs: list[str]) -> None:
    with LocalStore(folder) as local:
        expected = local.get_run(runs[1]).to_dict()
    assert json_of(client.get(f"/api/v1/experiments/runs/{runs[1]}")) == expected
    listed = json_of(client.get("/api/v1/experiments/runs", params={"limit": 1, "offset": 2}))
    assert listed == {"runs": [expected], "total": 4, "limit": 1, "offset": 2}
    row = json_of(client.post(SEARCH, json={"filter": f"run_id = '{runs[1]}'"}))["runs"][0]
    assert {**row, **expected} == row
    assert row["experiment_name"] == "digits"
    assert row["typed_params"] == {"lr": 0.2, "model/kind": "mlp", "seed": 1}


def test_runs_of_an_experiment_and_a_status(client: httpx.Client, folder: Path, runs: list[str]) -> None:
    with lineal.init(experiment="other", url=folder):
        pass
    experiment_id = json_of(client.get("/api/v1/experiments?search=DIG"))["experiments"][0]["id"]
    wanted = {
        "experiment_id": experiment_id,
        "status": "finished",
        "filter": "params.seed >= 2",
        "order_by": "params.seed",
    }
    assert ids_of(json_of(client.get("/api/v1/experiments/runs", params=wanted))) == runs[2:]
    assert json_of(client.get("/api/v1/experiments/runs", params={**wanted, "status": "failed"}))["total"] == 0


def test_pages_follow_one_another_while_runs_arrive(client: httpx.Client, folder: Path, runs: list[str]) -> None:
    body: dict[str, Any] = {"limit": 2, "order_by": ["params.lr desc"]}
    first = json_of(client.post(SEARCH, json=body))
    with lineal.init(experiment="digits", params={"lr": 99.0}, url=folder):
        pass
    second = json_of(client.post(SEARCH, json={**body, "page_token": first["next_page_token"]}))
    assert ids_of(first) + ids_of(second) == runs[::-1]
    assert (first["total"], second["total"], second["next_page_token"]) == (4, 5, None)
    other = {**body, "filter": "params.lr > 0", "page_token": first["next_page_token"]}
    assert json_of(client.post(SEARCH, json=other), 400)["field"] == "page_token"


def test_several_orders(client: httpx.Client, runs: list[str]) -> None:
    page = json_of(client.post(SEARCH, json={"order_by": ["params.model/kind desc", "params.seed"]}))
    assert ids_of(page) == [runs[1], runs[3], runs[0], runs[2]]


def test_a_run_whole(client: httpx.Client, folder: Path, runs: list[str]) -> None:
    with lineal.init(name="child", parent_run_id=runs[0], url=folder) as child:
        pass
    detail = json_of(client.get(f"/api/v1/runs/{runs[0][:12]}"))
    assert detail["run_id"] == runs[0]
    assert detail["children"] == [{"run_id": child.run_id, "name": "child", "status": "finished"}]
    assert [(one["name"], one["count"], one["last"]) for one in detail["series"]] == [
        ("epoch", 1_200, 11),
        ("train/loss", 1_200, 1 / 1_200),
    ]
    assert [artifact["path"] for artifact in detail["artifacts"]] == ["notes/hello.txt"]
    assert "review" in detail["document_names"] and detail["losses"] == {} and detail["conflicts"] == []
    [attempt] = detail["attempts"]
    assert attempt["status"] == "finished" and attempt["ended_at"] >= attempt["started_at"]
    assert json_of(client.get(f"/api/v1/runs/{runs[0]}/documents/review")) == {"score": 0}
    assert json_of(client.get(f"/api/v1/runs/{runs[0]}/documents/none"), 404)["code"] == "not_found"


def test_what_is_no_number_goes_out_as_its_name(client: httpx.Client, folder: Path) -> None:
    odd = {"nan": math.nan, "up": math.inf, "down": -math.inf}
    with lineal.init(experiment="odd", params=odd, url=folder) as run:
        for step, value in enumerate((1.0, *odd.values())):
            run.log({"loss": value, **odd}, step=step)
        run.set_json("odd", {"list": list(odd.values())})
    names = {"nan": "NaN", "up": "Infinity", "down": "-Infinity"}
    row = json_of(client.post(SEARCH, json={}))["runs"][0]
    assert row["params"] == row["typed_params"] == names
    assert row["metrics"] == {"loss": "-Infinity", **names}
    detail = json_of(client.get(f"/api/v1/runs/{run.run_id}"))
    loss = next(one for one in detail["series"] if one["name"] == "loss")
    assert (loss["min"], loss["max"], loss["nan_count"]) == ("-Infinity", "Infinity", 1)
    nan = next(one for one in detail["series"] if one["name"] == "nan")
    assert (nan["min"], nan["mean"], nan["last"]) == (None, None, "NaN")
    assert json_of(client.get(f"/api/v1/runs/{run.run_id}/documents/odd")) == {"list": [*names.values()]}
    series = json_of(client.get(f"/api/v1/experiments/runs/{run.run_id}/metrics/loss"))
    assert series["value"] == [1.0, *names.values()]
    body = {
        "run_ids": [run.run_id],
        "metrics": ["loss"],
        "max_points": 0,
        "step_min": "-Infinity",
        "step_max": "Infinity",
    }
    assert json_of(client.post("/api/v1/runs/series", json=body))["series"][0]["value"] == [1.0, *names.values()]
    compared = json_of(client.post("/api/v1/experiments/runs/compare", json={"run_ids": [run.run_id, run.run_id]}))
    assert compared["comparison"]["metric_comparison"]["loss"]["all_values"] == {run.run_id: "-Infinity"}


def test_groups(client: httpx.Client, runs: list[str]) -> None:
    body = {"by": ["params.model/kind"], "metrics": ["params.lr", "metrics.train/loss"], "filter": "params.seed < 3"}
    page = json_of(client.post("/api/v1/runs/groups", json=body))
    assert page["total"] == 2
    first, second = page["groups"]
    assert (first["values"], first["run_count"], first["run_ids"]) == (["cnn"], 2, [runs[2], runs[0]])
    spread = first["aggregates"]["params.lr"]
    assert (
        spread["count"] == 2 and spread["mean"] == pytest.approx(0.2) and spread["std"] == pytest.approx(0.2 / 2**0.5)
    )
    assert second["values"] == ["mlp"] and second["aggregates"]["params.lr"]["std"] is None
    assert json_of(client.post("/api/v1/runs/groups", json={"by": ["nothing"]}), 400)["field"] == "by"
    assert json_of(client.post("/api/v1/runs/groups", json={"by": []}), 400)["field"] == "by"


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("param", ["lr", "model/kind", "seed"]),
        ("metric", ["epoch", "train/loss"]),
        ("tag", ["team"]),
        ("json", ["review.score"]),
    ],
)
def test_names_to_complete_with(client: httpx.Client, runs: list[str], kind: str, names: list[str]) -> None:
    assert set(names) <= set(json_of(client.get("/api/v1/fields", params={"kind": kind}))["names"])
    found = json_of(client.get("/api/v1/fields", params={"kind": kind, "prefix": names[-1][:3], "limit": 1}))["names"]
    assert found == [names[-1]]


def test_attributes_and_values_to_complete_with(client: httpx.Client, runs: list[str]) -> None:
    assert "start_time" in json_of(client.get("/api/v1/fields?kind=attribute"))["names"]
    values = client.get("/api/v1/fields/values", params={"field": "params.model/kind"})
    assert json_of(values)["values"] == ["cnn", "mlp"]
    values = client.get("/api/v1/fields/values", params={"field": "params.model/kind", "prefix": "m"})
    assert json_of(values)["values"] == ["mlp"]
    assert json_of(client.get("/api/v1/fields/values", params={"field": "a b"}), 400)["position"] is not None


def test_comparing(client: httpx.Client, folder: Path, runs: list[str]) -> None:
    with LocalStore(folder) as local:
        expected = local.compare_dict(runs[:2], ["train/loss"])
    body = {"run_ids": runs[:2], "metrics": ["train/loss"]}
    assert json_of(client.post("/api/v1/experiments/runs/compare", json=body)) == expected
    assert (
        json_of(client.post("/api/v1/experiments/runs/compare", json={"run_ids": runs[:1]}), 400)["field"] == "run_ids"
    )


def test_what_there_is_not(client: httpx.Client, runs: list[str]) -> None:
    for path in (
        "runs/none",
        "experiments/runs/none",
        "experiments/none",
        "experiments/runs/none/metrics/x",
        "runs/none/documents/x",
    ):
        assert json_of(client.get(f"/api/v1/{path}"), 404)["code"] == "not_found"
    assert (
        json_of(client.post("/api/v1/experiments/runs/compare", json={"run_ids": ["none", runs[0]]}), 404)["field"]
        == "run_id"
    )


def test_tenants_see_their_own(client: httpx.Client, folder: Path, runs: list[str]) -> None:
    with lineal.init(experiment="theirs", url=folder, tenant="acme") as run:
        run.log_text("secret", "a.txt")
    theirs = {"x-tenant-id": "acme"}
    assert ids_of(json_of(client.post(SEARCH, json={}, headers=theirs))) == [run.run_id]
    assert ids_of(json_of(client.post("/t/acme/api/v1/runs/search", json={}))) == [run.run_id]
    assert client.get(f"/t/acme/api/v1/experiments/runs/{run.run_id}/artifacts/a.txt").text == "secret"
    assert set(ids_of(json_of(client.post(SEARCH, json={})))) == set(runs)
    ours = {"x-tenant-id": "default"}
    absent = client.get("/api/v1/runs/none", headers=ours).text.replace("none", run.run_id)
    assert client.get(f"/api/v1/runs/{run.run_id}", headers=ours).text == absent
    # Who names a run and no tenant finds it in the one that holds it.
    assert json_of(client.get(f"/api/v1/runs/{run.run_id}"))["run_id"] == run.run_id
    assert client.post("/api/v1/runs/delete", json={"run_ids": [run.run_id]}).status_code == 404
    filtered = client.post(SEARCH, json={"filter": f"run_id = '{run.run_id}'"})
    assert json_of(filtered)["total"] == 0
