"""What a run printed."""

from __future__ import annotations

from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes.console import ConsoleLine, ConsolePage, ReadConsole
from lineal.store.console import ConsoleQuery


def read_console(context: Context, asked: Asked[ReadConsole, None]) -> ConsolePage:
    """Lines of the run's console. To follow it, ask with after=next whenever the run has changed."""
    query = asked.query
    page = context.reader.read_console(
        context.full_id(asked.path["run_id"]),
        ConsoleQuery(query.after, query.before, query.limit, query.stream, query.attempt, query.search or None),
    )
    lines = [
        ConsoleLine(line.number, line.time_ms, line.stream, line.text, line.attempt_id, line.rank)
        for line in page.lines
    ]
    return ConsolePage(lines, page.total, page.next)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/runs/{run_id}/console",
        read_console,
        "What a run printed",
        ConsolePage,
        ReadConsole,
        refusals=(404,),
        access="reader",
    ),
)
