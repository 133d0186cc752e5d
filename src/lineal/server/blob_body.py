"""A body that is a blob: kept piece by piece, and only if it has the digest that its address says."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import ClientDisconnect, Request

from lineal.journal.blobs import Blob, Draft
from lineal.model.errors import InvalidInput, NotWritable
from lineal.model.limits import MIB
from lineal.server.errors import Refused

_PIECE_BYTES = 1 * MIB
_DIGEST = re.compile(r"[0-9a-f]{64}")

InThread = Callable[..., Awaitable[Any]]


def checked(digest: str) -> str:
    """The digest itself, or InvalidInput."""
    if not _DIGEST.fullmatch(digest):
        raise InvalidInput("a digest has 64 hexadecimal digits in lower case", field="digest")
    return digest


async def receive_blob(request: Request, draft: Draft, digest: str, in_thread: InThread) -> Blob:
    """Writing waits for the disk in a thread, and the client waits for the writing."""
    pieces: list[bytes] = []
    size = 0
    try:
        async for piece in request.stream():
            pieces.append(piece)
            size += len(piece)
            if size >= _PIECE_BYTES:
                await in_thread(_write, draft, b"".join(pieces))
                pieces, size = [], 0
    except ClientDisconnect:
        raise Refused(400, "disconnected", "the body did not arrive whole", field="body") from None
    blob: Blob = await in_thread(_finish, draft, b"".join(pieces), digest)
    return blob


def _write(draft: Draft, data: bytes) -> None:
    try:
        draft.write(data)
    except OSError as error:
        raise NotWritable(f"the artifact cannot be kept: {error.strerror}") from error


def _finish(draft: Draft, data: bytes, digest: str) -> Blob:
    _write(draft, data)
    if draft.digest != digest:
        raise InvalidInput("the bytes have another SHA-256 than the address says", field="body")
    try:
        return draft.place()
    except OSError as error:
        raise NotWritable(f"the artifact cannot be kept: {error.strerror}") from error
