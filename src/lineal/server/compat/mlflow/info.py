"""What clients ask a server about itself."""

from __future__ import annotations

from typing import Any

from lineal.server.answers import Content
from lineal.server.compat.mlflow.answers import answer
from lineal.server.context import Context
from lineal.server.endpoint import Asked

# Clients send spans by OpenTelemetry to what claims 3.4 or later, which is not here; they ask for nothing else by it.
CLAIMED_VERSION = "3.3.2"


def get_version(context: Context, asked: Asked[Any, None]) -> Content:
    return Content(CLAIMED_VERSION.encode(), "text/plain; charset=utf-8")


def get_server_info(context: Context, asked: Asked[Any, None]) -> Content:
    """A workspace is a tenant: X-MLFLOW-WORKSPACE names it."""
    return answer(
        store_type="SqlStore",
        workspaces_enabled=True,
        trace_archival_enabled=False,
        multipart_uploads_enabled=False,
        multipart_downloads_enabled=False,
    )
