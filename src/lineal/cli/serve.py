"""`lineal serve`."""

from __future__ import annotations

import ipaddress
import signal
import sys
from pathlib import Path

import click

from lineal.cli.options import json_option

DEFAULT_STORE = "sqlite:///lineal-server/lineal.db"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, metavar="ADDRESS", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=7007, show_default=True, help="Port (0: any free one).")
@click.option(
    "--store",
    default=DEFAULT_STORE,
    show_default=True,
    metavar="URL",
    help="Database: sqlite:///PATH, made if it is not there (a fourth slash begins an absolute path), or postgresql://...",
)
@click.option("--blobs", metavar="PATH", help="Folder of artifact bytes. Without it: `blobs` beside a SQLite database.")
@click.option("--insecure", is_flag=True, help="Listen beyond this machine although nobody has to say who they are.")
@json_option
def serve(host: str, port: int, store: str, blobs: str | None, insecure: bool, as_json: bool) -> None:
    """Serve one address for a team: runs arrive by HTTP, the dashboard shows them. SIGTERM or Ctrl-C ends it.

    A SQLite database takes one server, PostgreSQL several, which share the folder of artifacts. The first line printed is
    the address."""
    if not is_loopback(host) and not insecure:
        raise click.UsageError(
            f"{host} can be reached from other machines, and whoever reaches it can read, change and delete everything: "
            "--insecure says that you want that"
        )
    from lineal.server.hosted import HostedSource
    from lineal.server.serving import listen, make_server
    from lineal.store.open import without_secrets

    with (
        listen(port, "127.0.0.1" if host == "localhost" else host) as listener,
        HostedSource(store, None if blobs is None else Path(blobs)) as source,
    ):
        shown = "localhost" if is_loopback(host) else f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{listener.getsockname()[1]}/"
        server = make_server(
            source,
            listener,
            lambda: _say(address, without_secrets(store), as_json),
            any_host=not is_loopback(host),
            on_stop=source.stop_watching,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: None)  # uvicorn raises again what stopped it; to stop so is no failure
        server.run(sockets=[listener])


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _say(address: str, store: str, as_json: bool) -> None:
    if as_json:
        from lineal.cli.output import write_json

        write_json({"url": address, "store": store})
    else:
        click.echo(f"{address}\nThe tracking server of {store}; Ctrl-C ends it.")
    sys.stdout.flush()
