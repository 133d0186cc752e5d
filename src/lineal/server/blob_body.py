"""A body that is a blob: kept piece by piece, and only if it has the digest that its address says."""

from __future__ import annotations

import re

from starlette.requests import ClientDisconnect, Request

from lineal.journal.blobs import Blob, Draft
from lineal.journal.parts import Part
from lineal.model.errors import InvalidInput, NotWritable
from lineal.server.errors import Refused
from lineal.server.inflow import Inflow, InThread

OFFSET, COMPLETE = "Upload-Offset", "Upload-Complete"  # as the IETF's draft on resumable uploads names them (ADR 0016)
_NUMBER = re.compile(r"[0-9]{1,18}")
_DIGEST = re.compile(r"[0-9a-f]{64}")


def checked(digest: str) -> str:
    """The digest itself, or InvalidInput."""
    if not _DIGEST.fullmatch(digest):
        raise InvalidInput("a digest has 64 hexadecimal digits in lower case", field="digest")
    return digest


def offset_of(request: Request) -> int:
    """Where the body goes on (Upload-Offset); InvalidInput for what is no place."""
    given = request.headers.getlist(OFFSET)
    if not given:
        return 0
    if len(given) > 1 or not _NUMBER.fullmatch(given[0]):
        raise InvalidInput(f"{OFFSET} is given once, as a number of bytes", field=OFFSET)
    return int(given[0])


def is_last(request: Request) -> bool:
    """Whether the bytes end with this body (Upload-Complete); InvalidInput for what is neither."""
    given = request.headers.getlist(COMPLETE)
    if given not in ([], ["?1"], ["?0"]):
        raise InvalidInput(f"{COMPLETE} is ?1 or ?0", field=COMPLETE)
    return given != ["?0"]


async def receive_blob(request: Request, part: Part, digest: str, in_thread: InThread) -> Blob | None:
    """None if more is to come. What arrived of a body that broke off is kept. Raises Refused for a body that goes on at another
    place than what is kept."""
    ends = is_last(request)
    await in_thread(_begin, part, offset_of(request))
    inflow = Inflow(part, in_thread)
    try:
        try:
            async for piece in request.stream():
                await inflow.take(piece)
        except ClientDisconnect:
            await inflow.settle()
            raise Refused(400, "disconnected", "the body did not arrive whole", field="body") from None
        except Refused:  # it comes too slowly
            await inflow.settle()
            raise
        await inflow.settle()
    finally:
        await inflow.close()
    if not ends:
        return None
    blob: Blob = await in_thread(_finish, part, digest)
    return blob


async def receive_file(request: Request, draft: Draft, max_bytes: int, in_thread: InThread) -> Blob:
    """A body of which nobody has said the digest."""
    inflow = Inflow(draft, in_thread)
    size = 0
    try:
        async for piece in request.stream():
            size += len(piece)
            if size > max_bytes:
                raise Refused(413, "over_limit", f"a file here has at most {max_bytes:,} bytes", field="body")
            await inflow.take(piece)
        await inflow.settle()
    except ClientDisconnect:
        raise Refused(400, "disconnected", "the body did not arrive whole", field="body") from None
    finally:
        await inflow.close()
    blob: Blob = await in_thread(_place, draft)
    return blob


def _place(draft: Draft) -> Blob:
    try:
        return draft.place()
    except OSError as error:
        raise NotWritable(f"the artifact cannot be kept: {error.strerror}") from error


def _begin(part: Part, offset: int) -> None:
    if not offset:
        part.restart()
    elif offset != part.size_bytes:
        refused = Refused(409, "offset", f"{part.size_bytes:,} bytes are kept: go on from there", field=OFFSET)
        refused.headers[OFFSET.lower()] = str(part.size_bytes)
        raise refused
    else:
        part.catch_up()


def _finish(part: Part, digest: str) -> Blob:
    if part.digest() != digest:
        part.drop()
        raise InvalidInput("the bytes have another SHA-256 than the address says", field="body")
    try:
        return part.place()
    except OSError as error:
        raise NotWritable(f"the artifact cannot be kept: {error.strerror}") from error
