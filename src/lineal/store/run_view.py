"""The shapes of the REST contract, version 1, as plain dictionaries: one place for the facade, the CLI and the server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, overload

from lineal.model.entities import Experiment, RunDetails
from lineal.model.values import value_text
from lineal.store.compare import Comparison


@overload
def iso_time(time_ms: int) -> str: ...


@overload
def iso_time(time_ms: int | None) -> str | None: ...


def iso_time(time_ms: int | None) -> str | None:
    """ISO 8601 in UTC with milliseconds: 2026-02-12T08:00:00.000Z."""
    if time_ms is None:
        return None
    return datetime.fromtimestamp(time_ms / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def run_dict(
    details: RunDetails, metrics: Mapping[str, float | int], artifact_uri: str | None = None
) -> dict[str, Any]:
    """A run with params (as text), tags and latest metrics. NaN and infinities are floats here; whoever writes JSON makes
    them the strings "NaN", "Infinity" and "-Infinity"."""
    run = details.run
    duration_ms = run.duration_ms
    return {
        "run_id": run.run_id,
        "experiment_id": run.experiment_id,
        "parent_run_id": run.parent_run_id,
        "name": run.name,
        "description": run.description,
        "status": run.status,
        "user_id": run.user_id,
        "start_time": iso_time(run.started_ms),
        "end_time": iso_time(run.ended_ms),
        "duration_seconds": None if duration_ms is None else duration_ms / 1000,
        "params": {name: value_text(value) for name, value in details.params.items()},
        "metrics": dict(metrics),
        "tags": dict(details.tags),
        "artifact_uri": artifact_uri,
        "lifecycle_stage": run.lifecycle,
    }


def experiment_dict(experiment: Experiment) -> dict[str, Any]:
    return {
        "id": experiment.experiment_id,
        "name": experiment.name,
        "description": experiment.description,
        "artifact_location": experiment.artifact_location,
        "lifecycle_stage": experiment.lifecycle,
        "created_at": iso_time(experiment.created_ms),
        "last_updated": iso_time(experiment.updated_ms),
        "tags": dict(experiment.tags),
    }


def comparison_dict(runs: list[dict[str, Any]], comparison: Comparison) -> dict[str, Any]:
    """POST /experiments/runs/compare. `runs` are `run_dict`s."""
    fields = ("run_id", "name", "status", "params", "metrics")
    return {
        "runs": [{field: run[field] for field in fields} for run in runs],
        "comparison": {
            "best_run": comparison.best_run,
            "metric_comparison": {
                name: {"best_run_id": one.best_run_id, "best_value": one.best_value, "all_values": dict(one.all_values)}
                for name, one in comparison.metrics.items()
            },
        },
    }
