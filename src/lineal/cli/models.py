"""`lineal models ...`: the group; each command has a file of its own."""

from __future__ import annotations

import click

from lineal.cli.model_change import describe_version, set_model, tag_version, unalias
from lineal.cli.model_lifecycle import delete_model, rename_model, restore_model
from lineal.cli.model_list import list_models
from lineal.cli.model_promote import promote_version
from lineal.cli.model_show import show_model
from lineal.cli.model_why import why_version


@click.group(short_help="List, promote and explain registered models.")
def models() -> None:
    """List registered models, look at their versions, promote them, and ask why."""


for _command in (
    list_models,
    show_model,
    why_version,
    promote_version,
    set_model,
    tag_version,
    describe_version,
    unalias,
    rename_model,
    delete_model,
    restore_model,
):
    models.add_command(_command)
