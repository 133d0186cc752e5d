from __future__ import annotations

from typing import Any

from lineal.model.errors import InvalidInput
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.questions import filter_of, names_of, order_of
from lineal.server.shapes.runs import RunsPage, SearchRuns
from lineal.server.views import list_rows
from lineal.store.contracts import RunQuery


def search_runs(context: Context, asked: Asked[Any, SearchRuns]) -> RunsPage:
    """Runs that match, newest first unless `order_by` says otherwise."""
    body = asked.body
    if body.page_token is not None and body.offset:
        raise InvalidInput("page_token and offset exclude each other", field="page_token")
    reader = context.reader
    page = reader.list_runs(
        RunQuery(
            filter=filter_of(body.filter),
            order=order_of(body.order_by),
            lifecycle=None if body.lifecycle_stage == "all" else body.lifecycle_stage,
            limit=body.limit,
            offset=body.offset,
            experiments=names_of(body.experiments),
            after=body.page_token,
        )
    )
    rows = list_rows(reader, context.tenant, [run.run_id for run in page.runs])
    return RunsPage(rows, page.total, page.next_token)


ENDPOINTS = (
    Endpoint("POST", "/api/v1/runs/search", search_runs, "Runs that match a filter", RunsPage, body=SearchRuns),
)
