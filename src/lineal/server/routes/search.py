from __future__ import annotations

from typing import Any, cast

from lineal.model.errors import InvalidInput
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.questions import filter_of, names_of, order_of
from lineal.server.shapes.runs import RunRow, RunsPage, SearchRuns
from lineal.store.contracts import RunQuery


def search_runs(context: Context, asked: Asked[Any, SearchRuns]) -> RunsPage:
    """Runs that match, newest first unless `order_by` says otherwise."""
    body = asked.body
    if body.page_token is not None and body.offset:
        raise InvalidInput("page_token and offset exclude each other", field="page_token")
    page = context.reader.list_runs(
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
    rows = context.rows.list_rows(context.store, context.tenant, [run.run_id for run in page.runs])
    return RunsPage(cast(list[RunRow], rows), page.total, page.next_token)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/runs/search",
        search_runs,
        "Runs that match a filter",
        RunsPage,
        body=SearchRuns,
        access="reader",
    ),
)
