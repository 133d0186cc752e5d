"""`lineal experiments ...`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from lineal.cli import completion
from lineal.cli.exits import NO, Refusal
from lineal.cli.options import folder_option, json_option, tenant_option, yes_option
from lineal.cli.tags import tags_given
from lineal.model.vocabulary import Lifecycle

if TYPE_CHECKING:
    from lineal.local import LocalStore
    from lineal.model.entities import Experiment


@click.group()
def experiments() -> None:
    """List experiments, look at them and change them."""


@experiments.command("list", short_help="List experiments by name.")
@click.argument("search", default="", metavar="[TEXT]")
@click.option("--limit", type=click.IntRange(0, 50_000), default=100, show_default=True, help="At most so many.")
@click.option("--offset", type=click.IntRange(0), default=0, help="Leave out so many first.")
@click.option("--deleted", is_flag=True, help="The deleted experiments instead.")
@folder_option
@tenant_option
@json_option
def list_experiments(
    search: str, limit: int, offset: int, deleted: bool, url: str | None, tenant: str | None, as_json: bool
) -> None:
    """List the experiments whose name contains TEXT (in any case), or all, with the number of their runs."""
    from lineal.cli.experiment_view import latest_runs
    from lineal.cli.opening import opened

    with opened(url, tenant) as store:
        store.refresh()
        page = store.reader().list_experiments(
            search=search or None, lifecycle="deleted" if deleted else "active", limit=limit, offset=offset
        )
        counted = latest_runs(store, page.experiments)
        if as_json:
            from lineal.cli.experiment_view import describe
            from lineal.cli.output import write_json

            found = [describe(one) for one in counted]
            write_json({"experiments": found, "total": page.total})
            return
        from lineal.cli.experiment_view import print_experiments

        print_experiments(store, counted, page.total, search=search, deleted=deleted)


@experiments.command("show", short_help="Show one experiment.")
@click.argument("experiment", metavar="EXPERIMENT", shell_complete=completion.experiments)
@folder_option
@tenant_option
@json_option
def show_experiment(experiment: str, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Show one experiment, by its name or its id: what it is about, its tags, and how many runs of which status it has."""
    from lineal.cli.experiment_view import describe_whole, look_at, print_experiment
    from lineal.cli.opening import opened

    with opened(url, tenant) as store:
        seen = look_at(store, find_experiment(store, experiment))
    if as_json:
        from lineal.cli.output import write_json

        write_json(describe_whole(seen))
        return
    print_experiment(seen)


