"""`lineal track`."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

import click

from lineal.cli.exits import Refusal
from lineal.cli.options import folder_option, json_option, tenant_option


@click.command(
    short_help="Track a command that knows nothing of Lineal.",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.option("--experiment", metavar="NAME", help='Set of runs. Without it: LINEAL_EXPERIMENT, else "Default".')
@click.option("--name", metavar="NAME", help="Display name of the run.")
@click.option("--tag", "tags", metavar="KEY=VALUE", multiple=True, help="A tag of the run; may be given several times.")
@click.option(
    "--tensorboard",
    "folders",
    metavar="FOLDER",
    multiple=True,
    help="Follow the event files that are written there. Without it: in runs, logs and lightning_logs, and wherever the command "
    "has some open.",
)
@folder_option
@tenant_option
@json_option
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND")
def track(
    experiment: str | None,
    name: str | None,
    tags: tuple[str, ...],
    folders: tuple[str, ...],
    url: str | None,
    tenant: str | None,
    as_json: bool,
    command: tuple[str, ...],
) -> NoReturn:
    """Run COMMAND as a run: its arguments, console, code and machine, its values of argparse or click as params, its traceback,
    and what it writes for TensorBoard, as it is written.

    COMMAND is any program, and need not know of Lineal; `lineal.log` within it or in what it starts joins the run. It has this
    terminal, and gets the signals that this process gets. The exit status is COMMAND's: 127 if there is no such command, 126 if
    it may not be run, and then there is no run either."""
    from lineal import api
    from lineal.cli.tags import tags_given
    from lineal.client.capture.subject import set_command
    from lineal.client.tracked.child import CannotStart, Child, Ended, check_command, end_as, signals_held
    from lineal.client.tracked.track import Tracking

    said_tags = tags_given(tags, ())
    try:
        check_command(command)
    except CannotStart as error:
        raise Refusal(error.message, error.status, "no_command") from None
    # Another `lineal track` around this one has its own run.
    for variable in ("LINEAL_ATTEMPT", "LINEAL_RUN_ID") if "LINEAL_ATTEMPT" in os.environ else ():
        del os.environ[variable]
    set_command(command)
    ended: Ended | None = None
    with signals_held():
        run = api.init(experiment, name, tags=said_tags, url=url, tenant=tenant)
        tracking = Tracking(run, folders or None)
        why: CannotStart | None = None
        try:
            child = Child(command, tracking.environment(os.environ, name=name), hides_output=as_json)
            ended = tracking.wait(child)
        except CannotStart as error:
            why = error
        finally:
            status = tracking.finish(ended, None if why is None else why.message)
    if why is not None:
        raise Refusal(why.message, why.status, "no_command")
    assert ended is not None
    if as_json:
        from lineal.cli.output import write_json

        write_json({"run_id": run.run_id, "status": status, "exit_status": ended.exit_status})
        sys.stdout.flush()
    if ended.signal:
        end_as(ended)
    raise SystemExit(ended.code)
