"""A server that speaks MLflow's protocol, over every store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lineal.server.hosted import HostedSource
from tests.server.compat.asking import Mlflow, asking
from tests.server.conftest import sqlite_place
from tests.server.hosting import source

__all__ = ["source"]


@pytest.fixture
def mlflow(source: HostedSource) -> Iterator[Mlflow]:
    with asking(source) as one:
        yield one


@pytest.fixture
def one_mlflow(tmp_path: Path) -> Iterator[Mlflow]:
    """Over SQLite alone: for what no store has a part in."""
    place: Any = sqlite_place(tmp_path / "srv")
    with HostedSource(place.url, tmp_path / "srv" / "blobs") as source, asking(source) as one:
        yield one
