"""What a stock server has and this one has not: answered so that clients know it at once, and do without."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from lineal.server.compat.mlflow.errors import not_here, refusal
from lineal.server.seen import seen_of

_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# Traces, their evaluation, the gateway and what belongs to them, in either version of the protocol.
_NOUN = re.compile(
    r"(?:/ajax-api|/api)/[23]\.0/mlflow/(traces|unified-traces|get-online-trace-details|get-trace-artifact|datasets|scorers"
    r"|issues|assessments|label-schemas|review-queues|gateway|gateway-proxy|prompt-optimization|jobs|demo|workspaces"
    r"|ui-telemetry)(?:/|$)"
)
_NOT_FOUND = (
    b"<!doctype html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>This address is not served here.</p>\n"
)


def absent_routes() -> list[Route]:
    """Behind all endpoints of the dialect, and before those of the page."""
    places = ("/api/2.0/{rest:text}", "/api/3.0/{rest:text}", "/ajax-api/{rest:text}", "/v1/traces", "/graphql")
    return [Route(path, _refuse, methods=_METHODS) for path in places]


async def _refuse(request: Request) -> Response:
    seen_of(request).route = "mlflow none"
    path = request.url.path
    noun = _NOUN.match(path)
    if noun is not None or path in ("/v1/traces", "/graphql"):
        return refusal(not_here(path if noun is None else noun[1]))
    # How clients of a newer protocol know an older server: no JSON.
    return Response(_NOT_FOUND, 404, {"x-content-type-options": "nosniff"}, media_type="text/html")
