"""The real MLflow client, newest and of the 2.x line: the same scripts against a stock server and against ours keep the same."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from benchmarks.environments import python_of
from tests.compat.compare import BASIC, LOGGED_MODELS, WEBHOOKS, differences, drive
from tests.compat.declared import DECLARED
from tests.compat.reach import unasked, unreached
from tests.compat.servers import lineal_server, stock_server

ROOT = Path(__file__).resolve().parents[2]
# 2.x knows no logged models and no webhooks.
CLIENTS = {"mlflow": [*BASIC, *LOGGED_MODELS, *WEBHOOKS, "sklearn_autolog"], "mlflow2": BASIC}


def kept_by(server: str, client: str, address: str | None = None) -> dict[str, Any]:
    with stock_server() if server == "stock" else lineal_server(server, address) as url:
        return drive(client, url, CLIENTS[client])


@pytest.mark.timeout(900)
@pytest.mark.parametrize("client", CLIENTS)
def test_three_servers_keep_the_same(client: str, new_url: str) -> None:
    for environment in ("mlflow", client):  # built beforehand by make; a minute each where they are not
        python_of(environment)
    with ThreadPoolExecutor(2) as both:
        stock, sqlite, postgresql = both.map(
            kept_by, ("stock", "sqlite", "postgresql"), [client] * 3, [None, None, new_url]
        )
    assert not stock["broke"], "a stock server refuses the scripts"
    assert {one["client"].split(".")[0] for one in (stock, sqlite, postgresql)} == {"3" if client == "mlflow" else "2"}
    assert not unreached(stock["offered"], stock["called"])
    if client == "mlflow":  # which asks all that 2.x does, and more
        assert not unasked(stock["asked"])
    for here in (sqlite, postgresql):
        found = differences(stock, here)
        undeclared = {path: pair for path, pair in found.items() if not any(one.covers(path) for one in DECLARED)}
        assert not undeclared, "\n".join(
            f"{path}: stock {first!r}, here {second!r}" for path, (first, second) in undeclared.items()
        )
        mine = [one for one in DECLARED if one.client in ("", client)]
        assert not [one.where for one in mine if not any(one.covers(path) for path in found)], "declared, but the same"


def test_every_declared_difference_stands_in_the_docs() -> None:
    rows = re.findall(r"^\| (.+?) \|", (ROOT / "docs" / "mlflow.md").read_text(), re.MULTILINE)
    assert {one.what for one in DECLARED} <= set(rows)
