"""The wish that a run should end."""

from __future__ import annotations

import time
from typing import Any

from lineal.model.errors import Conflict
from lineal.model.vocabulary import STOP_TAG
from lineal.record.records import TagsSet
from lineal.server.changes import edit_run
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes.writes import StopAsked
from lineal.store.run_view import iso_time


def stop_run(context: Context, asked: Asked[Any, None]) -> StopAsked:
    """Asks a running run to stop: its program hears of it (`run.should_stop`) and decides when. Nothing is killed."""
    run_id = context.full_id(asked.path["run_id"])
    run = context.reader.get_run(run_id)
    if run.status != "running":
        raise Conflict(f"run {run_id!r:.80} is not running: it is {run.status}", field="run_id")
    edit_run(context, run_id, [TagsSet({STOP_TAG: iso_time(time.time_ns() // 1_000_000)})])
    return StopAsked("Asked to stop", run_id)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/runs/{run_id}/stop",
        stop_run,
        "Ask a run to stop",
        StopAsked,
        refusals=(404, 409),
        access="writer",
    ),
)
