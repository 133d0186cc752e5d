"""What stands before the server: a proxy that speaks for clients, and a part of a site's addresses that it gives us.

What a request says of its own way (X-Forwarded-*) is believed only of an address that the settings name: anybody can send it."""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING, TypeAlias

from starlette.types import ASGIApp, Receive, Scope, Send

from lineal.model.errors import InvalidInput

if TYPE_CHECKING:
    from lineal.server.settings import Settings

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_BASE = re.compile(r"(/[A-Za-z0-9._~-]+)+")
_FOR, _PROTO, _HOST = b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host"


def base_path_of(text: str) -> str:
    """ "" or "/lineal"; InvalidInput for what is no path."""
    path = text.rstrip("/")
    if path and (not _BASE.fullmatch(path) or any(part in (".", "..") for part in path.split("/"))):
        raise InvalidInput("a base path is /NAME, of letters, digits and . _ ~ -", field="base_path")
    return path


def network_of(text: str) -> Network:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        raise InvalidInput(f"{text!r:.80} is no address and no network (10.0.0.0/8)", field="trusted_proxy") from None


class BehindProxy:
    """Middleware: whom a trusted proxy speaks for, and addresses without the base path. One that takes the path away itself
    is as good as one that does not."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._base = settings.base_path
        self._trusted = tuple(network_of(one) for one in settings.trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if self._trusted and scope.get("client") and self._trusts(scope["client"][0]):
                scope = self._spoken_for(scope)
            if self._base:
                scope = self._below(scope)
        await self._app(scope, receive, send)

    def _trusts(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        mapped = getattr(found, "ipv4_mapped", None) or found
        return any(mapped in network for network in self._trusted if network.version == mapped.version)

    def _spoken_for(self, scope: Scope) -> Scope:
        changed: Scope = {**scope}
        given = [value.decode("latin-1") for name, value in scope["headers"] if name == _FOR]
        hops = [hop.strip() for hop in ",".join(given).split(",") if hop.strip()]
        # From the end: what stands before the last one that we do not trust was written by anybody.
        client = next((hop for hop in reversed(hops) if not self._trusts(hop)), hops[0] if hops else None)
        if client is not None and len(client) <= 45:
            changed["client"] = (client, 0)
        scheme = self._only(scope, _PROTO)
        if scheme in (b"http", b"https"):
            changed["scheme"] = scheme.decode()
        host = self._only(scope, _HOST)
        if host:
            changed["headers"] = [(b"host", host), *(pair for pair in scope["headers"] if pair[0] != b"host")]
        return changed

    @staticmethod
    def _only(scope: Scope, header: bytes) -> bytes:
        """What the nearest proxy says: the last of several."""
        given = [value for name, value in scope["headers"] if name == header]
        return given[-1].rpartition(b",")[2].strip() if given else b""

    def _below(self, scope: Scope) -> Scope:
        path = scope["path"]
        if path != self._base and not path.startswith(f"{self._base}/"):
            return scope
        rest = path[len(self._base) :] or "/"
        raw = scope.get("raw_path") or b""
        return {**scope, "path": rest, "raw_path": raw[len(self._base) :] or b"/"}
