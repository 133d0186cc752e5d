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
from lineal.model.limits import ANSWER_KEY_MAX_CHARS
from lineal.server.endpoint import Endpoint
from lineal.server.schemas import REF, Schema, name_of, schemas_of
from lineal.server.shapes.problems import Problem

OPENAPI_PATH = "/api/openapi.json"
PROBLEM_TYPE = "application/problem+json"
_REFUSALS = (400, 403, 414, 500, 503)
_BYTES = "application/octet-stream"
_BODY_REFUSALS = (408, 413, 415)
_NAME = re.compile(r"\{(\w+)(?::text)?\}")
_ANY: dict[str, Any] = {"minLength": 1}
_PATTERNS: dict[str, Any] = {"digest": {"pattern": "^[0-9a-f]{64}$"}, "writer_id": {"pattern": "^[0-9a-f]{15}$"}}
_TENANT = {
    "name": "X-Tenant-ID",
    "in": "header",
    "description": "The tenant that is asked for. Who cannot send headers puts /t/TENANT before the path.",
    "schema": {"type": "string", "default": DEFAULT_TENANT, "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$"},
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "The same request again under the same key is answered as the first was, for a day, and changes nothing.",
    "schema": {"type": "string", "minLength": 1, "maxLength": ANSWER_KEY_MAX_CHARS},
}
_SECURITY = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "A token, which begins with lnl_. A server that was started without --auth asks for none.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-lineal_session",
        "description": "What a browser has that signed in; without https its name is lineal_session.",
    },
}
_DESCRIPTION = (
    'Numbers: NaN and infinities are the strings "NaN", "Infinity" and "-Infinity" in both directions. Times are ISO 8601 in '
    "UTC; names that end in _ms are milliseconds since the epoch. Every path is also served under /t/{tenant}. "
    "x-access says who may call an operation: anybody (open), whoever has signed in (user), those who have the role, or a "
    "higher one, in the tenant (reader, writer, approver, admin), or in all tenants (server_reader, server_admin)."
)


@cache
def openapi_json() -> bytes:
    from lineal.server.route_table import ENDPOINTS

    return msgspec.json.format(msgspec.json.encode(describe(ENDPOINTS)), indent=2) + b"\n"


def describe(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The whole document."""
    endpoints = list(endpoints)
    shapes = [shape for endpoint in endpoints for shape in _shapes_of(endpoint)]
    found, components = schemas_of([*shapes, Problem])
    schema_of = {id(shape): schema for shape, schema in zip([*shapes, Problem], found, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, schema_of, components)
        paths.setdefault(openapi_path(endpoint.path), {})[endpoint.method.lower()] = operation
    queries = {name_of(schema_of[id(endpoint.query)]) for endpoint in endpoints}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lineal",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "securitySchemes": _SECURITY,
            "schemas": {name: components[name] for name in sorted(components) if name not in queries},
            "responses": _refusals({status for endpoint in endpoints for status in refusals_of(endpoint)}),
        },
    }


def openapi_path(path: str) -> str:
    return _NAME.sub(r"{\1}", path)


def _shapes_of(endpoint: Endpoint) -> list[Any]:
    said = (endpoint.answer, endpoint.query, endpoint.body, *endpoint.media.values())
    return [shape for shape in said if shape is not None]


def _operation(endpoint: Endpoint, schema_of: dict[int, Schema], components: dict[str, Schema]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.path.split("/")[3]],
        "parameters": [
            *_path_parameters(endpoint),
            *_query_parameters(endpoint, schema_of, components),
            _TENANT,
            *_key(endpoint),
        ],
        "responses": _responses(endpoint, schema_of),
        "security": [] if endpoint.access == "open" else [{"token": []}, {"session": []}],
        "x-access": endpoint.access,
    }
    said = inspect.getdoc(endpoint.call)
    if said:
        operation["description"] = " ".join(said.split())
    if endpoint.body is not None:
        media = "multipart/form-data" if endpoint.receives == "form" else "application/json"
        operation["requestBody"] = {"required": True, "content": {media: {"schema": schema_of[id(endpoint.body)]}}}
    elif endpoint.receives in ("bytes", "blob"):
        content = {_BYTES: {"schema": {"type": "string", "contentMediaType": _BYTES}}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _key(endpoint: Endpoint) -> list[Schema]:
    return [_KEY] if endpoint.method == "POST" and endpoint.keeps_answer else []


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", **_PATTERNS.get(name, _ANY)}}
        for name in _NAME.findall(endpoint.path)
    ]


def _query_parameters(
    endpoint: Endpoint, schema_of: dict[int, Schema], components: dict[str, Schema]
) -> list[dict[str, Any]]:
    shape = components[name_of(schema_of[id(endpoint.query)])]
    required = shape.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in shape.get("properties", {}).items()
    ]


def _responses(endpoint: Endpoint, schema_of: dict[int, Schema]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if endpoint.answer is not None:
        content["application/json"] = {"schema": schema_of[id(endpoint.answer)]}
    for media, shape in endpoint.media.items():
        content.setdefault(media, {"schema": _raw_schema(media, schema_of.get(id(shape)))})
    good = HTTPStatus.CREATED if endpoint.made else HTTPStatus.OK
    responses: dict[str, Any] = {str(good.value): {"description": good.phrase, "content": content}}
    for status in endpoint.also:
        responses[str(status)] = {"description": HTTPStatus(status).phrase}
        if status in (HTTPStatus.PARTIAL_CONTENT, HTTPStatus.OK):
            responses[str(status)]["content"] = content
    for status in sorted(refusals_of(endpoint)):
        responses[str(status)] = {"$ref": f"#/components/responses/{_refusal_name(status)}"}
    return responses


def refusals_of(endpoint: Endpoint) -> set[int]:
    """Every bad status that the route may answer with."""
    has_body = endpoint.body is not None or endpoint.receives != "json"
    let_in = {None: (), "open": (), "user": (401, 404)}.get(endpoint.access, (401, 404))
    return {*_REFUSALS, *let_in, *endpoint.refusals, *(_BODY_REFUSALS if has_body else ())}


def _refusal_name(status: int) -> str:
    return HTTPStatus(status).phrase.title().replace(" ", "").replace("-", "")


def _refusals(statuses: set[int]) -> dict[str, Any]:
    problem = {PROBLEM_TYPE: {"schema": {"$ref": REF.format(name=Problem.__name__)}}}
    return {
        _refusal_name(status): {"description": HTTPStatus(status).phrase, "content": problem}
        for status in sorted(statuses)
    }


def _raw_schema(media: str, schema: Schema | None) -> Schema:
    """Of what is no answer of our own: bytes, anybody's JSON, or events whose data has a shape."""
    if schema is None:
        return {} if media == "application/json" else {"type": "string", "contentMediaType": media}
    return {"type": "string", "contentMediaType": "application/json", "contentSchema": schema}
