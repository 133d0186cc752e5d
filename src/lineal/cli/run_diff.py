"""`lineal runs diff`."""

from __future__ import annotations

import click

from lineal.cli import completion
from lineal.cli.options import folder_option, json_option, tenant_option
from lineal.model.errors import InvalidInput

RUNS_MIN_COUNT, RUNS_MAX_COUNT = 2, 10


@click.command("diff", short_help="Show in what runs differ, and which is best.")
@click.argument("run_ids", metavar="RUN RUN [RUN]...", nargs=-1, required=True, shell_complete=completion.run_ids)
@click.option("--all", "show_all", is_flag=True, help="Show what is equal, too.")
@click.option("--patch", "show_patch", is_flag=True, help="Show the whole patch between the working trees.")
@folder_option
@tenant_option
@json_option
def diff_runs(
    run_ids: tuple[str, ...], show_all: bool, show_patch: bool, url: str | None, tenant: str | None, as_json: bool
) -> None:
    """Show two to ten runs side by side: in what they differ, section by section. Code, packages, data, environment and hardware are
    those that the runs recorded; the patch between two commits is known where you are in a clone that has both.

    A metric is compared by the value logged last; the best is marked with a star, by the direction that
    define_metric declared, else by its name (a loss is better low). Exit status 0, whether they differ or not."""
    from lineal.cli.opening import opened
    from lineal.client.repository import LocalRepository

    with opened(url, tenant) as store:
        runs = store.get_runs(run_ids)
        if not RUNS_MIN_COUNT <= len(runs) <= RUNS_MAX_COUNT:
            raise InvalidInput(
                f"diff takes {RUNS_MIN_COUNT} to {RUNS_MAX_COUNT} different runs, and got {len(runs)}", field="run_ids"
            )
        with LocalRepository() as repository:
            found = store.diff([run.run_id for run in runs], repository=repository)
        if as_json:
            from lineal.cli.output import write_json
            from lineal.store.difference_view import difference_dict

            write_json(difference_dict(found, show_all=show_all))
            return
        from lineal.cli.diff_page import print_difference

        print_difference(runs, found, show_all=show_all, show_patch=show_patch)
