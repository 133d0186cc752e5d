"""`POST /runs/diff` and `/runs/comparable`, over every store."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx
import pytest

import lineal
from lineal.record.records import AttemptStarted, CaptureSet, DatasetUsed, ParamsSet, Record
from tests.server.conftest import json_of
from tests.server.hosting import hosted, source  # noqa: F401 (fixtures)
from tests.server.test_lineage import post

PATCHES = {
    name: (f"diff --git a/train.py b/train.py\n--- a/train.py\n+++ b/train.py\n@@ -1,3 +1,3 @@\n a\n-b\n+{name}\n c\n")
    for name in ("one", "other")
}


def fill(client: httpx.Client) -> None:
    for number, (name, patch) in enumerate(PATCHES.items()):
        digest = hashlib.sha256(patch.encode()).hexdigest()
        answer = client.put(f"/blobs/{digest}", content=patch.encode())
        assert answer.status_code in (200, 201, 204), answer.text
        code = {
            "kind": "git",
            "commit": "a" * 40,
            "branch": "main",
            "is_dirty": True,
            "digest": digest,
            "patch": {"digest": digest},
        }
        records: list[Record] = [
            AttemptStarted("a1", "digits", name),
            ParamsSet("a1", {"lr": 0.1 + number, "nan": float("nan")}),
            CaptureSet("a1", "code", code),
            CaptureSet("a1", "environment", {"packages": {"numpy": f"2.{number}"}, "same": 1}),
            DatasetUsed("train", f"d{number}", context="training"),
        ]
        post(client, name, f"{number + 1:015x}", records)
        metrics = {"metrics": {"loss": float("inf") if number else 1.0, "acc": 0.5}, "step": 0}
        metrics["metrics"] = {"loss": "Infinity" if number else 1.0, "acc": 0.5}
        assert client.post(f"/experiments/runs/{name}/log-metrics", json=metrics).status_code == 200


def test_a_difference_over_every_store(hosted: httpx.Client) -> None:  # noqa: F811
    fill(hosted)
    found = json_of(hosted.post("/runs/diff", json={"run_ids": ["one", "other"]}))
    assert [one["run_id"] for one in found["runs"]] == ["one", "other"] and found["is_empty"] is False
    assert found["params"] == [{"name": "lr", "values": {"one": 0.1, "other": 1.1}, "differs": True}]
    patch = found["code"][1]["patch"]
    assert patch["text"].endswith("@@ -1,3 +1,3 @@\n a\n-one\n+other\n c\n") and patch["unknown"] == []
    assert found["code"][0]["patch"] is None and patch["files"] == ["train.py"]
    assert found["packages"] == [{"name": "numpy", "values": {"one": "2.0", "other": "2.1"}, "change": "changed"}]
    assert found["packages_unknown"] is None
    assert [(one["name"], one["context"], one["values"]) for one in found["datasets"]] == [
        ("train", "training", {"one": ["d0"], "other": ["d1"]})
    ]
    assert found["environment"] == [] and found["parts_left_out"] == []
    assert found["parts"] == [{"metric": "loss", "labels": {}, "step": 0, "values": {"one": 1.0, "other": "Infinity"}}]
    assert [one["kind"] for one in found["comparable"]["reasons"]] == ["data", "code"]
    fair = json_of(hosted.post("/runs/comparable", json={"run_ids": ["one", "other", "one"]}))
    assert fair == found["comparable"] and fair["is_fair"] is False
    whole = json_of(hosted.post("/runs/diff", json={"run_ids": ["one", "other"], "show_all": True, "metrics": ["acc"]}))
    assert [one["step"] for one in whole["parts"]] == [None]
    assert whole["environment"] == [{"name": "same", "values": {"one": 1, "other": 1}, "differs": False}]
    place = str(hosted.base_url).removesuffix("/api/v1/")
    here = lineal.diff("one", "other", url=place)  # read through the routes, worked out here
    assert here.code[1].patch is not None and here.code[1].patch.text == patch["text"]
    assert lineal.comparable("one", "other", url=place).is_fair is False


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"run_ids": ["one", "nobody"]}, 404),
        ({"run_ids": ["one", "one"]}, 400),
        ({"run_ids": ["one"]}, 400),
        ({"run_ids": ["one"] * 11}, 400),
        ({"run_ids": ["one", "other"], "repository": "/etc"}, 400),
    ],
)
def test_what_cannot_be_asked_is_refused(hosted: httpx.Client, body: dict[str, Any], status: int) -> None:  # noqa: F811
    fill(hosted)
    assert hosted.post("/runs/diff", json=body).status_code == status
