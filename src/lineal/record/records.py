"""Everything that can be said, one frozen type each. Points and layouts have no type here: they are columns on both
sides (`journal/points.py` packs them, `ingest/points.py` unpacks them)."""

from __future__ import annotations

from typing import Any, TypeAlias

from lineal.model.frozen import field, frozen
from lineal.model.registry import Stage
from lineal.model.values import ParamValue
from lineal.model.vocabulary import EndStatus, Goal, Lifecycle, ModelRole, ModelStatus


@frozen
class SegmentOpened:
    tenant: str
    run_id: str | None
    writer: str
    attempt: str
    primary: bool
    segment: int
    host: str = ""
    boot: str = ""
    pid: int = 0
    labels: dict[str, str] = field(default_factory=dict)


@frozen
class LayoutDefined:
    """`step` and the codes in `series` are "q" (int64) or "d" (float64)."""

    number: int
    step: str
    series: list[list[Any]]


@frozen
class SegmentSealed:
    last_seq: int
    next: bool = False


@frozen
class AttemptStarted:
    """`started_ms`: when it began, where that is not when it was said."""

    attempt: str
    experiment: str
    name: str | None = None
    description: str | None = None
    user_id: str | None = None
    host: str | None = None
    pid: int | None = None
    parent_run_id: str | None = None
    forked_from: str | None = None
    fork_step: int | None = None
    content_digest: str | None = None
    resumed: bool = False
    started_ms: int | None = None


@frozen
class AttemptEnded:
    """`ended_ms`: when, where that is not when it was said."""

    attempt: str
    status: EndStatus
    error: str | None = None
    ended_ms: int | None = None


@frozen
class ParamsSet:
    attempt: str
    params: dict[str, ParamValue]


@frozen
class TagsSet:
    tags: dict[str, str | None]


@frozen
class NoteSet:
    text: str


@frozen
class NameSet:
    name: str


@frozen
class DocumentSet:
    name: str
    content: Any


@frozen
class MetricDefined:
    name: str
    goal: Goal | None = None
    step_metric: str | None = None
    unit: str | None = None


@frozen
class ArtifactLogged:
    path: str
    size_bytes: int | None = None
    digest: str | None = None
    uri: str | None = None
    media_type: str | None = None


@frozen
class Lost:
    """Loss is data: `count` things were dropped for `reason`; `detail` names the first."""

    reason: str
    count: int
    detail: str | None = None


@frozen
class DatasetUsed:
    """`schema` and `profile` are JSON texts."""

    name: str
    digest: str
    version: str | None = None
    source_type: str | None = None
    source: str | None = None
    schema: str | None = None
    profile: str | None = None
    context: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@frozen
class CaptureSet:
    """What an attempt recorded by itself of one part of its circumstances: `execution`, `code`, `environment` ..."""

    attempt: str
    part: str
    content: dict[str, Any]


@frozen
class ConsoleAppended:
    """Lines that a run printed, in order. `streams`: a letter a line: o stdout, e stderr, b where both were one. `times`: of the first
    line its ms since the epoch, of each other the difference from the line before. `text`: the lines, with "\\n" between them.
    `rank`: of the process that printed them, where it is above 0."""

    attempt: str
    streams: str
    times: list[int]
    text: str
    rank: int | None = None


@frozen
class ModelLogged:
    """A logged model, or a change of one: absent = unchanged. `run_id`: the run that made it. `files`: path -> [digest, size in bytes,
    media type], or None to remove."""

    model_id: str
    name: str | None = None
    experiment: str | None = None
    run_id: str | None = None
    model_type: str | None = None
    path: str | None = None
    params: dict[str, str] | None = None
    tags: dict[str, str | None] | None = None
    status: ModelStatus | None = None
    lifecycle: Lifecycle | None = None
    files: dict[str, list[Any] | None] | None = None


@frozen
class ModelUsed:
    model_id: str
    role: ModelRole
    step: int | None = None


@frozen
class ArtifactUsed:
    """`run_id`: whose artifact. `version`: its number there, where that was known."""

    run_id: str
    path: str
    digest: str
    version: int | None = None


@frozen
class ModelVersionUsed:
    """`name`: of the registered model, as it was called then."""

    version_id: str
    name: str


@frozen
class ExperimentSet:
    name: str
    description: str | None = None
    artifact_location: str | None = None
    tags: dict[str, str | None] | None = None
    lifecycle: Lifecycle | None = None


@frozen
class RunLifecycleSet:
    run_id: str
    lifecycle: Lifecycle


@frozen
class RunTagsSet:
    """As `TagsSet`, said from outside: many runs can be tagged in one segment."""

    run_id: str
    tags: dict[str, str | None]


@frozen
class ExperimentRenamed:
    """`experiment`: the first name that it had, or any that means it."""

    experiment: str
    name: str


@frozen
class RunLockSet:
    """A locked run refuses every other change."""

    run_id: str
    locked: bool


@frozen
class ModelVersionCreated:
    """On a run's stream, of that run; on the tenant's, of the run named or of none. `files`: [path, size in bytes, SHA-256]."""

    version_id: str
    name: str
    run_id: str | None = None
    model_id: str | None = None
    source: str | None = None
    path: str | None = None
    location: str | None = None
    run_link: str | None = None
    format: str | None = None
    files: list[list[Any]] = field(default_factory=list)
    signature: Any = None
    input_example: Any = None
    description: str | None = None
    tags: dict[str, str | None] | None = None
    status: ModelStatus | None = None


@frozen
class ModelSet:
    """`is_new`: where the name was that of a model that is deleted, or called otherwise now, another one takes it."""

    name: str
    description: str | None = None
    tags: dict[str, str | None] | None = None
    lifecycle: Lifecycle | None = None
    is_new: bool = False


@frozen
class ModelRenamed:
    """`model`: what it is called, or was once."""

    model: str
    name: str


@frozen
class ModelVersionSet:
    version_id: str
    description: str | None = None
    tags: dict[str, str | None] | None = None
    lifecycle: Lifecycle | None = None
    status: ModelStatus | None = None


@frozen
class StageSet:
    """`archive_existing`: what was in that stage before is archived."""

    version_id: str
    stage: Stage
    archive_existing: bool = False
    why: str | None = None


@frozen
class AliasSet:
    """Without a version: the alias is removed."""

    name: str
    alias: str
    version_id: str | None = None
    why: str | None = None


@frozen
class LooseFileSet:
    """A file of no run and no model. Without a digest: it is removed."""

    path: str
    digest: str | None = None
    size_bytes: int | None = None
    media_type: str | None = None


Structure: TypeAlias = SegmentOpened | LayoutDefined | SegmentSealed
RunRecord: TypeAlias = (
    AttemptStarted
    | AttemptEnded
    | ParamsSet
    | TagsSet
    | NoteSet
    | NameSet
    | DocumentSet
    | MetricDefined
    | ArtifactLogged
    | Lost
    | DatasetUsed
    | ModelLogged
    | ModelUsed
    | ModelVersionCreated
    | CaptureSet
    | ArtifactUsed
    | ModelVersionUsed
    | ConsoleAppended
)
TenantRecord: TypeAlias = (
    ExperimentSet
    | RunLifecycleSet
    | RunTagsSet
    | RunLockSet
    | ExperimentRenamed
    | ModelLogged
    | ModelSet
    | ModelRenamed
    | ModelVersionCreated
    | ModelVersionSet
    | StageSet
    | AliasSet
    | LooseFileSet
)
Record: TypeAlias = Structure | RunRecord | TenantRecord
