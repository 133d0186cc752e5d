"""Holds every answer of the app against its own OpenAPI document."""

from __future__ import annotations

import json
import re
from typing import Any

import httpx
from jsonschema import Draft202012Validator

from lineal.server.openapi import openapi_json, openapi_path
from lineal.server.route_table import ENDPOINTS

DOCUMENT: dict[str, Any] = json.loads(openapi_json())
_PATTERNS = [
    (
        re.compile(re.sub(r"\{\w+(:text)?\}", lambda name: ".+" if name[1] else "[^/]+", one.path)),
        openapi_path(one.path),
    )
    for one in ENDPOINTS
]


def check(response: httpx.Response) -> None:
    """For httpx's event hook: the status, the media type and the body are as documented."""
    path = re.sub(r"^/t/[^/]+(?=/api/)", "", response.request.url.path)
    template = next((template for pattern, template in _PATTERNS if pattern.fullmatch(path)), None)
    operation = DOCUMENT["paths"].get(template, {}).get(response.request.method.lower())
    if operation is None:
        return
    said = operation["responses"].get(str(response.status_code))
    assert said is not None, f"{response.status_code} is not documented for {template}"
    if "$ref" in said:
        said = DOCUMENT["components"]["responses"][said["$ref"].rpartition("/")[2]]
    media = response.headers.get("content-type", "").partition(";")[0]
    if "content" not in said:
        return
    assert media in said["content"], f"{media} is not documented for {template}"
    if media.endswith("json"):
        response.read()
        errors = list(_validator(said["content"][media]["schema"]).iter_errors(_strict(response.text)))
        assert not errors, f"{template}: {errors[0].message} at {list(errors[0].absolute_path)}"


def _validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def _strict(text: str) -> Any:
    """JSON as the standard has it, without the NaN that Python's reader takes."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)
