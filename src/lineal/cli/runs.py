"""`lineal runs ...`: the group; each command has a file of its own."""

from __future__ import annotations

import click

from lineal.cli.run_change import delete_runs, restore_runs, tag_runs
from lineal.cli.run_console import show_console
from lineal.cli.run_diff import diff_runs
from lineal.cli.run_export import export_runs
from lineal.cli.run_list import list_runs
from lineal.cli.run_lock import lock_runs, unlock_runs
from lineal.cli.run_show import show_run
from lineal.cli.run_stop import stop_run
from lineal.cli.run_words import note_run, rename_run


@click.group()
def runs() -> None:
    """List runs, look at them, compare and change them."""


for _command in (
    list_runs,
    show_run,
    show_console,
    diff_runs,
    tag_runs,
    note_run,
    rename_run,
    stop_run,
    delete_runs,
    restore_runs,
    lock_runs,
    unlock_runs,
    export_runs,
):
    runs.add_command(_command)
