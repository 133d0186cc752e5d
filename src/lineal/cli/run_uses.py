"""What a run used, in a few lines: data, artifacts of other runs, models."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lineal.cli.output import joined
from lineal.store.run_view import iso_time

if TYPE_CHECKING:
    from lineal.local import LocalStore, LoggedRun
    from lineal.model.lineage import DatasetUse
    from lineal.model.registry import ModelVersion

_DIGEST_CHARS = 12
_LINES_MAX_COUNT = 50


def use_lines(store: LocalStore, run: LoggedRun) -> Iterator[tuple[str, str]]:
    """Labels and texts; of very many the first."""
    lines = list(_lines(store, run))
    yield from lines[:_LINES_MAX_COUNT]
    if len(lines) > _LINES_MAX_COUNT:
        yield "...", f"and {len(lines) - _LINES_MAX_COUNT:,} more: --json has them"


def _lines(store: LocalStore, run: LoggedRun) -> Iterator[tuple[str, str]]:
    details = run.details
    for use in details.datasets:
        yield use.context or "data", _dataset(use)
    for artifact in details.artifact_uses:
        version = f"@{artifact.version}" if artifact.version is not None else ""
        yield "artifact", f"{_run(artifact.run_id)}:{artifact.path}{version}  sha256 {artifact.digest[:_DIGEST_CHARS]}"
    registry = store.reader().registry()
    for version_use in details.version_uses:
        yield "model", _version(version_use.name, version_use.version_id, registry.find_version(version_use.version_id))
    for model in details.models:
        yield ("model" if model.role == "input" else "put out"), f"logged model {model.model_id}"


def _dataset(use: DatasetUse) -> str:
    dataset = use.dataset
    name = f"{dataset.name}@{dataset.digest[:_DIGEST_CHARS]}"
    return joined((name, f"version {dataset.version}" if dataset.version else "", dataset.source or ""), "  ")


def _version(name: str, version_id: str, found: ModelVersion | None) -> str:
    """As it is called now; as it was called then, where it is not here."""
    if found is None:
        return f"{name}, version {version_id}, which is not here"
    stage = found.stage if found.stage != "none" else ""
    return joined((f"{found.name}/{found.version}", stage, *(f"@{alias}" for alias in found.aliases)), "  ")


def _run(run_id: str) -> str:
    return run_id[:8] if len(run_id) == 32 else run_id


def uses_dict(run: LoggedRun) -> dict[str, list[dict[str, Any]]]:
    """As GET /runs/{run_id} answers of artifacts and versions."""
    details = run.details
    return {
        "artifact_uses": [
            {
                "run_id": use.run_id,
                "path": use.path,
                "digest": use.digest,
                "version": use.version,
                "used_at": iso_time(use.used_ms),
            }
            for use in details.artifact_uses
        ],
        "version_uses": [
            {"version_id": use.version_id, "name": use.name, "used_at": iso_time(use.used_ms)}
            for use in details.version_uses
        ],
    }
