"""Runs as version 1 of the contract has them."""

from __future__ import annotations

from typing import Any

from lineal.query.syntax import Comparison, Field, Filter
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.questions import all_of, filter_of, order_of
from lineal.server.shapes.runs import ListRuns, Run, RunsList
from lineal.server.views import list_rows, run_of
from lineal.store.contracts import RunQuery


def list_runs(context: Context, asked: Asked[ListRuns, None]) -> RunsList:
    """Active runs, newest first unless `order_by` says otherwise."""
    query = asked.query
    asked_for = filter_of(query.filter)
    wanted: list[Filter] = [] if asked_for is None else [asked_for]
    for name, value in (("experiment_id", query.experiment_id), ("status", query.status)):
        if value is not None:
            wanted.append(Comparison(Field("attribute", name), "=", value))
    reader = context.reader
    page = reader.list_runs(
        RunQuery(all_of(wanted), order_of([query.order_by]), limit=query.limit, offset=query.offset)
    )
    rows = list_rows(reader, context.tenant, [run.run_id for run in page.runs])
    return RunsList([run_of(row) for row in rows], page.total, query.limit, query.offset)


def get_experiment_run(context: Context, asked: Asked[Any, None]) -> Run:
    """The run of that id, or the only one that begins so; deleted ones too."""
    run_id = context.full_id(asked.path["run_id"])
    [row] = list_rows(context.reader, context.tenant, [run_id])
    return run_of(row)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/experiments/runs",
        list_runs,
        "Runs of an experiment, or of all",
        RunsList,
        ListRuns,
        access="reader",
    ),
    Endpoint(
        "GET", "/api/v1/experiments/runs/{run_id}", get_experiment_run, "One run", Run, refusals=(404,), access="reader"
    ),
)
