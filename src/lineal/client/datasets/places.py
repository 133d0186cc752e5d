"""Data by its address: a local path, or a URI that is never asked."""

from __future__ import annotations

import json
import os
import re
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from lineal.client.datasets.cache import DigestCache
from lineal.client.datasets.described import Described
from lineal.client.datasets.files import digest_found, find
from lineal.client.datasets.hashing import digest_of_json
from lineal.client.datasets.peek import peek
from lineal.model.values import clean_text

URI_PREFIX = "uri:"
"""Of the digest of data that nobody read: it is of the address, and equal to no digest of content."""

_URI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_SECRET = re.compile("sig|token|secret|password|credential|auth|key|expires", re.IGNORECASE)


def is_uri(place: str) -> bool:
    return _URI.match(place) is not None and not place.lower().startswith("file://")


def of_uri(uri: str, version: str | None) -> Described:
    source = public_uri(uri)
    return Described(
        URI_PREFIX + digest_of_json(["lineal-uri", 1, source, version]), urlsplit(uri).scheme.lower(), source
    )


def public_uri(uri: str) -> str:
    """Without user, password and whatever signs an address for a while."""
    parts = urlsplit(uri)
    asked = [
        (name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if not _SECRET.search(name)
    ]
    query = parts.query if not _SECRET.search(parts.query) else urlencode(asked)
    return clean_text(urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, query, parts.fragment)))


def of_path(place: str, root: str) -> Described:
    """A file, a folder, or a pattern. NotFound; InvalidInput; OSError as the disk says."""
    if place.lower().startswith("file://"):
        place = unquote(urlsplit(place).path)
    found = find(place)
    digested = digest_found(found, cache=DigestCache(root), shown=place)
    source = clean_text(os.path.abspath(os.path.expanduser(place)))
    profile: dict[str, Any] = {"size_bytes": digested.size_bytes}
    schema: dict[str, Any] | None = None
    if found.names is None:
        rows, schema = peek(found.root)
        if rows is not None:
            profile["row_count"] = rows
        if schema is not None and "columns" in schema:
            profile["column_count"] = len(schema["columns"])
    else:
        profile["file_count"] = digested.file_count
    text = None if schema is None else json.dumps(schema)
    return Described(digested.digest, "local", source, text, json.dumps(profile))
