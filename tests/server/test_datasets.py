"""Datasets by themselves over HTTP."""

from __future__ import annotations

from operator import methodcaller as call
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from lineal.model.lineage import Dataset, DatasetUse
from lineal.server.hosted import HostedSource
from lineal.testing.suite_base import at
from lineal.testing.suite_datasets import ONE, TWO, USES, making, using
from tests.server.conftest import json_of
from tests.server.hosting import hosted, source  # noqa: F401 (fixtures)

ODD = ("a/b", "a//b/../c", "with space", "?#&=", "%2F", "Ünïcode 🦊", "a@b", "100%", "runs", "..")


@pytest.fixture
def client(source: HostedSource, hosted: httpx.Client) -> httpx.Client:  # noqa: F811
    with source.opened() as store, store.begin() as transaction:
        for said in (*USES, making("r3", "b" * 32, 61)):
            said(transaction.tenant("default"))
        for n, name in enumerate(ODD, 100):
            using("r1", name, f"digest-{n}", n)(transaction.tenant("odd"))
    return hosted


def test_a_list_in_pages(client: httpx.Client) -> None:
    first = json_of(client.get("/datasets", params={"limit": 1}))
    assert [one["name"] for one in first["datasets"]] == ["Test Data/é"]
    rest = json_of(client.get("/datasets", params={"limit": 1, "page_token": first["next_page_token"]}))
    assert rest == {
        "datasets": [
            {
                "name": "train",
                "digest": TWO,
                "version": "2.0",
                "source_type": None,
                "source": None,
                "row_count": None,
                "column_count": None,
                "file_count": None,
                "size_bytes": None,
                "run_count": 3,
                "last_used": "1970-01-01T00:00:00.030Z",
                "version_count": 2,
            }
        ],
        "next_page_token": None,
    }
    by_use = json_of(client.get("/datasets", params={"order_by": "last_used", "search": "T"}))["datasets"]
    assert [one["name"] for one in by_use] == ["train", "Test Data/é"]
    for wrong in ({"limit": 0}, {"limit": 1_001}, {"order_by": "size"}):
        assert client.get("/datasets", params=wrong).is_client_error
    assert client.get("/datasets", params={"page_token": "x"}).json()["field"] == "page_token"


def test_one_by_name_and_by_digest(client: httpx.Client) -> None:
    train = json_of(client.get("/datasets/train"))
    assert (train["asked_digest"], train["shown"]["digest"], train["run_count"]) == (None, TWO, 3)
    assert train["shown"]["other_names"] == ["Test Data/é"]
    first = json_of(client.get("/datasets/train", params={"digest": ONE[:10]}))
    assert (first["asked_digest"], first["shown"]["run_count"]) == (ONE, 3)
    assert (first["shown"]["first_used"], first["shown"]["last_used"]) == (
        "1970-01-01T00:00:00.010Z",
        "1970-01-01T00:00:00.021Z",
    )
    for address in (f"/datasets/{ONE}", f"/datasets/{ONE[:8]}", f"/datasets/train@{ONE[:3]}", "/datasets/train@1.0"):
        answer = json_of(client.get(address))
        assert (answer["name"], answer["asked_digest"]) == ("train", ONE)
    for address in ("/datasets/nothing", "/datasets/train?digest=ff", f"/datasets/{ONE}0"):
        assert client.get(address).json()["code"] == "not_found"


@pytest.mark.parametrize("name", ODD)
def test_any_name_is_an_address(client: httpx.Client, name: str) -> None:
    headers = {"X-Tenant-ID": "odd"}
    if name != "..":  # which no client sends as it is
        assert json_of(client.get(f"/datasets/{quote(name, safe='')}", headers=headers))["name"] == name
    for path, key in (("/dataset-versions", "versions"), ("/dataset-uses", "uses")):
        [one] = json_of(client.get(path, params={"name": name}, headers=headers))[key]
        assert one["digest"].startswith("digest-")


def test_versions_uses_and_models(client: httpx.Client) -> None:
    def found(path: str, key: str, **asked: Any) -> list[Any]:
        entries: list[Any] = []
        token: str | None = None
        for _ in range(9):
            more = {} if token is None else {"page_token": token}
            page = json_of(client.get(path, params={**asked, "limit": 2, **more}))
            entries += page[key]
            token = page["next_page_token"]
            if token is None:
                break
        return entries

    versions = found("/dataset-versions", "versions", name="train")
    assert [(one["digest"], one["run_count"]) for one in versions] == [(TWO, 1), (ONE, 3)]
    assert [one["name"] for one in found("/dataset-versions", "versions", digest=TWO)] == ["train", "Test Data/é"]
    uses = found("/dataset-uses", "uses", name="train")
    assert [(one["run_id"], one["context"]) for one in uses] == [
        ("r3", "training"),
        ("r2", "evaluation"),
        ("r2", "training"),
        ("r3", "training"),
        ("r1", "training"),
    ]
    assert uses[-1] == {
        "run_id": "r1",
        "run_name": "name of r1",
        "experiment": "digits",
        "status": "running",
        "lifecycle_stage": "active",
        "digest": ONE,
        "version": "1.0",
        "context": "training",
        "used_at": "1970-01-01T00:00:00.010Z",
    }
    assert [one["run_id"] for one in found("/dataset-uses", "uses", name="train", digest=TWO)] == ["r3"]
    [model] = found("/dataset-models", "models", name="train", digest=TWO)
    assert (model["name"], model["version"], model["run_id"], model["stage"]) == ("digits", 1, "r3", "none")
    assert found("/dataset-models", "models", name="Test Data/é") == found("/dataset-uses", "uses", name="no") == []
    for path in ("/dataset-versions", "/dataset-uses", "/dataset-models"):
        assert client.get(path).is_client_error


def test_what_clients_say_of_their_data_is_answered_as_it_was_said(
    source: HostedSource,  # noqa: F811
    client: httpx.Client,
) -> None:
    for n, (schema, profile) in enumerate((('{"x": NaN}', '{"num_rows": 3}'), ("no JSON", "[1]"), (None, None)), 1):
        with source.opened() as store, store.begin() as transaction:
            data = Dataset("said", f"d{n}", None, "http", "https://example.org", schema, profile)
            call("use_dataset", f"s{n}", DatasetUse(data), at(1_000 + n, n))(transaction.tenant("default"))
    shown = [json_of(client.get("/datasets/said", params={"digest": f"d{n}"}))["shown"] for n in (1, 2, 3)]
    assert [one["schema"] for one in shown] == [{"x": "NaN"}, "no JSON", None]
    assert [(one["profile"], one["row_count"]) for one in shown] == [({"num_rows": 3}, 3), ([1], None), (None, None)]
