from __future__ import annotations

from typing import Any

from lineal.server.answers import Content
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.prometheus import MEDIA_TYPE


def get_metrics(context: Context, asked: Asked[Any, None]) -> Content:
    """In Prometheus' text format, also at /metrics: requests, latencies, what was taken in and lost, commits, open streams, room."""
    return Content(context.observed.text(context.source, context.live).encode(), MEDIA_TYPE)


METRICS = Endpoint(
    "GET",
    "/api/v1/metrics",
    get_metrics,
    "How the server does, for Prometheus",
    media={"text/plain": None},
    access="server_reader",
)
ENDPOINTS = (METRICS,)
