"""`lineal runs stop`: asks a running run to end."""

from __future__ import annotations

import click

from lineal.cli import completion
from lineal.cli.options import folder_option, json_option, tenant_option


@click.command("stop", short_help="Ask a running run to stop.")
@click.argument("run", metavar="RUN", shell_complete=completion.run_ids)
@folder_option
@tenant_option
@json_option
def stop_run(run: str, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Ask a running run to stop.

    Its program decides when: it asks `run.should_stop` in its loop, and sees the wish within seconds. Nothing is killed. Exit
    status 4 if the run is not running."""
    from lineal import api
    from lineal.cli.opening import opened
    from lineal.cli.wording import printable

    with opened(url, tenant) as store:
        logged = store.get_run(run)
    api.stop_run(logged.run_id, url=url, tenant=tenant)
    if as_json:
        from lineal.cli.output import write_json

        write_json({"run_id": logged.run_id, "asked": True})
        return
    click.echo(f"Asked run {logged.run_id[:8]} ({printable(logged.name)}) to stop.")
