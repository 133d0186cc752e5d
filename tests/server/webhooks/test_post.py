"""One call: to an address that was looked at, with a certificate that fits, without detours, and not for ever."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from lineal.model.limits import WEBHOOK_NAMES_MAX_COUNT
from lineal.server.webhooks import addresses
from lineal.server.webhooks.addresses import Receivers, Refused, receivers_of
from lineal.server.webhooks.post import NoAnswer, Post
from tests.server.receiving import Receiver, certificate, receiving

LOOPBACK = receivers_of(("127.0.0.1:*",))


def port_of(receiver: Receiver) -> int:
    return urlsplit(receiver.url).port or 0


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"], ["169.254.169.254"]],
)
def test_a_name_that_leads_home_is_refused(receiver: Receiver, addresses: list[str]) -> None:
    """One such address among public ones is enough: it is how names are made to change their mind."""
    post = Post(Receivers(), resolve=lambda host, port: addresses)
    with pytest.raises(Refused, match="not a public one"):
        post.send(f"https://hooks.example:{port_of(receiver)}/", {}, b"{}")
    assert receiver.got == []


def test_a_name_is_resolved_once(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A resolver that changes its answer is asked once, and the connection is made to what it said then."""
    asked: list[str] = []
    called: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8"] if len(asked) == 1 else ["127.0.0.1"]

    class Socket(socket.socket):
        def connect(self, address: object) -> None:
            called.append(str(address))
            raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(socket, "socket", Socket)
    with pytest.raises(NoAnswer):
        Post(Receivers(), resolve=resolve).send(f"https://rebind.example:{port_of(receiver)}/", {}, b"{}")
    assert asked == ["rebind.example"] and called == [f"('8.8.8.8', {port_of(receiver)})"] and receiver.got == []


def test_what_is_no_address_is_refused(receiver: Receiver) -> None:
    with pytest.raises(Refused, match="no address"):
        Post(Receivers(), resolve=lambda host, port: ["localhost"]).send("https://odd.example/", {}, b"{}")


def test_no_address_at_all_is_another_try(receiver: Receiver) -> None:
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(NoAnswer, match="not known"):
        Post(Receivers(), resolve=resolve).send("https://nowhere.example/", {}, b"{}")


def test_the_next_address_is_taken_where_one_does_not_answer(receiver: Receiver) -> None:
    allowed = receivers_of(("hooks.example:*",))
    post = Post(allowed, resolve=lambda host, port: ["127.0.0.2", "127.0.0.1"])  # it listens on the second only
    assert post.send(f"http://hooks.example:{port_of(receiver)}/", {}, b"{}").status == 200
    assert receiver.got[0].headers["host"] == f"hooks.example:{port_of(receiver)}"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_not_followed(receiver: Receiver, status: int) -> None:
    receiver.answer = lambda got: (status, {"Location": f"{receiver.url}/secret"}, b"")
    assert Post(LOOPBACK).send(f"{receiver.url}/in", {}, b"{}").status == status
    assert [one.path for one in receiver.got] == ["/in"]


def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving() as proxy:
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
            monkeypatch.setenv(name.upper(), proxy.url)
        assert Post(LOOPBACK).send(receiver.url, {}, b"{}").status == 200
        assert len(receiver.got) == 1 and proxy.got == []


# -- TLS -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("tls") / "hooks", "hooks.example")


def trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "cert.pem"))


def test_the_certificate_is_held_to_the_name(tls: Path) -> None:
    with receiving(tls=tls) as receiver:
        post = Post(
            receivers_of(("hooks.example:*", "other.example:*")),
            resolve=lambda host, port: ["127.0.0.1"],
            tls=trusting(tls),
        )
        assert post.send(f"https://hooks.example:{port_of(receiver)}/x", {}, b"{}").status == 200
        with pytest.raises(NoAnswer, match="certificate"):
            post.send(f"https://other.example:{port_of(receiver)}/x", {}, b"{}")
        with pytest.raises(NoAnswer, match="certificate"):
            Post(LOOPBACK, tls=trusting(tls)).send(f"https://127.0.0.1:{port_of(receiver)}/x", {}, b"{}")
        assert [one.path for one in receiver.got] == ["/x"]


