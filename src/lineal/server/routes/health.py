from __future__ import annotations

from typing import Any

from lineal._version import __version__
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes.live import Health
from lineal.server.shapes.writes import Ready


def get_health(context: Context, asked: Asked[Any, None]) -> Health:
    """Answers as soon as the store can be read."""
    return Health("ok", __version__, context.source.name, context.store.change_number())


def get_ready(context: Context, asked: Asked[Any, None]) -> Ready:
    """Whether it takes requests, at /ready too: not once it was told to stop, and not while its store does not answer or a
    disk takes nothing."""
    context.source.check_ready()
    return Ready("ready")


READY = Endpoint("GET", "/api/v1/ready", get_ready, "Whether the server takes requests", Ready, access="open")
ENDPOINTS = (
    Endpoint("GET", "/api/v1/health", get_health, "Whether the server can answer", Health, access="open"),
    READY,
)
