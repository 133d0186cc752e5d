"""Clients that are slow, greedy or many: refused or let go, and the others never notice."""

from __future__ import annotations

import gzip
import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineal.model import limits
from lineal.server.bounds import Bounds
from lineal.server.hosted import HostedSource
from lineal.server.observed import Observed
from tests.server.conftest import json_of, sqlite_place
from tests.server.hosting import hosting, new_run

RUN = "/experiments/runs"
# Who is not slow must keep these on a busy machine, too.
HEAD_S, GRACE_S, READER_S = 1.5, 1.0, 2.0


@contextmanager
def within(tmp_path: Path, **bounds: Any) -> Iterator[httpx.Client]:
    observed = Observed()
    with (
        HostedSource(sqlite_place(tmp_path / "srv").url, None, observed.committed) as source,
        hosting(source, observed=observed, bounds=Bounds(**bounds)) as client,
    ):
        yield client


def connect(client: httpx.Client) -> socket.socket:
    return socket.create_connection(("localhost", client.base_url.port or 0), timeout=30)


def head(client: httpx.Client, method: str = "GET", path: str = "/health", **more: str) -> bytes:
    lines = [f"{method} /api/v1{path} HTTP/1.1", f"Host: localhost:{client.base_url.port}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in more.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def heard(connection: socket.socket) -> bytes:
    said = b""
    try:
        while piece := connection.recv(65_536):
            said += piece
    except ConnectionError:
        pass
    return said


def ended(client: httpx.Client, reason: str) -> int:
    line = f'lineal_connections_ended_total{{reason="{reason}"}} '
    text = client.get("/metrics").text
    return int(text.partition(line)[2].partition("\n")[0] or 0)


def until(client: httpx.Client, reason: str, count: int) -> None:
    deadline = time.monotonic() + 30
    while ended(client, reason) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_head_that_does_not_come_is_not_waited_for(tmp_path: Path) -> None:
    with within(tmp_path, head_s=HEAD_S) as client, connect(client) as silent, connect(client) as slow:
        slow.sendall(head(client)[:20])
        assert heard(silent) == heard(slow) == b""
        assert ended(client, "slow_head") >= 2
        json_of(client.get("/health"))


def test_nor_is_the_next_one_on_a_connection(tmp_path: Path) -> None:
    with within(tmp_path, head_s=HEAD_S) as client, connect(client) as slow:
        slow.sendall(head(client) + b"GET /")
        assert heard(slow).startswith(b"HTTP/1.1 200")


def test_a_body_byte_by_byte_is_refused(tmp_path: Path) -> None:
    with within(tmp_path, body_grace_s=GRACE_S, body_second_bytes=1_000) as client, connect(client) as slow:
        slow.sendall(
            head(client, "POST", "/runs/search", Content_Type="application/json", Content_Length="100000") + b"{"
        )
        said = heard(slow)
        assert said.startswith(b"HTTP/1.1 408") and b'"slow"' in said and b"connection: close" in said
        assert ended(client, "slow_body") == 1
        json_of(client.post("/runs/search", json={}))


def test_a_form_byte_by_byte_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    with within(tmp_path, body_grace_s=GRACE_S, body_second_bytes=1_000_000_000) as client, connect(client) as slow:
        kind = "multipart/form-data; boundary=b"
        path = f"{RUN}/{new_run(client)}/log-artifact"
        slow.sendall(head(client, "POST", path, Content_Type=kind, Content_Length="1000000"))
        slow.sendall(b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\nxxxx')
        assert heard(slow).startswith(b"HTTP/1.1 408")
    assert not [place for place in (tmp_path / "srv" / "blobs").rglob("*") if place.is_file() and "draft" in place.name]


def test_a_body_at_a_walking_pace_arrives(tmp_path: Path) -> None:
    """Longer than the grace, but fast enough: twenty pieces, each of which buys more time than it takes."""

    def pieces() -> Iterator[bytes]:
        yield b'{"filter": "'
        for _ in range(20):
            time.sleep(2 * GRACE_S / 20)
            yield b" " * 1_000
        yield b'"}'

    with within(tmp_path, body_grace_s=GRACE_S, body_second_bytes=1_000) as client:
        answer = client.post("/runs/search", content=pieces(), headers={"content-type": "application/json"})
        assert answer.status_code == 200


def test_a_reader_that_does_not_read_is_let_go(tmp_path: Path) -> None:
    with within(tmp_path, reader_s=READER_S) as client:
        run = f"{RUN}/{new_run(client)}"
        json_of(client.post(f"{run}/log-artifact", files={"file": ("large", bytes(30_000_000))}))
        with connect(client) as lazy:
            lazy.sendall(head(client, path=f"{run}/artifacts/large"))
            until(client, "slow_reader", 1)
            assert len(heard(lazy)) < 30_000_000
        answer = client.get(f"{run}/artifacts/large")
        assert len(answer.content) == 30_000_000


@pytest.mark.parametrize("line", [b"x: " + b"y" * 1_000 + b"\r\n", b"y" * 1_000])
def test_an_endless_head_is_refused(tmp_path: Path, line: bytes) -> None:
    with within(tmp_path) as client, connect(client) as greedy:
        greedy.sendall(head(client)[:-2])
        try:
            for _ in range(limits.HEAD_MAX_BYTES // 500):
                greedy.sendall(line)
                time.sleep(0.0005)
        except ConnectionError:
            pass
        said = heard(greedy)
        assert said == b"" or said.startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))
        assert b"HTTP/1.1 200" not in said
        json_of(client.get("/health"))
    assert limits.HEAD_MAX_BYTES > limits.QUERY_STRING_MAX_BYTES


def test_a_refused_body_is_not_taken_for_ever(tmp_path: Path) -> None:
    with within(tmp_path, unread_bytes=1_000_000) as client, connect(client) as greedy:
        greedy.sendall(head(client, "POST", "/runs/search", Content_Type="text/plain", Content_Length="1000000000000"))
        sent = 0
        try:
            while sent < 200_000_000:
                sent += greedy.send(bytes(65_536))
        except OSError:
            pass
        assert sent < 200_000_000
        until(client, "unread_body", 1)


def test_after_a_refused_body_the_connection_goes_on(tmp_path: Path) -> None:
    with within(tmp_path) as client:
        for _ in range(3):
            assert (
                client.post(
                    "/runs/search", content=bytes(3_000_000), headers={"content-type": "text/plain"}
                ).status_code
                == 415
            )
            json_of(client.get("/health"))
        assert ended(client, "large_head") == ended(client, "unread_body") == 0


def test_more_connections_than_the_bound_are_told_so(tmp_path: Path) -> None:
    with within(tmp_path, connections=5) as client:
        json_of(client.get("/health"))
        others = [connect(client) for _ in range(4)]
        for other in others:
            other.sendall(head(client))
            assert other.recv(20).startswith(b"HTTP/1.1 200")
        with connect(client) as sixth:
            said = heard(sixth)
        assert said.startswith(b"HTTP/1.1 503") and b"retry-after: 5" in said
        assert json.loads(said.partition(b"\r\n\r\n")[2])["code"] == "busy"
        for other in others:
            other.close()
        deadline = time.monotonic() + 30
        while "lineal_connections 1\n" not in client.get("/metrics").text:
            assert time.monotonic() < deadline
        with connect(client) as again:
            again.sendall(head(client))
            assert again.recv(20).startswith(b"HTTP/1.1 200")


def test_a_small_packet_that_unpacks_to_much_is_refused(tmp_path: Path) -> None:
    bomb = gzip.compress(bytes(limits.JOURNAL_BODY_MAX_BYTES * 8))
    assert len(bomb) < limits.MIB
    with within(tmp_path) as client:
        answer = client.post(
            "/journals/r/0123456789abcde",
            content=bomb,
            params={"segment": 1, "offset": 0},
            headers={"content-encoding": "gzip", "content-type": "application/octet-stream"},
        )
        assert json_of(answer, 413)["code"] == "over_limit"


@pytest.mark.parametrize(
    "value",
    ["9" * 5_000, "1" + "0" * 400, "-" + "9" * 100_000, "1e" + "9" * 50, '"' + "\\u0000" * 10_000 + '"', "[" * 5_000],
)
def test_numbers_and_texts_without_end_are_refused(tmp_path: Path, value: str) -> None:
    with within(tmp_path) as client:
        run = f"{RUN}/{new_run(client)}"
        for body in (f'{{"metrics": {{"a": {value}}}}}', f'{{"metrics": {{"a": 1}}, "step": {value}}}'):
            answer = client.post(f"{run}/log-metrics", content=body, headers={"content-type": "application/json"})
            assert answer.status_code in (400, 413), answer.text[:300]


@pytest.mark.parametrize("count", [2, 200, 5_000])
def test_many_ranges_are_answered_with_the_whole(tmp_path: Path, count: int) -> None:
    with within(tmp_path) as client:
        run = f"{RUN}/{new_run(client)}"
        json_of(client.post(f"{run}/log-artifact", files={"file": ("a", b"0123456789")}))
        answer = client.get(f"{run}/artifacts/a", headers={"range": "bytes=" + ",".join(["1-2"] * count)})
        assert answer.status_code == 200 and answer.content == b"0123456789"
