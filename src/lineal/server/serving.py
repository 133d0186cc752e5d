"""The app on a loopback socket."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn

from lineal.model.errors import Conflict, InvalidInput
from lineal.server.app import make_app
from lineal.server.live import Live
from lineal.server.settings import Settings

if TYPE_CHECKING:
    from lineal.server.source import Source

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 7007
_PORTS_TRIED = 100
_STOP_S = 2
_WAITING_CONNECTIONS = 1024  # a burst of 500 starting runs; the kernel may allow fewer


def listen(port: int | None, host: str = LOOPBACK) -> socket.socket:
    """A socket on that port of that address; without one, on the default port or the next free one. Raises Conflict if it is taken."""
    if port is not None and not 0 <= port <= 65_535:
        raise InvalidInput("a port is a number from 0 to 65535", field="port")
    tried = range(DEFAULT_PORT, DEFAULT_PORT + _PORTS_TRIED) if port is None else (port,)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in tried:
        # With its protocol: asyncio sets TCP_NODELAY only where it is named, and small answers then wait 40 ms for an ack.
        listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, number))
            listener.listen(_WAITING_CONNECTIONS)
        except OSError as error:
            listener.close()
            if error.errno != errno.EADDRINUSE:
                raise
            continue
        return listener
    said = f"port {port} is" if port is not None else f"ports {tried[0]} to {tried[-1]} are"
    raise Conflict(f"{said} taken by another program; choose another with --port", field="port")


class _Server(uvicorn.Server):
    """Lets the live streams go before it waits for connections to end, and says when it answers."""

    def __init__(
        self, config: uvicorn.Config, live: Live, on_ready: Callable[[], None], on_stop: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_stop = on_stop
        self._live = live
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._live.end()
        self._on_stop()
        await super().shutdown(sockets)


def make_server(
    source: Source,
    listener: socket.socket,
    on_ready: Callable[[], None] = lambda: None,
    *,
    any_host: bool = False,
    asks: bool = False,
    on_stop: Callable[[], None] = lambda: None,
) -> uvicorn.Server:
    """What serves on that socket: `run(sockets=[listener])` until SIGINT, SIGTERM or `should_exit`. Leaves the source open."""
    live = Live(source)
    app = make_app(source, live, Settings(port=listener.getsockname()[1], any_host=any_host, asks=asks))
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_STOP_S,
    )
    return _Server(config, live, on_ready, on_stop)
