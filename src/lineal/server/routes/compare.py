from __future__ import annotations

from typing import Any

import msgspec

from lineal.ingest.desk import Said
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes import runs as shapes
from lineal.server.shapes.numbers import number, number_or_none
from lineal.server.views import row_of
from lineal.store.compare import compare


def compare_runs(context: Context, asked: Asked[Any, shapes.CompareRuns]) -> shapes.RunsCompared | Said:
    """Which run is best in which metric, by the metric's declared or usual direction."""
    run_ids = [context.full_id(run_id) for run_id in asked.body.run_ids]
    details = context.reader.get_details_of(run_ids)
    series = context.reader.list_summaries(run_ids)
    compared = compare(details, series, asked.body.metrics)
    rows = [row_of(one, of_run, context.tenant) for one, of_run in zip(details, series, strict=True)]
    metrics = {
        name: shapes.MetricComparison(
            one.best_run_id,
            number_or_none(one.best_value),
            {run_id: number(value) for run_id, value in one.all_values.items()},
        )
        for name, one in compared.metrics.items()
    }
    answer = shapes.RunsCompared(
        [shapes.ComparedRun(row.run_id, row.name, row.status, row.params, row.metrics) for row in rows],
        shapes.Comparison(compared.best_run, metrics),
    )
    if context.once is None:
        return answer
    return context.source.say(context.tenant, [], Said(200, msgspec.json.encode(answer)), context.once)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/experiments/runs/compare",
        compare_runs,
        "Runs side by side",
        shapes.RunsCompared,
        body=shapes.CompareRuns,
        refusals=(404, 409),
        finds=True,
        access="reader",
    ),
)
