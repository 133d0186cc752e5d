"""Which addresses a webhook may lead to: those of the public internet, and those that the operator names.

What is not plainly public is refused: the lists are of what is allowed in IPv6 (global unicast, RFC 4291), and of what is special in
IPv4 (IANA's registry of RFC 6890; multicast; what one cloud keeps for its machines among public ones). An address of IPv4 within one
of IPv6 counts as that of IPv4."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias
from urllib.parse import urlsplit

from lineal.model.errors import InvalidInput
from lineal.model.limits import WEBHOOK_URL_MAX_CHARS

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

_SPECIAL = tuple(
    map(
        ipaddress.IPv4Network,
        (
            *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
            *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
            *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32"),
        ),
    )
)
_GLOBAL = ipaddress.IPv6Network("2000::/3")
_SPECIAL_6 = tuple(
    # Protocols' own, Teredo among them; documentation; 6to4; segment routing.
    map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16"))
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_HOST = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*")
_USUAL_PORTS = frozenset((80, 443))  # of http and https; whoever means another one says so
_HERE = ("localhost", "localdomain", "local", "internal", "home.arpa")


class Refused(Exception):
    """The webhook leads to where it may not. `text` says why, without what a name leads to."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class Place(NamedTuple):
    """A URL in parts. `host` in ASCII and lower case, without a dot at its end; `address`, if it is one."""

    is_tls: bool
    host: str
    port: int
    target: str
    address: Address | None

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"


def is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is None:
            return address.scope_id is None and address in _GLOBAL and not any(address in one for one in _SPECIAL_6)
        address = inner
    return not any(address in one for one in _SPECIAL)


class Receiver(NamedTuple):
    """A host by its name, or a network, and those of its ports that may be called; None: every one."""

    named: str | Network
    ports: frozenset[int] | None = _USUAL_PORTS

    def has(self, named: str | Address) -> bool:
        if isinstance(self.named, str) or isinstance(named, str):
            return self.named == named
        return named.version == self.named.version and named in self.named


@dataclass(frozen=True, slots=True)
class Receivers:
    """What the operator allows besides public addresses by https. To them http will do."""

    given: tuple[Receiver, ...] = ()

    def names(self, place: Place) -> bool:
        return self._allows(place.host if place.address is None else place.address, place.port)

    def has(self, address: Address, port: int) -> bool:
        return self._allows(address, port)

    def check(self, place: Place) -> None:
        """Before anything is asked of a name. Refused."""
        if self.names(place):
            return
        # What a name leads to may be in a network that is allowed.
        has_networks = any(not isinstance(one.named, str) and _is_within(place.port, one.ports) for one in self.given)
        if not place.is_tls and (place.address is not None or not has_networks):
            raise Refused(f"it must be called by https{self._hint(place)}")
        if place.address is not None and not is_public(place.address):
            raise Refused(f"its address is not a public one{self._hint(place)}")
        is_here = place.host in _HERE or place.host.endswith(tuple(f".{one}" for one in _HERE))
        if is_here and not has_networks:
            raise Refused(f"its name is one of this machine's or this network's own{self._hint(place)}")

    def check_address(self, place: Place, address: Address) -> None:
        """Of what its name led to. Refused."""
        if self.names(place) or self.has(address, place.port):
            return
        if not is_public(address):
            raise Refused(f"its name leads to an address that is not a public one{self._hint(place)}")
        if not place.is_tls:
            raise Refused(f"it must be called by https{self._hint(place)}")

    def _allows(self, named: str | Address, port: int) -> bool:
        return any(one.has(_plain(named)) and _is_within(port, one.ports) for one in self.given)

    def _hint(self, place: Place) -> str:
        """For one whose host is allowed by itself, and another port of it."""
        named = place.host if place.address is None else _plain(place.address)
        if not any(one.has(named) for one in self.given):
            return ""
        return f", and port {place.port} is none of those that the server may call there"


