"""Web sites elsewhere reach nothing, by whatever name."""

from __future__ import annotations

import socket

import httpx
import pytest

from tests.server.conftest import json_of

SEARCH = "/api/v1/runs/search"


def port_of(client: httpx.Client) -> int:
    assert client.base_url.port is not None
    return client.base_url.port


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"])
def test_its_own_names_are_answered(client: httpx.Client, name: str) -> None:
    json_of(client.get("/api/v1/health", headers={"host": f"{name}:{port_of(client)}"}))


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost",
        "localhost:1",
        "127.0.0.1.nip.io:{}",
        "localhost.evil.example:{}",
        "user@localhost:{}",
        "0.0.0.0:{}",
        "127.1:{}",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/api/v1/health", "/", "/api/openapi.json", "/api/v1/live", "/t/acme/api/v1/health"])
def test_no_other_name_is(client: httpx.Client, host: str, path: str) -> None:
    answer = client.get(path, headers={"host": host.format(port_of(client))})
    assert json_of(answer, 403)["code"] == "host"


def test_two_names_are_none(client: httpx.Client) -> None:
    lines = f"GET /api/v1/health HTTP/1.1\r\nhost: localhost:{port_of(client)}\r\nhost: evil.example\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port_of(client)), timeout=10) as raw:
        raw.sendall(lines.encode())
        assert raw.recv(100).startswith((b"HTTP/1.1 400", b"HTTP/1.1 403"))


@pytest.mark.parametrize(
    "origin",
    [
        "http://evil.example",
        "null",
        "https://localhost:{}",
        "http://localhost:1",
        "http://localhost:{}.evil.example",
        "",
    ],
)
def test_pages_of_another_origin_change_and_ask_nothing(client: httpx.Client, origin: str) -> None:
    headers = {"origin": origin.format(port_of(client))}
    assert json_of(client.post(SEARCH, json={}, headers=headers), 403)["code"] == "origin"
    assert client.patch("/api/v1/runs/x", json={}, headers=headers).status_code == 403


def test_its_own_page_may(client: httpx.Client) -> None:
    json_of(client.post(SEARCH, json={}, headers={"origin": f"http://localhost:{port_of(client)}"}))
    json_of(client.post(SEARCH, json={}, headers={"origin": f"http://127.0.0.1:{port_of(client)}"}))
    json_of(client.post(SEARCH, json={}))  # a program, which has no origin


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_a_browser_that_hides_the_origin_still_says_where_it_comes_from(client: httpx.Client, site: str) -> None:
    assert json_of(client.post(SEARCH, json={}, headers={"sec-fetch-site": site}), 403)["code"] == "origin"


def test_nobody_is_allowed_to_share(client: httpx.Client) -> None:
    """No CORS: a preflight gets nothing, and no answer names another origin."""
    answer = client.options(SEARCH, headers={"origin": "http://evil.example", "access-control-request-method": "POST"})
    assert answer.status_code == 405
    for reply in (answer, client.get("/api/v1/health", headers={"origin": "http://evil.example"})):
        assert not [name for name in reply.headers if name.startswith("access-control-")]


def test_a_form_of_another_page_is_no_request(client: httpx.Client) -> None:
    """What a browser sends without asking first (text/plain) is not taken for JSON."""
    answer = client.post(SEARCH, content=b"{}", headers={"content-type": "text/plain"})
    assert json_of(answer, 415)["code"] == "media_type"
