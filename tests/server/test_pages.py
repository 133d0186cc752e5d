"""The page's files: known by name, cached as they may be, under a strict policy."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from lineal.dashboard import LocalSource
from lineal.server import serving
from lineal.server.settings import Settings

INDEX = b"<!doctype html><title>Lineal</title>" + b" " * 500
SCRIPT = b"console.log(1)" * 100
NAME = "assets/index-Bx3_k9Zq.js"


@pytest.fixture
def static(tmp_path: Path) -> Path:
    static = tmp_path / "static"
    (static / "assets").mkdir(parents=True)
    (static / "index.html").write_bytes(INDEX)
    (static / "favicon.svg").write_bytes(b"<svg/>")
    (static / NAME).write_bytes(SCRIPT)
    (static / f"{NAME}.gz").write_bytes(gzip.compress(SCRIPT))
    (static / f"{NAME}.br").write_bytes(b"brotli, to all appearance")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    return static


@pytest.fixture
def page(static: Path, source: LocalSource, monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    monkeypatch.setattr(serving, "Settings", lambda port, **more: Settings(port, static, **more))
    with serving.listen(0) as listener:
        ready = threading.Event()
        server = serving.make_server(source, listener, ready.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            assert ready.wait(30)
            with httpx.Client(base_url=f"http://localhost:{listener.getsockname()[1]}") as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(30)


@pytest.mark.parametrize(
    "path", ["/", "/index.html", "/runs/abc", "/experiments/x?q=1", "/compare", "/none.txt", "/t/acme/runs/x"]
)
def test_every_address_of_the_page_is_the_page(page: httpx.Client, path: str) -> None:
    answer = page.get(path)
    assert answer.status_code == 200 and answer.content == INDEX
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    again = page.get(path, headers={"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304 and again.content == b""


def test_the_policy_lets_nothing_in_from_elsewhere(page: httpx.Client) -> None:
    for path in ("/", f"/{NAME}", "/favicon.svg", "/assets/none.js"):
        headers = page.get(path).headers
        policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
        assert (
            policy["default-src"]
            == policy["base-uri"]
            == policy["form-action"]
            == policy["frame-ancestors"]
            == "'none'"
        )
        assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
        assert "unsafe" not in headers["content-security-policy"] and "http" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


def test_hashed_files_are_kept_for_ever_and_come_compressed(page: httpx.Client) -> None:
    plain = page.get(f"/{NAME}", headers={"accept-encoding": "identity"})
    assert plain.content == SCRIPT and "content-encoding" not in plain.headers
    assert plain.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert plain.headers["content-type"] == "text/javascript; charset=utf-8"
    packed = page.get(f"/{NAME}", headers={"accept-encoding": "gzip, deflate"})
    assert packed.headers["content-encoding"] == "gzip" and packed.content == SCRIPT
    assert packed.headers["vary"] == "accept-encoding" and packed.headers["etag"] != plain.headers["etag"]
    with page.stream("GET", f"/{NAME}", headers={"accept-encoding": "gzip, br"}) as answer:
        assert answer.headers["content-encoding"] == "br"
        assert b"".join(answer.iter_raw()) == b"brotli, to all appearance"
    assert page.get("/favicon.svg").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("encoding", ["gzip;q=0", "br;q=0, gzip; q=0.000", ""])
def test_a_form_that_is_not_wanted_is_not_sent(page: httpx.Client, encoding: str) -> None:
    assert "content-encoding" not in page.get(f"/{NAME}", headers={"accept-encoding": encoding}).headers


@pytest.mark.parametrize(
    "path",
    [
        "/../secret.txt",
        "/..%2fsecret.txt",
        "/assets/..%2f..%2fsecret.txt",
        "/%2e%2e/secret.txt",
        "//etc/passwd",
        "/assets/../../secret.txt",
        "/%00",
    ],
)
def test_nothing_beside_the_pages_files_is_served(page: httpx.Client, path: str) -> None:
    answer = page.get(path)
    assert answer.status_code in (200, 404)
    assert b"secret" not in answer.content and b"root:" not in answer.content


def test_what_is_missing_among_the_built_files_is_missing(page: httpx.Client) -> None:
    """An old page asks for files of an earlier build: index.html in their place would be run as a script."""
    assert page.get("/assets/index-00000000.js").status_code == 404
    assert page.get(f"/{NAME}.gz").status_code == 404
    assert page.post("/").status_code == 405