def _plain(named: str | Address) -> str | Address:
    """An address of IPv4 within one of IPv6 is that one."""
    if isinstance(named, ipaddress.IPv6Address) and named.ipv4_mapped is not None:
        return named.ipv4_mapped
    return named


def _is_within(port: int, ports: frozenset[int] | None) -> bool:
    return ports is None or port in ports


def receivers_of(given: tuple[str, ...]) -> Receivers:
    """InvalidInput for what is neither a host's name nor an address or network, with a port behind it or without."""
    return Receivers(tuple(map(_receiver, given)))


def _receiver(given: str) -> Receiver:
    bare = _named(given)
    if bare is not None:
        return Receiver(bare)
    name, colon, port = given.rpartition(":")
    named = _named(name[1:-1] if name.startswith("[") and name.endswith("]") else name) if colon else None
    is_port = port == "*" or (re.fullmatch(r"[0-9]{1,5}", port) is not None and 0 < int(port) < 65_536)
    if named is None or not is_port or (":" in name and not name.startswith("[")):
        raise InvalidInput(
            f"{given!r:.80} is neither the name of a host nor an address or a network (10.1.0.0/16), nor one with a port behind it "
            "(deploy.internal:8080, 10.1.0.0/16:8080, [fd00::1]:8080; :* is every port)",
            field="receivers",
        )
    return Receiver(named, None if port == "*" else frozenset((int(port),)))


def _named(given: str) -> str | Network | None:
    try:
        return ipaddress.ip_network(given)
    except ValueError:
        pass
    host = given.lower().rstrip(".")
    return None if "/" in given or _HOST.fullmatch(host) is None or _is_spelt_number(host) else host


def place_of(url: str) -> Place:
    """InvalidInput (field "url") for what is none; Refused for spellings that hide an address."""
    if not url.strip():
        raise InvalidInput("a webhook's address is not empty", field="url")
    if len(url) > WEBHOOK_URL_MAX_CHARS:
        raise InvalidInput(f"a webhook's address has at most {WEBHOOK_URL_MAX_CHARS:,} characters", field="url")
    try:
        if any(one <= " " or one == "\x7f" for one in url):
            raise ValueError("blanks and control characters have no place in it")
        parts = urlsplit(url)
        port = parts.port
        host = parts.hostname or ""
        if parts.scheme not in ("http", "https"):
            raise ValueError("it begins with https://")
        if parts.username is not None or parts.password is not None:
            raise ValueError("names and passwords have no place in it")
        if not host or port == 0 or "\\" in parts.netloc or "%" in parts.netloc:
            raise ValueError("it needs the name of a host")
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        if not target.isascii():
            raise ValueError("other letters than those of ASCII are written as %XX in a path")
    except ValueError as error:
        raise InvalidInput(f"that is no address of a webhook: {error}", field="url") from None
    is_tls = parts.scheme == "https"
    host, address = _host_of(host)
    return Place(is_tls, host, port or (443 if is_tls else 80), target, address)


def _host_of(given: str) -> tuple[str, Address | None]:
    if ":" in given:
        try:
            return given, ipaddress.IPv6Address(given)
        except ValueError:
            raise InvalidInput("that is no address of a webhook: its host is none", field="url") from None
    try:
        host = given.encode("idna").decode("ascii").lower().rstrip(".")
    except UnicodeError:
        host = ""
    if len(host) > 253 or _HOST.fullmatch(host) is None:
        raise InvalidInput("that is no address of a webhook: its host is none", field="url")
    try:
        return host, ipaddress.IPv4Address(host)
    except ValueError:
        pass
    if _is_spelt_number(host):
        raise Refused("its address is written in an unusual way: four decimal numbers with dots between them are one")
    return host, None


def _is_spelt_number(host: str) -> bool:
    """Whether systems take it for an address although it does not look like one: 2130706433, 0x7f.1, 0177.0.0.1."""
    try:
        socket.inet_aton(host)
        return True
    except OSError:
        return re.fullmatch(r"(0x[0-9a-f]*|[0-9]+)", host.rpartition(".")[2]) is not None
