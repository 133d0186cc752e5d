"""What MLflow's tags tell of a run's code is found as what a run records by itself."""

from __future__ import annotations

from typing import Any

import httpx

from lineal.record.records import AttemptStarted, CaptureSet, Record
from tests.server.compat.asking import Mlflow
from tests.server.test_lineage import post

COMMIT, OTHER = "a" * 40, "b" * 40


def tag(key: str, value: str) -> dict[str, str]:
    return {"key": f"mlflow.{key}", "value": value}


def captured(mlflow: Mlflow, run: str) -> dict[str, Any]:
    answer = mlflow.client.get(f"/api/v1/runs/{run}/captures")
    assert answer.status_code == 200, answer.text
    return {one["part"]: one["content"] for one in answer.json()["captures"]}


def by_commit(mlflow: Mlflow, commit: str) -> list[str]:
    answer = mlflow.client.post("/api/v1/runs/search", json={"filter": f"git.commit = '{commit}'"})
    assert answer.status_code == 200, answer.text
    return [one["run_id"] for one in answer.json()["runs"]]


def test_a_run_that_is_made_with_its_source(mlflow: Mlflow) -> None:
    tags = [tag("source.git.commit", COMMIT), tag("source.name", "train.py"), tag("source.type", "LOCAL")]
    run = mlflow.run(tags=[*tags, tag("user", "alice")])
    found = captured(mlflow, run)
    assert (found["code"]["kind"], found["code"]["commit"]) == ("git", COMMIT)
    assert found["execution"] == {"entry_point": {"kind": "script", "name": "train.py"}, "user": "alice"}
    assert by_commit(mlflow, COMMIT) == [run] and by_commit(mlflow, OTHER) == []
    assert captured(mlflow, mlflow.run(tags=[tag("user", "alice")])) == {}


def test_tags_that_come_later_one_by_one(mlflow: Mlflow) -> None:
    run = mlflow.run()
    mlflow.post("runs/set-tag", run_id=run, **tag("source.git.repoURL", "https://me:secret@host/x.git"))
    assert captured(mlflow, run) == {}
    mlflow.post("runs/set-tag", run_id=run, **tag("source.git.commit", COMMIT))
    assert captured(mlflow, run)["code"]["remote"] == "https://host/x.git"
    mlflow.post("runs/log-batch", run_id=run, tags=[tag("source.git.commit", OTHER), tag("source.git.branch", "dev")])
    code = captured(mlflow, run)["code"]
    assert (code["commit"], code["branch"], code["remote"]) == (OTHER, "dev", "https://host/x.git")
    assert by_commit(mlflow, OTHER) == [run] and by_commit(mlflow, COMMIT) == []


def test_tags_take_nothing_from_a_run_that_recorded_itself(mlflow: Mlflow) -> None:
    own = {"command": ["python", "train.py"], "folder": "/home/ada"}
    code = {"kind": "git", "commit": COMMIT, "digest": "c" * 64, "trouble": ["a file could not be read"]}
    with httpx.Client(base_url=f"{str(mlflow.client.base_url).rstrip('/')}/api/v1") as client:
        said: list[Record] = [
            AttemptStarted("a1", "digits"),
            CaptureSet("a1", "execution", own),
            CaptureSet("a1", "code", code),
        ]
        post(client, "r1", "a" * 15, said)
    mlflow.post("runs/set-tag", run_id="r1", **tag("source.git.commit", OTHER))
    mlflow.post("runs/set-tag", run_id="r1", **tag("source.name", "other.py"))
    assert captured(mlflow, "r1") == {"code": code, "execution": own}
    assert by_commit(mlflow, COMMIT) == ["r1"]
