"""`lineal serve`: the app over a store of its own, within this process and as a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineal.server.hosted import HostedSource
from tests.server.conftest import Place, Served, json_of, served_here, sqlite_place, started

BASE = "/api/v1"


def hosting(source: HostedSource, port: int = 0, **more: Any) -> AbstractContextManager[httpx.Client]:
    return served_here(source, BASE, port, **more)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def source(request: Any, tmp_path: Path) -> Iterator[HostedSource]:
    url = "memory:"
    if request.param == "sqlite":
        url = sqlite_place(tmp_path / "srv").url
    elif request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    with HostedSource(url, tmp_path / "srv" / "blobs") as source:
        yield source


@pytest.fixture
def hosted(source: HostedSource) -> Iterator[httpx.Client]:
    with hosting(source) as client:
        yield client


def serving_store(place: Path | Place, *arguments: str, stderr: Any = None) -> AbstractContextManager[Served]:
    """`lineal serve` in a process of its own (a folder: over SQLite). Its client names paths from /api/v1 on."""
    if isinstance(place, Path):
        place = sqlite_place(place)
    return started("serve", "--store", place.url, "--blobs", str(place.blobs), *arguments, base=BASE, stderr=stderr)


def new_experiment(client: httpx.Client, name: str = "digits", **more: Any) -> Any:
    return json_of(client.post("/experiments", json={"name": name, **more}), 201)


def new_run(client: httpx.Client, **more: Any) -> str:
    found = json_of(client.get("/experiments", params={"search": "digits"}))["experiments"]
    experiment = found[0] if found else new_experiment(client)
    answer = client.post("/experiments/runs", json={"experiment_id": experiment["id"], **more})
    run_id: str = json_of(answer, 201)["run_id"]
    return run_id
