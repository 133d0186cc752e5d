"""The address of a server: http or https, a host, perhaps a port and a base path."""

from __future__ import annotations

from typing import NamedTuple

from lineal.model.errors import InvalidInput

_PORTS = {"http": 80, "https": 443}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class ServerAddress(NamedTuple):
    """`url` is written one way only, so that equal servers have equal texts."""

    url: str
    scheme: str
    host: str
    port: int
    path: str

    @property
    def digest(self) -> str:
        """Names the server's own folder: no user's text ever becomes a path."""
        import hashlib  # late: a script that logs to a folder need not pay for it

        return hashlib.sha256(self.url.encode()).hexdigest()[:16]

    @property
    def is_loopback(self) -> bool:
        """Whether bytes to it stay within this machine."""
        return self.host in _LOOPBACK


def is_address(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))


def parse_address(text: str) -> ServerAddress:
    """Raises InvalidInput for what is no address of a server, or has a password in it."""
    from urllib.parse import urlsplit

    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise InvalidInput(f"url {text!r:.80}: {error}", field="url") from None
    scheme = parts.scheme.lower()
    host = (parts.hostname or "").lower()
    if scheme not in _PORTS or not host or any(ord(character) <= 32 for character in text):
        raise InvalidInput(f"url {text!r:.80} is not http(s)://HOST[:PORT][/PATH]", field="url")
    if parts.username is not None or parts.query or parts.fragment:
        raise InvalidInput(
            "url: a server's address has no name, password, query or fragment; a token goes into LINEAL_TOKEN",
            field="url",
        )
    path = parts.path.rstrip("/")
    shown = f"[{host}]" if ":" in host else host
    default = _PORTS[scheme]
    place = shown if port in (None, default) else f"{shown}:{port}"
    return ServerAddress(f"{scheme}://{place}{path}", scheme, host, port or default, path)
