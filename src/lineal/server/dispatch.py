"""From a request to an endpoint's call, and from what it returns to a response."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
from anyio import CapacityLimiter, to_thread
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from lineal.model.errors import InvalidInput, LinealError
from lineal.model.limits import QUERY_STRING_MAX_BYTES, REQUEST_BODY_MAX_BYTES
from lineal.server.answers import BlobFile, Content, Events
from lineal.server.blob_response import blob_response
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.errors import Refused, problem_of
from lineal.server.kept_rows import KeptRows
from lineal.server.openapi import openapi_json
from lineal.server.tenants import tenant_of

if TYPE_CHECKING:
    from lineal.server.live import Live
    from lineal.server.source import Source

LOG = logging.getLogger("lineal.server")
_THREADS = 8  # two cores seldom use more; SQLite and numpy let go of the interpreter lock
_PLAIN = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

_to_json = msgspec.json.Encoder().encode
Serve = Callable[[Request], Awaitable[Response]]


class Dispatch:
    """Serves endpoints over one source."""

    def __init__(self, source: Source, live: Live) -> None:
        self._source = source
        self._live = live
        self._rows = KeptRows()
        self._threads: CapacityLimiter | None = None  # belongs to an event loop

    def serving(self, of_path: Mapping[str, Endpoint]) -> Serve:
        """What serves the endpoints of one path, by method."""

        async def serve(request: Request) -> Response:
            endpoint = of_path["GET" if request.method == "HEAD" else request.method]
            try:
                return await self._serve(endpoint, request)
            except (LinealError, Refused) as error:
                return refusal(error)

        return serve

    async def serve_openapi(self, request: Request) -> Response:
        return Response(openapi_json(), media_type="application/json", headers=_PLAIN)

    async def serve_nothing(self, request: Request) -> Response:
        return refusal(Refused(404, "no_route", "there is no such route; /api/openapi.json lists what there is"))

    async def _serve(self, endpoint: Endpoint, request: Request) -> Response:
        tenant = tenant_of(request)
        asked: Asked[Any, Any] = Asked(
            dict(request.path_params),
            _query_of(endpoint, request),
            await _body_of(endpoint, request),
            {name.lower(): value for name, value in request.headers.items()},
        )
        if endpoint.is_async:
            return _response(endpoint.call(Context(self._source, tenant, self._live, self._rows), asked), asked)
        if self._threads is None:
            self._threads = CapacityLimiter(_THREADS)
        return await to_thread.run_sync(self._call, endpoint, tenant, asked, limiter=self._threads)

    def _call(self, endpoint: Endpoint, tenant: str, asked: Asked[Any, Any]) -> Response:
        """In a thread. The answer is encoded here too, not on the event loop."""
        with self._source.opened() as store:
            return _response(endpoint.call(Context(self._source, tenant, self._live, self._rows, store), asked), asked)


def refusal(error: Exception) -> Response:
    problem, headers = problem_of(error)
    return Response(_to_json(problem), problem.status, {**_PLAIN, **headers}, media_type="application/problem+json")


async def refuse(request: Request, error: Exception) -> Response:
    """What nobody meant to raise: said in the log, not to the client."""
    LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return refusal(error)


async def refuse_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    refused = Refused(
        error.status_code, "method" if error.status_code == 405 else "no_route", f"{request.method} is not served here"
    )
    refused.headers.update(error.headers or {})
    return refusal(refused)


def _response(answer: object, asked: Asked[Any, Any]) -> Response:
    if isinstance(answer, Content):
        return Response(answer.content, headers={**_PLAIN, **answer.headers}, media_type=answer.media_type)
    if isinstance(answer, BlobFile):
        return blob_response(answer, asked.headers)
    if isinstance(answer, Events):
        return StreamingResponse(answer.pieces, headers=_PLAIN, media_type="text/event-stream")
    return Response(_to_json(answer), headers=_PLAIN, media_type="application/json")


def _query_of(endpoint: Endpoint, request: Request) -> msgspec.Struct:
    if len(request.scope["query_string"]) > QUERY_STRING_MAX_BYTES:
        raise Refused(414, "over_limit", f"a query string has at most {QUERY_STRING_MAX_BYTES:,} bytes")
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in given:
            raise InvalidInput(f"{name!r:.80} is given twice", field=name[:80])
        given[name] = value
    try:
        return msgspec.convert(given, endpoint.query, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None


async def _body_of(endpoint: Endpoint, request: Request) -> msgspec.Struct | None:
    if endpoint.body is None:
        return None
    kind = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(415, "media_type", "the body is JSON, and its content type application/json")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise Refused(415, "media_type", "a compressed body is not understood here")
    content = await read_body(request, REQUEST_BODY_MAX_BYTES)
    try:
        return msgspec.json.decode(content, type=endpoint.body)
    except msgspec.ValidationError as error:
        raise _invalid(error) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"the body is not JSON: {error}", field="body") from None
    except RecursionError:
        raise InvalidInput("the body is nested too deeply", field="body") from None


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


def _invalid(error: msgspec.ValidationError) -> InvalidInput:
    """msgspec ends its words with the place: "... - at `$.limit`"."""
    said, _, place = str(error).partition(" - at `$")
    field = place.rstrip("`").lstrip(".").replace("[...]", "") or None
    return InvalidInput(f"{said[0].lower()}{said[1:]}", field=field)
