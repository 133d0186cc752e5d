from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from lineal.model.limits import LIST_PAGE_MAX_COUNT

Limit = Annotated[int, Meta(ge=1, le=LIST_PAGE_MAX_COUNT)]
Offset = Annotated[int, Meta(ge=0, le=2**53)]


class Experiment(Struct, frozen=True):
    """A named set of runs. Times are ISO 8601 in UTC."""

    id: str
    name: str
    description: str
    artifact_location: str | None
    lifecycle_stage: Literal["active", "deleted"]
    created_at: str | None
    last_updated: str | None
    tags: dict[str, str]
    run_count: Annotated[int, Meta(description="Active runs in it.")]


class ExperimentsPage(Struct, frozen=True):
    experiments: list[Experiment]
    total: int
    limit: int
    offset: int


class ListExperiments(Struct, frozen=True):
    """`search`: a part of the name, case ignored."""

    search: str | None = None
    lifecycle_stage: Literal["active", "deleted"] = "active"
    limit: Limit = 100
    offset: Offset = 0
