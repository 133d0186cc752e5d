"""The nouns of the store: what a run is made of once its records were applied. See docs/glossary.md."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from lineal.model.lineage import ArtifactUse, DatasetUse, ModelUse, VersionUse
from lineal.model.values import ParamValue
from lineal.model.vocabulary import Goal, Labels, Lifecycle, Status, StepType, ValueType


class Stamp(NamedTuple):
    """When and by whom something was said. Total order: it decides who was first or last, in whatever
    order the journals arrive."""

    time_ms: int
    writer: str
    seq: int


class SeriesKey(NamedTuple):
    """What identifies a series within a run."""

    name: str
    labels: Labels = ()
    value_type: ValueType = "float64"


class Layout(NamedTuple):
    """The series that one call of `log` writes together, and the type of their common step."""

    step_type: StepType
    series: tuple[SeriesKey, ...]


@dataclass(frozen=True, slots=True)
class Experiment:
    """A named set of runs. Times in ms since the epoch."""

    experiment_id: str
    name: str
    description: str = ""
    artifact_location: str | None = None
    lifecycle: Lifecycle = "active"
    created_ms: int = 0
    updated_ms: int = 0
    tags: dict[str, str] = field(default_factory=dict)
    first_name: str = ""
    """What it was called at first, and is known by for ever: see `store/renames.py`."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One life of a run: a process (with its ranks and children) that started or resumed it."""

    attempt_id: str
    started_ms: int
    ended_ms: int | None = None
    status: Status = "running"
    error: str | None = None
    user_id: str | None = None
    host: str | None = None
    pid: int | None = None
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One execution, without its params, tags and series (see `RunDetails`).

    `started_ms` is the first attempt's start; status and `ended_ms` are the latest attempt's."""

    run_id: str
    experiment_id: str
    experiment_name: str
    name: str
    status: Status
    lifecycle: Lifecycle
    started_ms: int
    ended_ms: int | None
    description: str = ""
    user_id: str | None = None
    parent_run_id: str | None = None
    forked_from: str | None = None
    fork_step: int | None = None
    content_digest: str | None = None
    is_locked: bool = False

    @property
    def duration_ms(self) -> int | None:
        """Never negative, also when the wall clock was set back while the run ran."""
        return None if self.ended_ms is None else max(0, self.ended_ms - self.started_ms)


@dataclass(frozen=True, slots=True)
class Summary:
    """A series in a few numbers. min, max and mean leave NaN out (None if there is nothing else); `last` is the
    value logged last, NaN or not. Ints of an int64 series stay ints."""

    count: int
    nan_count: int
    first: float | int
    last: float | int
    last_step: float | int
    last_ms: int
    min: float | int | None
    max: float | int | None
    mean: float | None


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """A series of a run with its summary over all attempts and writers."""

    key: SeriesKey
    summary: Summary


@dataclass(frozen=True, slots=True)
class Artifact:
    """A named, versioned file of a run. `digest` is the SHA-256 of its bytes in hex (None for a reference whose
    bytes were never read), `uri` is set for references only."""

    path: str
    version: int
    size_bytes: int | None
    digest: str | None
    uri: str | None
    media_type: str | None
    logged_ms: int


@dataclass(frozen=True, slots=True)
class ParamConflict:
    """A param that was given another value within the same attempt; the first one, `kept`, stands."""

    attempt_id: str
    name: str
    kept: ParamValue
    refused: ParamValue
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class MetricDefinition:
    """What the user declared about a metric."""

    name: str
    goal: Goal | None = None
    step_metric: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class RunDetails:
    """Everything of one run but its points."""

    run: Run
    params: dict[str, ParamValue]
    tags: dict[str, str]
    note: str
    attempts: list[Attempt]
    artifacts: list[Artifact]
    metric_definitions: dict[str, MetricDefinition]
    conflicts: list[ParamConflict]
    losses: dict[str, int]
    document_names: list[str]
    datasets: list[DatasetUse] = field(default_factory=list)
    """Without schemas and profiles."""
    models: list[ModelUse] = field(default_factory=list)
    artifact_uses: list[ArtifactUse] = field(default_factory=list)
    version_uses: list[VersionUse] = field(default_factory=list)
    console_line_count: int = 0


class KeptAnswer(NamedTuple):
    """What a request with an Idempotency-Key was answered. `digest` is of the request, so that another one is told from it."""

    key: str
    digest: str
    status: int
    body: bytes
    time_ms: int


class Head(NamedTuple):
    """What a segment says of its writer at its head, and what the pieces behind it are read with."""

    attempt: str
    is_primary: bool
    host: str = ""
    pid: int = 0


class Cursor(NamedTuple):
    """How far a writer's journal is applied. `seq` decides (records up to it are skipped); segment and offset
    only save reading. `head`: of that segment, where it arrives in pieces. `lease_until_ms`: until when the writer has promised
    to be heard of again, if it has."""

    writer: str
    run_id: str | None
    seq: int
    segment: int
    offset: int
    head: Head | None = None
    lease_until_ms: int | None = None
