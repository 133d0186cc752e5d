"""A proxy before a server that behaves as bad networks and bad proxies do, by a seed.

Whatever it does to a request, the server behind it is real. What it did is counted, so that a test can say that each fault was
met."""

from __future__ import annotations

import asyncio
import contextlib
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple, TypeAlias, get_args

Fault: TypeAlias = Literal[
    "dropped",
    "request_cut",
    "reply_cut",
    "reply_lost",
    "twice",
    "late_again",
    "delayed",
    "status_500",
    "status_500_after",
    "status_503",
    "status_429",
    "html_200",
    "html_502",
]
"""dropped: closed before anything was passed on. request_cut, reply_cut: half of it passed on. reply_lost: the server has
answered, the client never hears. twice: passed on two times. late_again: passed on once more, after later ones. The rest is
answered by the proxy itself, `_after` when the server had done it."""

FAULTS: tuple[Fault, ...] = get_args(Fault)
_HTML = b"<!doctype html><title>Bad gateway</title><h1>Something is wrong here</h1>"
_HOST = re.compile(rb"\r\nhost:[^\r]*\r\n", re.I)
_DELAY_MAX_S = 0.03


class _Message(NamedTuple):
    """A request or an answer, whole."""

    head: bytes
    body: bytes

    @property
    def data(self) -> bytes:
        return self.head + self.body


class FaultProxy:
    """`rate` of the requests meet a fault. Serves on a port of its own, in a thread of its own, until `close`."""

    def __init__(self, host: str, port: int, *, seed: int, rate: float, faults: tuple[Fault, ...] = FAULTS) -> None:
        self.rate = rate
        self.counts: Counter[str] = Counter()
        self._behind = (host, port)
        self._faults = faults
        self._chance = random.Random(seed)
        self._late: list[bytes] = []
        self._held = b""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._server: asyncio.Server
        self._thread = threading.Thread(target=self._serve, name="fault-proxy", daemon=True)
        self._thread.start()
        self._ready.wait()
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://localhost:{self.port}"

    def behind(self, port: int) -> None:
        """The server has moved to another port."""
        self._behind = (self._behind[0], port)

    def hold(self, beginning: str) -> None:
        """Requests that begin so wait until `let_go`."""
        self._held = beginning.encode()

    def let_go(self) -> None:
        self._held = b""

    def close(self) -> None:
        """Idempotent."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    # -- the thread -----------------------------------------------------------------------------

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._server = self._loop.run_until_complete(asyncio.start_server(self._meet, "localhost", 0, limit=2**26))
        self._ready.set()
        self._loop.run_forever()
        self._server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.01))
        self._loop.close()

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (request := await _read_message(reader)) is not None:
                host = "\r\nHost: %s:%d\r\n" % self._behind
                request = request._replace(head=_HOST.sub(host.encode(), request.head, count=1))
                if not await self._pass_on(request, writer):
                    break
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:
            return
        finally:
            writer.close()

    async def _pass_on(self, request: _Message, writer: asyncio.StreamWriter) -> bool:
        """Whether the connection stays open."""
        while self._held and request.head.startswith(self._held):
            await asyncio.sleep(0.01)
        fault = self._chance.choice(self._faults) if self._chance.random() < self.rate else None
        self.counts[fault or "passed"] += 1
        if fault == "dropped":
            return False
        if fault == "request_cut":
            cut = request.data[: len(request.head) + len(request.body) // 2 - 1]
            await self._ask(cut, is_whole=False)
            return False
        if fault == "late_again":
            self._late.append(request.data)
        if fault == "delayed":
            await asyncio.sleep(self._chance.uniform(0, _DELAY_MAX_S))
        own = _own_answer(fault)
        if own is not None:
            writer.write(own)
            await writer.drain()
            return not request.head.startswith(b"HEAD ")  # whose answers have no body
        answer = await self._ask(request.data)
        if fault == "twice":
            answer = await self._ask(request.data)
        if self._late and self._chance.random() < 0.3:
            await self._ask(self._late.pop(0))
        if answer is None or fault == "reply_lost":
            return False
        if fault == "status_500_after":
            writer.write(_answer(500, b"text/plain", b"worker died"))
        elif fault == "reply_cut":
            writer.write(answer.data[: len(answer.data) // 2])
        else:
            writer.write(answer.data)
        await writer.drain()
        return fault != "reply_cut"

    async def _ask(self, request: bytes, *, is_whole: bool = True) -> _Message | None:
        """The server's answer; None if it has none."""
        try:
            reader, writer = await asyncio.open_connection(*self._behind, limit=2**26)
        except OSError:
            return None
        try:
            writer.write(request)
            await writer.drain()
            return await _read_message(reader, has_body=not request.startswith(b"HEAD ")) if is_whole else None
        except (OSError, asyncio.IncompleteReadError):
            return None
        finally:
            writer.close()


@contextlib.contextmanager
def faulty(host: str, port: int, *, seed: int, rate: float, faults: tuple[Fault, ...] = FAULTS) -> Iterator[FaultProxy]:
    proxy = FaultProxy(host, port, seed=seed, rate=rate, faults=faults)
    try:
        yield proxy
    finally:
        proxy.close()


def _own_answer(fault: Fault | None) -> bytes | None:
    made: dict[str, Callable[[], bytes]] = {
        "status_500": lambda: _answer(500, b"application/json", b"{}"),
        "status_503": lambda: _answer(503, b"text/plain", b"later", b"Retry-After: 0\r\n"),
        "status_429": lambda: _answer(429, b"text/plain", b"slowly", b"Retry-After: 0\r\n"),
        "html_200": lambda: _answer(200, b"text/html", _HTML),
        "html_502": lambda: _answer(502, b"text/html", _HTML),
    }
    make = made.get(fault or "")
    return None if make is None else make()


def _answer(status: int, media_type: bytes, body: bytes, more: bytes = b"") -> bytes:
    head = b"HTTP/1.1 %d Fault\r\nContent-Type: %s\r\nContent-Length: %d\r\n" % (status, media_type, len(body))
    return head + more + b"\r\n" + body


async def _read_message(reader: asyncio.StreamReader, *, has_body: bool = True) -> _Message | None:
    """None where the other side has closed. Bodies have a Content-Length here, or none."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise
        return None
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    return _Message(head, await reader.readexactly(length) if length and has_body else b"")
