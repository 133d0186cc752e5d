"""From the store's nouns to the shapes of answers."""

from __future__ import annotations

from collections.abc import Sequence

from lineal.model import entities, lineage
from lineal.model.values import value_text
from lineal.server.shapes import runs as shapes
from lineal.server.shapes.experiments import Experiment
from lineal.server.shapes.numbers import Number, number, number_or_none, scalar
from lineal.store.compare import latest_values
from lineal.store.contracts import TenantReader
from lineal.store.lineage import counts_in
from lineal.store.run_view import iso_time


def list_rows(reader: TenantReader, tenant: str, run_ids: Sequence[str]) -> list[shapes.RunRow]:
    """Runs as the table shows them, in the order asked, at a constant number of statements."""
    details = reader.get_details_of(run_ids)
    summaries = reader.list_summaries(run_ids)
    return [row_of(one, series, tenant) for one, series in zip(details, summaries, strict=True)]


def row_of(details: entities.RunDetails, series: Sequence[entities.SeriesInfo], tenant: str) -> shapes.RunRow:
    run = details.run
    duration_ms = run.duration_ms
    return shapes.RunRow(
        run_id=run.run_id,
        experiment_id=run.experiment_id,
        parent_run_id=run.parent_run_id,
        name=run.name,
        description=run.description,
        status=run.status,
        user_id=run.user_id,
        start_time=iso_time(run.started_ms),
        end_time=iso_time(run.ended_ms),
        duration_seconds=None if duration_ms is None else duration_ms / 1000,
        params={name: value_text(value) for name, value in details.params.items()},
        metrics=latest(series),
        tags=details.tags,
        artifact_uri=f"lineal:///{tenant}/{run.run_id}/artifacts",
        lifecycle_stage=run.lifecycle,
        experiment_name=run.experiment_name,
        typed_params={name: scalar(value) for name, value in details.params.items()},
        locked=run.is_locked,
    )


def run_of(row: shapes.RunRow) -> shapes.Run:
    """Without what only our own routes add."""
    return shapes.Run(*(getattr(row, name) for name in shapes.Run.__struct_fields__))


def latest(series: Sequence[entities.SeriesInfo]) -> dict[str, Number]:
    return {name: number(value) for name, value in latest_values(series).items()}


def attempt_of(attempt: entities.Attempt) -> shapes.Attempt:
    return shapes.Attempt(
        attempt_id=attempt.attempt_id,
        started_at=iso_time(attempt.started_ms),
        ended_at=iso_time(attempt.ended_ms),
        status=attempt.status,
        error=attempt.error,
        user_id=attempt.user_id,
        host=attempt.host,
        pid=attempt.pid,
        resumed=attempt.resumed,
    )


def series_of(info: entities.SeriesInfo) -> shapes.SeriesSummary:
    summary = info.summary
    return shapes.SeriesSummary(
        name=info.key.name,
        labels=dict(info.key.labels),
        value_type=info.key.value_type,
        count=summary.count,
        nan_count=summary.nan_count,
        first=number(summary.first),
        last=number(summary.last),
        last_step=number(summary.last_step),
        last_at=iso_time(summary.last_ms),
        min=number_or_none(summary.min),
        max=number_or_none(summary.max),
        mean=number_or_none(summary.mean),
    )


def artifact_of(artifact: entities.Artifact) -> shapes.Artifact:
    return shapes.Artifact(
        path=artifact.path,
        version=artifact.version,
        size_bytes=artifact.size_bytes,
        digest=artifact.digest,
        uri=artifact.uri,
        media_type=artifact.media_type,
        logged_at=iso_time(artifact.logged_ms),
    )


def dataset_of(use: lineage.DatasetUse) -> shapes.DatasetUse:
    dataset = use.dataset
    counts = counts_in(dataset.profile)
    return shapes.DatasetUse(
        name=dataset.name,
        digest=dataset.digest,
        version=dataset.version,
        source_type=dataset.source_type,
        source=dataset.source,
        context=use.context or None,
        tags=use.tags,
        used_at=iso_time(use.used_ms),
        row_count=counts[0],
        column_count=counts[1],
    )


def model_use_of(use: lineage.ModelUse) -> shapes.ModelUse:
    return shapes.ModelUse(model_id=use.model_id, role=use.role, step=use.step, used_at=iso_time(use.used_ms))


def artifact_use_of(use: lineage.ArtifactUse) -> shapes.ArtifactUse:
    return shapes.ArtifactUse(use.run_id, use.path, use.digest, use.version, iso_time(use.used_ms))


def version_use_of(use: lineage.VersionUse) -> shapes.VersionUse:
    return shapes.VersionUse(use.version_id, use.name, iso_time(use.used_ms))


def experiment_of(experiment: entities.Experiment, run_count: int) -> Experiment:
    return Experiment(
        id=experiment.experiment_id,
        name=experiment.name,
        description=experiment.description,
        artifact_location=experiment.artifact_location,
        lifecycle_stage=experiment.lifecycle,
        created_at=iso_time(experiment.created_ms),
        last_updated=iso_time(experiment.updated_ms),
        tags=experiment.tags,
        run_count=run_count,
    )
