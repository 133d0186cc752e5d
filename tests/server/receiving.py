"""A receiver of webhooks: an HTTP or HTTPS server of the test's own that keeps what it gets and answers as it is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.server
import json
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

WAIT_S = 60.0


class Got(NamedTuple):
    path: str
    headers: dict[str, str]
    content: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def delivery_id(self) -> str:
        return self.headers["x-mlflow-delivery-id"]

    def is_signed_with(self, secret: str) -> bool:
        """As MLflow's documentation tells receivers to check it, in words of our own."""
        version, _, given = self.headers.get("x-mlflow-signature", "").partition(",")
        said = f"{self.delivery_id}.{self.headers['x-mlflow-timestamp']}.{self.content.decode()}"
        made = hmac.new(secret.encode(), said.encode(), hashlib.sha256).digest()
        return version == "v1" and hmac.compare_digest(base64.b64encode(made).decode(), given)


@dataclass
class Receiver:
    """`answer` says with which status and headers a request is answered; by default 200."""

    url: str = ""
    listen: Callable[[], None] = lambda: None
    answer: Callable[[Got], tuple[int, dict[str, str], bytes]] = lambda got: (200, {}, b"thanks")
    got: list[Got] = field(default_factory=list)
    heard: threading.Condition = field(default_factory=threading.Condition)

    def take(self, got: Got) -> tuple[int, dict[str, str], bytes]:
        with self.heard:
            self.got.append(got)
            self.heard.notify_all()
        return self.answer(got)

    def wait(self, count: int) -> list[Got]:
        """Until so many have come."""
        with self.heard:
            assert self.heard.wait_for(lambda: len(self.got) >= count, WAIT_S), f"{len(self.got)} of {count} came"
            return list(self.got)


@contextmanager
def receiving(tls: Path | None = None, *, listens: bool = True) -> Iterator[Receiver]:
    """`tls`: a folder with the certificate of `certificate`. One that does not listen refuses connections until it is told to."""
    receiver = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, more, body = receiver.take(Got(self.path, headers, content))
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **more}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *arguments: Any) -> None:
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *arguments: Any) -> None:
            pass  # who hangs up is part of a test

    server = Server(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.server_bind()
    scheme = "http"
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / "cert.pem", tls / "key.pem")
        server.socket = context.wrap_socket(server.socket, server_side=True)
        scheme = "https"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="a receiver")

    def listen() -> None:
        server.server_activate()
        thread.start()

    receiver.listen = listen
    if listens:
        listen()
    receiver.url = f"{scheme}://127.0.0.1:{server.server_port}"
    try:
        yield receiver
    finally:
        if thread.is_alive():
            server.shutdown()
            thread.join()
        server.server_close()


def certificate(folder: Path, name: str) -> Path:
    """A folder with a certificate of its own for that host."""
    folder.mkdir()
    key = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
    of = ("-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}", "-keyout", "key.pem", "-out", "cert.pem")
    subprocess.run(["openssl", *key, *of], cwd=folder, check=True, capture_output=True)
    return folder
