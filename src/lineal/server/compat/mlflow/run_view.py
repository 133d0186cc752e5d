"""Runs as MLflow has them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from lineal.model.entities import Experiment, Run, RunDetails
from lineal.model.errors import NotFound
from lineal.model.lineage import DatasetUse
from lineal.model.values import value_text
from lineal.model.vocabulary import EndStatus, Status
from lineal.server.compat.mlflow.answers import filled, pairs_of
from lineal.server.compat.mlflow.errors import MISSING, Json, MlflowError
from lineal.server.compat.mlflow.experiment_ids import number_of
from lineal.server.compat.mlflow.experiments import NOTE_TAG, location_of
from lineal.server.compat.mlflow.inputs_view import inputs_json, outputs_json
from lineal.server.compat.mlflow.latest import latest_of
from lineal.store.contracts import TenantReader

if TYPE_CHECKING:
    from lineal.server.context import Context

_to_json = msgspec.json.Encoder().encode
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


def read_run(context: Context, run_id: str) -> msgspec.Raw:
    """The run of that very id."""
    try:
        run = context.reader.get_run(run_id)
    except NotFound:
        raise no_run(run_id) from None
    return read_runs(context, [run])[0]


def read_info(reader: TenantReader, run_id: str) -> Json:
    """Without what was logged."""
    [details] = reader.get_details_of([run_id])
    return info_json(details, reader.get_experiment(details.run.experiment_id))


def read_runs(context: Context, runs: Sequence[Run]) -> list[msgspec.Raw]:
    """In the order asked, at a constant number of statements (and one for each experiment); encoded, and kept as long as they
    do not change."""
    reader = context.reader
    experiments = {one: reader.get_experiment(one) for one in dict.fromkeys(run.experiment_id for run in runs)}
    # What a run's answer takes from its experiment makes another form of it.
    forms = {one: f"mlflow {known.lifecycle} {location_of(known)}" for one, known in experiments.items()}

    def read(run_ids: Sequence[str]) -> list[bytes]:
        details = reader.get_details_of(run_ids)
        metrics = latest_of(reader, run_ids, reader.list_summaries(run_ids))
        users = [item.run.run_id for item in details if item.datasets]
        uses = dict(zip(users, reader.list_dataset_uses(users), strict=True)) if users else {}
        return [
            _to_json(run_json(item, points, uses.get(item.run.run_id, ()), experiments[item.run.experiment_id]))
            for item, points in zip(details, metrics, strict=True)
        ]

    return context.rows.list_as(
        context.store, context.tenant, [(run.run_id, forms[run.experiment_id]) for run in runs], read
    )


def run_json(
    details: RunDetails, metrics: list[dict[str, Any]], uses: Sequence[DatasetUse], experiment: Experiment
) -> Json:
    """`uses`: of its datasets, whole."""
    params = [{"key": key, "value": value_text(value)} for key, value in details.params.items()]
    data = filled(metrics=metrics, params=params, tags=pairs_of(tags_of(details)))
    inputs, outputs = inputs_json(details, uses), outputs_json(details)
    return {"info": info_json(details, experiment), "data": data, "inputs": inputs, "outputs": outputs}


def tags_of(details: RunDetails) -> dict[str, str]:
    """The run's, and those that mirror what is kept apart here."""
    run = details.run
    tags = dict(details.tags)
    if tags.get(NAME_TAG) == "":  # the tag was deleted: the name stays
        del tags[NAME_TAG]
    else:
        tags[NAME_TAG] = run.name
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
