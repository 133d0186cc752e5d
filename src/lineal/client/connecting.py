"""A connection to a server: by http or https, straight or through the proxy that the environment names.

LINEAL_CA                             file of certificates of authorities that are trusted as well (PEM)
SSL_CERT_FILE, SSL_CERT_DIR           the same in place of the system's (OpenSSL reads them)
HTTP_PROXY, HTTPS_PROXY, ALL_PROXY    through which http or https goes; in lower case, too
NO_PROXY                              hosts to which none leads: names and what ends in them, addresses, networks (10.0.0.0/8), *
"""

from __future__ import annotations

import base64
import http.client
import ipaddress
import os
import ssl
from typing import NamedTuple
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment

from lineal.client.address import ServerAddress
from lineal.model.errors import InvalidInput, Unreachable
from lineal.model.limits import KIB

CA_VARIABLE = "LINEAL_CA"
_BLOCK_BYTES = 256 * KIB  # of a file at a time: http.client's own 8 KiB are a system call each


class Proxy(NamedTuple):
    """`place` is host and port, to be shown; what it asks for to let us in is in `headers` only."""

    host: str
    port: int
    headers: dict[str, str]
    by_tls: bool

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


class Connecting(NamedTuple):
    """`base` comes before every request's path, `headers` into each request."""

    connection: http.client.HTTPConnection
    base: str
    headers: dict[str, str]


def check_ca() -> None:
    """Raises InvalidInput for a LINEAL_CA that is no file of certificates: when a run begins, not in a thread later."""
    if os.environ.get(CA_VARIABLE):
        trusted()


def trusted() -> ssl.SSLContext:
    """Whom we believe. Raises InvalidInput for a LINEAL_CA that cannot be used."""
    context = ssl.create_default_context()
    path = os.environ.get(CA_VARIABLE)
    if path:
        try:
            context.load_verify_locations(os.path.expanduser(path))
        except (OSError, ValueError) as error:
            said = "no file of certificates (PEM)" if isinstance(error, ssl.SSLError | ValueError) else error.strerror
            raise InvalidInput(f"{CA_VARIABLE} names {path!r:.200}: {said}", field=CA_VARIABLE) from None
    return context


def find_proxy(address: ServerAddress) -> Proxy | None:
    """The one that leads there. None to this machine itself, whatever the environment says: a proxy's localhost is another.
    Raises Unreachable for one of a kind that is not known here."""
    known = getproxies_environment()
    given = known.get(address.scheme) or known.get("all")
    if not given or address.is_loopback or _goes_straight(address, known.get("no", "")):
        return None
    try:
        parts = urlsplit(given if "://" in given else f"http://{given}")
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if not host or scheme not in ("http", "https") or (scheme == "https" and address.scheme == "https"):
        said = "https within https" if scheme == "https" else f"{scheme}://" if scheme else "that"
        raise Unreachable(
            f"{address.scheme.upper()}_PROXY: only proxies at http://HOST:PORT are understood, not {said}", field="url"
        )
    headers = {}
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(secret).decode()}"
    return Proxy(host, port or (443 if scheme == "https" else 80), headers, scheme == "https")


def _goes_straight(address: ServerAddress, listed: str) -> bool:
    """Whether NO_PROXY names it."""
    for one in listed.lower().split(","):
        name = one.strip().removeprefix("*").lstrip(".")
        if one.strip() == "*" or name in (address.host, f"{address.host}:{address.port}", f"[{address.host}]"):
            return True
        if name and address.host.endswith(f".{name}"):
            return True
        if "/" in name:
            try:
                if ipaddress.ip_address(address.host) in ipaddress.ip_network(name, strict=False):
                    return True
            except ValueError:  # a name, or no network
                pass
    return False


def connect(address: ServerAddress, proxy: Proxy | None, timeout_s: float) -> Connecting:
    """Not opened yet: the first request does that."""
    host, port = (address.host, address.port) if proxy is None else (proxy.host, proxy.port)
    if address.scheme == "https" or (proxy is not None and proxy.by_tls):
        connection: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=timeout_s, context=trusted(), blocksize=_BLOCK_BYTES
        )
    else:
        connection = http.client.HTTPConnection(host, port, timeout=timeout_s, blocksize=_BLOCK_BYTES)
    if proxy is None:
        return Connecting(connection, "", {})
    if address.scheme == "https":  # through it, byte by byte: it sees neither token nor data
        connection.set_tunnel(address.host, address.port, proxy.headers)
        return Connecting(connection, "", {})
    shown = f"[{address.host}]" if ":" in address.host else address.host
    return Connecting(connection, f"http://{shown}:{address.port}", proxy.headers)


def words_of(error: BaseException, proxy: Proxy | None) -> str:
    """Why there was no answer, for people."""
    through = "" if proxy is None else f" (through the proxy {proxy.place})"
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its certificate is not to be trusted: {error.verify_message}; {CA_VARIABLE} may name the file of the "
            f"authority that signed it{through}"
        )
    if isinstance(error, ssl.SSLError):
        return f"it does not speak https as it should: {error.reason or error}{through}"
    if isinstance(error, TimeoutError):
        return f"no answer in time{through}"
    return f"{str(error) or type(error).__name__}{through}"
