"""`lineal runs show`."""

from __future__ import annotations

import click

from lineal.cli.completion import run_ids
from lineal.cli.options import folder_option, json_option, tenant_option


@click.command("show", short_help="Show one run.")
@click.argument("run", metavar="RUN", shell_complete=run_ids)
@folder_option
@tenant_option
@json_option
def show_run(run: str, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Show one run: its params, metrics with their curves, tags, note, files, and what went wrong.

    RUN is a run's id, or any beginning of it that no other run shares."""
    from lineal.cli.opening import opened

    with opened(url, tenant) as store:
        logged = store.get_run(run)
        if as_json:
            from lineal.cli.output import write_json
            from lineal.cli.run_json import describe_run

            write_json(describe_run(logged))
            return
        from lineal.cli.run_page import print_run

        print_run(store, logged)
