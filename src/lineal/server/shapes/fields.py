from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from lineal.server.shapes.experiments import Limit


class ListFields(Struct, frozen=True):
    """Names that begin with `prefix`."""

    kind: Literal["param", "metric", "tag", "json", "attribute"]
    prefix: str = ""
    limit: Limit = 100


class FieldNames(Struct, frozen=True):
    names: list[str]


class ListValues(Struct, frozen=True):
    """`field` as the filter language writes it: `params.model`, `tags.team`, `status`."""

    field: str
    prefix: str = ""
    limit: Limit = 20


class FieldValues(Struct, frozen=True):
    """Most frequent first."""

    values: list[str]


class CheckFilter(Struct, frozen=True, forbid_unknown_fields=True):
    filter: str = ""
    order_by: list[str] = []


class FilterChecked(Struct, frozen=True):
    ok: bool
    detail: Annotated[str | None, Meta(description="What is wrong, if something is; so the rest.")] = None
    field: str | None = None
    position: Annotated[int | None, Meta(description="Where in the text of `field`, from 0.")] = None
    expected: Annotated[str | None, Meta(description="What was expected there.")] = None
