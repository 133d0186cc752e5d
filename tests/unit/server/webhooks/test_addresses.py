"""Where a webhook may lead: a table of spellings."""

from __future__ import annotations

import ipaddress

import pytest

from lineal.model.errors import InvalidInput
from lineal.server.webhooks.addresses import Receivers, Refused, is_public, place_of, receivers_of

NOBODY = Receivers()
HOSTILE = (
    *("https://127.0.0.1/", "https://127.1/", "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/"),
    *("https://0177.0.0.1/", "https://017700000001/", "https://127.0.0.1./", "https://127.0.0.0x1/", "https://0/"),
    *("https://00000177.0.0.1/", "https://127.0.1/", "https://1.2.3.4.5/", "https://999.1.1.1/", "https://0x/"),
    *("https://\uff11\uff12\uff17.0.0.1/", "https://127\u30020\u30020\u30021/", "https://\u2460\u2461\u2466.0.0.1/"),
    *(
        "https://localhost/",
        "https://LOCALHOST/",
        "https://localhost./",
        "https://a.localhost/",
        "https://\u24dbocalhost/",
    ),
    *("https://printer.local/", "https://metadata.google.internal/", "https://metadata.google.internal./"),
    *(
        "https://10.0.0.1/",
        "https://172.16.0.1/",
        "https://172.31.255.255/",
        "https://192.168.1.1/",
        "https://100.64.0.1/",
    ),
    *("https://169.254.169.254/latest", "https://168.63.129.16/", "https://100.100.100.200/", "https://0.0.0.0/"),
    *(
        "https://192.0.0.8/",
        "https://192.0.2.1/",
        "https://198.18.0.1/",
        "https://198.51.100.1/",
        "https://203.0.113.1/",
    ),
    *("https://224.0.0.1/", "https://239.255.255.255/", "https://240.0.0.1/", "https://255.255.255.255/"),
    *(
        "https://[::1]/",
        "https://[::]/",
        "https://[::127.0.0.1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[::ffff:7f00:1]/",
    ),
    *("https://[::ffff:10.0.0.1]/", "https://[0:0:0:0:0:ffff:a9fe:a9fe]/", "https://[64:ff9b::7f00:1]/"),
    *(
        "https://[64:ff9b::10.0.0.1]/",
        "https://[64:ff9b:1::8.8.8.8]/",
        "https://[2002:7f00:1::]/",
        "https://[2002:808:808::]/",
    ),
    *("https://[2001:0:808:808::1]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[fec0::1]/"),
    *(
        "https://[fc00::1]/",
        "https://[fd00:ec2::254]/",
        "https://[ff02::1]/",
        "https://[2001:db8::1]/",
        "https://[100::1]/",
    ),
    *("https://[::ffff:0:127.0.0.1]/", "https://[3fff::1]/", "https://[5f00::1]/", "https://[4000::1]/"),
    *("http://example.com/", "http://8.8.8.8/", "ftp://example.com/", "file:///etc/passwd", "gopher://example.com/"),
    *("https://", "https:///x", "https://user@example.com/", "https://user:word@example.com/", "https://@example.com/"),
    *(
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://example.com:x/",
        "example.com",
        "//example.com/",
        "",
    ),
    *(
        "   ",
        "https://exa mple.com/",
        "https://example.com/\r\nX: y",
        "https://exam\tple.com/",
        "https://example.com/\0",
    ),
    *(
        "https://127.0.0.1\\@example.com/",
        "https://example.com\\.evil/",
        "https://[invalid",
        "https://[::1",
        "https://...",
    ),
    *("https://-example.com/", "https://exa%6dple.com/", "https://example.com%00.evil/", "https://\u2100.example/"),
    *("https://example.com/\u00e9", "https://example..com/", "https://.example.com/", "https://" + "a" * 2_000),
)


