"""`lineal sync`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from lineal.cli.exits import NO, UNREACHABLE
from lineal.cli.options import json_option
from lineal.model.errors import InvalidInput

if TYPE_CHECKING:
    from lineal.client.address import ServerAddress
    from lineal.client.sync import Sync, SyncedRun
    from lineal.client.transport import Transport
    from lineal.ingest.retell import ToldVersion
    from lineal.journal.layout import Folder

_GOOD_SHOWN_MAX_COUNT = 20
_NO_TENANT = "no tenant "
"""So a server begins its refusal."""


@click.command(short_help="Send what servers do not have yet, and check it.")
@click.argument("path", metavar="[PATH]", default=None, required=False)
@click.option(
    "--url", metavar="URL", help="Send to this server. Without it: to the one that each run was recorded for."
)
@click.option("--to", metavar="URL", help="Send the folder's own runs, recorded without a server, to this one.")
@click.option(
    "--tenant",
    metavar="NAME",
    help="With --to: the tenant there that gets the runs which were recorded without one. Without it: 'default'.",
)
@json_option
def sync(path: str | None, url: str | None, to: str | None, tenant: str | None, as_json: bool) -> None:
    """Send what servers do not have yet, and check that they have all.

    PATH is a Lineal folder, or one of those in its `servers`; without it the one that is found as LINEAL_FOLDER says.
    It may be used at any time and as often as you like, also while runs are recorded and after their process was killed.

    Runs that were recorded into the folder itself, for no server, are sent with --to: all that have ended and are not
    deleted, and later, with the same words, what is new of them. They stay here, too.

    Each run is compared: how many records and points are here, and how many the server has. Exit status 1 if a run could
    not be sent whole (it is named, and the others are sent), 5 if a server does not answer."""
    if to is not None and url is not None:
        raise InvalidInput(
            "--to sends the folder's own runs, --url those of another server: give one of them", field="to"
        )
    if tenant is not None and to is None:
        raise InvalidInput("--tenant goes with --to: what was recorded for a server has its tenant", field="tenant")
    if to is not None:
        results = [_sync_own(path, to, tenant, as_json)]
    else:
        results = [_sync_one(folder, server, as_json) for folder, server in _chosen(path, url)]
    if as_json:
        from lineal.cli.output import write_json

        write_json({"servers": [_describe(*result) for result in results]})
    elif not results:
        click.echo(
            "Nothing was recorded for a server here. What was recorded without one is sent by: lineal sync --to URL"
        )
    runs = [run for _, _, of_server in results for run in of_server]
    if any(run.state == "left" for run in runs):
        raise SystemExit(UNREACHABLE)
    if not all(run.is_good for run in runs):
        raise SystemExit(NO)


def _chosen(path: str | None, url: str | None) -> list[tuple[Folder, ServerAddress]]:
    """What is to be sent, and to whom."""
    from lineal.client.address import parse_address
    from lineal.client.outbox import find_server, list_outboxes
    from lineal.client.settings import resolve_outer_root
    from lineal.journal.layout import Folder
    from lineal.model.errors import NotFound

    asked = None if url is None else parse_address(url)
    root = Folder(path if path is not None else resolve_outer_root())
    if path is not None and not root.check() and not list_outboxes(root.root):
        raise NotFound(f"{path} is no Lineal folder", field="path")
    own = find_server(root)
    if own is not None:
        return [(root, asked or own)]
    found = [(folder, find_server(folder)) for folder in list_outboxes(root.root)]
    known = [(folder, server) for folder, server in found if server is not None]
    if asked is None or not known:
        return known
    of_asked = [(folder, server) for folder, server in known if server == asked]
    if not of_asked and len(known) > 1:
        places = ", ".join(folder.root for folder, _ in known)
        raise InvalidInput(f"several servers' runs are here; name the folder of those to send: {places}", field="path")
    return of_asked or [(known[0][0], asked)]


def _sync_own(
    path: str | None, to: str, tenant: str | None, as_json: bool
) -> tuple[Folder, ServerAddress, list[SyncedRun]]:
    """What the folder itself holds, told as journals, which are then sent as any others are."""
    from lineal.cli.sync_own import judged, lock, outbox_of, retell
    from lineal.client.address import parse_address
    from lineal.client.settings import resolve_outer_root
    from lineal.journal.layout import Folder

    server = parse_address(to)
    root = Folder(path if path is not None else resolve_outer_root())
    outbox = outbox_of(root, server)
    retold, versions = retell(root, outbox, lambda tenant: _transport(server, tenant), tenant)
    runs = _send(outbox, server)
    there = {(run.tenant, run.run_id) for run in runs if run.is_good}
    locks = [one for one in retold if one.locked and (one.state == "same" or (one.tenant, one.run_id) in there)]
    if locks:
        lock(outbox, locks)
        runs += [run for run in _send(outbox, server) if run.run_id is None and not run.is_good]
    if not any(run.state == "left" for run in runs):
        runs += _compare_versions(versions, server)
    were_told = {run.name for run in runs if not run.is_good}
    own = list(judged(runs, retold))
    for run in own:
        if run.name not in were_told:
            _tell(run)
    if not as_json:
        _say(server, own, sum(one.state == "same" for one in retold))
    if tenant is None and any(run.why.startswith(_NO_TENANT) for run in own):
        click.echo(
            "lineal: --tenant NAME sends what was recorded without a tenant to one that you are a member of", err=True
        )
    return outbox, server, own


def _compare_versions(versions: list[ToldVersion], server: ServerAddress) -> list[SyncedRun]:
    """Says which are called otherwise there; those that are missing."""
    from lineal.cli.sync_own import numbers_there
    from lineal.cli.wording import printable
    from lineal.client.sync import SyncedRun

    missing = []
    for version, there in numbers_there(versions, lambda tenant: _transport(server, tenant)):
        here = f"{version.name}/{version.number}"
        if not there:
            missing.append(SyncedRun(version.tenant, f"version {here}", "left", "the server does not have it"))
        elif there != here:
            click.echo(f"lineal: version {printable(here)} is {printable(there)} there", err=True)
    return missing


def _sync_one(folder: Folder, server: ServerAddress, as_json: bool) -> tuple[Folder, ServerAddress, list[SyncedRun]]:
    folder.check()
    runs = _send(folder, server)
    if not as_json:
        _say(server, runs)
    return folder, server, runs


def _send(folder: Folder, server: ServerAddress) -> list[SyncedRun]:
    from lineal.client.sync import Sync

    sync = Sync(folder, lambda tenant: _transport(server, tenant))
    runs = []
    with _progress(sync, server) as told:
        for run in sync.run():
            runs.append(run)
            told(run)
    return runs


def _transport(server: ServerAddress, tenant: str) -> Transport:
    import os

    from lineal.client.login import find_token
    from lineal.client.transport import Transport
    from lineal.model.ids import DEFAULT_TENANT

    is_named = tenant != DEFAULT_TENANT or bool(os.environ.get("LINEAL_TENANT"))
    return Transport(server, token=lambda: find_token(server), tenant=tenant if is_named else None)


@contextmanager
def _progress(sync: Sync, server: ServerAddress) -> Iterator[Callable[[SyncedRun], None]]:
    """A bar on standard error while it is a terminal; a line for each run that is not good, at once."""

    if not sys.stderr.isatty():
        yield _tell
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn(f"Sending to {server.url}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=sync.waiting_bytes())
        sync.on_bytes = lambda more: bar.advance(task, more)
        yield _tell


def _tell(run: SyncedRun) -> None:
    from lineal.cli.wording import printable

    if not run.is_good:
        click.echo(f"lineal: {printable(run.name)}: {_WORDS[run.state]}: {printable(run.why)}", err=True)


_WORDS = {
    "whole": "there",
    "live": "there so far; its process goes on",
    "damaged": "damaged",
    "left": "not all there",
    "refused": "not sent",
    "waits": "not sent yet",
}


def _say(server: ServerAddress, runs: list[SyncedRun], same_count: int = 0) -> None:
    from lineal.cli.wording import bytes_text, count_text, printable

    sent = [run for run in runs if run.sent_bytes]
    for run in sent[:_GOOD_SHOWN_MAX_COUNT]:
        if run.is_good:
            points = "" if run.points_there is None else f", {run.points_there:,} points"
            click.echo(
                f"{printable(run.name)[:12]}  {run.records_there:,} of {run.records:,} records{points}  {_WORDS[run.state]}"
            )
    if len(sent) > _GOOD_SHOWN_MAX_COUNT:
        click.echo(f"... and {len(sent) - _GOOD_SHOWN_MAX_COUNT:,} more")
    good = [run for run in runs if run.is_good]
    size = sum(run.sent_bytes for run in runs)
    records, there = sum(run.records for run in good), sum(run.records_there for run in good)
    if good:
        told = "all" if there == records else f"{there:,} of"
        click.echo(
            f"{server.url} has {told} {records:,} records of {count_text(len(good), 'run')}; sent {bytes_text(size)} now."
        )
    if same_count:
        click.echo(f"Nothing is new of {count_text(same_count, 'run')} sent before.")
    bad = [run for run in runs if not run.is_good]
    if not good and not bad and not same_count:
        click.echo(f"{server.url}: there is nothing to send.")
    if bad:
        click.echo(f"Not all of: {', '.join(printable(run.name) for run in bad[:_GOOD_SHOWN_MAX_COUNT])}")


def _describe(folder: Folder, server: ServerAddress, runs: list[SyncedRun]) -> dict[str, Any]:
    return {
        "url": server.url,
        "folder": folder.root,
        "sent_bytes": sum(run.sent_bytes for run in runs),
        "runs": [
            {
                "run_id": run.run_id,
                "tenant": run.tenant,
                "state": run.state,
                "why": run.why,
                "records": run.records,
                "records_there": run.records_there,
                "points": run.points,
                "points_there": run.points_there,
                "losses_there": run.losses_there,
                "sent_bytes": run.sent_bytes,
            }
            for run in runs
        ],
    }
