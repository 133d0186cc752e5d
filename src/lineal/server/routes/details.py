"""Many runs whole."""

from __future__ import annotations

from typing import Any

from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.routes.run import detail_of
from lineal.server.shapes.runs import NameRuns, RunsDetails


def read_details(context: Context, asked: Asked[Any, NameRuns]) -> RunsDetails:
    """Runs by their full ids, each once, in the order asked, as `GET /runs/{run_id}` has them but for their children (none are
    named)."""
    run_ids = list(dict.fromkeys(asked.body.run_ids))
    details = context.reader.get_details_of(run_ids)
    summaries = context.reader.list_summaries(run_ids)
    found = [detail_of(one, series, context.tenant, []) for one, series in zip(details, summaries, strict=True)]
    return RunsDetails(found)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/runs/details",
        read_details,
        "Runs, whole",
        RunsDetails,
        body=NameRuns,
        refusals=(404,),
        access="reader",
    ),
)
