"""Finds out who a request is from, and lets it in or not. What is refused how: docs/reference/http.md, "Who may".

A secret's owner is remembered for a few seconds; a change that comes through this server counts at once."""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from starlette.requests import Request

from lineal.ingest.desk import Desk, Said
from lineal.model.clock import SYSTEM_CLOCK, Clock
from lineal.model.errors import LinealError, NotFound
from lineal.model.ids import DEFAULT_TENANT
from lineal.model.limits import DEAD_KEPT_S, PEOPLE_KEPT_MAX_COUNT, PEOPLE_KEPT_S, TOKEN_USED_INTERVAL_S
from lineal.model.people import SESSION_PREFIX, TOKEN_PREFIX, Token, digest_of_secret, is_secret
from lineal.model.roles import Role, at_least
from lineal.server.cookies import session_secret
from lineal.server.endpoint import Access
from lineal.server.errors import Refused
from lineal.server.guesses import Guesses
from lineal.server.passwords import Passwords
from lineal.server.principals import NOBODY, OPEN, Principal, of_password, of_session, of_token
from lineal.server.tenants import HEADER

if TYPE_CHECKING:
    from lineal.server.endpoint import Endpoint
    from lineal.server.source import Source

# What these let in to belongs to no tenant.
OF_NO_TENANT: tuple[Access | None, ...] = ("open", "user", "server_reader", "server_admin")
_READING = ("GET", "HEAD", "OPTIONS")
InThread = Callable[..., Awaitable[Any]]


