"""A server whose webhooks may call this machine, over every store, and a receiver there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from lineal.server.hosted import HostedSource
from lineal.server.webhooks.addresses import receivers_of
from tests.server.compat.asking import Mlflow, asking
from tests.server.conftest import sqlite_place
from tests.server.receiving import Receiver, receiving
from tests.server.watched import WATCH

HERE = receivers_of(("127.0.0.1:*", "localhost:*"))


def may_call(receiver: Receiver) -> None:
    WATCH.may_call.add(("127.0.0.1", urlsplit(receiver.url).port or 0))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        may_call(one)
        yield one


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def source(request: Any, tmp_path: Path) -> Iterator[HostedSource]:
    url = "memory:"
    if request.param == "sqlite":
        url = sqlite_place(tmp_path / "srv").url
    elif request.param == "postgresql":
        url = request.getfixturevalue("postgres_url")
    with HostedSource(url, tmp_path / "srv" / "blobs", receivers=HERE) as source:
        yield source


@pytest.fixture
def mlflow(source: HostedSource) -> Iterator[Mlflow]:
    with asking(source) as one:
        yield one


@pytest.fixture
def one_source(tmp_path: Path) -> Iterator[HostedSource]:
    """Over SQLite alone."""
    url = sqlite_place(tmp_path / "srv").url
    with HostedSource(url, tmp_path / "srv" / "blobs", receivers=HERE) as source:
        yield source
