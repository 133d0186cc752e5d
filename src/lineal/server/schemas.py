"""JSON schemas of the shapes, as people and generators of clients like to read them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from lineal.server.shapes.numbers import Number, Scalar

Schema = dict[str, Any]

REF = "#/components/schemas/{name}"


def schemas_of(shapes: Sequence[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """A schema for each shape, and the named ones that they refer to."""
    found, components = msgspec.json.schema_components(shapes, ref_template=REF)
    named = {name: _tidy(schema) for name, schema in components.items()}
    return [_tidy(schema) for schema in found], {**_numbers(), **named}


def name_of(schema: Schema) -> str:
    """The name that a reference refers to; "" for a schema without one."""
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _numbers() -> dict[str, Schema]:
    kinds = {"Number": Number, "Scalar": Scalar}
    found, _ = msgspec.json.schema_components(list(kinds.values()), ref_template=REF)
    return {name: _typed(schema) for name, schema in zip(kinds, found, strict=True)}


def _tidy(schema: Any) -> Any:
    """Numbers by name, closed sets of texts with their type, sentences on one line."""
    if isinstance(schema, list):
        return [_tidy(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    schema = _typed(schema)
    for name, known in _numbers().items():
        rest = _without(schema.get("anyOf", []), known["anyOf"])
        if rest is not None:
            ref = {"$ref": REF.format(name=name)}
            said = {key: value for key, value in schema.items() if key == "default"}
            return {**ref, **said} if not rest else {"anyOf": [ref, *rest], **said}
    return {key: value if key == "default" else _tidy(value) for key, value in schema.items()}


def _typed(schema: Schema) -> Schema:
    schema = dict(schema)
    if isinstance(schema.get("description"), str):
        schema["description"] = " ".join(schema["description"].split())
    if "enum" in schema and all(isinstance(value, str) for value in schema["enum"]):
        schema = {"type": "string", **schema}
    if "anyOf" in schema:
        schema["anyOf"] = [_typed(option) for option in schema["anyOf"]]
    return schema


def _without(options: list[Schema], known: list[Schema]) -> list[Schema] | None:
    """The options that are not among the known ones; None unless all of those are there."""
    if not all(one in options for one in known):
        return None
    return [option for option in options if option not in known]
