"""`lineal runs diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lineal.cli import completion
from lineal.cli.options import folder_option, json_option, tenant_option
from lineal.model.errors import InvalidInput

if TYPE_CHECKING:
    from lineal.local import LoggedRun
    from lineal.store.difference import Difference, Row

RUNS_MIN_COUNT, RUNS_MAX_COUNT = 2, 10


@click.command("diff", short_help="Show in what runs differ, and which is best.")
@click.argument("run_ids", metavar="RUN RUN [RUN]...", nargs=-1, required=True, shell_complete=completion.run_ids)
@click.option("--all", "show_all", is_flag=True, help="Show what is equal, too.")
@folder_option
@tenant_option
@json_option
def diff_runs(run_ids: tuple[str, ...], show_all: bool, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Show two to ten runs side by side: in what they differ, section by section.

    A metric is compared by the value logged last; the best is marked with a star, by the direction that
    define_metric declared, else by its name (a loss is better low). Exit status 0, whether they differ or not."""
    from lineal.cli.opening import opened
    from lineal.store.difference import difference

    with opened(url, tenant) as store:
        runs = store.get_runs(run_ids)
        if not RUNS_MIN_COUNT <= len(runs) <= RUNS_MAX_COUNT:
            raise InvalidInput(
                f"diff takes {RUNS_MIN_COUNT} to {RUNS_MAX_COUNT} different runs, and got {len(runs)}", field="run_ids"
            )
        found = difference([run.details for run in runs], [run.series for run in runs])
        if as_json:
            from lineal.cli.output import write_json

            write_json(_describe(runs, found, show_all))
            return
        from lineal.cli.diff_page import print_difference

        print_difference(runs, found, show_all=show_all)


def _describe(runs: list[LoggedRun], found: Difference, show_all: bool) -> dict[str, Any]:
    return {
        "runs": [
            {"run_id": run.run_id, "name": run.name, "experiment": run.experiment, "status": run.status} for run in runs
        ],
        "attributes": [_attribute(row) for row in found.of("attribute", only_differing=not show_all)],
        "params": [_row(row) for row in found.of("param", only_differing=not show_all)],
        "metrics": [
            _row(row) | {"goal": row.goal, "best_run_ids": list(row.best_run_ids)}
            for row in found.of("metric", only_differing=not show_all)
        ],
        "tags": [_row(row) for row in found.of("tag", only_differing=not show_all)],
        "equal_count": sum(not row.differs for row in found.rows),
    }


def _attribute(row: Row) -> dict[str, Any]:
    """Under the names and in the units of the REST run."""
    from lineal.store.run_view import iso_time

    said = _row(row)
    if row.name == "start_time":
        said["values"] = {run_id: iso_time(int(value or 0)) for run_id, value in row.values.items()}
    elif row.name == "duration":
        said["name"] = "duration_seconds"
        said["values"] = {run_id: int(value or 0) / 1_000 for run_id, value in row.values.items()}
    return said


def _row(row: Row) -> dict[str, Any]:
    return {"name": row.name, "values": row.values, "differs": row.differs}
