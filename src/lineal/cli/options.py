"""Options that several commands share, so that they mean and read the same everywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from lineal.cli.completion import experiments
from lineal.cli.exits import remember_json

Command = TypeVar("Command", bound=Callable[..., Any])


def folder_option(command: Command) -> Command:
    return click.option(
        "--url",
        "--folder",
        "url",
        metavar="URL",
        help="Lineal folder, or http(s) address of a server. Without it: LINEAL_URL, else the nearest .lineal upward, "
        "else one beside .git, else here.",
    )(command)


def tenant_option(command: Command) -> Command:
    return click.option("--tenant", metavar="NAME", help='Tenant. Without it: LINEAL_TENANT, else "default".')(command)


def json_option(command: Command) -> Command:
    return click.option(
        "--json",
        "as_json",
        is_flag=True,
        is_eager=True,
        callback=remember_json,
        help="Print JSON on standard output, and nothing else there.",
    )(command)


def experiment_option(command: Command) -> Command:
    return click.option(
        "--experiment", metavar="NAME", help="Only runs of this experiment.", shell_complete=experiments
    )(command)


def filter_option(command: Command) -> Command:
    return click.option("--filter", metavar="FILTER", help="All runs that match, instead of runs by id.")(command)


def yes_option(command: Command) -> Command:
    return click.option("--yes", "-y", is_flag=True, help="Do not ask.")(command)
