"""The bytes of a stored file: whole, or the one range that was asked for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from starlette.responses import Response, StreamingResponse

from lineal.model.limits import KIB
from lineal.server.answers import BlobFile
from lineal.server.errors import Refused

_RANGE = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")
_CHUNK_BYTES = 256 * KIB


def blob_response(blob: BlobFile, asked: Mapping[str, str]) -> Response:
    """Several ranges at once are answered with the whole, as HTTP allows: so nobody can ask for ten thousand."""
    tag = f'"{blob.etag}"'
    headers = {"etag": tag, "accept-ranges": "bytes", "x-content-type-options": "nosniff", **blob.headers}
    known = [one.strip().removeprefix("W/") for one in asked.get("if-none-match", "").split(",")]
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    first, last = 0, blob.size_bytes - 1
    status = 200
    wanted = _RANGE.fullmatch(asked.get("range", "").strip())
    if wanted and asked.get("if-range", tag) == tag:
        first, last = _bounds(wanted, blob.size_bytes)
        status = 206
        headers["content-range"] = f"bytes {first}-{last}/{blob.size_bytes}"
    length = last - first + 1
    headers["content-length"] = str(length)
    return StreamingResponse(read_chunks(blob.path, first, length), status, headers=headers, media_type=blob.media_type)


def _bounds(wanted: re.Match[str], size: int) -> tuple[int, int]:
    """First and last byte. Refused (416) if no byte of it is there."""
    start, end, tail = wanted.groups()
    if tail is not None:
        first, last = max(0, size - int(tail)), size - 1
    else:
        first, last = int(start), min(int(end), size - 1) if end else size - 1
    if first > last:
        refused = Refused(416, "range", f"the file has {size:,} bytes", field="Range")
        refused.headers["content-range"] = f"bytes */{size}"
        raise refused
    return first, last


def read_chunks(path: str, first: int, length: int) -> Iterator[bytes]:
    with open(path, "rb") as file:
        file.seek(first)
        while length > 0 and (chunk := file.read(min(_CHUNK_BYTES, length))):
            length -= len(chunk)
            yield chunk
