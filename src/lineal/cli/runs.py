"""`lineal runs ...`."""

from __future__ import annotations

import click

from lineal.cli.options import folder_option, json_option, tenant_option
from lineal.cli.run_change import delete_runs, restore_runs, tag_runs
from lineal.cli.run_diff import diff_runs
from lineal.cli.run_export import export_runs


@click.group()
def runs() -> None:
    """List runs, look at them, compare and change them."""


runs.add_command(diff_runs)
runs.add_command(tag_runs)
runs.add_command(delete_runs)
runs.add_command(restore_runs)
runs.add_command(export_runs)


@runs.command("list", short_help="List runs, newest first.")
@click.argument("filter", default="", metavar="[FILTER]")
@click.option(
    "--order-by", metavar="KEY", help='Such as "metrics.val/acc desc", params.lr, duration. Else newest first.'
)
@click.option("--limit", type=click.IntRange(0, 50_000), default=20, show_default=True, help="At most so many runs.")
@click.option("--experiment", metavar="NAME", help="Only runs of this experiment.")
@click.option("--deleted", is_flag=True, help="The deleted runs instead; `lineal runs restore` brings them back.")
@folder_option
@tenant_option
@json_option
def list_runs(
    filter: str,
    order_by: str | None,
    limit: int,
    experiment: str | None,
    deleted: bool,
    url: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """List the runs that match FILTER, newest first.

    A filter compares params, metrics, tags and attributes of a run, joined by "and":

    \b
      lineal runs list "params.optimizer/lr = 0.01 and metrics.val/accuracy > 0.97"
      lineal runs list "status = 'failed'" --experiment digits

    Attributes: run_id, name, status, experiment, experiment_id, user_id, parent_run_id, start_time, end_time, duration."""
    from lineal.cli.opening import opened

    with opened(url, tenant) as store:
        experiments = None if experiment is None else [experiment]
        page = store.runs(filter, order_by=order_by, limit=limit, experiments=experiments, deleted=deleted)
        if as_json:
            from lineal.cli.output import write_json

            write_json({"runs": [run.to_dict() for run in page], "total": page.total})
            return
        from lineal.cli.run_table import print_runs

        print_runs(store, page, filter=filter, order_by=order_by, experiment=experiment)


@runs.command("show", short_help="Show one run.")
@click.argument("run", metavar="RUN")
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
