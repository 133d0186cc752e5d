"""The app on a loopback socket."""

from __future__ import annotations

import errno
import logging
import os
import resource
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

import uvicorn

from lineal.model.errors import Conflict, InvalidInput
from lineal.model.limits import CONNECTIONS_MAX_COUNT, HEAD_TIMEOUT_S, STOP_DRAIN_S
from lineal.server.app import make_app
from lineal.server.bounds import Bounds
from lineal.server.live import Live
from lineal.server.observed import Observed
from lineal.server.protocol import protocol_within
from lineal.server.seen import SeenApp
from lineal.server.settings import Settings
from lineal.server.slow_bodies import SlowBodies

if TYPE_CHECKING:
    from types import FrameType

    from lineal.server.source import Source

LOG = logging.getLogger("lineal.server")
LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 7007
_PORTS_TRIED = 100
_OTHER_FILES = 512  # of the database, artifacts on their way, pages
_WAITING_CONNECTIONS = 1024  # a burst of 500 starting runs; the kernel may allow fewer


def allow_connections() -> None:
    """As many files as the bound of connections takes, where the system lets this process have them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS_MAX_COUNT + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


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


class Server(uvicorn.Server):
    """Lets the live streams go before it waits for connections to end, and says when it answers. `cut_off_count`: requests that
    had not been answered when the time to stop was up. `raises_again`: the signal that stopped it ends the process after it."""

    def __init__(
        self,
        config: uvicorn.Config,
        live: Live,
        on_ready: Callable[[], None],
        on_stop: Callable[[], None],
        *,
        raises_again: bool,
    ) -> None:
        super().__init__(config)
        self._on_stop = on_stop
        self._live = live
        self._on_ready = on_ready
        self.cut_off_count = 0
        self._raises_again = raises_again

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._live.end()
        self._on_stop()
        LOG.info("stopping: %d requests are being answered", len(self.server_state.tasks))
        await super().shutdown(sockets)
        self.cut_off_count = len(self.server_state.tasks)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal stops it; a second one is somebody who will not wait. What was answered is on disk already."""
        if self.should_exit:
            end_at_once(sig)
        if self._raises_again:
            super().handle_exit(sig, frame)
        self.should_exit = True


def end_at_once(sig: int, frame: FrameType | None = None) -> None:
    os._exit(128 + sig)


def make_server(
    source: Source,
    listener: socket.socket,
    on_ready: Callable[[], None] = lambda: None,
    *,
    any_host: bool = False,
    asks: bool = False,
    observed: Observed | None = None,
    bounds: Bounds = Bounds(),  # noqa: B008 (frozen)
    drain_s: int = STOP_DRAIN_S,
    raises_again: bool = True,
    hosts: tuple[str, ...] = (),
    base_path: str = "",
    trusted_proxies: tuple[str, ...] = (),
    artifact_root: str = "",
    on_stop: Callable[[], None] = lambda: None,
) -> Server:
    """What serves on that socket: `run(sockets=[listener])` until SIGINT, SIGTERM or `should_exit`. Leaves the source open."""
    live = Live(source)
    observed = observed or Observed()
    settings = Settings(
        port=listener.getsockname()[1],
        any_host=any_host,
        asks=asks,
        hosts=hosts,
        base_path=base_path,
        trusted_proxies=trusted_proxies,
        artifact_root=artifact_root,
    )
    app = make_app(source, live, settings, observed)
    config = uvicorn.Config(
        SeenApp(SlowBodies(app, bounds, observed), observed),
        http=protocol_within(bounds, observed),
        loop="asyncio",
        timeout_keep_alive=int(HEAD_TIMEOUT_S),
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=drain_s,
    )
    return Server(config, live, on_ready, on_stop, raises_again=raises_again)
