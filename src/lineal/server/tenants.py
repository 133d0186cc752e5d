"""Which tenant is asked for: by the header, or by `/t/{tenant}` before the path, for those who cannot send headers
(a browser's images, downloads and event streams)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from lineal.model.errors import InvalidInput
from lineal.model.ids import DEFAULT_TENANT, check_tenant
from lineal.model.limits import RUNS_KNOWN_MAX_COUNT
from lineal.server.principals import OPEN, Principal

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineal.store.contracts import Store

HEADER = "X-Tenant-ID"
_PREFIX = "/t/"
_SCOPE_KEY = "lineal.tenant"


class TenantPaths:
    """Middleware: serves `/t/{tenant}/api/...` as `/api/...`, so that no route is written twice; also what begins with one of
    `beside`."""

    def __init__(self, app: ASGIApp, beside: tuple[str, ...] = ()) -> None:
        self._app = app
        self._served = ("api/", *beside)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(_PREFIX):
            tenant, _, rest = scope["path"].removeprefix(_PREFIX).partition("/")
            rest = rest.lstrip("/")  # a client's base address may have ended in one
            if rest.startswith(self._served):
                scope = {**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode(), _SCOPE_KEY: tenant}
        await self._app(scope, receive, send)


def given_tenant(request: Request, alias: str | None = None) -> str | None:
    """The tenant that is asked for; None if none is. InvalidInput for one that cannot be, for two headers, and where
    header, `alias` (a header that a dialect has for it) and path disagree."""
    given = request.headers.getlist(HEADER)
    in_path = request.scope.get(_SCOPE_KEY)
    also = [] if alias is None else request.headers.getlist(alias)
    disagree = len({*given, *also, *(() if in_path is None else (in_path,))}) > 1
    if len(given) > 1 or len(also) > 1 or disagree:
        raise InvalidInput(f"{HEADER} is given twice, and not as the same tenant", field=HEADER)
    given = given or also
    if in_path is not None:
        return check_tenant(in_path)
    return check_tenant(given[0]) if given else None


def meant(given: str | None, principal: Principal) -> str:
    """The tenant that is asked for, or the usual one. InvalidInput where that is not clear."""
    tenant = given if given is not None else principal.usual_tenant()
    if tenant is None:
        raise InvalidInput(f"several tenants could be meant: say which, by {HEADER}", field=HEADER)
    return tenant


class Homes:
    """Without a tenant, a route that names a run finds it in whichever tenant holds it: in the usual one, else in the only
    one that has a run of that id, else where the only one is whose id begins so. Only tenants that the principal may ask
    for are looked at. For many threads; a run found elsewhere by its whole id stays there until the usual tenant has one of
    that id, and one found in the usual tenant stays there for ever, since ids are not given again. `knows_run`: see
    `Source.knows_run`."""

    def __init__(self, knows_run: Callable[[str, str], bool]) -> None:
        self._knows_run = knows_run
        self._usual: dict[str, set[str]] = {}
        self._known: dict[tuple[tuple[str, ...] | None, str], str] = {}

    def tenant(self, store: Store, given: str | None, run_id: str | None, principal: Principal = OPEN) -> str:
        """InvalidInput where nothing says which tenant is meant."""
        if given is not None or not run_id:
            return meant(given, principal)
        usual = principal.usual_tenant()
        if usual is not None and (run_id in self._usual.get(usual, ()) or self._knows_run(usual, run_id)):
            return usual
        begins_in_usual = store.tenant(usual).find_run_ids(run_id, limit=1) if usual is not None else []
        if usual is not None and begins_in_usual == [run_id]:
            if sum(map(len, self._usual.values())) >= RUNS_KNOWN_MAX_COUNT:
                self._usual = {}
            self._usual.setdefault(usual, set()).add(run_id)
            return usual
        among = principal.among
        known = self._known.get((among, run_id))
        if known is not None:
            return known
        begins = {
            name: found
            for name in (store.list_tenants() if among is None else among)
            if (found := store.tenant(name).find_run_ids(run_id, limit=1))
        }
        holders = [name for name, found in begins.items() if found == [run_id]]
        if len(holders) == 1:
            if len(self._known) >= RUNS_KNOWN_MAX_COUNT:
                self._known.clear()
            self._known[among, run_id] = holders[0]
            return holders[0]
        if not holders and not begins_in_usual and len(begins) == 1:
            return next(iter(begins))
        if usual is None and begins:
            raise InvalidInput(f"several tenants have such a run: say which, by {HEADER}", field=HEADER)
        return usual or (among or (DEFAULT_TENANT,))[0]
