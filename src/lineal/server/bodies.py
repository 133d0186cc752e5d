"""Bodies as they arrive: bounded, unpacked, decoded; and what makes a request the same one again."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from starlette.requests import ClientDisconnect, Request

from lineal.ingest.group_commit import Once
from lineal.model.errors import InvalidInput
from lineal.model.limits import ANSWER_KEY_MAX_CHARS
from lineal.server.endpoint import Endpoint
from lineal.server.errors import Refused

KEY_HEADER = "Idempotency-Key"


@dataclass(frozen=True, slots=True)
class RequestOnce:
    """A request's key, and so far its address."""

    key: str
    address: bytes
    once: Once

    def with_body(self, body: bytes) -> RequestOnce:
        return RequestOnce(self.key, self.address, Once(self.key, _digest(self.address, body)))


def key_of(request: Request) -> str | None:
    """The Idempotency-Key; InvalidInput for one that is none."""
    given = request.headers.getlist(KEY_HEADER)
    if not given:
        return None
    if len(given) > 1 or not 0 < len(given[0]) <= ANSWER_KEY_MAX_CHARS:
        raise InvalidInput(f"{KEY_HEADER} is given once, with 1 to {ANSWER_KEY_MAX_CHARS} characters", field=KEY_HEADER)
    return given[0]


def once_of(endpoint: Endpoint, request: Request, key: str | None) -> RequestOnce | None:
    if key is None or endpoint.method != "POST":
        return None
    if not endpoint.keeps_answer:
        raise InvalidInput(f"no {KEY_HEADER} here: an answer that holds a secret is not kept", field=KEY_HEADER)
    address = f"{request.method} {request.url.path}".encode() + b"?" + request.scope["query_string"]
    return RequestOnce(key, address, Once(key, _digest(address, b"")))


def _digest(address: bytes, body: bytes) -> str:
    return hashlib.sha256(address + b"\n" + body).hexdigest()


def check_kind(endpoint: Endpoint, request: Request) -> None:
    """Refused for a body of another kind."""
    if endpoint.receives == "bytes":
        return
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "media_type", "the body is JSON, and its content type application/json")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "media_type", "a compressed body is not understood here")


async def read_body(request: Request, max_bytes: int) -> bytes:
    """The body, as long as it is within the bound."""
    said = request.headers.get("content-length", "")
    if said.isdigit() and int(said) > max_bytes:
        raise Refused(413, "over_limit", f"a body has at most {max_bytes:,} bytes", field="body")
    parts = []
    size = 0
    try:
        async for part in request.stream():
            parts.append(part)
            size += len(part)
            if size > max_bytes:
                raise Refused(413, "over_limit", f"a body has at most {max_bytes:,} bytes", field="body")
    except ClientDisconnect:
        raise Refused(400, "disconnected", "the body did not arrive whole", field="body") from None
    return b"".join(parts)


def unpacked(content: bytes, headers: Mapping[str, str], max_bytes: int) -> bytes:
    """Without its gzip, if it came in one; never more than the bound, however small the packet."""
    encoding = headers.get("content-encoding", "identity").lower()
    if encoding == "identity":
        return content
    if encoding != "gzip":
        raise Refused(415, "media_type", "a body is gzip or not compressed at all", field="Content-Encoding")
    unpacker = zlib.decompressobj(wbits=31)
    try:
        data = unpacker.decompress(content, max_bytes + 1)
    except zlib.error:
        raise InvalidInput("the body is not gzip", field="body") from None
    if len(data) > max_bytes:
        raise Refused(413, "over_limit", f"an unpacked body has at most {max_bytes:,} bytes", field="body")
    if not unpacker.eof or unpacker.unused_data:
        raise InvalidInput("the body is not one whole piece of gzip", field="body")
    return data


def decoded(content: bytes, shape: type[msgspec.Struct]) -> msgspec.Struct:
    try:
        return msgspec.json.decode(content, type=shape)
    except msgspec.ValidationError as error:
        raise invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the body is not JSON: {error}", field="body") from None
    except RecursionError:
        raise InvalidInput("the body is nested too deeply", field="body") from None


def invalid(error: msgspec.ValidationError) -> InvalidInput:
    """msgspec ends its words with the place: "... - at `$.limit`"."""
    said, _, place = str(error).partition(" - at `$")
    field = place.rstrip("`").lstrip(".").replace("[...]", "") or None
    return InvalidInput(f"{said[0].lower()}{said[1:]}", field=field)
