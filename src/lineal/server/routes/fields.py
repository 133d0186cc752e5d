"""What a filter can be completed with."""

from __future__ import annotations

from lineal.query.parser import parse_field
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes.fields import FieldNames, FieldValues, ListFields, ListValues


def list_fields(context: Context, asked: Asked[ListFields, None]) -> FieldNames:
    """Names that active runs have, in order; maybe some that only others have. Of json DOCUMENT.path.to.leaf."""
    query = asked.query
    return FieldNames(context.reader.list_names(query.kind, query.prefix, query.limit))


def list_values(context: Context, asked: Asked[ListValues, None]) -> FieldValues:
    """Values that a field has among active runs, most frequent first; none for numbers such as metrics."""
    query = asked.query
    return FieldValues(context.reader.list_values(parse_field(query.field), query.prefix, query.limit))


ENDPOINTS = (
    Endpoint(
        "GET", "/api/v1/fields", list_fields, "Names that a filter may use", FieldNames, ListFields, access="reader"
    ),
    Endpoint(
        "GET", "/api/v1/fields/values", list_values, "Values that a field has", FieldValues, ListValues, access="reader"
    ),
)
