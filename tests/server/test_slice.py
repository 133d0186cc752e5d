"""Each route answers with what was logged."""

from __future__ import annotations

import httpx

from tests.server.conftest import Served, json_of


def test_a_search_answers_with_the_runs_that_match(client: httpx.Client, runs: list[str]) -> None:
    page = json_of(client.post("/api/v1/runs/search", json={"filter": "params.lr > 0.25"}))
    assert [run["run_id"] for run in page["runs"]] == runs[:1:-1]
    assert page["total"] == 2


def test_the_real_server_answers(served: Served, runs: list[str]) -> None:
    assert json_of(served.client.get("/api/v1/health"))["status"] == "ok"
    assert json_of(served.client.get("/api/v1/experiments"))["experiments"][0]["run_count"] == 4