def test_an_authority_that_nobody_knows_is_not_trusted(tls: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = receivers_of(("hooks.example:*",))
    with receiving(tls=tls) as receiver:
        url = f"https://hooks.example:{port_of(receiver)}/"
        with pytest.raises(NoAnswer, match="certificate"):
            Post(named, resolve=lambda host, port: ["127.0.0.1"]).send(url, {}, b"{}")
        assert receiver.got == []
        monkeypatch.setenv("SSL_CERT_FILE", str(tls / "cert.pem"))  # unless the operator says so
        assert Post(named, resolve=lambda host, port: ["127.0.0.1"]).send(url, {}, b"{}").status == 200


# -- bounds --------------------------------------------------------------------------------------


@contextmanager
def talking(*pieces: bytes, every_s: float = 0.0, for_ever: bytes = b"") -> Iterator[str]:
    """A receiver that answers with these bytes whatever it is asked, and then on and on."""
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk() -> None:
            try:
                connection, _ = listener.accept()
                with connection:
                    for piece in pieces:
                        connection.sendall(piece)
                    while not ended.wait(every_s) and for_ever:
                        connection.sendall(for_ever)
                    ended.wait(60)
            except OSError:
                pass

        thread = threading.Thread(target=talk)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            ended.set()
            thread.join()


HEAD = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("pieces", "for_ever"),
    [
        ((), b""),
        ((), b"H"),
        ((HEAD,), b"x"),
        ((HEAD,), b"X: y\r\n"),
        ((b"HTTP/1.1 100 Continue\r\n\r\n",), b"HTTP/1.1 100 Continue\r\n\r\n"),
        ((HEAD + b"Content-Length: 1000\r\n\r\n",), b"x"),
        ((HEAD + b"Transfer-Encoding: chunked\r\n\r\n",), b"1\r\nx\r\n"),
    ],
    ids=["silence", "a slow word", "a slow header", "many headers", "soon", "a slow body", "slow chunks"],
)
def test_whoever_answers_by_drops_is_left(pieces: tuple[bytes, ...], for_ever: bytes) -> None:
    with talking(*pieces, every_s=0.05, for_ever=for_ever) as url:
        began_s = time.monotonic()
        with pytest.raises(NoAnswer):
            Post(LOOPBACK, timeout_s=0.5).send(url, {}, b"{}")
        assert time.monotonic() - began_s < 30  # and not for ever


def test_of_an_endless_answer_the_beginning_is_read() -> None:
    with talking(HEAD + b"\r\n", for_ever=b"x" * 65_536) as url:
        answer = Post(LOOPBACK).send(url, {}, b"{}")
        assert answer.status == 200 and answer.body == b"x" * 16_384


@pytest.mark.parametrize(
    "said", [b"nonsense\r\n\r\n", b"HTTP/1.1 abc\r\n\r\n", b"HTTP/9.9 200 OK\r\n\r\n", HEAD + b"x" * 70_000]
)
def test_nonsense_is_no_answer(said: bytes) -> None:
    with talking(said) as url, pytest.raises(NoAnswer):
        Post(LOOPBACK, timeout_s=5).send(url, {}, b"{}")


def test_a_name_that_nobody_answers_for_ends_with_the_try() -> None:
    let_go = threading.Event()

    def resolve(host: str, port: int) -> list[str]:
        let_go.wait(60)
        return ["8.8.8.8"]

    post = Post(Receivers(), resolve=resolve, timeout_s=0.05)
    try:
        for _ in range(20):  # more than are looked up at a time: those beyond are refused at once
            with pytest.raises(NoAnswer, match=r"too (long|many)|cannot be reached"):
                post.send("https://slow.example/", {}, b"{}")
        assert sum(one.name == "lineal-webhooks-name" for one in threading.enumerate()) <= WEBHOOK_NAMES_MAX_COUNT
    finally:
        let_go.set()


@contextmanager
def speaking(*said: bytes, is_endless: bool = False) -> Iterator[int]:
    """A receiver that says just that, at its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connected, _ = listening.accept()
            with connected, suppress(OSError):
                connected.recv(65_536)
                for one in said:
                    connected.sendall(one)
                while is_endless:
                    connected.sendall(said[-1])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(60)
        assert not thread.is_alive()


@pytest.mark.parametrize("said", [b"HTTP/1.1 100 Continue\r\n\r\n", b"X-More: and more\r\n"], ids=["continue", "heads"])
def test_an_answer_that_never_begins_is_left(said: bytes) -> None:
    first = b"" if said.startswith(b"HTTP") else b"HTTP/1.1 200 OK\r\n"
    with speaking(first, said * 1_000, is_endless=True) as port, pytest.raises(NoAnswer):
        Post(LOOPBACK, timeout_s=60).send(f"http://127.0.0.1:{port}/", {}, b"{}")


def test_a_length_that_is_none_is_no_answer() -> None:
    said = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n"
    with speaking(said) as port, pytest.raises(NoAnswer):
        Post(LOOPBACK).send(f"http://127.0.0.1:{port}/", {}, b"{}")


def test_what_a_receiver_says_does_not_steer_a_terminal() -> None:
    with speaking(b"NOTHTTP \x1b[2J\r and more\r\n\r\n") as port, pytest.raises(NoAnswer) as refused:
        Post(LOOPBACK).send(f"http://127.0.0.1:{port}/", {}, b"{}")
    assert refused.value.text.isprintable()


def test_this_machine_is_not_public_by_whichever_address(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "is_public", lambda address: True)  # as if it had a public address
    with pytest.raises(Refused, match="this machine"):
        Post(Receivers(), resolve=lambda host, port: ["127.0.0.1"]).send(
            f"https://me.example:{port_of(receiver)}/", {}, b"{}"
        )
    assert receiver.got == []
