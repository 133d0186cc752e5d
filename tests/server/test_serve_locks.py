"""Locked runs through a server: every route that changes a run is refused with 409 and "locked"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

import lineal
from lineal.journal.layout import Folder
from lineal.server.hosted import HostedSource
from tests.server.conftest import json_of
from tests.server.hosting import hosted, hosting, new_run, serving_store, source  # noqa: F401 (fixtures)

RUN = "/experiments/runs"


@pytest.fixture
def run_id(hosted: httpx.Client) -> str:  # noqa: F811
    run_id = new_run(hosted)
    json_of(hosted.post(f"{RUN}/{run_id}/log-metrics", json={"metrics": {"loss": 1}}))
    assert json_of(hosted.post("/runs/lock", json={"run_ids": [run_id]}), 409)["field"] == "run_ids"  # it runs
    json_of(hosted.post(f"{RUN}/{run_id}/end"))
    assert json_of(hosted.post("/runs/lock", json={"run_ids": [run_id]})) == {"count": 1}
    return run_id


def changes(run_id: str) -> list[tuple[str, str, dict[str, Any]]]:
    run = f"{RUN}/{run_id}"
    return [
        ("POST", f"{run}/log-metrics", {"json": {"metrics": {"loss": 0.5}}}),
        ("POST", f"{run}/log-params", {"json": {"params": {"lr": 1}}}),
        ("POST", f"{run}/log-batch", {"json": {"tags": [{"key": "a", "value": "b"}]}}),
        ("POST", f"{run}/log-batch", {"json": {}}),
        ("POST", f"{run}/log-artifact", {"files": {"file": ("a.txt", b"a")}}),
        ("POST", f"{run}/end", {"params": {"status": "failed"}}),
        ("PATCH", f"/runs/{run_id}", {"json": {"note": "x"}}),
        ("PATCH", f"/runs/{run_id}", {"json": {"name": "x", "tags": {"k": "v"}}}),
        ("POST", "/runs/tags", {"json": {"run_ids": [run_id], "tags": {"k": "v"}}}),
        ("POST", "/runs/delete", {"json": {"run_ids": [run_id]}}),
        ("POST", "/runs/restore", {"json": {"run_ids": [run_id]}}),
    ]


def test_every_change_is_refused_until_it_is_unlocked(hosted: httpx.Client, run_id: str) -> None:  # noqa: F811
    before = json_of(hosted.get(f"/runs/{run_id}"))
    assert before["locked"] is True
    rows = json_of(hosted.get("/audit"))["rows"]
    assert (rows[0]["action"], rows[0]["subject"]) == ("lock.set", run_id)
    for method, path, body in changes(run_id):
        problem = json_of(hosted.request(method, path, **body), 409)
        assert (problem["code"], problem["field"]) == ("locked", "run_id"), path
    assert json_of(hosted.get(f"/runs/{run_id}")) == before
    assert json_of(hosted.get("/audit"))["rows"][0]["number"] == rows[0]["number"]
    other = new_run(hosted, run_id="other")
    mixed = hosted.post("/runs/tags", json={"run_ids": [other, run_id], "tags": {"k": "v"}})
    assert json_of(mixed, 409)["code"] == "locked" and json_of(hosted.get(f"/runs/{other}"))["tags"] == {}
    assert json_of(hosted.post("/runs/unlock", json={"run_ids": [run_id]})) == {"count": 1}
    assert json_of(hosted.post("/runs/unlock", json={"run_ids": [run_id]})) == {"count": 1}  # nothing to do
    for method, path, body in changes(run_id):
        assert hosted.request(method, path, **body).status_code == 200, path
    assert json_of(hosted.get(f"/runs/{run_id}"))["locked"] is False
    assert [row["action"] for row in json_of(hosted.get("/audit", params={"action": "lock."}))["rows"]] == [
        "lock.set"
    ] * 2


def test_the_table_says_which_are_locked(hosted: httpx.Client, run_id: str) -> None:  # noqa: F811
    new_run(hosted, run_id="open")
    rows = json_of(hosted.post("/runs/search", json={}))["runs"]
    assert {row["run_id"]: row["locked"] for row in rows} == {run_id: True, "open": False}
    assert json_of(hosted.post("/runs/lock", json={"run_ids": ["nobody"]}), 404)["field"] == "run_id"


def test_a_journal_of_a_locked_run_is_taken_counted_and_changes_nothing(
    hosted: httpx.Client,  # noqa: F811
    tmp_path: Path,
) -> None:
    place = tmp_path / "notebook"
    with lineal.init(run_id="shared", url=place) as run:
        run.log({"loss": 1.0})
    [segment] = Folder(place).list_segments()
    content = Path(segment.path).read_bytes()
    new_run(hosted, run_id="shared")
    json_of(hosted.post(f"{RUN}/shared/end"))
    json_of(hosted.post("/runs/lock", json={"run_ids": ["shared"]}))
    before = json_of(hosted.get("/runs/shared"))
    for _ in range(2):
        answer = hosted.post(
            f"/journals/shared/{segment.writer}",
            params={"offset": 0, "final": True, "dead": True},
            content=content,
            headers={"content-type": "application/octet-stream"},
        )
        assert json_of(answer)["offset"] == len(content)
    after = json_of(hosted.get("/runs/shared"))
    assert after["losses"] == {"locked": 3} and after == {**before, "losses": after["losses"]}


def test_it_is_locked_after_a_restart(tmp_path: Path) -> None:
    for first in (True, False):
        with serving_store(tmp_path) as served:
            if first:
                new_run(served.client, run_id="r1")
                json_of(served.client.post(f"{RUN}/r1/end"))
                json_of(served.client.post("/runs/lock", json={"run_ids": ["r1"]}))
            else:
                refused = served.client.post(f"{RUN}/r1/log-params", json={"params": {"a": 1}})
                assert json_of(refused, 409)["code"] == "locked"


def test_a_lock_and_a_change_at_once_leave_one_of_two_orders(source: HostedSource) -> None:  # noqa: F811
    """They share a transaction: whoever is second is told by what the first did."""
    with hosting(source) as client:
        for n in range(5):
            run_id = new_run(client, run_id=f"r{n}")
            json_of(client.post(f"{RUN}/{run_id}/end"))
            from concurrent.futures import ThreadPoolExecutor

            with ThreadPoolExecutor(2) as pool:
                lock = pool.submit(client.post, "/runs/lock", json={"run_ids": [run_id]})
                tag = pool.submit(client.post, "/runs/tags", json={"run_ids": [run_id], "tags": {"k": "v"}})
            assert lock.result().status_code == 200
            found = json_of(client.get(f"/runs/{run_id}"))
            assert found["locked"] and (found["tags"] == {"k": "v"}) == (tag.result().status_code == 200)


def test_every_later_write_to_an_ended_run_is_a_new_attempt_and_audited(hosted: httpx.Client) -> None:  # noqa: F811
    run_id = new_run(hosted)
    json_of(hosted.post(f"{RUN}/{run_id}/end"))
    count = len(json_of(hosted.get("/audit"))["rows"])
    for body in ({"metrics": [{"key": "late", "value": 1}]}, {"params": [{"key": "late", "value": 1}]}):
        json_of(hosted.post(f"{RUN}/{run_id}/log-batch", json=body))
    detail = json_of(hosted.get(f"/runs/{run_id}"))
    assert [one["resumed"] for one in detail["attempts"]] == [False, True] and detail["status"] == "finished"
    new = json_of(hosted.get("/audit"))["rows"][:-count]
    assert [row["action"] for row in reversed(new)] == ["attempt.start", "attempt.end", "params.set", "attempt.end"]


def test_the_id_of_a_deleted_run_is_not_given_again(hosted: httpx.Client, tmp_path: Path) -> None:  # noqa: F811
    run_id = new_run(hosted, run_id="mine", tags={"first": "yes"})
    json_of(hosted.post("/runs/delete", json={"run_ids": [run_id]}))
    experiment = json_of(hosted.get("/experiments"))["experiments"][0]
    again = hosted.post(RUN, json={"experiment_id": experiment["id"], "run_id": "mine"})
    assert json_of(again, 409)["field"] == "run_id"
    place = tmp_path / "notebook"  # nor does a journal bring it back
    with lineal.init(run_id="mine", url=place) as run:
        run.log({"loss": 1.0})
    [segment] = Folder(place).list_segments()
    kind = {"content-type": "application/octet-stream"}
    content = Path(segment.path).read_bytes()
    address = f"/journals/mine/{segment.writer}"
    json_of(hosted.post(address, params={"offset": 0, "final": True}, content=content, headers=kind))
    detail = json_of(hosted.get("/runs/mine"))
    assert detail["lifecycle_stage"] == "deleted" and detail["tags"] == {"first": "yes"}
    assert json_of(hosted.get(RUN))["total"] == 0
