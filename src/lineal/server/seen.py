"""Around the whole app: every request gets an id, is measured, and leaves one line in the log, whatever became of it."""

from __future__ import annotations

import logging
import os
import re
import time
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from lineal.server.observed import Observed

LOG = logging.getLogger("lineal.requests")
HEADER = b"x-request-id"
PAGE, NOWHERE = "page", "none"  # routes of what has no template: files of the page, and what is not served

_FITS = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # nothing that could forge a line of the log
_SCOPE_KEY = "lineal.seen"

request_id: ContextVar[str] = ContextVar("lineal_request_id", default="")


@dataclass(slots=True)
class Seen:
    """What is found out of a request on its way: the template of its route, and its tenant."""

    route: str = NOWHERE
    tenant: str = ""


def seen_of(request: Request) -> Seen:
    seen: Seen = request.scope.get(_SCOPE_KEY) or Seen()
    return seen


class SeenApp:
    """The outermost ASGI app."""

    def __init__(self, app: ASGIApp, observed: Observed) -> None:
        self._app = app
        self._observed = observed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = Seen()
        name = _id_of(scope)
        request_id.set(name)
        began_s = time.perf_counter()
        status = sent_bytes = 0

        async def watched(message: Message) -> None:
            nonlocal status, sent_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER, name.encode())]
            elif message["type"] == "http.response.body":
                sent_bytes += len(message.get("body", b""))
            await send(message)

        self._observed.in_flight += 1
        failed = False
        try:
            await self._app({**scope, _SCOPE_KEY: seen}, receive, watched)
        except Exception:
            # Whoever was to answer has said so in the log; a broken answer's connection must not look whole.
            failed = True
            if status < 500:
                raise
        finally:
            self._observed.in_flight -= 1
            duration_s = time.perf_counter() - began_s
            self._observed.answered(scope["method"], seen.route, status, duration_s, sent_bytes)
            LOG.info(
                "%s %s %d",
                scope["method"] if scope["method"].isalpha() else "?",
                seen.route,
                status,
                extra={
                    "method": scope["method"],
                    "route": seen.route,
                    "status": status,
                    "duration_ms": round(duration_s * 1000, 3),
                    "sent_bytes": sent_bytes,
                    "tenant": seen.tenant,
                    "failed": failed,
                },
            )


def _id_of(scope: Scope) -> str:
    """The client's, where it is one that may stand in a log; else a new one."""
    given = [value for header, value in scope["headers"] if header == HEADER]
    if len(given) == 1 and _FITS.fullmatch(given[0]):
        return str(given[0], "ascii")
    return os.urandom(8).hex()
