"""Datasets by themselves, as programs and browsers get them."""

from __future__ import annotations

from typing import Any

from lineal.model.datasets import DatasetRun, DatasetVersion, MadeVersion, UsedDataset
from lineal.model.lineage import Dataset
from lineal.model.values import from_json
from lineal.store.datasets import DatasetReader, VersionsQuery
from lineal.store.lineage import profile_of
from lineal.store.run_view import iso_time

_NAMES_MAX_COUNT = 100


def dataset_dict(dataset: UsedDataset) -> dict[str, Any]:
    """As one of GET /api/v1/datasets."""
    return {
        **_described(dataset.latest),
        "version_count": dataset.version_count,
        "run_count": dataset.run_count,
        "last_used": iso_time(dataset.last_used_ms),
    }


def version_dict(version: DatasetVersion) -> dict[str, Any]:
    """As one of GET /api/v1/dataset-versions."""
    return {
        **_described(version.dataset),
        "run_count": version.run_count,
        "first_used": iso_time(version.first_used_ms),
        "last_used": iso_time(version.last_used_ms),
    }


def detail_dict(reader: DatasetReader, dataset: UsedDataset, digest: str | None) -> dict[str, Any]:
    """As GET /api/v1/datasets/{name} answers. `digest`: that was asked for, whole."""
    version = reader.get_version(dataset.name, digest or dataset.latest.digest)
    said = version.dataset
    same = reader.list_versions(VersionsQuery(None, said.digest, limit=_NAMES_MAX_COUNT)).versions
    return {
        **dataset_dict(dataset),
        "asked_digest": digest,
        "shown": {
            **version_dict(version),
            "schema": document_of(said.schema),
            "profile": document_of(said.profile),
            "other_names": sorted(
                {one.dataset.name for one in same if one.dataset.digest == said.digest} - {dataset.name}
            ),
        },
    }


def use_dict(use: DatasetRun) -> dict[str, Any]:
    """As one of GET /api/v1/dataset-uses."""
    return {
        "run_id": use.run_id,
        "run_name": use.run_name,
        "experiment": use.experiment,
        "status": use.status,
        "lifecycle_stage": use.lifecycle,
        "digest": use.digest,
        "version": use.version,
        "context": use.context or None,
        "used_at": iso_time(use.used_ms),
    }


def made_dict(made: MadeVersion) -> dict[str, Any]:
    """As one of GET /api/v1/dataset-models."""
    return {
        "version_id": made.version_id,
        "name": made.name,
        "version": made.number,
        "stage": made.stage,
        "run_id": made.run_id,
        "created_at": iso_time(made.created_ms),
    }


def _described(dataset: Dataset) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "version": dataset.version,
        "source_type": dataset.source_type,
        "source": dataset.source,
        **profile_of(dataset.profile),
    }


def document_of(text: str | None) -> Any:
    """What is JSON, as such; else the text, as it was said."""
    try:
        return None if text is None else from_json(text)
    except (ValueError, RecursionError):
        return text
