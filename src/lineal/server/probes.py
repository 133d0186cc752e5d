"""What machines ask at fixed addresses: is it alive, does it take requests, how does it do."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lineal.server.dispatch import Dispatch
from lineal.server.routes import health, prometheus
from lineal.server.seen import seen_of

ALIVE = "/health"


async def answer_alive(request: Request) -> Response:
    """As long as the process serves: whether the store answers is another question, which a restart does not mend."""
    seen_of(request).route = ALIVE
    return Response(b'{"status":"ok"}', headers={"cache-control": "no-store"}, media_type="application/json")


def probes(dispatch: Dispatch) -> list[Route]:
    return [
        Route(ALIVE, answer_alive, methods=["GET"]),
        Route("/ready", dispatch.serving({"GET": health.READY}), methods=["GET"]),
        Route("/metrics", dispatch.serving({"GET": prometheus.METRICS}), methods=["GET"]),
    ]
