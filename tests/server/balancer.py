"""One address before several servers: every request goes to the next one, none of them is asked twice."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Sequence
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Balancer:
    """Passes each request to the next of the ports, and to the one after if nobody listens there. If a server goes away
    with a request, that is answered with 502, since nobody knows what became of it."""

    def __init__(self, ports: Sequence[int]) -> None:
        turns = itertools.cycle(ports)
        guard = threading.Lock()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length) if length else None
                status, headers, content = self._ask(body)
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() in ("content-type", "retry-after", "etag"):
                        self.send_header(name, value)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PATCH = answer

            def _ask(self, body: bytes | None) -> tuple[int, list[tuple[str, str]], bytes]:
                for _ in ports:
                    with guard:
                        port = next(turns)
                    backend = HTTPConnection("127.0.0.1", port, timeout=60)
                    try:
                        backend.connect()
                    except OSError:
                        continue
                    try:
                        given = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                        backend.request(self.command, self.path, body, {**given, "host": f"localhost:{port}"})
                        answer = backend.getresponse()
                        return answer.status, answer.getheaders(), answer.read()
                    except (OSError, HTTPException):
                        break
                    finally:
                        backend.close()
                return 502, [("content-type", "text/plain")], b"gone"

            def log_message(self, *_: object) -> None:
                """Not in tests."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

            def handle_error(self, request: object, address: object) -> None:
                """A client that hung up."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/api/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def __enter__(self) -> Balancer:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
