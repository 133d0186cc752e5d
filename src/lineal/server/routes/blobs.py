"""Bytes of artifacts by their digest: how the SDK's own journals get theirs to a server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lineal.model.errors import NotFound
from lineal.server.answers import BlobFile, Told
from lineal.server.blob_body import OFFSET, checked
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.errors import Refused
from lineal.server.routes.artifacts import CSP
from lineal.server.shapes.writes import BlobKept

_HEADERS = {"content-disposition": "attachment", "content-security-policy": CSP, "cache-control": "private, no-cache"}


def get_blob(context: Context, asked: Asked[Any, None]) -> BlobFile:
    """The bytes of that SHA-256, or one range of them. HEAD tells whether they are here and, with 404 and Upload-Offset, how
    much of an upload is kept that broke off. What is here stays for a day from now at least, whether an artifact has it or not."""
    digest = checked(asked.path["digest"])
    path = context.source.keep_blob(context.tenant, digest)
    if path is None:
        absent = Refused(404, NotFound.code, "no bytes of that digest are here", field="digest")
        kept = context.source.part_bytes(context.tenant, digest)
        if kept:
            absent.headers[OFFSET.lower()] = str(kept)
        raise absent
    return BlobFile(path, Path(path).stat().st_size, digest, "application/octet-stream", _HEADERS)


def put_blob(context: Context, asked: Asked[Any, None]) -> BlobKept | Told:
    """Keeps the body, if it has that SHA-256. With Upload-Offset it goes on behind what is kept of an earlier request (409 and
    Upload-Offset where that is another place); without, it begins anew. `Upload-Complete: ?0` says that more will come.
    An artifact that names the digest has these bytes; without one they are freed after
    a day."""
    if asked.blob is None:
        digest = asked.path["digest"]
        kept = context.source.part_bytes(context.tenant, digest)
        return Told(BlobKept(digest, kept), {OFFSET.lower(): str(kept)}, 202)
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
        also=(202,),
        refusals=(409,),
        access="writer",
    ),
)
