"""Who used and produced what: datasets and logged models, once their records were applied. See docs/glossary.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from lineal.model.vocabulary import Lifecycle, ModelRole, ModelStatus


@dataclass(frozen=True, slots=True)
class Dataset:
    """Which data, not the data. `schema` and `profile` are JSON texts; None also where they were not asked for."""

    name: str
    digest: str
    version: str | None = None
    source_type: str | None = None
    source: str | None = None
    schema: str | None = None
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetUse:
    """That a run used a dataset, for what (`context`: training, validation ... or ""), and its words on that."""

    dataset: Dataset
    context: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    used_ms: int = 0


@dataclass(frozen=True, slots=True)
class ModelUse:
    """That a run took in a logged model, or put it out."""

    model_id: str
    role: ModelRole
    step: int | None = None
    used_ms: int = 0


@dataclass(frozen=True, slots=True)
class ArtifactUse:
    """That a run used an artifact of that content. `run_id`: whose it is. `version`: its number there, where that was known."""

    run_id: str
    path: str
    digest: str
    version: int | None = None
    used_ms: int = 0


@dataclass(frozen=True, slots=True)
class VersionUse:
    """That a run used a version of a registered model, which was called so then."""

    version_id: str
    name: str
    used_ms: int = 0


class ModelMetric(NamedTuple):
    """The last point of a series that some run logged of a model, on a dataset if it says so."""

    name: str
    value: float | int
    step: float | int
    time_ms: int
    run_id: str
    dataset_name: str | None = None
    dataset_digest: str | None = None


class ModelFile(NamedTuple):
    """A file of a logged model that no run made (one that has a run keeps its files there), or of nothing at all (a loose file)."""

    digest: str
    size_bytes: int
    media_type: str | None = None


class DatasetSummary(NamedTuple):
    """That runs of an experiment used a dataset for something."""

    experiment_id: str
    name: str
    digest: str
    context: str


@dataclass(frozen=True, slots=True)
class LoggedModel:
    """A model as a run left it, before anybody registers it. `path`: where its files are, within the artifacts."""

    model_id: str
    name: str
    experiment_id: str
    experiment_name: str
    source_run_id: str | None = None
    model_type: str | None = None
    path: str | None = None
    status: ModelStatus = "pending"
    lifecycle: Lifecycle = "active"
    created_ms: int = 0
    updated_ms: int = 0
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    metrics: tuple[ModelMetric, ...] = ()
    files: dict[str, ModelFile] = field(default_factory=dict)
    """By path."""
