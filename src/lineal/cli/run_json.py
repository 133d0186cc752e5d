"""`lineal runs show --json`: the REST run, and what only a look at one run needs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lineal.cli.run_uses import uses_dict
from lineal.store.run_view import iso_time

if TYPE_CHECKING:
    from lineal.local import LoggedRun
    from lineal.model.entities import Artifact, Attempt, SeriesInfo
    from lineal.model.lineage import DatasetUse


def describe_run(run: LoggedRun) -> dict[str, Any]:
    details = run.details
    return run.to_dict() | {
        "experiment": run.experiment,
        "locked": run.locked,
        "note": run.note,
        "forked_from": details.run.forked_from,
        "fork_step": details.run.fork_step,
        "attempts": [_attempt(attempt) for attempt in run.attempts],
        "series": [_series(info) for info in run.series],
        "artifacts": [_artifact(artifact) for artifact in run.artifacts],
        "documents": list(details.document_names),
        "datasets": [_dataset(use) for use in details.datasets],
        "models": [
            {"model_id": use.model_id, "role": use.role, "step": use.step, "time": iso_time(use.used_ms)}
            for use in details.models
        ],
        **uses_dict(run),
        "metric_definitions": [asdict(definition) for definition in details.metric_definitions.values()],
        "conflicts": [
            {"attempt_id": one.attempt_id, "name": one.name, "kept": one.kept, "refused": one.refused}
            for one in details.conflicts
        ],
        "losses": run.losses,
        "captures": [
            {
                "attempt_id": one.attempt_id,
                "part": one.part,
                "digest": one.digest,
                "time": iso_time(one.said_ms),
                "content": one.content,
            }
            for one in run.captures
        ],
    }


def _attempt(attempt: Attempt) -> dict[str, Any]:
    return {
        "attempt_id": attempt.attempt_id,
        "status": attempt.status,
        "start_time": iso_time(attempt.started_ms),
        "end_time": iso_time(attempt.ended_ms),
        "user_id": attempt.user_id,
        "host": attempt.host,
        "pid": attempt.pid,
        "resumed": attempt.resumed,
        "error": attempt.error,
    }


def _series(info: SeriesInfo) -> dict[str, Any]:
    summary = info.summary
    return {
        "name": info.key.name,
        "labels": dict(info.key.labels),
        "value_type": info.key.value_type,
        "count": summary.count,
        "nan_count": summary.nan_count,
        "first": summary.first,
        "last": summary.last,
        "last_step": summary.last_step,
        "last_time": iso_time(summary.last_ms),
        "min": summary.min,
        "max": summary.max,
        "mean": summary.mean,
    }


def _dataset(use: DatasetUse) -> dict[str, Any]:
    dataset = use.dataset
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "version": dataset.version,
        "source_type": dataset.source_type,
        "source": dataset.source,
        "context": use.context or None,
        "tags": dict(use.tags),
        "time": iso_time(use.used_ms),
    }


def _artifact(artifact: Artifact) -> dict[str, Any]:
    return {
        "path": artifact.path,
        "version": artifact.version,
        "size_bytes": artifact.size_bytes,
        "digest": artifact.digest,
        "uri": artifact.uri,
        "media_type": artifact.media_type,
        "time": iso_time(artifact.logged_ms),
    }
