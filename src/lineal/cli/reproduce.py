"""`lineal reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from lineal.cli.completion import run_ids
from lineal.cli.exits import DONE, NO, NOT_FOUND, UNREACHABLE, Refusal
from lineal.cli.options import folder_option, json_option, tenant_option
from lineal.model.errors import InvalidInput

if TYPE_CHECKING:
    from lineal.local import LocalStore, LoggedRun
    from lineal.reproduce.environment import EnvironmentChoice
    from lineal.reproduce.place import Place
    from lineal.reproduce.plan import CodeChoice, Plan


@click.command("reproduce", short_help="Make a run again, and say whether it comes out the same.")
@click.argument("run", metavar="RUN", shell_complete=run_ids)
@click.option("--dry-run", is_flag=True, help="Say what would be done and what cannot be had. Runs nothing.")
@click.option(
    "--into",
    "into",
    metavar="FOLDER",
    type=click.Path(path_type=Path),
    help="Make tree and environment in this new or empty folder, and keep them. Without it: a temporary one, kept if the "
    "runs differ.",
)
@click.option(
    "--code",
    type=click.Choice(["recorded", "current"]),
    default="recorded",
    show_default=True,
    help="The tree that was captured, made again; or the old one where it lies, as it is now.",
)
@click.option(
    "--environment",
    type=click.Choice(["rebuild", "current"]),
    default="rebuild",
    show_default=True,
    help="A new environment from the lock file; or the interpreter that runs this command.",
)
@click.option(
    "--tolerance",
    "tolerances",
    metavar="[METRIC=]X",
    multiple=True,
    help="Metrics may differ by X of the larger value; repeatable, METRIC may have * and ?.",
)
@click.option("--ignore", "ignored", metavar="METRIC", multiple=True, help="Do not compare it; repeatable, as above.")
@click.option(
    "--link",
    "links",
    metavar="PATH",
    multiple=True,
    help="A file or folder of the old tree that the new one is to have, too; repeatable.",
)
@click.option("--anyway", is_flag=True, help="Start although something cannot be had.")
@folder_option
@tenant_option
@json_option
@click.pass_context
def reproduce(
    context: click.Context,
    run: str,
    dry_run: bool,
    into: Path | None,
    code: str,
    environment: str,
    tolerances: tuple[str, ...],
    ignored: tuple[str, ...],
    links: tuple[str, ...],
    anyway: bool,
    url: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Make RUN again: its working tree and its environment in a fresh folder, its command with the same variables. The new run is
    tagged lineal.reproduces, and is compared with RUN metric by metric, bit for bit.

    What cannot be had is named first, and then nothing is started (exit status 3). Otherwise the verdict decides: 0 for identical
    or within tolerance, 1 for different or failed. Starting runs the code that was recorded, as you: see --dry-run."""
    from lineal.cli.opening import opened
    from lineal.reproduce.place import fresh_place
    from lineal.reproduce.tolerance import parse_tolerances

    allowed = parse_tolerances(tolerances)
    if links and code == "current":
        raise InvalidInput("--link goes with --code recorded: the old tree has its own files", field="link")
    with opened(url, tenant) as store, fresh_place(into, is_dry=dry_run) as place:
        original = store.get_run(run)
        plan = _planned(store, original, place.folder, code, environment, links, dry_run)
        starts = not dry_run and (plan.can_start or (anyway and plan.can_start_anyway))
        if not starts:
            _say_plan(plan, as_json, starts)
            context.exit(DONE if plan.can_start else NOT_FOUND)
        if not as_json:
            _say_plan(plan, as_json, starts)
        verdict = _carried_out(plan, store, original, url, tenant, allowed, ignored, as_json, place)
        context.exit(DONE if verdict in ("identical", "within tolerance") else NO)


def _planned(
    store: LocalStore,
    original: LoggedRun,
    folder: Path,
    code: str,
    environment: str,
    links: tuple[str, ...],
    is_dry: bool,
) -> Plan:
    from lineal.reproduce.parts import parts_of
    from lineal.reproduce.plan import make_plan

    click.echo("Looking for what the run was made of ...", err=True)
    return make_plan(
        original,
        parts_of(store, original.run_id),
        folder,
        code=cast("CodeChoice", code),
        environment=cast("EnvironmentChoice", environment),
        links=links,
        is_dry=is_dry,
    )


def _say_plan(plan: Plan, as_json: bool, starts: bool) -> None:
    if as_json:
        from lineal.cli.output import write_json
        from lineal.reproduce.plan import describe_plan

        write_json(describe_plan(plan) | {"verdict": None})
    else:
        from lineal.cli.reproduce_page import print_plan

        print_plan(plan, starts)


def _carried_out(
    plan: Plan,
    store: LocalStore,
    original: LoggedRun,
    url: str | None,
    tenant: str | None,
    tolerances: Any,
    ignored: tuple[str, ...],
    as_json: bool,
    place: Place,
) -> str:
    from lineal.reproduce.environment import CannotInstall
    from lineal.reproduce.reproduction import carry_out, describe

    if plan.environment.choice == "rebuild":
        click.echo("Making the environment ...", err=True)
    try:
        done = carry_out(
            plan,
            store,
            original,
            url=url,
            tenant=tenant,
            tolerances=tolerances,
            ignored=ignored,
            quiet=as_json,
        )
    except CannotInstall as error:
        raise Refusal(f"the environment cannot be made: {error}", UNREACHABLE, "unreachable") from error
    verdict = done.outcome.verdict
    place.keeps = place.keeps or verdict in ("different", "failed")
    folder = str(place.folder) if place.keeps else None
    if as_json:
        from lineal.cli.output import write_json

        write_json(describe(done, plan) | {"run_id": done.run_id, "folder": folder})
    else:
        from lineal.cli.reproduce_page import print_reproduction

        print_reproduction(done, folder)
    return verdict
