"""`lineal import ...`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lineal.cli.exits import NO
from lineal.cli.options import folder_option, json_option, tenant_option

if TYPE_CHECKING:
    from lineal.importing.mlflow_import import Progress
    from lineal.importing.nouns import Source
    from lineal.importing.tally import Tally

_SHOWN_MAX_COUNT = 20


@click.group("import")
def import_() -> None:
    """Take over what another tracker has kept."""


@import_.command("mlflow", short_help="Take over an MLflow database or mlruns folder.")
@click.argument("source", metavar="SOURCE")
@click.option("--artifacts", metavar="FOLDER", help="Where the artifacts of runs lie: FOLDER/EXPERIMENT/RUN/artifacts.")
@click.option("--workspace", metavar="NAME", default="default", show_default=True, help="MLflow's workspace.")
@click.option(
    "--unknown-schema", is_flag=True, help="Read a database of a revision that is not known, if it has what is needed."
)
@folder_option
@tenant_option
@json_option
def import_mlflow(
    source: str,
    artifacts: str | None,
    workspace: str,
    unknown_schema: bool,
    url: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Take over what MLflow has kept in SOURCE: sqlite:///PATH, postgresql://HOST/DATABASE, or an mlruns folder.

    SOURCE is only read. Ids, names, steps, times and values stay; files of artifacts are copied, and of those that lie elsewhere
    the address is kept. It may be repeated: what is there already is not taken twice, what is new in MLflow is added, and
    what was interrupted goes on. Exit status 1 if something could not be taken over: it is named, and counted."""
    from lineal.api import open_store
    from lineal.importing.destination import opened_destination
    from lineal.importing.mlflow_import import MlflowImport

    opened = _open_source(source, artifacts, workspace, unknown_schema)
    try:
        with open_store(url, tenant=tenant) as store, opened_destination(store) as destination, _progress() as told:
            tally = MlflowImport(opened, destination, on_progress=told).run()
            others: list[str] = getattr(opened, "other_workspaces", list)()
            if others:
                tally.notices.append(f"of the workspaces {', '.join(others)} nothing was read: --workspace names one")
            place = store.place
    finally:
        opened.close()
    if as_json:
        from lineal.cli.output import write_json

        write_json(_described(opened, place, tally))
    else:
        _say(opened, place, tally)
    if not tally.is_whole:
        raise SystemExit(NO)


@import_.command("tensorboard", short_help="Take over a folder of TensorBoard's event files.")
@click.argument("folder", metavar="FOLDER")
@click.option("--experiment", metavar="NAME", help="Experiment of its runs. Without it: the folder's name.")
@folder_option
@tenant_option
@json_option
def import_tensorboard(folder: str, experiment: str | None, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Take over TensorBoard's event files in FOLDER: each folder in it that holds some is a run.

    Scalars with their steps and times become points, hyperparameters params; images, audio, texts and histograms become artifacts.
    FOLDER is only read. It may be repeated, while it grows or from another place: what is there already is not taken twice. Exit
    status 1 if something could not be taken over: it is named, and counted."""
    from lineal.api import open_store
    from lineal.client.session import check_experiment
    from lineal.importing.destination import opened_destination
    from lineal.importing.mlflow_import import MlflowImport
    from lineal.importing.tensorboard_files import TensorboardFiles

    name = check_experiment(experiment or Path(folder).resolve().name)
    opened = TensorboardFiles(Path(folder), name)
    try:
        with open_store(url, tenant=tenant) as store, opened_destination(store) as destination, _progress() as told:
            tally = MlflowImport(opened, destination, on_progress=told).run()
            tally.notices += opened.notices
            place = store.place
    finally:
        opened.close()
    if as_json:
        from lineal.cli.output import write_json

        write_json(_described(opened, place, tally))
    else:
        _say(opened, place, tally)
    if not tally.is_whole:
        raise SystemExit(NO)


def _open_source(source: str, artifacts: str | None, workspace: str, unknown_schema: bool) -> Source:
    from urllib.parse import unquote, urlsplit

    from lineal.importing.databases import is_database
    from lineal.importing.mlflow_files import MlflowFiles
    from lineal.importing.mlflow_sql import MlflowSql
    from lineal.model.errors import InvalidInput, NotFound

    place = None if artifacts is None else Path(artifacts)
    if place is not None and not place.is_dir():
        raise NotFound(f"{artifacts} is no folder", field="artifacts")
    if is_database(source):
        return MlflowSql(source, artifacts=place, workspace=workspace, take_unknown=unknown_schema)
    folder = Path(unquote(urlsplit(source).path)) if source.startswith("file:") else Path(source)
    if folder.is_file():
        raise InvalidInput(f"{source} is a file: if it is an MLflow database, say sqlite:///{source}", field="source")
    return MlflowFiles(folder, artifacts=place)


@contextmanager
def _progress() -> Iterator[Callable[[Progress], None]]:
    """A bar on standard error while it is a terminal."""
    if not sys.stderr.isatty():
        yield lambda progress: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("Importing runs"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[points]} points"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, points="0")

        def tell(progress: Any) -> None:
            bar.update(task, completed=progress.runs, total=progress.total_runs, points=f"{progress.points:,}")

        yield tell


def _described(source: Source, place: str, tally: Tally) -> dict[str, Any]:
    return {
        "source": source.place,
        "destination": place,
        "found": tally.found,
        "there": tally.there,
        "runs": {"new": tally.new_runs, "changed": tally.changed_runs, "unchanged": tally.unchanged_runs},
        "problems": [{"run_id": one.run_id, "why": one.why} for one in tally.problems],
        "notices": tally.notices,
    }


def _say(source: Source, place: str, tally: Tally) -> None:
    from lineal.cli.wording import bytes_text, count_text, printable

    for notice in tally.notices[:_SHOWN_MAX_COUNT]:
        click.echo(f"lineal: {printable(notice)}", err=True)
    for problem in tally.problems[:_SHOWN_MAX_COUNT]:
        whose = "" if problem.run_id is None else f"run {printable(problem.run_id)}: "
        click.echo(f"lineal: {whose}{printable(problem.why)}", err=True)
    if len(tally.problems) > _SHOWN_MAX_COUNT:
        click.echo(f"lineal: ... and {len(tally.problems) - _SHOWN_MAX_COUNT:,} more; --json names them all", err=True)
    for kind, found in tally.found.items():
        there = tally.there[kind]
        text = bytes_text if kind == "bytes" else "{:,}".format
        name = "size of artifacts" if kind == "bytes" else kind.replace("_", " ")
        click.echo(f"{name:<18}{text(there):>12}" + ("" if there >= found else f"  of {text(found)}"))
    runs = f"{tally.new_runs:,} new, {tally.changed_runs:,} changed, {tally.unchanged_runs:,} as they were"
    click.echo(f"{count_text(tally.found['runs'], 'run')} of {printable(source.place)} in {printable(place)}: {runs}.")