@pytest.mark.parametrize("url", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_addresses_are_refused(url: str) -> None:
    with pytest.raises((Refused, InvalidInput)):
        NOBODY.check(place_of(url))


@pytest.mark.parametrize(
    ("url", "host", "port", "target", "header"),
    [
        ("https://example.com", "example.com", 443, "/", "example.com"),
        ("https://Example.COM./a/b?c=d#e", "example.com", 443, "/a/b?c=d", "example.com"),
        ("HTTPS://example.com:8443?x", "example.com", 8443, "/?x", "example.com:8443"),
        ("https://b\u00fccher.example/", "xn--bcher-kva.example", 443, "/", "xn--bcher-kva.example"),
        ("https://8.8.8.8:1/", "8.8.8.8", 1, "/", "8.8.8.8:1"),
        ("https://[2606:4700::1111]/x", "2606:4700::1111", 443, "/x", "[2606:4700::1111]"),
        ("https://[::ffff:8.8.8.8]:8443/", "::ffff:8.8.8.8", 8443, "/", "[::ffff:8.8.8.8]:8443"),
        ("https://[64:ff9b::808:808]/", "64:ff9b::808:808", 443, "/", "[64:ff9b::808:808]"),
        ("https://hooks_1.example.com/", "hooks_1.example.com", 443, "/", "hooks_1.example.com"),
    ],
)
def test_public_ones_are_taken_apart(url: str, host: str, port: int, target: str, header: str) -> None:
    place = place_of(url)
    NOBODY.check(place)
    assert (place.host, place.port, place.target, place.host_header, place.is_tls) == (host, port, target, header, True)


def test_what_the_operator_allows() -> None:
    allowed = receivers_of(("Hooks.Internal.:*", "10.1.0.0/16", "127.0.0.1", "fd00::/8"))
    for url in (
        *("https://hooks.internal/", "http://hooks.internal:8080/", "http://10.1.2.3/", "https://127.0.0.1/"),
        *("http://[fd00::1]/", "http://[::ffff:10.1.0.9]/", "https://example.com/", "https://8.8.8.8/"),
    ):
        allowed.check(place_of(url))
    for url in ("http://8.8.8.8/", "https://10.2.0.1/", "https://127.0.0.2/", "https://[::1]/", "https://2130706433/"):
        with pytest.raises(Refused):
            allowed.check(place_of(url))
    # What a name leads to is judged when it is known.
    named, other = place_of("http://hooks.internal/"), place_of("http://example.com/")
    allowed.check_address(named, ipaddress.ip_address("192.168.0.1"))
    allowed.check_address(other, ipaddress.ip_address("10.1.0.1"))
    for address in ("10.2.0.1", "8.8.8.8", "127.0.0.2", "::ffff:10.2.0.1"):
        with pytest.raises(Refused):
            allowed.check_address(other, ipaddress.ip_address(address))
    only_a_name = receivers_of(("hooks.internal",))
    with pytest.raises(Refused):
        only_a_name.check(other)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("given", "ports"),
    [
        ("hooks.internal", {80, 443}),
        ("hooks.internal:8080", {8080}),
        ("hooks.internal:*", {80, 443, 8080, 9000}),
        ("10.1.0.1", {80, 443}),
        ("10.1.0.0/16:8080", {8080}),
        ("10.1.0.1:*", {80, 443, 8080, 9000}),
        ("fd00::1", {80, 443}),
        ("[fd00::1]:8080", {8080}),
        ("[fd00::/8]:9000", {9000}),
    ],
)
def test_only_the_ports_that_are_named(given: str, ports: set[int], scheme: str) -> None:
    allowed = receivers_of((given,))
    host = "hooks.internal" if "hooks" in given else "10.1.0.1" if "10." in given else "[fd00::1]"
    for port in (80, 443, 8080, 9000):
        place = place_of(f"{scheme}://{host}:{port}/")
        if port in ports:
            allowed.check(place)
        else:
            with pytest.raises(Refused, match=f"port {port} is none of those that the server may call there"):
                allowed.check(place)
    # A name that leads there is judged alike; nothing is said of what others lead to.
    if "hooks" not in given:
        for port in (80, 443, 8080, 9000):
            place, address = place_of(f"{scheme}://other.example:{port}/"), ipaddress.ip_address(host.strip("[]"))
            if port in ports:
                allowed.check_address(place, address)
            else:
                with pytest.raises(Refused, match=r"not a public one$"):
                    allowed.check_address(place, address)


def test_several_ports_of_one_host() -> None:
    allowed = receivers_of(("hooks.internal:1", "hooks.internal:2"))
    for port, is_allowed in ((1, True), (2, True), (3, False), (443, False)):
        place = place_of(f"http://hooks.internal:{port}/")
        assert allowed.names(place) == is_allowed


def test_a_named_port_takes_nothing_from_public_addresses() -> None:
    receivers_of(("hooks.example.com:8080",)).check(place_of("https://hooks.example.com/"))


@pytest.mark.parametrize(
    "wrong",
    [
        *("", "10.0.0.1/8", "http://x", "a/b", "127.1", "0x7f.1", "2130706433", "*.example.com", "a b"),
        *(
            "x:0",
            "x:65536",
            "x:",
            "x:http",
            "x:80:80",
            ":80",
            "*",
            "*:80",
            "fd00::zz",
            "fd00::1:*",
            "[x]:80:1",
            "127.1:80",
            "x:-1",
            "x:٣",
        ),
    ],
)
def test_what_is_no_receiver(wrong: str) -> None:
    with pytest.raises(InvalidInput):
        receivers_of((wrong,))


def test_whatever_python_calls_private_is_not_public() -> None:
    """Another list of the same, by other hands: nothing of it is missing here."""
    heads = [
        *range(0, 2**32, 2**32 // 4_099),
        *(int(ipaddress.ip_address(one)) for one in ("127.0.0.1", "169.254.0.1")),
    ]
    for number in heads:
        address = ipaddress.IPv4Address(number)
        if not address.is_global or address.is_multicast or address.is_reserved:
            assert not is_public(address), address
    for first in range(2**16):
        address6 = ipaddress.IPv6Address((first << 112) + 1)
        if not address6.is_global or address6.is_multicast or address6.is_reserved:
            assert not is_public(address6), address6
