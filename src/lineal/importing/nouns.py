"""What a source holds, as it says it: the nouns of MLflow, read and not yet translated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from lineal.model.vocabulary import Labels, Lifecycle


@dataclass(frozen=True, slots=True)
class SourceExperiment:
    number: str
    name: str
    artifact_location: str | None = None
    lifecycle: Lifecycle = "active"
    created_ms: int = 0
    updated_ms: int = 0
    tags: dict[str, str] = field(default_factory=dict)


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
    params: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    provenance: dict[str, str] = field(default_factory=dict)
    """What MLflow knows besides, and Lineal has no noun for: where its code lay, and so on."""


class SourcePoint(NamedTuple):
    """Orders as MLflow finds the latest: by step, then time, then value, NaN being less than any."""

    step: int
    time_ms: int
    name: str
    is_number: bool
    value: float
    labels: Labels = ()


class Place(NamedTuple):
    """Where files lie: a folder here, or an address that is kept as a reference. Neither: there are none."""

    folder: str | None
    uri: str | None


class Source(Protocol):
    """One MLflow store, read only. Iterators are consumed before another method is called."""

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

    def artifacts(self, run: SourceRun) -> Place: ...

    def close(self) -> None: ...