class Gate:
    """For one event loop, and the threads of its requests. Without `asks`, everybody may do everything."""

    def __init__(self, source: Source, *, asks: bool, clock: Clock = SYSTEM_CLOCK) -> None:
        self.asks = asks
        self._source = source
        self._clock = clock
        self._known: OrderedDict[str, tuple[float, Principal]] = OrderedDict()
        self._change = 0
        self.guesses = Guesses(clock)
        self._passwords = Passwords() if asks else None
        self.dead_kept_ms = int(DEAD_KEPT_S * 1000)

    @property
    def passwords(self) -> Passwords:
        assert self._passwords is not None, "nobody is asked for one"
        return self._passwords

    def now_ms(self) -> int:
        return self._clock.time_ns() // 1_000_000

    def forget_known(self) -> None:
        """After a change of users, members, tokens or sessions: who is who is read anew."""
        self._change += 1
        self._known.clear()

    async def identify(self, request: Request, in_thread: InThread, *, basic: bool = False) -> Principal:
        """NOBODY where nothing is shown that counts. Refused (403) for a browser that does not say which page asks. `basic`:
        a user's password, or a token beside any name, may come as HTTP Basic (RFC 7617)."""
        if not self.asks:
            return OPEN
        given = request.headers.getlist("authorization")
        if given:
            scheme, _, secret = given[0].partition(" ")
            if basic and len(given) == 1 and scheme.lower() == "basic":
                name, password = basic_of(secret)
                if not is_secret(password, TOKEN_PREFIX):
                    address = request.client.host if request.client else ""
                    return await self._of_password(name, password, address, in_thread)
                scheme, secret = "bearer", password
            fits = len(given) == 1 and scheme.lower() == "bearer" and is_secret(secret, TOKEN_PREFIX)
            return await self._principal(secret, in_thread) if fits else NOBODY
        secret = session_secret(request) or ""
        if not is_secret(secret, SESSION_PREFIX):
            return NOBODY
        principal = await self._principal(secret, in_thread)
        if principal.is_known and request.method not in _READING and "origin" not in request.headers:
            # That it is the right one, HostGuard has seen.
            raise Refused(403, "origin", "with a cookie, a change needs the Origin of the page that asks for it")
        return principal

    async def still(self, principal: Principal, in_thread: InThread) -> bool:
        """Whether whoever was let in then would be now; for answers that do not end."""
        if not principal.is_known:
            return True
        return await self._of_digest(principal.secret, principal.by, in_thread) == principal

    async def _principal(self, secret: str, in_thread: InThread) -> Principal:
        by = "token" if secret.startswith(TOKEN_PREFIX) else "session"
        return await self._of_digest(digest_of_secret(secret), by, in_thread)

    async def _of_password(self, name: str, password: str, address: str, in_thread: InThread) -> Principal:
        """Remembered as a token's owner is, for to check a password takes 50 ms and 64 MiB."""
        digest = digest_of_secret(f"{name}\0{password}")
        kept = self._known.get(digest)
        if kept is not None and self._clock.monotonic_s() - kept[0] < PEOPLE_KEPT_S:
            return kept[1]
        change = self._change
        principal: Principal = await in_thread(self._check_password, name, password, address)
        if principal.is_known and change == self._change:
            self._remember(digest, principal)
        return principal

    def _remember(self, digest: str, principal: Principal) -> None:
        self._known[digest] = (self._clock.monotonic_s(), principal)
        self._known.move_to_end(digest)
        while len(self._known) > PEOPLE_KEPT_MAX_COUNT:
            self._known.popitem(last=False)

    async def _of_digest(self, digest: str, by: str, in_thread: InThread) -> Principal:
        now_s = self._clock.monotonic_s()
        kept = self._known.get(digest)
        if kept is not None and now_s - kept[0] < PEOPLE_KEPT_S:
            principal = kept[1]
        else:
            change = self._change
            principal = await in_thread(self._read_token if by == "token" else self._read_session, digest)
            if principal.is_known and change == self._change:
                self._remember(digest, principal)
        is_over = principal.ends_ms is not None and principal.ends_ms <= self.now_ms()
        return NOBODY if is_over else principal

    # -- in a thread ---------------------------------------------------------------------------

    def _read_token(self, digest: str) -> Principal:
        with self._source.opened() as store:
            people = store.people()
            token = people.find_token(digest)
            if token is None or token.revoked_ms is not None or token.expires_ms <= self.now_ms():
                return NOBODY
            user = people.find_user(token.user)
            if user is None or user.disabled_ms is not None:
                return NOBODY
            members = people.list_memberships(user.name)
        self._mark_used(token)
        return of_token(token, user, members)

    def _check_password(self, name: str, password: str, address: str) -> Principal:
        """Refused (429) after too many wrong ones."""
        self.guesses.make(name[:200], address)
        with self._source.opened() as store:
            people = store.people()
            user = people.find_user(name)
            kept = people.find_password(name) if user is not None and user.disabled_ms is None else None
            if not self.passwords.fits(kept, password) or user is None:
                return NOBODY
            members = people.list_memberships(user.name)
        self.guesses.forgive(name[:200], address)
        return of_password(user, members)

    def _read_session(self, digest: str) -> Principal:
        with self._source.opened() as store:
            people = store.people()
            session = people.find_session(digest)
            user = None if session is None else people.find_user(session.user)
            if session is None or user is None or user.disabled_ms is not None:
                return NOBODY
            return of_session(session, user, people.list_memberships(user.name))

    def _mark_used(self, token: Token) -> None:
        now_ms = self.now_ms()
        if token.used_ms is not None and now_ms - token.used_ms < TOKEN_USED_INTERVAL_S * 1000:
            return

        def work(desk: Desk) -> Said:
            desk.people.mark_used(token.token_id, now_ms)
            return Said(200, b"")

        try:
            self._source.submit(DEFAULT_TENANT, work)
        except LinealError:
            pass  # it is busy, or stopping: the next request says it

    # -- may they? -----------------------------------------------------------------------------

    def check_known(self, endpoint: Endpoint, principal: Principal) -> None:
        """Raises Refused for nobody, where somebody is asked for."""
        if endpoint.access is None:
            raise Refused(403, "forbidden", "nobody has said who may call this route")
        if self.asks and endpoint.access != "open" and not principal.is_known:
            raise unauthorized()

    def admit(self, endpoint: Endpoint, principal: Principal, given: str | None) -> None:
        """Before anything is read. Where the tenant is found out later only, `admit_in` has the last word. Raises Refused,
        NotFound."""
        access = endpoint.access
        if not self.asks or access is None or access == "open":
            return
        if given is not None and principal.role_in(given) is None:
            raise no_tenant(given)
        if access == "user":
            return
        if access in ("server_reader", "server_admin"):
            if not at_least(principal.everywhere, "admin" if access == "server_admin" else "reader"):
                raise Refused(403, "forbidden", "this is for admins of the server, with a token of all tenants")
        elif given is not None:
            self.admit_in(endpoint, principal, given)
        elif principal.among == ():
            raise no_tenant(DEFAULT_TENANT)
        elif not any(
            at_least(role, cast("Role", access)) for role in (principal.everywhere, *principal.roles.values())
        ):
            raise _needs(access, principal, given)

    def admit_in(self, endpoint: Endpoint, principal: Principal, tenant: str) -> None:
        """Raises Refused, NotFound."""
        access = endpoint.access
        if not self.asks or access in OF_NO_TENANT or access is None:
            return
        role = principal.role_in(tenant)
        if role is None:
            raise no_tenant(tenant)
        if not at_least(role, cast("Role", access)):
            raise _needs(access, principal, tenant)


def basic_of(credentials: str) -> tuple[str, str]:
    """User and password of an Authorization header; two empty texts for what is none."""
    try:
        name, _, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return name, password


def unauthorized() -> Refused:
    refused = Refused(
        401,
        "unauthorized",
        "sign in (lineal login URL), or send a token that counts: LINEAL_TOKEN, or Authorization: Bearer lnl_...",
    )
    refused.headers["www-authenticate"] = 'Bearer realm="lineal"'
    return refused


def no_tenant(name: str) -> NotFound:
    """The same words whether it is there or not."""
    return NotFound(f"no tenant {name!r:.80}", field=HEADER)


def _needs(access: Access, principal: Principal, tenant: str | None) -> Refused:
    article = "an" if access[0] in "aeiou" else "a"
    text = f"this needs the role of {article} {access} in the tenant"
    if tenant is not None:
        text += f" {tenant!r}; {principal.user or 'who asks'} has the role {principal.role_in(tenant)} there"
    return Refused(403, "forbidden", text)
