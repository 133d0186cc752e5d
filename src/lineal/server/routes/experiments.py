from __future__ import annotations

from typing import Any

from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes.experiments import Experiment, ExperimentsPage, ListExperiments
from lineal.server.views import experiment_of


def list_experiments(context: Context, asked: Asked[ListExperiments, None]) -> ExperimentsPage:
    """By name."""
    query = asked.query
    reader = context.reader
    page = reader.list_experiments(
        search=query.search or None, lifecycle=query.lifecycle_stage, limit=query.limit, offset=query.offset
    )
    counts = reader.count_runs().by_experiment
    found = [experiment_of(one, counts.get(one.experiment_id, 0)) for one in page.experiments]
    return ExperimentsPage(found, page.total, query.limit, query.offset)


def get_experiment(context: Context, asked: Asked[Any, Any]) -> Experiment:
    reader = context.reader
    found = reader.get_experiment(asked.path["experiment_id"])
    return experiment_of(found, reader.count_runs().by_experiment.get(found.experiment_id, 0))


ENDPOINTS = (
    Endpoint(
        "GET", "/api/v1/experiments", list_experiments, "Experiments", ExperimentsPage, ListExperiments, access="reader"
    ),
    Endpoint(
        "GET",
        "/api/v1/experiments/{experiment_id}",
        get_experiment,
        "One experiment",
        Experiment,
        refusals=(404,),
        access="reader",
    ),
)
