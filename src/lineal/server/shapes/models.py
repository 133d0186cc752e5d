"""Registered models and their versions, as they are asked for, said and answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from lineal.model.limits import (
    DESCRIPTION_MAX_CHARS,
    LIST_PAGE_MAX_COUNT,
    MODEL_ALIAS_MAX_CHARS,
    MODEL_FILES_MAX_COUNT,
    MODEL_NAME_MAX_CHARS,
    MODEL_SOURCE_MAX_CHARS,
    NAME_MAX_BYTES,
    NOTE_MAX_BYTES,
)
from lineal.server.shapes.writes import Tags

Limit = Annotated[int, Meta(ge=1, le=LIST_PAGE_MAX_COUNT)]
Stage = Literal["none", "staging", "production", "archived"]
Status = Literal["ready", "pending", "failed"]
Lifecycle = Literal["active", "deleted"]
ModelName = Annotated[str, Meta(min_length=1, max_length=MODEL_NAME_MAX_CHARS, description="Without '/' and ':'.")]
Notes = Annotated[str, Meta(max_length=NOTE_MAX_BYTES, description="Markdown.")]
Source = Annotated[str, Meta(max_length=MODEL_SOURCE_MAX_CHARS, description="Never opened by the server.")]
Path = Annotated[str, Meta(min_length=1, max_length=NAME_MAX_BYTES)]
Why = Annotated[str, Meta(max_length=DESCRIPTION_MAX_CHARS, description="Kept with the transition.")]
VersionId = Annotated[str, Meta(pattern="^[0-9a-f]{32}$")]
Alias = Annotated[str, Meta(min_length=1, max_length=MODEL_ALIAS_MAX_CHARS)]
Number = Annotated[int, Meta(ge=1, le=2**53)]


class Registered(Struct, frozen=True):
    """A registered model. `aliases` and `stages` lead to numbers of active versions: of a stage, to the highest one in it.
    `last_version` is the highest number that was ever given; 0: none was. `last_updated`: of the last word on it or a version."""

    name: str
    description: str
    tags: dict[str, str]
    lifecycle_stage: Lifecycle
    created_at: str | None
    last_updated: str | None
    version_count: int
    last_version: int
    aliases: dict[str, int]
    stages: dict[str, int]


class RegisteredPage(Struct, frozen=True):
    """`next_page_token` is null where none follows."""

    models: list[Registered]
    next_page_token: str | None


class Version(Struct, frozen=True):
    """A version of a registered model. `run_id` is null where no run made it. `path`: of its artifacts within the run."""

    version_id: str
    name: str
    version: int
    run_id: str | None
    model_id: str | None
    source: str
    path: str | None
    location: str | None
    run_link: str | None
    format: str | None
    description: str
    tags: dict[str, str]
    stage: Stage
    status: Status
    lifecycle_stage: Lifecycle
    aliases: list[str]
    created_at: str | None
    last_updated: str | None


class VersionFile(Struct, frozen=True):
    """`path` is that of the run's artifact; `digest` its SHA-256, null where it is not known."""

    path: Path
    size_bytes: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    digest: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None


class VersionDetail(Version, frozen=True):
    """With its files as they were when it was made, and what it takes and gives, as far as that was said."""

    files: list[VersionFile]
    signature: Any
    input_example: Any


class VersionsPage(Struct, frozen=True):
    versions: list[Version]
    next_page_token: str | None


class Transition(Struct, frozen=True):
    """A version came to another stage, or an alias to another version. `before` and `after` are stages, or numbers of versions as
    text; null: the alias was, or is, of none. `writer` and `seq` are those of the audit row beside it."""

    number: int
    time: str | None
    time_ms: int
    writer: str
    seq: int
    actor: str | None
    kind: Literal["stage", "alias"]
    version: int | None
    alias: str | None
    before: str | None
    after: str | None
    why: str


class TransitionsPage(Struct, frozen=True):
    """`next` is the `before` of the next page; null where none follows."""

    transitions: list[Transition]
    next: int | None


class AliasesList(Struct, frozen=True):
    aliases: dict[str, int]


class ListRegistered(Struct, frozen=True):
    """By name, or the last changed first. `search`: a part of the name, case ignored."""

    search: str | None = None
    order_by: Literal["name", "last_updated"] = "name"
    lifecycle_stage: Lifecycle = "active"
    limit: Limit = 100
    page_token: str | None = None


class ListVersions(Struct, frozen=True):
    """The highest number first."""

    stage: Stage | None = None
    lifecycle_stage: Lifecycle = "active"
    limit: Limit = 100
    page_token: str | None = None


class FindVersions(Struct, frozen=True):
    """Exactly one of them. `run_id` is whole; of a run's versions, those made last first."""

    version_id: str | None = None
    run_id: str | None = None


class ListTransitions(Struct, frozen=True):
    """Newest first, from `before` on; of one version its stages."""

    version: Number | None = None
    before: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    limit: Limit = 100


class CreateRegistered(Struct, frozen=True):
    name: ModelName
    description: Notes | None = None
    tags: Tags | None = None


class EditRegistered(Struct, frozen=True):
    """What is left out stays. `name`: another one; programs that know the old one go on reaching it."""

    name: ModelName | None = None
    description: Notes | None = None
    tags: Tags | None = None


class CreateVersion(Struct, frozen=True):
    """Without `run_id`, no run made it. `version_id`: 32 hexadecimal digits of the client's own; a known one is answered with that
    version. Without `files`, those are noted that the run has under `path` now."""

    version_id: VersionId | None = None
    run_id: str | None = None
    model_id: Annotated[str, Meta(max_length=MODEL_NAME_MAX_CHARS)] | None = None
    source: Source | None = None
    path: Path | None = None
    location: Source | None = None
    run_link: Source | None = None
    format: Annotated[str, Meta(max_length=MODEL_NAME_MAX_CHARS)] | None = None
    files: Annotated[list[VersionFile], Meta(max_length=MODEL_FILES_MAX_COUNT)] | None = None
    signature: Any = None
    input_example: Any = None
    description: Notes | None = None
    tags: Tags | None = None
    status: Status = "ready"


class EditVersion(Struct, frozen=True):
    """What is left out stays."""

    description: Notes | None = None
    tags: Tags | None = None
    status: Status | None = None


class SetStage(Struct, frozen=True):
    """`archive_existing`: the model's other versions in that stage (staging or production) are archived."""

    stage: Stage
    archive_existing: bool = False
    why: Why | None = None


class SetAlias(Struct, frozen=True):
    """`version`: a number, or "@" and another alias."""

    version: Number | Annotated[str, Meta(max_length=MODEL_NAME_MAX_CHARS)]
    why: Why | None = None


class SayWhy(Struct, frozen=True):
    why: Why | None = None
