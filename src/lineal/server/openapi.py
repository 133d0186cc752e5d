"""The OpenAPI 3.1 document, made from the endpoints and their shapes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec

from lineal._version import __version__
from lineal.model.ids import DEFAULT_TENANT
from lineal.server.endpoint import Endpoint
from lineal.server.shapes.problems import Problem

OPENAPI_PATH = "/api/openapi.json"
_REF = "#/components/schemas/{name}"
_NAME = re.compile(r"\{(\w+)(?::path)?\}")
_TENANT = {
    "name": "X-Tenant-ID",
    "in": "header",
    "description": "The tenant that is asked for.",
    "schema": {"type": "string", "default": DEFAULT_TENANT, "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$"},
}


@cache
def openapi_json() -> bytes:
    from lineal.server.route_table import ENDPOINTS

    return msgspec.json.format(msgspec.json.encode(describe(ENDPOINTS)), indent=2)


def describe(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The whole document."""
    endpoints = list(endpoints)
    shapes = _shapes(endpoints)
    schemas, components = msgspec.json.schema_components([*shapes, Problem], ref_template=_REF)
    schema_of = {id(shape): schema for shape, schema in zip(shapes, schemas, strict=False)}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schema_of, components)
        paths.setdefault(openapi_path(endpoint.path), {})[endpoint.method.lower()] = operation
    asked = {_name_of(schema_of[id(endpoint.query)]) for endpoint in endpoints}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lineal",
            "version": __version__,
            "description": 'Numbers: NaN and infinities are the strings "NaN", "Infinity" and "-Infinity" in both directions. Times are '
            "ISO 8601 in UTC; names that end in _ms are milliseconds since the epoch.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": {name: schema for name, schema in sorted(components.items()) if name not in asked}},
    }


def openapi_path(path: str) -> str:
    return _NAME.sub(r"{\1}", path)


def _shapes(endpoints: list[Endpoint]) -> list[Any]:
    found: list[Any] = []
    for endpoint in endpoints:
        found += [shape for shape in (endpoint.answer, endpoint.query, endpoint.body) if shape is not None]
    return found


def _name_of(schema: dict[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _operation(endpoint: Endpoint, schema_of: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.path.split("/")[3]],
        "parameters": [*_path_parameters(endpoint), *_query_parameters(endpoint, schema_of, components), _TENANT],
        "responses": _responses(endpoint, schema_of),
    }
    said = inspect.getdoc(endpoint.call)
    if said:
        operation["description"] = said
    if endpoint.body is not None:
        content = {"application/json": {"schema": schema_of[id(endpoint.body)]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in _NAME.findall(endpoint.path)
    ]


def _query_parameters(
    endpoint: Endpoint, schema_of: dict[int, Any], components: dict[str, Any]
) -> list[dict[str, Any]]:
    shape = components[_name_of(schema_of[id(endpoint.query)])]
    required = shape.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in shape.get("properties", {}).items()
    ]


def _responses(endpoint: Endpoint, schema_of: dict[int, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {media: {"schema": {}} for media in endpoint.extra}
    if endpoint.answer is not None:
        content["application/json"] = {"schema": schema_of[id(endpoint.answer)]}
    responses: dict[str, Any] = {"200": {"description": "OK", "content": content}}
    problem = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    for status in sorted({400, 403, 503, *endpoint.refusals, *((413, 415) if endpoint.body else ())}):
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": problem}
    return responses
