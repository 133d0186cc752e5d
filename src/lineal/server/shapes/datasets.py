"""Datasets by themselves, as they are asked for and answered."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from lineal.model.limits import LIST_PAGE_MAX_COUNT, NAME_MAX_BYTES, SHORT_NAME_MAX_LENGTH
from lineal.server.shapes.runs import RunStatus

Limit = Annotated[int, Meta(ge=1, le=LIST_PAGE_MAX_COUNT)]
Name = Annotated[str, Meta(min_length=1, max_length=NAME_MAX_BYTES)]
Digest = Annotated[str, Meta(min_length=1, max_length=SHORT_NAME_MAX_LENGTH)]


class _Described(Struct, frozen=True):
    name: str
    digest: str
    version: str | None
    source_type: str | None
    source: str | None
    row_count: int | None
    column_count: int | None
    file_count: int | None
    size_bytes: int | None
    run_count: int
    last_used: str | None


class Dataset(_Described, frozen=True):
    """A name under which runs used data. `digest`, `version` and all that is said of the data are of the version that was used last, as
    the run said it that used it last; what nobody said is null. `run_count`: runs count once, deleted ones too."""

    version_count: int


class DatasetsPage(Struct, frozen=True):
    """`next_page_token` is null where none follows."""

    datasets: list[Dataset]
    next_page_token: str | None


class DatasetVersion(_Described, frozen=True):
    """What has one digest under a name. `version` is what the run calls it that used it last."""

    first_used: str | None


class DatasetVersionsPage(Struct, frozen=True):
    versions: list[DatasetVersion]
    next_page_token: str | None


class DatasetVersionDetail(DatasetVersion, frozen=True):
    """`schema` and `profile` as they were said. `other_names`: under which runs used the same digest."""

    schema: Any
    profile: Any
    other_names: list[str]


class DatasetDetail(Dataset, frozen=True):
    """`shown`: the version of `asked_digest`; where no digest was asked for (null), the one that was used last."""

    asked_digest: str | None
    shown: DatasetVersionDetail


class DatasetUser(Struct, frozen=True):
    """That a run used a version, and for what (`context`). `version`: what the run calls it."""

    run_id: str
    run_name: str
    experiment: str
    status: RunStatus
    lifecycle_stage: Literal["active", "deleted"]
    digest: str
    version: str | None
    context: str | None
    used_at: str | None


class DatasetUsersPage(Struct, frozen=True):
    uses: list[DatasetUser]
    next_page_token: str | None


class DatasetModel(Struct, frozen=True):
    """A version of a registered model whose run used it."""

    version_id: str
    name: str
    version: int
    stage: Literal["none", "staging", "production", "archived"]
    run_id: str
    created_at: str | None


class DatasetModelsPage(Struct, frozen=True):
    models: list[DatasetModel]
    next_page_token: str | None


class ListDatasets(Struct, frozen=True):
    """By name, or the last used first. `search`: a part of the name, case ignored."""

    search: str | None = None
    order_by: Literal["name", "last_used"] = "name"
    limit: Limit = 100
    page_token: str | None = None


class AskDataset(Struct, frozen=True):
    """`digest`: of a version, or the beginning of one."""

    digest: Digest | None = None


class ListDatasetVersions(Struct, frozen=True):
    """Of a name, of a digest (or the beginning of one) under any name, or both. `version`: what a run that used it calls it."""

    name: Name | None = None
    digest: Digest | None = None
    version: Annotated[str, Meta(max_length=NAME_MAX_BYTES)] | None = None
    limit: Limit = 100
    page_token: str | None = None


class ListDatasetUses(Struct, frozen=True):
    """Of a name, or of one version of it. `digest`: whole."""

    name: Name
    digest: Digest | None = None
    limit: Limit = 100
    page_token: str | None = None