@experiments.command("set", short_help="Describe or tag an experiment; makes it if it is new.")
@click.argument("experiment", metavar="EXPERIMENT", shell_complete=completion.experiments)
@click.argument("tags", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--description", metavar="TEXT", help="What it is about.")
@click.option("--remove", metavar="KEY", multiple=True, help="Remove this tag; may be given several times.")
@folder_option
@tenant_option
@json_option
def set_experiment(
    experiment: str,
    tags: tuple[str, ...],
    description: str | None,
    remove: tuple[str, ...],
    url: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Describe or tag the experiment of that name. One that is new is made."""
    from lineal import api
    from lineal.cli.opening import opened
    from lineal.cli.wording import printable

    changes = tags_given(tags, remove)
    api.set_experiment(experiment, description=description, tags=changes or None, url=url, tenant=tenant)
    with opened(url, tenant) as store:
        _answer(store, experiment, as_json, f"Set experiment {printable(experiment)}.")


@experiments.command("rename", short_help="Call an experiment otherwise.")
@click.argument("experiment", metavar="EXPERIMENT", shell_complete=completion.experiments)
@click.argument("name", metavar="NAME")
@folder_option
@tenant_option
@json_option
def rename_experiment(experiment: str, name: str, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Call an experiment, given by its name or its id, by another name. Its id stays.

    Its former names go on meaning it: a program that logs to one of them reaches it. Exit status 4 if another experiment has,
    or had, that name."""
    from lineal import api
    from lineal.cli.opening import opened
    from lineal.cli.wording import printable

    with opened(url, tenant) as store:
        store.refresh()
        before = find_experiment(store, experiment).name
        api.rename_experiment(before, name, url=url, tenant=tenant)
        _answer(store, name, as_json, f"Experiment {printable(before)} is now called {printable(name)}.")


@experiments.command("delete", short_help="Put an experiment away; restore brings it back.")
@click.argument("experiment", metavar="EXPERIMENT", shell_complete=completion.experiments)
@click.option("--with-runs", is_flag=True, help="Delete its runs, too. Without it they stay in lists.")
@yes_option
@folder_option
@tenant_option
@json_option
def delete_experiment(
    experiment: str, with_runs: bool, yes: bool, url: str | None, tenant: str | None, as_json: bool
) -> None:
    """Put an experiment away: the list of experiments leaves it out.

    Nothing is erased, and `lineal experiments restore` brings it back. Asks first on a terminal. Exit status 1 if the
    answer is no."""
    _set_lifecycle("deleted", experiment, with_runs, yes=yes, url=url, tenant=tenant, as_json=as_json)


@experiments.command("restore", short_help="Bring a deleted experiment back.")
@click.argument("experiment", metavar="EXPERIMENT", shell_complete=completion.experiments)
@click.option("--with-runs", is_flag=True, help="Restore all its deleted runs, too.")
@folder_option
@tenant_option
@json_option
def restore_experiment(experiment: str, with_runs: bool, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Bring a deleted experiment back."""
    _set_lifecycle("active", experiment, with_runs, yes=True, url=url, tenant=tenant, as_json=as_json)


def find_experiment(store: LocalStore, asked: str) -> Experiment:
    """By name, else by id. Raises NotFound."""
    from lineal.model.errors import NotFound

    try:
        return store.get_experiment(asked)
    except NotFound:
        try:
            return store.reader().get_experiment(asked)
        except NotFound:
            pass
        raise


def _set_lifecycle(
    lifecycle: Lifecycle,
    asked: str,
    with_runs: bool,
    *,
    yes: bool,
    url: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    from shlex import quote

    from lineal import api
    from lineal.cli.opening import opened
    from lineal.cli.selection import confirmed, matching
    from lineal.cli.wording import count_text, printable

    before: Lifecycle = "active" if lifecycle == "deleted" else "deleted"
    with opened(url, tenant) as store:
        found = find_experiment(store, asked)
        runs = list(matching(store, "", lifecycle=before, experiments=[found.name])) if with_runs else []
        and_runs = f" and {count_text(len(runs), 'run')}" if runs else ""
        question = f"Delete experiment {printable(found.name)}{and_runs}?"
        if lifecycle == "deleted" and not confirmed(question, yes=yes):
            raise Refusal("nothing was deleted", NO, "refused")
        if found.lifecycle != lifecycle:
            api.set_experiment_lifecycle(found.name, lifecycle, url=url, tenant=tenant)
        if runs:
            api.set_lifecycle([run.run_id for run in runs], lifecycle, url=url, tenant=tenant)
        shown = printable(found.name)
        if found.lifecycle == lifecycle and not runs:
            said = f"Nothing to do: experiment {shown} is {'deleted already' if lifecycle == 'deleted' else 'not deleted'}."
        elif lifecycle == "active":
            said = f"Restored experiment {shown}{and_runs}."
        else:
            way_back = f"lineal experiments restore{' --with-runs' if runs else ''} {printable(quote(found.name))}"
            said = f"Deleted experiment {shown}{and_runs}. To bring {'them' if runs else 'it'} back: {way_back}"
        _answer(store, found.name, as_json, said, {"run_ids": [run.run_id for run in runs]})


def _answer(store: LocalStore, name: str, as_json: bool, said: str, also: dict[str, Any] | None = None) -> None:
    """The experiment as it is now under `--json`, else the line."""
    if as_json:
        from lineal.cli.output import write_json
        from lineal.store.run_view import experiment_dict

        write_json(experiment_dict(store.get_experiment(name)) | (also or {}))
        return
    click.echo(said)
