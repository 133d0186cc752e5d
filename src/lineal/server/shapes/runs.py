"""Runs as the contract of version 1 has them, and what our own routes add."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from lineal.model.limits import COMPARE_MAX_COUNT, LIST_PAGE_MAX_COUNT, REQUEST_RUNS_MAX_COUNT
from lineal.server.shapes.experiments import Limit, Offset
from lineal.server.shapes.numbers import Number, Scalar

RunStatus = Literal["running", "finished", "failed", "killed", "lost"]
LifecycleStage = Literal["active", "deleted"]
RunIds = Annotated[list[str], Meta(min_length=1, max_length=REQUEST_RUNS_MAX_COUNT)]


class Run(Struct, frozen=True):
    """A run. Params as text, metrics as logged last, times ISO 8601 in UTC."""

    run_id: str
    experiment_id: str
    parent_run_id: str | None
    name: str
    description: str
    status: RunStatus
    user_id: str | None
    start_time: str | None
    end_time: str | None
    duration_seconds: Annotated[float | None, Meta(description="null while it runs")]
    params: dict[str, str]
    metrics: dict[str, Number]
    tags: dict[str, str]
    artifact_uri: str | None
    lifecycle_stage: LifecycleStage


class RunRow(Run, frozen=True):
    """A run as the runs table shows it."""

    experiment_name: str
    typed_params: dict[str, Scalar]
    locked: Annotated[bool, Meta(description="Whether it refuses changes.")]


class RunsPage(Struct, frozen=True):
    """`total` counts all that match; `next_page_token` is null on the last page."""

    runs: list[RunRow]
    total: int
    next_page_token: str | None


class RunsList(Struct, frozen=True):
    runs: list[Run]
    total: int
    limit: int
    offset: int


class ListRuns(Struct, frozen=True):
    """`filter` is the filter language, `order_by` such as `metrics.loss desc, params.lr`."""

    experiment_id: str | None = None
    status: RunStatus | None = None
    filter: str = ""
    order_by: str = ""
    limit: Limit = 100
    offset: Offset = 0


class SearchRuns(Struct, frozen=True, forbid_unknown_fields=True):
    """`experiments` are names. `page_token` continues after an earlier page of the same search, and excludes `offset`."""

    filter: str = ""
    order_by: list[str] = []
    experiments: list[str] | None = None
    lifecycle_stage: Literal["active", "deleted", "all"] = "active"
    limit: Annotated[int, Meta(ge=0, le=LIST_PAGE_MAX_COUNT)] = 100
    offset: Offset = 0
    page_token: str | None = None


class Attempt(Struct, frozen=True):
    """One life of a run: a start or a resumption, and its end."""

    attempt_id: str
    started_at: str | None
    ended_at: str | None
    status: RunStatus
    error: str | None
    user_id: str | None
    host: str | None
    pid: int | None
    resumed: bool


class SeriesSummary(Struct, frozen=True):
    """A metric of the run. `min`, `max` and `mean` leave NaN out, and are null if there is nothing else."""

    name: str
    labels: dict[str, str]
    value_type: Literal["float64", "int64"]
    count: int
    nan_count: int
    first: Number
    last: Number
    last_step: Number
    last_at: str | None
    min: Number | None
    max: Number | None
    mean: Number | None


class Artifact(Struct, frozen=True):
    """`uri` is set for references only, whose bytes are not here."""

    path: str
    version: int
    size_bytes: int | None
    digest: str | None
    uri: str | None
    media_type: str | None
    logged_at: str | None


class ArtifactsList(Struct, frozen=True):
    artifacts: list[Artifact]


class MetricDefinition(Struct, frozen=True):
    goal: Literal["min", "max"] | None
    step_metric: str | None
    unit: str | None


class ParamConflict(Struct, frozen=True):
    """A param that was given a second value; the first, `kept`, stands."""

    name: str
    kept: Scalar
    refused: Scalar
    attempt_id: str


class ChildRun(Struct, frozen=True):
    run_id: str
    name: str
    status: RunStatus


class DatasetUse(Struct, frozen=True):
    """Data that the run used, and for what: training, validation ... `schema` and `profile` are left out; of these, how many rows and
    columns it has: null where nobody said so, and in answers about many runs."""

    name: str
    digest: str
    version: str | None
    source_type: str | None
    source: str | None
    context: str | None
    tags: dict[str, str]
    used_at: str | None
    row_count: int | None = None
    column_count: int | None = None


class ModelUse(Struct, frozen=True):
    """A logged model that the run took in, or put out."""

    model_id: str
    role: Literal["input", "output"]
    step: int | None
    used_at: str | None


class ArtifactUse(Struct, frozen=True):
    """An artifact of a run (`run_id`: whose) that the run took. `version`: its number there, where that was known."""

    run_id: str
    path: str
    digest: str
    version: int | None
    used_at: str | None


class VersionUse(Struct, frozen=True):
    """A version of a registered model that the run used. `name`: as the model was called then."""

    version_id: str
    name: str
    used_at: str | None


class RunDetail(RunRow, frozen=True):
    """Everything of one run but its points."""

    note: str
    forked_from: str | None
    fork_step: int | None
    content_digest: Annotated[
        str | None, Meta(description="SHA-256 of code, data and params, if the id was made from it.")
    ]
    attempts: list[Attempt]
    series: list[SeriesSummary]
    artifacts: list[Artifact]
    metric_definitions: dict[str, MetricDefinition]
    conflicts: list[ParamConflict]
    losses: dict[str, int]
    document_names: list[str]
    console_line_count: int
    datasets: list[DatasetUse]
    models: list[ModelUse]
    artifact_uses: list[ArtifactUse]
    version_uses: list[VersionUse]
    children: Annotated[list[ChildRun], Meta(description="The newest 100 runs that name this one as their parent.")]


class RunsDetails(Struct, frozen=True):
    runs: list[RunDetail]


class EditRun(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays. A tag set to null is removed."""

    name: str | None = None
    note: str | None = None
    tags: dict[str, str | None] | None = None


class TagRuns(Struct, frozen=True, forbid_unknown_fields=True):
    run_ids: RunIds
    tags: dict[str, str | None]


class NameRuns(Struct, frozen=True, forbid_unknown_fields=True):
    """Full ids."""

    run_ids: RunIds


class Changed(Struct, frozen=True):
    count: int


class CompareRuns(Struct, frozen=True):
    run_ids: Annotated[list[str], Meta(min_length=2, max_length=COMPARE_MAX_COUNT)]
    metrics: list[str] | None = None


class ComparedRun(Struct, frozen=True):
    run_id: str
    name: str
    status: RunStatus
    params: dict[str, str]
    metrics: dict[str, Number]


class MetricComparison(Struct, frozen=True):
    """`best_run_id` is null when the best value is shared, or nothing can be compared."""

    best_run_id: str | None
    best_value: Number | None
    all_values: dict[str, Number]


class Comparison(Struct, frozen=True):
    """`best_run` is the run best in most metrics, null on a tie."""

    best_run: str | None
    metric_comparison: dict[str, MetricComparison]


class RunsCompared(Struct, frozen=True):
    runs: list[ComparedRun]
    comparison: Comparison
