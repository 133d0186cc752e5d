"""`lineal lineage`."""

from __future__ import annotations

import click

from lineal.cli.options import folder_option, json_option, tenant_option
from lineal.model.lineage_graph import NODE_KINDS


@click.command("lineage", short_help="What led to a run, file or model, and what came of it.")
@click.argument("thing", metavar="THING")
@click.option("--up", is_flag=True, help="Only what led to it.")
@click.option("--down", is_flag=True, help="Only what it led to.")
@click.option("--depth", type=int, metavar="N", help="Links away from it; 10 without it.")
@click.option("--limit", type=int, metavar="N", help="Things at most; 300 without it.")
@click.option("--kind", type=click.Choice(NODE_KINDS), help="What THING is, where it could be several.")
@folder_option
@tenant_option
@json_option
def lineage(
    thing: str,
    up: bool,
    down: bool,
    depth: int | None,
    limit: int | None,
    kind: str | None,
    url: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """What led to a thing, and what it led to: datasets, runs, the artifacts and logged models that they made, model versions, and
    the runs that used those. An artifact with the very bytes of a dataset that others used later leads to it, though nobody wrote
    that down.

    THING is a run's id or the beginning of one; a dataset's name, NAME@DIGEST, NAME@VERSION or digest; RUN:path; MODEL@alias,
    MODEL/3, MODEL/production or a version's id; a logged model's id."""
    from lineal.api import find_lineage

    graph = find_lineage(thing, kind, up or not down, down or not up, depth, limit, url, tenant)
    if as_json:
        from lineal.cli.output import write_json
        from lineal.store.lineage_view import lineage_dict

        write_json(lineage_dict(graph))
        return
    from lineal.cli.lineage_tree import tree_lines

    for line in tree_lines(graph):
        click.echo(line)
