"""Runs as MLflow has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lineal.model.entities import Experiment, RunDetails, SeriesInfo
from lineal.model.errors import NotFound
from lineal.model.lineage import DatasetUse
from lineal.model.values import value_text
from lineal.model.vocabulary import EndStatus, Status
from lineal.server.compat.mlflow.answers import filled, pairs_of
from lineal.server.compat.mlflow.errors import MISSING, Json, MlflowError
from lineal.server.compat.mlflow.experiment_ids import number_of
from lineal.server.compat.mlflow.experiments import NOTE_TAG, location_of
from lineal.server.compat.mlflow.given import number
from lineal.server.compat.mlflow.inputs_view import inputs_json, outputs_json
from lineal.store.contracts import TenantReader

NAME_TAG = "mlflow.runName"
PARENT_TAG = "mlflow.parentRunId"
STATUS_OF: dict[Status, str] = {
    "running": "RUNNING",
    "finished": "FINISHED",
    "failed": "FAILED",
    "killed": "KILLED",
    "lost": "FAILED",  # nobody knows how it ended; MLflow has no word for that
}
END_OF: dict[str, EndStatus] = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "killed"}


def no_run(run_id: str) -> MlflowError:
    return MlflowError(f"Run with id={run_id} not found", MISSING)


def read_run(reader: TenantReader, run_id: str) -> Json:
    """The run of that very id."""
    if reader.find_run_ids(run_id, limit=1) != [run_id]:
        raise no_run(run_id)
    return read_runs(reader, [run_id])[0]


def read_runs(reader: TenantReader, run_ids: Sequence[str]) -> list[Json]:
    """In the order asked, at a constant number of statements (and one for each experiment)."""
    try:
        details = reader.get_details_of(run_ids)
    except NotFound:
        raise no_run(", ".join(run_ids)[:300]) from None
    summaries = reader.list_summaries(run_ids)
    experiments = {one: reader.get_experiment(one) for one in dict.fromkeys(item.run.experiment_id for item in details)}
    users = [run_id for run_id, item in zip(run_ids, details, strict=True) if item.datasets]
    uses = dict(zip(users, reader.list_dataset_uses(users), strict=True))
    return [
        run_json(item, series, experiments[item.run.experiment_id], uses.get(item.run.run_id, ()))
        for item, series in zip(details, summaries, strict=True)
    ]


def run_json(
    details: RunDetails, series: Sequence[SeriesInfo], experiment: Experiment, uses: Sequence[DatasetUse] = ()
) -> Json:
    """`uses`: of its datasets, whole."""
    params = [{"key": key, "value": value_text(value)} for key, value in details.params.items()]
    data = filled(metrics=metrics_of(series), params=params, tags=pairs_of(tags_of(details)))
    inputs, outputs = inputs_json(details, uses), outputs_json(details)
    return {"info": info_json(details, experiment), "data": data, "inputs": inputs, "outputs": outputs}


def tags_of(details: RunDetails) -> dict[str, str]:
    """The run's, and those that mirror what is kept apart here."""
    run = details.run
    tags = {**details.tags, NAME_TAG: run.name}
    if run.parent_run_id is not None:
        tags.setdefault(PARENT_TAG, run.parent_run_id)
    note = details.note or run.description
    if note:
        tags.setdefault(NOTE_TAG, note)
    return tags


def info_json(details: RunDetails, experiment: Experiment) -> Json:
    run = details.run
    is_deleted = "deleted" in (run.lifecycle, experiment.lifecycle)
    return filled(
        run_id=run.run_id,
        run_uuid=run.run_id,
        run_name=run.name,
        experiment_id=number_of(experiment),
        user_id=run.user_id or "",
        status=STATUS_OF[run.status],
        start_time=run.started_ms,
        end_time=run.ended_ms,
        artifact_uri=artifact_uri(experiment, run.run_id),
        lifecycle_stage="deleted" if is_deleted else "active",
    )


def artifact_uri(experiment: Experiment, run_id: str) -> str:
    place, mark, query = location_of(experiment).partition("?")
    return f"{place.rstrip('/')}/{run_id}/artifacts{mark}{query}"


def metrics_of(series: Sequence[SeriesInfo]) -> list[dict[str, Any]]:
    """The latest point of each metric: of two value types the later one; labelled series are of logged models."""
    latest: dict[str, SeriesInfo] = {}
    for info in series:
        known = latest.get(info.key.name)
        if not info.key.labels and (known is None or info.summary.last_ms >= known.summary.last_ms):
            latest[info.key.name] = info
    return [
        {
            "key": name,
            "value": number(info.summary.last),
            "timestamp": info.summary.last_ms,
            "step": int(info.summary.last_step),
        }
        for name, info in latest.items()
    ]
