"""Which tenant is asked for: by the header, or by `/t/{tenant}` before the path, for those who cannot send headers
(a browser's images, downloads and event streams)."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from lineal.model.errors import InvalidInput
from lineal.model.ids import DEFAULT_TENANT, check_tenant

HEADER = "X-Tenant-ID"
_PREFIX = "/t/"
_SCOPE_KEY = "lineal.tenant"


class TenantPaths:
    """Middleware: serves `/t/{tenant}/api/...` as `/api/...`, so that no route is written twice."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_PREFIX):
            tenant, _, rest = scope["path"].removeprefix(_PREFIX).partition("/")
            if rest.startswith("api/"):
                scope = {**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode(), _SCOPE_KEY: tenant}
        await self._app(scope, receive, send)


def tenant_of(request: Request) -> str:
    """InvalidInput for one that cannot be, for two headers, and where header and path disagree."""
    given = request.headers.getlist(HEADER)
    in_path = request.scope.get(_SCOPE_KEY)
    if len(given) > 1 or (given and in_path is not None and given[0] != in_path):
        raise InvalidInput(f"{HEADER} is given twice, and not as the same tenant", field=HEADER)
    if in_path is not None:
        return check_tenant(in_path)
    return check_tenant(given[0]) if given else DEFAULT_TENANT
