from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from lineal.model.limits import GROUP_FIELDS_MAX_COUNT, LIST_PAGE_MAX_COUNT
from lineal.server.shapes.numbers import Number, Scalar


class GroupRuns(Struct, frozen=True, forbid_unknown_fields=True):
    """`by` and `metrics` are fields of the filter language, such as `params.lr` and `metrics.val/acc`. `order_by`, such as
    `metrics.val/acc desc`: by the values of a field of `by`, by the mean of any other within each group; what has none comes last."""

    by: Annotated[list[str], Meta(min_length=1, max_length=GROUP_FIELDS_MAX_COUNT)]
    metrics: Annotated[list[str], Meta(max_length=GROUP_FIELDS_MAX_COUNT)] = []
    order_by: list[str] = []
    filter: str = ""
    experiments: list[str] | None = None
    lifecycle_stage: Literal["active", "deleted", "all"] = "active"
    limit: Annotated[int, Meta(ge=1, le=LIST_PAGE_MAX_COUNT)] = LIST_PAGE_MAX_COUNT


class Spread(Struct, frozen=True):
    """Over the runs that have a finite value. `std` is the sample's, null below two."""

    count: int
    mean: Number | None
    std: Number | None
    min: Number | None
    max: Number | None


class RunGroup(Struct, frozen=True):
    """`run_ids` are the newest 100."""

    values: list[Scalar]
    run_count: int
    aggregates: dict[str, Spread]
    run_ids: list[str]


class GroupsPage(Struct, frozen=True):
    """As `order_by` says, then largest first; `total` counts all groups."""

    groups: list[RunGroup]
    total: int
