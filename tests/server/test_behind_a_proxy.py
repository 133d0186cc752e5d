"""The server below a path of a site, behind a proxy that is there for real; and what it believes of whom."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from lineal.model.errors import InvalidInput
from lineal.server.hosted import HostedSource
from lineal.server.pages import below
from lineal.server.proxies import base_path_of, network_of
from lineal.server.settings import STATIC
from tests.server.conftest import json_of, sqlite_place
from tests.server.hosting import hosting, new_run, serving_store

NAME = "tracker.example.org"


@contextmanager
def proxy(port: int, *, takes: str = "", gives: str = "", **headers: str) -> Iterator[str]:
    """Serves `takes`/... as the server's `gives`/..., and says whom it speaks for."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def pass_on(self) -> None:
            if not self.path.startswith(takes):
                self.send_response(404)
                self.send_header("content-length", "0")
                self.end_headers()
                return
            length = int(self.headers.get("content-length") or 0)
            given = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            given |= {"Host": f"127.0.0.1:{port}", "X-Forwarded-For": self.client_address[0]}
            given |= {"X-Forwarded-Host": self.headers["host"], **headers}
            backend = HTTPConnection("127.0.0.1", port, timeout=30)
            backend.request(self.command, gives + self.path[len(takes) :], self.rfile.read(length), given)
            answer = backend.getresponse()
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in ("content-length", "transfer-encoding", "connection", "date"):
                    self.send_header(name, value)
            content = answer.read()
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            backend.close()

        do_GET = do_POST = do_PUT = do_HEAD = do_PATCH = do_DELETE = pass_on

        def log_message(self, *_: object) -> None:
            """Not in tests."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{takes}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def served(tmp_path: Path, **more: Any) -> Iterator[httpx.Client]:
    with HostedSource(sqlite_place(tmp_path / "srv").url) as source, hosting(source, **more) as client:
        yield client


@pytest.mark.parametrize("gives", ["/lineal", ""], ids=["keeps the path", "takes it away"])
def test_page_and_api_are_served_below_a_path(tmp_path: Path, gives: str) -> None:
    with served(tmp_path, base_path="/lineal") as client:
        new_run(client, run_id="r")
        port = client.base_url.port or 0
        with proxy(port, takes="/lineal", gives=gives) as site, httpx.Client(timeout=30) as browser:
            assert browser.get(site + "/health").json() == {"status": "ok"}
            assert browser.get(f"{site}/api/v1/experiments/runs/r").json()["run_id"] == "r"
            assert browser.get(f"{site}/t/default/api/v1/experiments/runs").json()["total"] == 1
            assert browser.get(f"{site}/api/openapi.json").json()["servers"] == [{"url": "/lineal/"}]
            assert browser.post(f"{site}/api/v1/experiments", json={"name": "more"}).status_code == 201
            for address in ("/", "/runs/r", "/compare?runs=r"):
                page = browser.get(site + address)
                assert page.status_code == 200
                links = re.findall(r'\s(?:src|href)="([^"]+)"', page.text)
                if (STATIC / "index.html").is_file():
                    assert links and '<meta name="lineal-base" content="/lineal" />' in page.text
                for link in links:
                    assert link.startswith("/lineal/")
                    found = browser.get(site.removesuffix("/lineal") + link)
                    assert found.status_code == 200 and "text/html" not in found.headers["content-type"]
        assert client.get("/health").status_code == 200, "and without the proxy, as before"


def test_every_link_of_a_page_is_written() -> None:
    page = b'<head><link href="/a.css"><script src="/b.js"></script><link href="https://x/y"></head><a href="#x">'
    wanted = b'<head><link href="/p/q/a.css"><script src="/p/q/b.js"></script><link href="https://x/y">'
    wanted += b'<meta name="lineal-base" content="/p/q" /></head><a href="#x">'
    assert below(page, "/p/q") == wanted


def test_a_proxy_that_is_trusted_speaks_for_others(tmp_path: Path) -> None:
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": NAME}
    with served(tmp_path, hosts=(NAME,), trusted_proxies=("127.0.0.0/8",)) as client:
        with proxy(client.base_url.port or 0, **said) as site, httpx.Client(timeout=30) as browser:
            own, foreign = {"origin": f"https://{NAME}"}, {"origin": "https://evil.example.org"}
            assert browser.post(f"{site}/api/v1/experiments", json={"name": "a"}, headers=own).status_code == 201
            assert browser.post(f"{site}/api/v1/experiments", json={"name": "b"}, headers=foreign).status_code == 403
        with proxy(client.base_url.port or 0, **{"X-Forwarded-Host": "evil.example.org"}) as site:
            assert httpx.get(f"{site}/api/v1/health").status_code == 403, "a name is allowed by --allow-host only"


def test_one_that_is_not_is_not_believed(tmp_path: Path) -> None:
    said = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": NAME}
    for trusted in ((), ("10.0.0.0/8",)):
        with served(tmp_path / str(len(trusted)), hosts=(NAME,), trusted_proxies=trusted) as client:
            own = {"origin": f"https://{NAME}"}
            with proxy(client.base_url.port or 0, **said) as site:
                assert httpx.post(f"{site}/api/v1/experiments", json={"name": "a"}, headers=own).status_code == 403


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [("203.0.113.9", "203.0.113.9"), ("1.2.3.4, 203.0.113.9, 127.0.0.5", "203.0.113.9"), ("127.0.0.7", "127.0.0.7")],
)
def test_the_client_is_the_last_that_is_not_trusted(forwarded: str, client: str) -> None:
    import asyncio

    from lineal.server.proxies import BehindProxy
    from lineal.server.settings import Settings

    heard: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        heard.append(scope["client"][0])

    behind = BehindProxy(app, Settings(1, trusted_proxies=("127.0.0.0/8",)))
    headers = [(b"x-forwarded-for", forwarded.encode())]
    for address, wanted in (("127.0.0.1", client), ("::ffff:127.0.0.1", client), ("192.0.2.1", "192.0.2.1")):
        scope = {"type": "http", "client": (address, 1), "headers": headers, "path": "/", "scheme": "http"}
        asyncio.run(behind(scope, None, None))  # type: ignore[arg-type]
        assert heard.pop() == wanted


@pytest.mark.parametrize("path", ["lineal", "/a b", "/a/../b", "//", "/a//b", "/<x>", '/"'])
def test_paths_that_are_none(path: str) -> None:
    if path == "//":
        assert base_path_of(path) == ""
        return
    with pytest.raises(InvalidInput):
        base_path_of(path)


def test_networks_that_are_none() -> None:
    assert str(network_of("10.1.2.3/8")) == "10.0.0.0/8" and base_path_of("/a/b/") == "/a/b"
    with pytest.raises(InvalidInput):
        network_of("proxy.example.org")


def test_the_command_takes_both(tmp_path: Path) -> None:
    with serving_store(tmp_path / "srv", "--base-path", "/lineal/", "--trusted-proxy", "127.0.0.1") as one:
        assert one.url.endswith("/lineal/api/v1")
        assert json_of(one.client.get("/ready")) == {"status": "ready"}
