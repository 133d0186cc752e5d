"""The SDK against a real server: within this process, or one that may be killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineal.client import uploader
from lineal.server.hosted import HostedSource
from tests.ports import kept_port
from tests.server.hosting import hosting


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Journals wait below the test's own folder; no uploader is inherited from another test."""
    monkeypatch.setenv("LINEAL_FOLDER", str(tmp_path / "here" / ".lineal"))
    monkeypatch.setattr(uploader, "_uploaders", {})
    yield tmp_path / "here" / ".lineal"


@pytest.fixture
def source(tmp_path: Path) -> Iterator[HostedSource]:
    with HostedSource(f"sqlite:///{tmp_path}/srv/lineal.db") as source:
        yield source


@pytest.fixture
def server(source: HostedSource) -> Iterator[httpx.Client]:
    """A client of a server over SQLite; its `base_url` is what /api/v1 follows."""
    with hosting(source) as client:
        yield client


@pytest.fixture
def port() -> Iterator[int]:
    """Of a server that ends and comes back."""
    with kept_port() as port:
        yield port


def url_of(client: httpx.Client) -> str:
    return str(client.base_url).partition("/api/v1")[0]


def detail_of(client: httpx.Client, run_id: str) -> Any:
    answer = client.get(f"/runs/{run_id}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def points_of(client: httpx.Client, run_id: str, name: str) -> list[tuple[float, float]]:
    # Not by `client` itself, which holds each answer against its schema: that takes seconds for so many points.
    series = httpx.get(f"{client.base_url}experiments/runs/{run_id}/metrics/{name}", timeout=60).json()
    return list(zip(series["step"], series["value"], strict=True))
