from __future__ import annotations

from lineal.model.errors import InvalidInput
from lineal.server.answers import Events
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes.live import AskLive, Change


def watch_changes(context: Context, asked: Asked[AskLive, None]) -> Events:
    """Server-sent events: `change` with a `Change` as its data, at most about four a second, and a comment every 15 s.
    `Last-Event-ID` resumes, as `after` does."""
    after = asked.query.after
    resumed = asked.headers.get("last-event-id")
    if resumed:
        if not (resumed.isascii() and resumed.isdigit() and len(resumed) < 16):
            raise InvalidInput("Last-Event-ID is the number of a change", field="Last-Event-ID")
        after = int(resumed)
    return Events(context.live.watch(context.tenant, after))


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/live",
        watch_changes,
        "Changes as they happen",
        query=AskLive,
        media={"text/event-stream": Change},
        is_async=True,
        access="reader",
    ),
)
