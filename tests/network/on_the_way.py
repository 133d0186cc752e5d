"""What stands between a client and a server: something that speaks https for the server, and a proxy."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

OPENSSL = shutil.which("openssl")
_BYTES = 65_536


class Signed(NamedTuple):
    """Files (PEM): an authority of this test's own, and a certificate with its key that the authority signed."""

    authority: Path
    certificate: Path
    key: Path


def signed_for(place: Path, host: str) -> Signed:
    """Skips where the machine has no openssl."""
    if OPENSSL is None:
        pytest.skip("needs the program openssl")
    place.mkdir(parents=True, exist_ok=True)
    made = Signed(place / "authority.pem", place / "server.pem", place / "server-key.pem")
    extension, request, authority_key = place / "server.ext", place / "server.csr", place / "authority-key.pem"
    extension.write_text(f"subjectAltName=DNS:{host}\nbasicConstraints=CA:FALSE\n")
    key, days = ["-newkey", "rsa:2048", "-nodes", "-sha256"], ["-days", "30"]
    _openssl(
        *("req", "-x509", *key, *days, "-subj", "/CN=A test's authority"),
        *("-keyout", authority_key, "-out", made.authority),
    )
    _openssl("req", *key, "-subj", f"/CN={host}", "-keyout", made.key, "-out", request)
    _openssl(
        *("x509", "-req", "-in", request, "-sha256", *days, "-extfile", extension, "-out", made.certificate),
        *("-CA", made.authority, "-CAkey", authority_key, "-CAcreateserial"),
    )
    return made


def _openssl(*arguments: object) -> None:
    done = subprocess.run([str(OPENSSL), *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def speaking_https(port: int, signed: Signed) -> Iterator[int]:
    """A port at which a server of this machine's `port` is reached by https."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(signed.certificate, signed.key)

    def meet(client: socket.socket) -> None:
        with (
            context.wrap_socket(client, server_side=True) as spoken,
            socket.create_connection(("127.0.0.1", port)) as behind,
        ):
            join(spoken, behind)

    with accepting(meet) as own:
        yield own


class Tunnel:
    """A proxy that takes every name for this machine. `asked`: the first lines of what it was asked, and its clients' words to it."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.port = 0
        self.wants: str | None = None  # this Proxy-Authorization

    def meet(self, client: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = client.recv(_BYTES)
            if not piece:
                return
            head += piece
        lines = head.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        self.asked.append(lines[0])
        if self.wants is not None and f"Proxy-Authorization: {self.wants}" not in lines:
            client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
            return
        method, target, _ = lines[0].split(" ")
        authority = target if method == "CONNECT" else target.split("/")[2]
        with socket.create_connection(("127.0.0.1", int(authority.rpartition(":")[2]))) as behind:
            if method == "CONNECT":
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:  # one request a connection is enough: what follows on it has the same form, and the same server
                behind.sendall(head.replace(f"http://{authority}".encode(), b"", 1))
            join(client, behind)


@contextlib.contextmanager
def tunnel() -> Iterator[Tunnel]:
    made = Tunnel()
    with accepting(made.meet) as made.port:
        yield made


@contextlib.contextmanager
def accepting(meet: Callable[[socket.socket], None]) -> Iterator[int]:
    """A port of this machine; each connection has a thread, and all are over when the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    open_now: set[socket.socket] = set()

    def one(client: socket.socket) -> None:
        open_now.add(client)
        with contextlib.suppress(OSError), client:
            meet(client)
        open_now.discard(client)

    def run() -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = listener.accept()
                threading.Thread(target=one, args=(client,), daemon=True).start()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(30)
        for client in list(open_now):
            with contextlib.suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)


def join(one: socket.socket, other: socket.socket) -> None:
    """Passes bytes both ways until either side has ended."""

    def back() -> None:
        with contextlib.suppress(OSError, ValueError):
            while piece := other.recv(_BYTES):
                one.sendall(piece)
        with contextlib.suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)

    thread = threading.Thread(target=back, daemon=True)
    thread.start()
    with contextlib.suppress(OSError):
        while piece := one.recv(_BYTES):
            other.sendall(piece)
        other.shutdown(socket.SHUT_WR)
    thread.join(60)
