"""What a filter can be completed with."""

from __future__ import annotations

from collections import Counter

from lineal.model.values import value_text
from lineal.query.parser import parse_field
from lineal.query.syntax import ATTRIBUTES
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes.fields import FieldNames, FieldValues, ListFields, ListValues
from lineal.server.views import list_rows
from lineal.store.contracts import RunQuery

_LOOKED_AT = 200


def list_fields(context: Context, asked: Asked[ListFields, None]) -> FieldNames:
    """Names that active runs have, in order."""
    query = asked.query
    if query.kind == "attribute":
        names = set(ATTRIBUTES)
    else:
        part = {"param": "params", "metric": "metrics", "tag": "tags", "json": "losses"}[query.kind]
        names = {name for row in _rows(context) for name in getattr(row, part, ())}
    return FieldNames(sorted(name for name in names if name.startswith(query.prefix))[: query.limit])


def list_values(context: Context, asked: Asked[ListValues, None]) -> FieldValues:
    """Values that a field has among active runs, most frequent first."""
    field = parse_field(asked.query.field)
    found: Counter[str] = Counter()
    for row in _rows(context):
        if field.kind == "attribute":
            value = {"experiment": row.experiment_name, "name": row.name}.get(field.name) or getattr(
                row, field.name, None
            )
        else:
            value = getattr(row, {"param": "params", "metric": "metrics", "tag": "tags"}.get(field.kind, "losses")).get(
                field.name
            )
        if value is not None and value_text(value).startswith(asked.query.prefix):
            found[value_text(value)] += 1
    return FieldValues([value for value, _ in found.most_common(asked.query.limit)])


def _rows(context: Context):  # type: ignore[no-untyped-def]
    reader = context.reader
    page = reader.list_runs(RunQuery(limit=_LOOKED_AT))
    return list_rows(reader, context.tenant, [run.run_id for run in page.runs])


ENDPOINTS = (
    Endpoint("GET", "/api/v1/fields", list_fields, "Names that a filter may use", FieldNames, ListFields),
    Endpoint("GET", "/api/v1/fields/values", list_values, "Values that a field has", FieldValues, ListValues),
)
