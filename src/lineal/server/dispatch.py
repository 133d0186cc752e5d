"""From a request to an endpoint's call, and from what it returns to a response."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from contextvars import copy_context
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from lineal.ingest.desk import Said
from lineal.model.errors import Busy, InvalidInput, LinealError
from lineal.model.ids import DEFAULT_TENANT
from lineal.model.limits import COMMIT_PATIENCE_S, COMMIT_RETRY_S, QUERY_STRING_MAX_BYTES
from lineal.server.answers import BlobFile, Content, Events, Submitted, Told
from lineal.server.blob_body import checked, receive_blob, receive_file
from lineal.server.blob_response import blob_response
from lineal.server.bodies import RequestOnce, check_kind, decoded, invalid, key_of, once_of, read_body, unpacked
from lineal.server.context import Context
from lineal.server.cookies import is_by_https
from lineal.server.endpoint import Asked, Endpoint, NoQuery
from lineal.server.errors import Refused, problem_of
from lineal.server.form import receive_form
from lineal.server.gate import OF_NO_TENANT, Gate
from lineal.server.kept_rows import KeptRows
from lineal.server.observed import Observed
from lineal.server.openapi import openapi_json
from lineal.server.seen import Seen, seen_of
from lineal.server.tenants import Homes, given_tenant, meant

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from lineal.ingest.group_commit import Once
    from lineal.server.live import Live
    from lineal.server.principals import Principal
    from lineal.server.source import Source
    from lineal.store.contracts import Store

LOG = logging.getLogger("lineal.server")
_THREADS = 8  # two cores seldom use more; SQLite and numpy let go of the interpreter lock
_PLAIN = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

NOWHERE = ("/api", "/api/{rest:text}")  # behind all that is served
_NO_ROUTE = "there is no such route; /api/openapi.json lists what there is"

_to_json = msgspec.json.Encoder().encode
Serve = Callable[[Request], Awaitable[Response]]


class _NotBegun(Exception):
    """Nothing of the request was done: not even whose run it names could be looked up."""

    def __init__(self, error: Busy) -> None:
        super().__init__(error)
        self.error = error


class Dispatch:
    """Serves endpoints over one source."""

    def __init__(
        self,
        source: Source,
        live: Live,
        gate: Gate,
        observed: Observed,
        base_path: str = "",
        artifact_root: str = "",
    ) -> None:
        self._base_path = base_path
        self._source = source
        self._observed = observed
        self._gate = gate
        self._artifact_root = artifact_root
        self._live = live
        self._rows = KeptRows()
        # Asked late: tests describe the app over no source at all.
        self._homes = Homes(lambda tenant, run_id: source.knows_run(tenant, run_id))
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="lineal-request")

    def serving(self, of_path: Mapping[str, Endpoint]) -> Serve:
        """What serves the endpoints of one path, by method."""

        async def serve(request: Request) -> Response:
            is_head = request.method == "HEAD"
            endpoint = of_path["GET" if is_head else request.method]
            seen_of(request).route = endpoint.path
            try:
                response = await self._serve(endpoint, request)
                return _without_body(response) if is_head else response
            except _NotBegun as refused:
                return _refused(endpoint, refused.error)
            except (LinealError, Refused) as error:
                return _refused(endpoint, error)
            except Exception as error:
                if endpoint.dialect is None:
                    raise
                LOG.error("%s %s failed", request.method, endpoint.path, exc_info=error)
                return endpoint.dialect.refusal(error)

        return serve

    async def serve_openapi(self, request: Request) -> Response:
        document = openapi_json().replace(b'"url": "/"', b'"url": "%s/"' % self._base_path.encode(), 1)
        return Response(document, media_type="application/json", headers=_PLAIN)

    async def serve_nothing(self, request: Request) -> Response:
        return refusal(Refused(404, "no_route", _NO_ROUTE))

    async def _serve(self, endpoint: Endpoint, request: Request) -> Response:
        dialect = endpoint.dialect
        principal = await self._gate.identify(request, self._in_thread, basic=dialect is not None)
        self._gate.check_known(endpoint, principal)
        visit = Visit(
            endpoint, principal, given_tenant(request, dialect.tenant_header if dialect else None), seen_of(request)
        )
        self._gate.admit(endpoint, principal, visit.given)
        query = _query_of(endpoint, request)
        asked: Asked[Any, Any] = Asked(
            dict(request.path_params),
            query,
            None,
            {name.lower(): value for name, value in request.headers.items()},
            is_secure=is_by_https(request),
            address=request.client.host if request.client else "",
            pairs=tuple(request.query_params.multi_items()) if dialect else (),
            method=request.method,
        )
        if endpoint.is_async:
            tenant = meant(visit.given, principal)
            self._gate.admit_in(endpoint, principal, tenant)
            visit.seen.tenant = tenant
            context = Context(self._source, tenant, self._live, self._rows, self._observed, principal=principal)
            answer = endpoint.call(context, asked)
            if isinstance(answer, Events):
                answer = Events(self._while_let_in(answer.pieces, principal))
            return _response(answer, asked)
        once = once_of(endpoint, request, key_of(request))
        if endpoint.receives == "form":
            tenant = await self._in_thread(self._tenant, visit, asked)
            visit = visit._replace(given=tenant)
            with self._source.drafting(tenant) as draft:
                form = await receive_form(request, draft, self._in_thread)
            asked = replace(asked, form=form)
            if once is not None:
                once = once.with_body(form.identity)
        elif endpoint.receives == "blob":
            digest = checked(asked.path["digest"])
            tenant = await self._in_thread(self._tenant, visit, asked)
            visit = visit._replace(given=tenant)
            part = await self._in_thread(self._source.part, tenant, digest)
            try:
                asked = replace(asked, blob=await receive_blob(request, part, digest, self._in_thread))
            finally:
                await self._in_thread(part.close)
        elif endpoint.receives == "file":
            tenant = await self._in_thread(self._tenant, visit, asked)
            visit = visit._replace(given=tenant)
            with self._source.drafting(tenant) as draft:
                asked = replace(
                    asked, blob=await receive_file(request, draft, endpoint.body_max_bytes, self._in_thread)
                )
        elif endpoint.receives == "bytes" or endpoint.body is not None:
            check_kind(endpoint, request)
            asked = replace(asked, content=await read_body(request, endpoint.body_max_bytes))
            if once is not None:
                once = once.with_body(asked.content)
        answer = await self._begun(visit, asked, once)
        if isinstance(answer, Submitted):
            said = await asyncio.wrap_future(answer.done)
            if answer.then is None:
                return said_response(said)
            return cast("Response", await self._in_thread(self._after, answer.then, visit, asked))
        return answer

    async def _in_thread(self, call: Callable[..., Any], *arguments: Any) -> Any:
        # Not anyio's threads: a tenth of the samples that held the interpreter's lock under log-batch stood in their
        # queue, which is Python. The context is what the log's lines need.
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, copy_context().run, call, *arguments)

    async def _while_let_in(self, pieces: AsyncIterator[bytes], principal: Principal) -> AsyncIterator[bytes]:
        """Ends, as if the server had been stopped, when the session or token does. A piece comes every 15 s at least."""
        async with aclosing(cast("AsyncGenerator[bytes]", pieces)) as events:
            async for piece in events:
                if not await self._gate.still(principal, self._in_thread):
                    return
                yield piece

    async def _begun(self, visit: Visit, asked: Asked[Any, Any], once: RequestOnce | None) -> Response | Submitted:
        """While the database cannot be reached, what would be written waits outside the threads, as it does when it has been
        handed over; a read is asked again once, since a connection that was lost may be replaced."""
        loop = asyncio.get_running_loop()
        until_s = loop.time() + COMMIT_PATIENCE_S
        is_read, tries = visit.endpoint.method == "GET", 0
        while True:
            try:
                return cast("Response | Submitted", await self._in_thread(self._call, visit, asked, once))
            except (Busy, _NotBegun) as refused:
                error = refused.error if isinstance(refused, _NotBegun) else refused
                tries += 1
                waits = not is_read and isinstance(refused, _NotBegun) and loop.time() < until_s
                if not error.at_once or not (waits or (is_read and tries == 1)):
                    raise error from None
                if waits:
                    await asyncio.sleep(COMMIT_RETRY_S)

    def _call(self, visit: Visit, asked: Asked[Any, Any], once: RequestOnce | None) -> Response | Submitted:
        """In a thread. The body is decoded and the answer encoded here too, not on the event loop."""
        endpoint = visit.endpoint
        if endpoint.receives == "bytes":
            asked = replace(asked, content=unpacked(asked.content, asked.headers, endpoint.body_max_bytes))
        elif endpoint.body is not None and endpoint.receives == "json":
            asked = replace(asked, body=decoded(asked.content, endpoint.body), content=b"")
        with self._source.opened() as store:
            name = self._home(store, visit, _run_of(endpoint, asked))
            context = self._context(store, visit, name, once.once if once else None)
            answer = endpoint.call(context, asked)
            return answer if isinstance(answer, Submitted) else _response(answer, asked)

    def _after(self, then: Callable[[Context], Any], visit: Visit, asked: Asked[Any, Any]) -> Response:
        with self._source.opened() as store:
            name = self._home(store, visit, asked.path.get("run_id"))
            return _response(then(self._context(store, visit, name)), asked)

    def _tenant(self, visit: Visit, asked: Asked[Any, Any]) -> str:
        with self._source.opened() as store:
            return self._home(store, visit, asked.path.get("run_id"))

    def _home(self, store: Store, visit: Visit, run_id: str | None) -> str:
        """The tenant that a request is of, in which its principal may do what it asks for."""
        if visit.endpoint.access in OF_NO_TENANT:
            return visit.given or visit.principal.usual_tenant() or DEFAULT_TENANT
        try:
            tenant = self._homes.tenant(store, visit.given, run_id, visit.principal)
        except Busy as error:
            raise _NotBegun(error) from None
        self._gate.admit_in(visit.endpoint, visit.principal, tenant)
        visit.seen.tenant = tenant
        return tenant

    def _context(self, store: Store, visit: Visit, tenant: str, once: Once | None = None) -> Context:
        return Context(
            self._source,
            tenant,
            self._live,
            self._rows,
            self._observed,
            store,
            once,
            visit.principal,
            self._gate,
            self._artifact_root,
        )


class Visit(NamedTuple):
    """What a request is about before it is read: `given` is the tenant that it names."""

    endpoint: Endpoint
    principal: Principal
    given: str | None
    seen: Seen


def _run_of(endpoint: Endpoint, asked: Asked[Any, Any]) -> str | None:
    """The run that a request names: in its path, or as the first of those in its body."""
    return asked.body.run_ids[0] if endpoint.finds else asked.path.get("run_id")


def _refused(endpoint: Endpoint, error: Exception) -> Response:
    return refusal(error) if endpoint.dialect is None else endpoint.dialect.refusal(error)


def refusal(error: Exception) -> Response:
    problem, headers = problem_of(error)
    return Response(_to_json(problem), problem.status, {**_PLAIN, **headers}, media_type="application/problem+json")


async def refuse(request: Request, error: Exception) -> Response:
    """What nobody meant to raise: said in the log, not to the client."""
    LOG.error("%s %s failed", request.method, seen_of(request).route, exc_info=error)
    return refusal(error)


async def refuse_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if getattr(request.scope.get("route"), "path", None) in NOWHERE:
        return refusal(Refused(404, "no_route", _NO_ROUTE))
    refused = Refused(
        error.status_code, "method" if error.status_code == 405 else "no_route", f"{request.method} is not served here"
    )
    refused.headers.update(error.headers or {})
    return refusal(refused)


def said_response(said: Said) -> Response:
    media_type = "application/json" if said.status < 400 else "application/problem+json"
    return Response(said.body, said.status, _PLAIN, media_type=media_type)


def _response(answer: object, asked: Asked[Any, Any]) -> Response:
    if isinstance(answer, Said):
        return said_response(answer)
    if isinstance(answer, Told):
        return Response(_to_json(answer.answer), answer.status, {**_PLAIN, **answer.headers}, "application/json")
    if isinstance(answer, Content):
        return Response(answer.content, headers={**_PLAIN, **answer.headers}, media_type=answer.media_type)
    if isinstance(answer, BlobFile):
        return blob_response(answer, asked.headers)
    if isinstance(answer, Events):
        return StreamingResponse(answer.pieces, headers=_PLAIN, media_type="text/event-stream")
    return Response(_to_json(answer), headers=_PLAIN, media_type="application/json")


def _without_body(response: Response) -> Response:
    """Nothing is read, and no stream begins, for a body that will not be sent."""
    if not isinstance(response, StreamingResponse):
        return response
    return Response(None, response.status_code, dict(response.headers))


def _query_of(endpoint: Endpoint, request: Request) -> msgspec.Struct:
    if len(request.scope["query_string"]) > QUERY_STRING_MAX_BYTES:
        raise Refused(414, "over_limit", f"a query string has at most {QUERY_STRING_MAX_BYTES:,} bytes")
    if endpoint.dialect is not None:
        return NoQuery()
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in given:
            raise InvalidInput(f"{name!r:.80} is given twice", field=name[:80])
        given[name] = value
    try:
        return msgspec.convert(given, endpoint.query, strict=False)
    except msgspec.ValidationError as error:
        raise invalid(error) from None
