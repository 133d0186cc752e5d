"""`lineal datasets ...`: the group; each command has a file of its own."""

from __future__ import annotations

import click

from lineal.cli.dataset_list import list_datasets
from lineal.cli.dataset_show import show_dataset


@click.group(short_help="List the datasets that runs used.")
def datasets() -> None:
    """List the datasets that runs used, and look at their versions, their runs and the models made of them."""


for _command in (list_datasets, show_dataset):
    datasets.add_command(_command)
