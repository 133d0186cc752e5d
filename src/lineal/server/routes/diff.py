"""In what runs differ. Of code: as far as what was recorded tells it, for a server has no repository, and opens none."""

from __future__ import annotations

from typing import Any

import msgspec

from lineal.server.answers import Content
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes import difference as shapes
from lineal.server.shapes.numbers import plain
from lineal.store.code_trees import reading
from lineal.store.comparable import read_comparable
from lineal.store.difference_view import comparable_dict, difference_dict
from lineal.store.full_difference import full_difference


def diff_runs(context: Context, asked: Asked[Any, shapes.DiffRuns]) -> Content:
    """Params, code, packages, data, hardware, environment, metrics, and the first step at which curves part."""
    found = full_difference(
        context.reader,
        [context.full_id(run_id) for run_id in asked.body.run_ids],
        reading(lambda digest: context.source.find_blob(context.tenant, digest)),
        metrics=asked.body.metrics,
    )
    said = difference_dict(found, show_all=asked.body.show_all)
    return Content(msgspec.json.encode(plain(said)), "application/json")


def compare_fairly(context: Context, asked: Asked[Any, shapes.CompareFairly]) -> Content:
    """Whether a comparison of the runs is fair: same data, same code, same meaning of metrics."""
    ids = list(dict.fromkeys(context.full_id(run_id) for run_id in asked.body.run_ids))
    said = comparable_dict(read_comparable(context.reader, ids))
    return Content(msgspec.json.encode(plain(said)), "application/json")


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/runs/diff",
        diff_runs,
        "In what runs differ",
        shapes.Difference,
        body=shapes.DiffRuns,
        refusals=(404,),
        finds=True,
        access="reader",
    ),
    Endpoint(
        "POST",
        "/api/v1/runs/comparable",
        compare_fairly,
        "Whether it is fair to compare runs",
        shapes.Comparable,
        body=shapes.CompareFairly,
        refusals=(404,),
        finds=True,
        access="reader",
    ),
)
