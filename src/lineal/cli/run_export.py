"""`lineal runs export`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lineal.cli.options import experiment_option, folder_option, json_option, tenant_option
from lineal.model.errors import InvalidInput

if TYPE_CHECKING:
    from lineal.local import LocalStore

FORMATS = ("csv", "json", "jsonl", "parquet")
_SUFFIXES = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}


@click.command("export", short_help="Write runs, or all their points, as CSV, JSON or Parquet.")
@click.argument("filter", default="", metavar="[FILTER]")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Without it: by the file's suffix, else csv.")
@click.option("--points", is_flag=True, help="Every point of the runs, instead of a row a run.")
@click.option("--metric", "metrics", metavar="NAME", multiple=True, help="With --points, only this metric; repeatable.")
@click.option(
    "-o", "--output", metavar="FILE", help="Write to this file, whole or not at all. Without it: standard output."
)
@click.option("--order-by", metavar="KEY", multiple=True, help="As in `lineal runs list`. Else newest first.")
@experiment_option
@click.option("--deleted", is_flag=True, help="The deleted runs instead.")
@folder_option
@tenant_option
@json_option
def export_runs(
    filter: str,
    format_: str | None,
    points: bool,
    metrics: tuple[str, ...],
    output: str | None,
    order_by: tuple[str, ...],
    experiment: str | None,
    deleted: bool,
    url: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Write all runs that match FILTER, newest first: a row a run, with a column for each param, metric and tag.

    With --points every point they logged, bit-exact, in order of logging (in Parquet, steps and values are float64).
    Memory does not grow with the number of runs. With --json and a file, says what was written; without a file, --json
    is --format json."""
    from lineal.cli.opening import opened
    from lineal.cli.selection import matching

    format_ = _format(format_, output, as_json=as_json)
    if metrics and not points:
        raise InvalidInput("--metric goes with --points; a row a run has all metrics", field="metric")
    with opened(url, tenant) as store:
        names = None if experiment is None else [experiment]
        total = store.runs(filter, limit=0, experiments=names, deleted=deleted).total
        runs = matching(
            store, filter, order_by=order_by, lifecycle="deleted" if deleted else "active", experiments=names
        )
        with _progress(total) as told:
            count, size = _write(store, runs, format_, points, metrics, output, told)
    if output is not None:
        _say(output, format_, points, count, size, as_json)


def _format(asked: str | None, output: str | None, *, as_json: bool) -> str:
    if as_json and output is None and asked not in (None, "json"):
        raise InvalidInput(f"--json without a file is --format json, not {asked}; give -o FILE", field="format")
    if asked is None:
        suffix = Path(output).suffix.lower() if output else ""
        asked = "json" if as_json and output is None else _SUFFIXES.get(suffix, "csv")
    if asked == "parquet":
        from lineal.cli.export_parquet import check_parquet

        check_parquet()
        if output is None:
            raise InvalidInput("Parquet is written to a file: give -o FILE", field="output")
    return asked


def _write(
    store: LocalStore,
    runs: Iterator[Any],
    format_: str,
    points: bool,
    metrics: tuple[str, ...],
    output: str | None,
    told: Callable[[int], None],
) -> tuple[int, int]:
    """Returns the number of rows, and the size of the file (0 for standard output)."""
    from lineal.cli.export_rows import point_rows, run_rows
    from lineal.cli.writing import replacing

    rows: Any = point_rows(store, runs, metrics, told) if points else run_rows(store, runs, told)
    write = _writer(format_, points)
    if output is None:
        return write(rows, sys.stdout), 0
    with ExitStack() as stack:
        draft = stack.enter_context(replacing(output))
        if format_ == "parquet":
            count = write(rows, draft)
        else:
            with draft.open("w", encoding="utf-8", newline="") as file:
                count = write(rows, file)
        return count, draft.stat().st_size


def _writer(format_: str, points: bool) -> Callable[[Any, Any], int]:
    from lineal.cli import export_text

    if format_ == "parquet":
        from lineal.cli import export_parquet

        return export_parquet.points_parquet if points else export_parquet.runs_parquet
    of_points = {"csv": export_text.points_csv, "json": export_text.points_json, "jsonl": export_text.points_jsonl}
    of_runs = {"csv": export_text.runs_csv, "json": export_text.runs_json, "jsonl": export_text.runs_jsonl}
    return of_points[format_] if points else of_runs[format_]


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while it is a terminal, gone at the end."""
    if not sys.stderr.isatty() or sys.stdout.isatty():  # a bar between the rows on a terminal helps nobody
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Exporting runs"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
        task = bar.add_task("", total=total)
        yield lambda more: bar.advance(task, more)


def _say(output: str, format_: str, points: bool, count: int, size: int, as_json: bool) -> None:
    from lineal.cli.wording import bytes_text, count_text, printable

    kind = "points" if points else "runs"
    if as_json:
        from lineal.cli.output import write_json

        write_json({"file": output, "format": format_, "kind": kind, "count": count, "size_bytes": size})
        return
    click.echo(f"Wrote {count_text(count, kind[:-1])} to {printable(output)} ({bytes_text(size)}).")
