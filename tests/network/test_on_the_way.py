"""Certificates and proxies: who is trusted, which way is taken, and that a wrong one is a clear word and never a hang."""

from __future__ import annotations

import base64
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

import lineal
from lineal.client.address import parse_address
from lineal.client.connecting import find_proxy
from lineal.client.transport import Transport
from lineal.model.errors import InvalidInput, Unreachable
from lineal.server.hosted import HostedSource
from tests.network.conftest import detail_of, points_of
from tests.network.on_the_way import Signed, Tunnel, signed_for, speaking_https, tunnel
from tests.network.programs import lineal_command
from tests.network.test_uploader import wait_for
from tests.server.hosting import hosting

NAME = "lineal.test"  # which no name server knows (RFC 2606): only the proxy leads there
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*_PROXIES, *(name.upper() for name in _PROXIES), "SSL_CERT_FILE", "SSL_CERT_DIR", "LINEAL_CA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "localhost")  # for httpx, which looks at the server behind the proxy


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    return signed_for(tmp_path_factory.mktemp("localhost"), "localhost")


@pytest.fixture
def server(source: HostedSource) -> Iterator[httpx.Client]:
    with hosting(source, any_host=True, hosts=("localhost", NAME)) as client:
        yield client


@pytest.fixture
def proxy() -> Iterator[Tunnel]:
    with tunnel() as made:
        yield made


def port_of(server: httpx.Client) -> int:
    port = server.base_url.port
    assert port is not None
    return port


def record(url: str) -> str:
    with lineal.init("digits", url=url) as run:
        for step in range(200):
            run.log({"loss": step}, step=step)
        run.log_text("words", "notes.txt")
    return run.run_id


def arrived(server: httpx.Client, run_id: str) -> None:
    assert detail_of(server, run_id)["status"] == "finished"
    assert points_of(server, run_id, "loss") == [(step, step) for step in range(200)]
    assert server.get(f"/experiments/runs/{run_id}/artifacts/notes.txt").content == b"words"


@pytest.mark.parametrize("variable", ["LINEAL_CA", "SSL_CERT_FILE"])
def test_a_run_arrives_by_https(
    server: httpx.Client, signed: Signed, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(signed.authority))
    with speaking_https(port_of(server), signed) as port:
        url = f"https://localhost:{port}"
        run_id = record(url)
        arrived(server, run_id)
        assert [run.run_id for run in lineal.runs(url=url)] == [run_id]


