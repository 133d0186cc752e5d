"""What is said of a dataset beside its name. Schema and profile are JSON texts, whose members spec/dataset.md lists."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from lineal.client.datasets.columns import Column
from lineal.model.limits import DATASET_COLUMNS_MAX_COUNT


class Described(NamedTuple):
    digest: str
    source_type: str
    source: str | None = None
    schema: str | None = None
    profile: str | None = None


def columns_schema(columns: Sequence[Column]) -> dict[str, Any]:
    """The first columns by name and type, with how many values are missing where some are."""
    named = [
        {"name": column.name, "type": column.type} | ({"missing": column.missing_count} if column.missing_count else {})
        for column in columns[:DATASET_COLUMNS_MAX_COUNT]
    ]
    return {"columns": named}


def described(digest: str, source_type: str, schema: Any, **profile: Any) -> Described:
    return Described(digest, source_type, None, json.dumps(schema), json.dumps(profile))
