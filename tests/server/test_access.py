"""Who may call which route."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from lineal.server.dispatch import Dispatch
from lineal.server.gate import Gate
from lineal.server.observed import Observed
from lineal.server.route_table import ENDPOINTS


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: f"{one.method} {one.path}")
def test_every_route_says_who_may_call_it(endpoint: object) -> None:
    assert endpoint.access is not None  # type: ignore[attr-defined]


def test_a_route_that_does_not_say_is_called_by_nobody() -> None:
    forgotten = replace(ENDPOINTS[0], access=None)
    serve = Dispatch(None, None, Gate(None, asks=False), Observed()).serving({"GET": forgotten})  # type: ignore[arg-type]
    app = Starlette(routes=[Route(forgotten.path, serve)])

    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
            return await client.get(forgotten.path)

    answer = asyncio.run(asked())
    assert answer.status_code == 403 and answer.json()["code"] == "forbidden"
