"""Files of a run. They are a stranger's: nothing of them may run in the page's origin."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from msgspec import Struct

from lineal.model.entities import Artifact
from lineal.model.errors import InvalidInput, NotFound
from lineal.server.answers import BlobFile
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.shapes.runs import ArtifactsList
from lineal.server.views import artifact_of

CSP = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"
# What a browser shows without running anything of it; everything else is only ever saved.
_SHOWN = {
    "image/png": "image/png",
    "image/jpeg": "image/jpeg",
    "image/gif": "image/gif",
    "image/webp": "image/webp",
    "image/svg+xml": "image/svg+xml",
    "text/plain": "text/plain; charset=utf-8",
    "text/markdown": "text/plain; charset=utf-8",
    "text/csv": "text/plain; charset=utf-8",
    "application/json": "application/json",
}
_BY_ENDING = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
    ".log": "text/plain",
    ".md": "text/markdown",
    ".csv": "text/csv",
    ".json": "application/json",
}


class AskArtifact(Struct, frozen=True):
    """`version`: the latest without one. `inline` shows images, text, Markdown, JSON and CSV; the rest is saved always."""

    version: int | None = None
    inline: bool = False


def list_artifacts(context: Context, asked: Asked[Any, None]) -> ArtifactsList:
    """The latest version of each path and those before it."""
    details = context.reader.get_details(context.full_id(asked.path["run_id"]))
    return ArtifactsList([artifact_of(artifact) for artifact in details.artifacts])


def get_artifact(context: Context, asked: Asked[AskArtifact, None]) -> BlobFile:
    """The bytes, or one range of them; `ETag` is the SHA-256."""
    run_id, path = context.full_id(asked.path["run_id"]), asked.path["path"]
    artifact = _find(context, run_id, path, asked.query.version)
    blob = context.source.find_blob(context.tenant, artifact.digest) if artifact.digest else None
    if blob is None or artifact.digest is None or artifact.size_bytes is None:
        raise NotFound("the bytes of this artifact are not here: it is a reference", field="path")
    media_type = artifact.media_type or _BY_ENDING.get(path[path.rfind(".") :].lower(), "")
    shown = _SHOWN.get(media_type.partition(";")[0].strip().lower()) if asked.query.inline else None
    name = path.rpartition("/")[2]
    disposition = "inline" if shown else "attachment"
    headers = {
        "content-disposition": f"{disposition}; filename*=UTF-8''{quote(name, safe='')}",
        "content-security-policy": CSP,
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "private, no-cache",
    }
    return BlobFile(blob, artifact.size_bytes, artifact.digest, shown or "application/octet-stream", headers)


def _find(context: Context, run_id: str, path: str, version: int | None) -> Artifact:
    if version is not None and version < 1:
        raise InvalidInput("versions count from 1", field="version")
    fitting = [
        one
        for one in context.reader.get_details(run_id).artifacts
        if one.path == path and version in (None, one.version)
    ]
    if not fitting:
        raise NotFound(f"run {run_id} has no artifact {path!r:.80}", field="path")
    return max(fitting, key=lambda one: one.version)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/api/v1/experiments/runs/{run_id}/artifacts",
        list_artifacts,
        "Files of a run",
        ArtifactsList,
        refusals=(404,),
        access="reader",
    ),
    Endpoint(
        "GET",
        "/api/v1/experiments/runs/{run_id}/artifacts/{path:text}",
        get_artifact,
        "The bytes of a file",
        query=AskArtifact,
        media=dict.fromkeys(("application/octet-stream", *_SHOWN)),
        also=(206, 304),
        refusals=(404, 416),
        access="reader",
    ),
)
