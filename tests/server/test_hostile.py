"""What is malformed, too large or too deep is refused with the reason, and costs nothing."""

from __future__ import annotations

import json
import socket
from typing import Any

import httpx
import pytest

from lineal.model import limits
from tests.server.conftest import json_of

SEARCH = "/api/v1/runs/search"
JSON = {"content-type": "application/json"}


def refused(client: httpx.Client, content: bytes, status: int = 400) -> dict[str, Any]:
    problem: dict[str, Any] = json_of(client.post(SEARCH, content=content, headers=JSON), status)
    assert set(problem) >= {"type", "title", "status", "detail", "code"} and problem["status"] == status
    return problem


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "body"),
        (b"{", "body"),
        (b"\xff\xfe", "body"),
        (b"[]", None),
        (b"null", None),
        (b'{"limit": NaN}', "body"),
        (b'{"limit": "5"}', "limit"),
        (b'{"limit": 1.5}', "limit"),
        (b'{"limit": -1}', "limit"),
        (b'{"limit": 1001}', "limit"),
        (b'{"limit": 1e400}', None),
        (b'{"offset": 99999999999999999999}', "offset"),
        (b'{"order_by": "metrics.a"}', "order_by"),
        (b'{"order_by": [1]}', "order_by[0]"),
        (b'{"lifecycle_stage": "gone"}', "lifecycle_stage"),
        (b'{"filtr": "a = 1"}', None),
        (b'{"filter": "\\ud800"}', None),
        (b'{"page_token": "x"}', "page_token"),
        (b'{"page_token": "x", "offset": 1}', "page_token"),
    ],
)
def test_a_body_that_is_not_what_was_asked_for(client: httpx.Client, content: bytes, field: str | None) -> None:
    problem = refused(client, content)
    assert field is None or problem["field"] == field


@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"filter":['])
def test_a_body_nested_as_deep_as_it_fits(client: httpx.Client, opening: bytes) -> None:
    refused(client, opening * (1_000_000 // len(opening)))
    json_of(client.get("/api/v1/health"))


def test_a_body_over_the_limit_is_refused_before_it_is_read(client: httpx.Client) -> None:
    problem = refused(client, b" " * (limits.REQUEST_BODY_MAX_BYTES + 1), 413)
    assert f"{limits.REQUEST_BODY_MAX_BYTES:,}" in problem["detail"]


def test_a_body_of_unknown_length_is_counted(client: httpx.Client) -> None:
    def endless() -> Any:
        for _ in range(limits.REQUEST_BODY_MAX_BYTES // limits.MIB + 1):
            yield b" " * limits.MIB

    answer = client.post(SEARCH, content=endless(), headers=JSON)
    assert json_of(answer, 413)["code"] == "over_limit"


def test_compressed_bodies_are_not_unpacked(client: httpx.Client) -> None:
    answer = client.post(SEARCH, content=b"\x1f\x8b\x08", headers={**JSON, "content-encoding": "gzip"})
    assert json_of(answer, 415)["code"] == "media_type"


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=1&limit=2",
        "offset=-1",
        "lifecycle_stage=all",
        f"search={'x' * 40_000}",
    ],
)
def test_a_query_that_cannot_be(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/api/v1/experiments?{query}")
    assert json_of(answer, 414 if len(query) > 10_000 else 400)["detail"]


def test_a_filter_of_any_length_is_answered(client: httpx.Client) -> None:
    for text in (
        "(" * 100_000,
        "not " * 100_000,
        "a = 1 and " * 100_000,
        "'" * 1_000_000,
        "name like '" + "%_" * 100_000 + "'",
    ):
        for path in ("filter/check", "runs/search"):
            found = json_of(client.post(f"/api/v1/{path}", json={"filter": text}), 200 if "check" in path else 400)
            assert found["field"] == "filter" and isinstance(found["position"], int)


def test_a_wrong_filter_is_refused_at_its_place(client: httpx.Client) -> None:
    wrong = {"filter": "status = 'a' nd name = 'b'"}
    problem = json_of(client.post("/api/v1/runs/search", json=wrong), 400)
    checked = json_of(client.post("/api/v1/filter/check", json=wrong))
    assert checked["ok"] is False and checked["position"] == 13 and "AND" in checked["expected"]
    assert {name: problem[name] for name in ("detail", "field", "position", "expected")} | {"ok": False} == checked
    right = {"filter": "status = 'a'", "order_by": ["name desc"]}
    assert json_of(client.post("/api/v1/filter/check", json=right))["ok"] is True
    checked = json_of(client.post("/api/v1/filter/check", json={"order_by": ["name upwards"]}))
    assert (checked["ok"], checked["field"], checked["position"]) == (False, "order_by", 5)


@pytest.mark.parametrize("tenant", ["", "*", "ACME", "a/b", "../x", "a" * 64, "-a", "a\u0430"])
def test_a_tenant_that_cannot_be(client: httpx.Client, tenant: str) -> None:
    headers = [(b"x-tenant-id", tenant.encode())]
    assert client.get("/api/v1/health", headers=headers).status_code == 400


def test_two_tenants_are_none(client: httpx.Client) -> None:
    assert client.get("/api/v1/health", headers=[("x-tenant-id", "a"), ("x-tenant-id", "a")]).status_code == 400
    assert client.get("/t/a/api/v1/health", headers={"x-tenant-id": "b"}).status_code == 400
    json_of(client.get("/t/a/api/v1/health", headers={"x-tenant-id": "a"}))


@pytest.mark.parametrize(
    "lines",
    [
        b"GET / HTTP/9.9\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01",
        b"GET " + b"/" * 200_000 + b" HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n",
    ],
)
def test_what_is_no_http_ends_its_connection_alone(client: httpx.Client, lines: bytes) -> None:
    with socket.create_connection(("127.0.0.1", client.base_url.port or 0), timeout=10) as raw:
        try:
            raw.sendall(lines)
            answer = raw.recv(1_000)
        except ConnectionError:
            answer = b""
    assert answer == b"" or answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 403", b"HTTP/1.1 431"))
    json_of(client.get("/api/v1/health"))


def test_an_unknown_path_below_the_api_is_no_page(client: httpx.Client) -> None:
    for path in ("/api", "/api/", "/api/v1", "/api/v2/runs", "/api/v1/runs/search/more/x", "/t/a/api/none"):
        assert json_of(client.get(path), 404)["code"] == "no_route"


def test_a_method_that_a_path_has_not_is_said_to_be(client: httpx.Client) -> None:
    answer = client.delete("/api/v1/runs/search")
    assert json_of(answer, 405)["code"] == "method"
    assert answer.headers["allow"] == "POST"
    assert client.head("/api/v1/health").status_code == 200


def test_a_fault_of_ours_tells_nothing_about_itself(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("SELECT secret FROM /home/ada/.lineal")

    monkeypatch.setattr("lineal.server.questions.parse", fail)
    answer = client.post(SEARCH, json={"filter": "a = 1"})
    assert json_of(answer, 500)["code"] == "internal"
    assert "ada" not in answer.text and "Zero" not in answer.text and "SELECT" not in json.dumps(dict(answer.headers))
    assert "ZeroDivisionError" in caplog.text