def test_a_certificate_that_nobody_trusts_is_said_and_nothing_is_sent(
    server: httpx.Client, signed: Signed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("LINEAL_FINISH_DRAIN_S", "0")
    caplog.set_level(logging.WARNING, "lineal")
    with speaking_https(port_of(server), signed) as port:
        run_id = record(f"https://localhost:{port}")
        wait_for(lambda: "certificate is not to be trusted" in caplog.text)
        assert "lineal sync" in caplog.text
        assert server.get(f"/runs/{run_id}").status_code == 404
        asked = lineal_command("runs", "list", "--url", f"https://localhost:{port}")
        assert asked.returncode == 5 and "certificate is not to be trusted" in asked.stderr
        sent = lineal_command("sync", LINEAL_CA=str(signed.authority))  # and afterwards nothing is missing
        assert sent.returncode == 0, sent.stderr
    arrived(server, run_id)


def test_a_certificate_for_another_name_is_said(
    server: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = signed_for(tmp_path / "other", "elsewhere.test")
    monkeypatch.setenv("LINEAL_CA", str(other.authority))
    said = "certificate is not to be trusted: Hostname mismatch"
    with speaking_https(port_of(server), other) as port, pytest.raises(Unreachable, match=said):
        Transport(parse_address(f"https://localhost:{port}")).ask("GET", ["runs"])


def test_a_server_that_speaks_no_https_is_said(server: httpx.Client) -> None:
    with pytest.raises(Unreachable, match="does not speak https as it should"):
        Transport(parse_address(f"https://localhost:{port_of(server)}")).ask("GET", ["runs"])


def test_one_that_never_shows_its_certificate_holds_nobody_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the kernel takes the connection, and nobody answers
        begun_s = time.monotonic()
        with pytest.raises(Unreachable, match="no answer in time"):
            Transport(parse_address(f"https://127.0.0.1:{silent.getsockname()[1]}"), timeout_s=0.5).ask("GET", ["runs"])
        assert time.monotonic() - begun_s < 30


def test_an_authority_that_is_none_is_refused_at_the_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINEAL_CA", str(tmp_path / "absent.pem"))
    with pytest.raises(InvalidInput, match=r"LINEAL_CA names .*absent.pem.*No such file"):
        lineal.init("digits", url="https://localhost:9")
    (tmp_path / "words.pem").write_text("words")
    monkeypatch.setenv("LINEAL_CA", str(tmp_path / "words.pem"))
    with pytest.raises(InvalidInput, match="no file of certificates"):
        lineal.init("digits", url="https://localhost:9")


# -- proxies -------------------------------------------------------------------------------------


def test_a_run_arrives_through_a_proxy(server: httpx.Client, proxy: Tunnel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://localhost:{proxy.port}")
    arrived(server, record(f"http://{NAME}:{port_of(server)}"))
    assert proxy.asked and all(f" http://{NAME}:{port_of(server)}/api/v1/" in line for line in proxy.asked)


def test_https_goes_through_a_proxy_that_sees_nothing_of_it(
    server: httpx.Client, proxy: Tunnel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = signed_for(tmp_path / "named", NAME)
    monkeypatch.setenv("LINEAL_CA", str(named.authority))
    monkeypatch.setenv("https_proxy", f"localhost:{proxy.port}")
    with speaking_https(port_of(server), named) as port:
        arrived(server, record(f"https://{NAME}:{port}"))
        assert proxy.asked and {line.rpartition(" ")[0] for line in proxy.asked} == {f"CONNECT {NAME}:{port}"}


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_asks_who_comes(
    server: httpx.Client, proxy: Tunnel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    named = signed_for(tmp_path / "named", NAME)
    monkeypatch.setenv("LINEAL_CA", str(named.authority))
    proxy.wants = f"Basic {base64.b64encode(b'me:p@ss').decode()}"
    with speaking_https(port_of(server), named) as secure:
        url = f"{scheme}://{NAME}:{secure if scheme == 'https' else port_of(server)}"
        monkeypatch.setenv("ALL_PROXY", f"http://localhost:{proxy.port}")
        with pytest.raises(Unreachable, match="407"):
            lineal.runs(url=url)
        monkeypatch.setenv("ALL_PROXY", f"http://me:p%40ss@localhost:{proxy.port}")
        arrived(server, record(url))


def test_a_proxy_that_is_not_there_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://me:secret@127.0.0.1:9")
    with pytest.raises(Unreachable, match=r"through the proxy 127\.0\.0\.1:9") as caught:
        lineal.runs(url=f"http://{NAME}")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("listed", "straight"),
    [
        ("", False),
        ("*", True),
        ("lineal.test", True),
        ("other.test, .test", True),
        ("*.test", True),
        ("ineal.test", False),
        ("lineal.test:8080", True),
        ("lineal.test:9", False),
        ("10.0.0.0/8", False),
    ],
)
def test_hosts_to_which_no_proxy_leads(monkeypatch: pytest.MonkeyPatch, listed: str, straight: bool) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", listed)
    assert (find_proxy(parse_address(f"http://{NAME}:8080")) is None) == straight
    assert find_proxy(parse_address("http://localhost:7007")) is None


def test_networks_to_which_no_proxy_leads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "10.0.0.0/8,fd00::/8")
    found = [find_proxy(parse_address(f"http://{host}")) is None for host in ("10.1.2.3", "11.1.2.3", "[fd00::1]")]
    assert found == [True, False, True]


@pytest.mark.parametrize("given", ["socks5://proxy:1080", "http://", "http://proxy:x"])
def test_a_proxy_of_another_kind_is_said(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", given)
    with pytest.raises(Unreachable, match="HTTP_PROXY"):
        find_proxy(parse_address(f"http://{NAME}"))
