from __future__ import annotations

from typing import Any

from lineal._version import __version__
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes.live import Health


def get_health(context: Context, asked: Asked[Any, None]) -> Health:
    """Answers as soon as the store can be read."""
    return Health("ok", __version__, context.source.name, context.store.change_number())


ENDPOINTS = (Endpoint("GET", "/api/v1/health", get_health, "Whether the server can answer", Health),)
