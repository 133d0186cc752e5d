"""What a source holds, as it says it: the nouns of MLflow, read and not yet translated. Other sources have fewer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from lineal.model.registry import Stage
from lineal.model.values import ParamValue
from lineal.model.vocabulary import Labels, Lifecycle, ModelRole, ModelStatus


@dataclass(frozen=True, slots=True)
class SourceExperiment:
    number: str
    name: str
    artifact_location: str | None = None
    lifecycle: Lifecycle = "active"
    created_ms: int = 0
    updated_ms: int = 0
    tags: dict[str, str] = field(default_factory=dict)


class SourceDataset(NamedTuple):
    """That a run used one. `context` is what for; `tags` are the other words on that use."""

    name: str
    digest: str
    source_type: str | None
    source: str | None
    schema: str | None
    profile: str | None
    context: str
    tags: dict[str, str]


class SourceModelUse(NamedTuple):
    model_id: str
    role: ModelRole
    step: int | None


@dataclass(frozen=True, slots=True)
class SourceLoggedModel:
    model_id: str
    name: str
    experiment: SourceExperiment
    run_id: str | None
    model_type: str | None
    status: ModelStatus
    lifecycle: Lifecycle
    created_ms: int
    updated_ms: int
    params: dict[str, str]
    tags: dict[str, str]
    artifact_uri: str | None


@dataclass(frozen=True, slots=True)
class SourceVersion:
    """`is_deleted`: only its number is left of it."""

    number: int
    created_ms: int
    updated_ms: int
    description: str
    stage: Stage
    source: str
    location: str | None
    run_id: str | None
    run_link: str | None
    status: ModelStatus
    tags: dict[str, str]
    is_deleted: bool = False


@dataclass(frozen=True, slots=True)
class SourceRegisteredModel:
    """`versions` by number; `aliases`: name -> number."""

    name: str
    description: str
    created_ms: int
    updated_ms: int
    tags: dict[str, str]
    aliases: dict[str, int]
    versions: list[SourceVersion]


@dataclass(frozen=True, slots=True)
class SourceRun:
    """`status` is MLflow's word. `point_count` of all its metrics, as counted before they are read."""

    run_id: str
    experiment: SourceExperiment
    name: str | None = None
    status: str = "RUNNING"
    lifecycle: Lifecycle = "active"
    started_ms: int = 0
    ended_ms: int | None = None
    user_id: str | None = None
    artifact_uri: str | None = None
    point_count: int = 0
    params: Mapping[str, ParamValue] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    datasets: list[SourceDataset] = field(default_factory=list)
    models: list[SourceModelUse] = field(default_factory=list)
    provenance: dict[str, str] = field(default_factory=dict)
    """What its source knows besides, and Lineal has no noun for: where its code lay, and so on."""
    document: str = "mlflow"
    """Name of the document that tells where the run came from, and what was taken over."""


class SourcePoint(NamedTuple):
    """Orders as MLflow finds the latest: by step, then time, then value, NaN being less than any."""

    step: int
    time_ms: int
    name: str
    is_number: bool
    value: float
    labels: Labels = ()


MODELS_PATH = "models"
"""Where the files of logged models are among the artifacts of the run that made them, each in a folder of its id."""


class Place(NamedTuple):
    """Where files lie: a folder here, or an address that is kept as a reference. Neither: there are none. `below`: the folder
    that they get among the run's artifacts."""

    folder: str | None
    uri: str | None
    below: str = ""


class Source(Protocol):
    """One MLflow store, read only. Iterators are consumed before another method is called."""

    problems: list[tuple[str | None, str]]
    """What of it could not be read so far: (run id, why)."""

    @property
    def place(self) -> str:
        """Where it is, for messages: without passwords."""
        ...

    def list_experiments(self) -> list[SourceExperiment]: ...

    def count_runs(self) -> int: ...

    def chunks(self, size: int) -> Iterator[Sequence[SourceRun]]:
        """All runs, deleted ones too, in an order that stays."""
        ...

    def points(self, run: SourceRun) -> Iterator[SourcePoint]:
        """All of them, in the order of `SourcePoint`."""
        ...

    def series(self, run: SourceRun) -> list[tuple[str, Labels, int]]:
        """Name and labels of each metric of the run, and how many points it has."""
        ...

    def points_of(self, run: SourceRun, name: str, labels: Labels) -> Iterator[SourcePoint]:
        """Those of one metric, in order."""
        ...

    def artifacts(self, run: SourceRun) -> list[Place]:
        """Those of the models that it logged, too."""
        ...

    def logged_models(self) -> Iterator[SourceLoggedModel]: ...

    def model_files(self, model: SourceLoggedModel) -> Place:
        """Of one that no run made, too."""
        ...

    def registered_models(self) -> Iterator[SourceRegisteredModel]: ...

    def close(self) -> None: ...
