"""`lineal runs lock` and `unlock`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from lineal.cli import completion
from lineal.cli.options import filter_option, folder_option, json_option, tenant_option

if TYPE_CHECKING:
    from lineal.model.entities import Run


@click.command("lock", short_help="Lock runs: they refuse changes.")
@click.argument("run_ids", metavar="[RUN]...", nargs=-1, shell_complete=completion.run_ids)
@filter_option
@folder_option
@tenant_option
@json_option
def lock_runs(run_ids: tuple[str, ...], filter: str | None, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Lock the runs named, or all that --filter finds: from now on they refuse every change, and what a program still logs to
    them is dropped and counted.

    A run that is still running is refused (exit status 4): end it first. `lineal runs unlock` opens it again."""
    _set(True, run_ids, filter, url=url, tenant=tenant, as_json=as_json)


@click.command("unlock", short_help="Unlock runs.")
@click.argument("run_ids", metavar="[RUN]...", nargs=-1, shell_complete=completion.run_ids)
@filter_option
@folder_option
@tenant_option
@json_option
def unlock_runs(
    run_ids: tuple[str, ...], filter: str | None, url: str | None, tenant: str | None, as_json: bool
) -> None:
    """Let the runs named, or all that --filter finds, be changed again. What they refused meanwhile does not come back."""
    _set(False, run_ids, filter, url=url, tenant=tenant, as_json=as_json)


def _set(
    locked: bool, run_ids: Sequence[str], filter: str | None, *, url: str | None, tenant: str | None, as_json: bool
) -> None:
    from lineal import api
    from lineal.cli.opening import opened
    from lineal.cli.selection import chosen
    from lineal.cli.wording import count_text

    with opened(url, tenant) as store:
        found: Sequence[Run] = chosen(store, run_ids, filter)
    changed = [run.run_id for run in found if run.is_locked != locked]
    if changed:
        api.set_lock(changed, locked, url=url, tenant=tenant)
    if as_json:
        from lineal.cli.output import write_json

        unchanged = [run.run_id for run in found if run.is_locked == locked]
        write_json({"run_ids": changed, "count": len(changed), "unchanged_run_ids": unchanged})
        return
    word = "Locked" if locked else "Unlocked"
    if changed:
        click.echo(f"{word} {count_text(len(changed), 'run')}.")
    else:
        click.echo(f"Nothing to do: {count_text(len(found), 'run')} {'locked already' if locked else 'not locked'}.")
