"""Whom the app listens to on loopback: browsers that name it by its own name, and pages of its own.

Without this, any web site could reach it by a name that it makes resolve to 127.0.0.1 (DNS rebinding), or post to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Receive, Scope, Send

from lineal.server.dispatch import refusal
from lineal.server.errors import Refused

if TYPE_CHECKING:
    from lineal.server.settings import Settings

_NAMES = ("localhost", "127.0.0.1", "[::1]")
_READING = ("GET", "HEAD", "OPTIONS")


class HostGuard:
    """Middleware: Host must be one of ours, and so must Origin where something may change."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._hosts = {f"{name}:{settings.port}" for name in _NAMES}
        if settings.port == 80:
            self._hosts |= set(_NAMES)
        self._named = frozenset(host.lower() for host in settings.hosts)
        self._any_host = settings.any_host and not self._named
        # A page that came by another of this machine's own names; not where a cookie says who asks.
        self._origins = set() if settings.asks else {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            refused = self._refused(scope)
            if refused is not None:
                await refusal(refused)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _refused(self, scope: Scope) -> Refused | None:
        hosts = [value for name, value in scope["headers"] if name == b"host"]
        host = hosts[0].decode("latin-1").lower() if len(hosts) == 1 else ""
        if not host or not (host in self._hosts or self._any_host or self._is_named(host)):
            return Refused(
                403,
                "host",
                "this server answers to localhost and 127.0.0.1 with its port, and to names that --allow-host adds",
            )
        if scope["method"] in _READING:
            return None
        origins = [value for name, value in scope["headers"] if name == b"origin"]
        own = {f"{scope['scheme']}://{host}", *self._origins}
        if host not in self._hosts:
            own.add(f"https://{host}")  # where something before us speaks https for us
        if any(origin.decode("latin-1").lower() not in own for origin in origins):
            return Refused(403, "origin", "pages of another origin may not change anything here")
        # A browser that leaves Origin out still says where a request comes from.
        sites = [value for name, value in scope["headers"] if name == b"sec-fetch-site"]
        if any(site not in (b"same-origin", b"none") for site in sites):
            return Refused(403, "origin", "pages of another origin may not change anything here")
        return None

    def _is_named(self, host: str) -> bool:
        """By one of `--allow-host`, with whatever port if that names none."""
        return host in self._named or host.rpartition(":")[0] in self._named
