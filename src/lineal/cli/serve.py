"""`lineal serve`."""

from __future__ import annotations

import ipaddress
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineal.cli.exits import NO
from lineal.cli.options import json_option
from lineal.model.limits import STOP_DRAIN_S

if TYPE_CHECKING:
    from lineal.server.hosted import HostedSource
    from lineal.server.logs import Format

DEFAULT_STORE = "sqlite:///lineal-server/lineal.db"


@click.command(short_help="Serve one address for a team.")
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
@click.option(
    "--auth", is_flag=True, help="Ask everybody who they are: `lineal users add NAME --admin` makes the first."
)
@click.option(
    "--allow-host",
    "hosts",
    multiple=True,
    metavar="NAME",
    help="A name, with a port if wished, that browsers may call the server by (beside localhost); may be given several "
    "times. Without it: any, if it listens beyond this machine.",
)
@click.option(
    "--base-path",
    default="",
    metavar="PATH",
    help="What a proxy puts before every address (/lineal), if it serves the server below a path.",
)
@click.option(
    "--trusted-proxy",
    "trusted_proxies",
    multiple=True,
    metavar="ADDRESS",
    help="Address or network of a proxy whose X-Forwarded-For, -Proto and -Host are believed; may be given several times.",
)
@click.option(
    "--artifact-root",
    default="",
    metavar="URI",
    help="Where MLflow's clients shall keep the files of experiments that they make (s3://bucket/path). The server opens "
    "nothing there. Without it: here.",
)
@click.option(
    "--webhook-receiver",
    "webhook_receivers",
    multiple=True,
    metavar="NAME[:PORT]",
    help="A host, address or network (10.1.0.0/16) that webhooks may lead to although it is private, and by http: its ports "
    "80 and 443, or PORT alone ([fd00::1]:8080; * for every port); may be given several times. Without it: public addresses "
    "by https only.",
)
@click.option("--insecure", is_flag=True, help="Listen beyond this machine although nobody has to say who they are.")
@click.option(
    "--log",
    type=click.Choice(["text", "json", "quiet"]),
    default="text",
    show_default=True,
    help="What standard error gets: a line a request, for people or as JSON, or only what needs attention.",
)
@click.option(
    "--drain",
    type=click.IntRange(0, 3_600),
    default=STOP_DRAIN_S,
    show_default=True,
    metavar="SECONDS",
    help="How long requests may still take once it was told to stop.",
)
@json_option
def serve(
    host: str,
    port: int,
    store: str,
    blobs: str | None,
    auth: bool,
    hosts: tuple[str, ...],
    base_path: str,
    trusted_proxies: tuple[str, ...],
    artifact_root: str,
    webhook_receivers: tuple[str, ...],
    insecure: bool,
    log: Format,
    drain: int,
    as_json: bool,
) -> None:
    """Serve one address for a team: runs arrive by HTTP, the dashboard shows them. SIGTERM or Ctrl-C ends it
    when the requests that it has begun are answered; a second one at once.

    A SQLite database takes one server, PostgreSQL several, which share the folder of artifacts. The first line printed is
    the address."""
    if not is_loopback(host) and not (auth or insecure):
        raise click.UsageError(
            f"{host} can be reached from other machines, and whoever reaches it can read, change and delete everything: "
            "--auth asks who they are, --insecure says that you want that"
        )
    from lineal.server.hosted import HostedSource
    from lineal.server.logs import logging_to
    from lineal.server.observed import Observed
    from lineal.server.proxies import base_path_of, network_of
    from lineal.server.serving import allow_connections, end_at_once, listen, make_server
    from lineal.server.webhooks.addresses import receivers_of
    from lineal.store.open import without_secrets

    base_path = base_path_of(base_path)
    for proxy in trusted_proxies:
        network_of(proxy)
    artifact_root = _checked_root(artifact_root)
    receivers = receivers_of(webhook_receivers)
    allow_connections()
    observed = Observed()
    place = None if blobs is None else Path(blobs)
    with (
        logging_to(form=log),
        listen(port, "127.0.0.1" if host == "localhost" else host) as listener,
        HostedSource(store, place, observed.committed, receivers=receivers, on_try=observed.tried) as source,
    ):
        if auth:
            _say_if_nobody(source, store)
        shown = "localhost" if is_loopback(host) else f"[{host}]" if ":" in host else host
        address = f"http://{shown}:{listener.getsockname()[1]}{base_path}/"
        server = make_server(
            source,
            listener,
            lambda: _say(address, without_secrets(store), as_json),
            any_host=not is_loopback(host),
            asks=auth,
            hosts=hosts,
            base_path=base_path,
            trusted_proxies=trusted_proxies,
            artifact_root=artifact_root,
            observed=observed,
            drain_s=drain,
            raises_again=False,
            on_stop=source.stop_watching,
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, end_at_once)  # before the server takes signals and after it has stopped
        server.run(sockets=[listener])
    if server.cut_off_count:
        click.echo(f"lineal: {server.cut_off_count} requests were cut off: they took longer than {drain} s", err=True)
        click.get_current_context().exit(NO)


def _say_if_nobody(source: HostedSource, store: str) -> None:
    from lineal.store.open import is_shared

    with source.opened() as opened:
        if opened.people().list_users():
            return
    stop = "" if is_shared(store) else "stop it, then "
    click.echo(f"lineal: nobody can sign in yet: {stop}`lineal users add NAME --admin --url {store}`", err=True)


def _checked_root(location: str) -> str:
    from lineal.model.errors import LinealError
    from lineal.server.compat.mlflow.names import check_location

    if "?" in location:
        raise click.UsageError("--artifact-root: paths are added at its end, so it has no query")
    try:
        return check_location(location).rstrip("/")
    except LinealError as error:
        raise click.UsageError(f"--artifact-root: {error.message}") from None


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
