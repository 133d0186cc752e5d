"""Bytes of artifacts by their digest: how the SDK's own journals get theirs to a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lineal.model.errors import NotFound
from lineal.server.answers import BlobFile
from lineal.server.blob_body import checked
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.routes.artifacts import CSP
from lineal.server.shapes.writes import BlobKept

_HEADERS = {"content-disposition": "attachment", "content-security-policy": CSP, "cache-control": "private, no-cache"}


def get_blob(context: Context, asked: Asked[Any, None]) -> BlobFile:
    """The bytes of that SHA-256, or one range of them. HEAD tells whether they are here."""
    digest = checked(asked.path["digest"])
    path = context.source.find_blob(context.tenant, digest)
    if path is None:
        raise NotFound("no bytes of that digest are here", field="digest")
    return BlobFile(path, Path(path).stat().st_size, digest, "application/octet-stream", _HEADERS)


def put_blob(context: Context, asked: Asked[Any, None]) -> BlobKept:
    """Keeps the body, if it has that SHA-256. An artifact that names the digest has these bytes; without one they are freed after
    a day."""
    assert asked.blob is not None
    return BlobKept(asked.blob.digest, asked.blob.size_bytes)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/blobs/{digest}",
        get_blob,
        "Bytes by their digest",
        media={"application/octet-stream": None},
        also=(206, 304),
        refusals=(404, 416),
        access="reader",
    ),
    Endpoint(
        "PUT",
        "/api/v1/blobs/{digest}",
        put_blob,
        "Keep bytes under their digest",
        BlobKept,
        receives="blob",
        access="writer",
    ),
)
