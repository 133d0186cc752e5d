"""What of a run's JSON documents can be searched: leaves by path, a bounded number of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lineal.model.limits import JSON_LEAVES_MAX_COUNT, JSON_MAX_DEPTH, JSON_PATH_MAX_BYTES, JSON_TEXT_MAX_CHARS
from lineal.model.values import ParamValue, clean_text, from_json


def json_leaves(name: str, json_text: str) -> dict[str, ParamValue]:
    """Path -> value of the document `name`: the name, keys and places in lists (0, 1 ...) joined by dots; a document that is
    a single value has its name as path. null is no value. Of equal paths (a key with a dot may make one) the first stands.

    Left out: what lies beyond the first JSON_LEAVES_MAX_COUNT leaves or deeper than JSON_MAX_DEPTH, texts and paths
    over their bound, and documents that are not JSON."""
    try:
        document = from_json(json_text)
    except (ValueError, RecursionError):
        return {}
    leaves: dict[str, ParamValue] = {}
    for path, value in _walk(name, document, 0):
        if len(leaves) >= JSON_LEAVES_MAX_COUNT:
            break
        leaves.setdefault(path, value)
    return leaves


def leaves_of_documents(documents: Mapping[str, str]) -> dict[str, ParamValue]:
    """Of all documents of a run (name -> JSON text); of equal paths that of the document whose name sorts first stands."""
    leaves: dict[str, ParamValue] = {}
    for name in sorted(documents):
        for path, value in json_leaves(name, documents[name]).items():
            leaves.setdefault(path, value)
    return leaves


def _walk(path: str, value: Any, depth: int) -> Iterator[tuple[str, ParamValue]]:
    if len(path.encode()) > JSON_PATH_MAX_BYTES or depth > JSON_MAX_DEPTH:
        return
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(f"{path}.{clean_text(key)}", item, depth + 1)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _walk(f"{path}.{place}", item, depth + 1)
    elif isinstance(value, str):
        if len(value) <= JSON_TEXT_MAX_CHARS:
            yield path, clean_text(value)
    elif value is not None:
        yield path, value
