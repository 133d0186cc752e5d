from __future__ import annotations

from typing import Any

from lineal.query.parser import parse_field
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.questions import filter_of, names_of, order_of
from lineal.server.shapes.groups import GroupRuns, GroupsPage, RunGroup, Spread
from lineal.server.shapes.numbers import number_or_none, scalar
from lineal.store import contracts


def group_runs(context: Context, asked: Asked[Any, GroupRuns]) -> GroupsPage:
    """Runs by the values of fields, with the spread of metrics within each group; largest first unless `order_by` says otherwise."""
    body = asked.body
    metrics = {text: parse_field(text, "metrics") for text in body.metrics}
    query = contracts.GroupQuery(
        by=tuple(parse_field(text, "by") for text in body.by),
        metrics=tuple(metrics.values()),
        filter=filter_of(body.filter),
        lifecycle=None if body.lifecycle_stage == "all" else body.lifecycle_stage,
        experiments=names_of(body.experiments),
        limit=body.limit,
        order=order_of(body.order_by),
    )
    page = context.reader.list_groups(query)
    groups = [
        RunGroup(
            values=[scalar(value) for value in group.values],
            run_count=group.run_count,
            aggregates={text: _spread(group.aggregates[field]) for text, field in metrics.items()},
            run_ids=list(group.run_ids),
        )
        for group in page.groups
    ]
    return GroupsPage(groups, page.total)


def _spread(spread: contracts.Spread) -> Spread:
    rest = (number_or_none(value) for value in (spread.mean, spread.std, spread.min, spread.max))
    return Spread(spread.count, *rest)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/runs/groups",
        group_runs,
        "Runs by the values of fields",
        GroupsPage,
        body=GroupRuns,
        access="reader",
    ),
)
