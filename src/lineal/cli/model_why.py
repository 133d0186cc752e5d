"""`lineal models why`."""

from __future__ import annotations

import click

from lineal.cli.options import folder_option, json_option, tenant_option


@click.command("why", short_help="Why this version: its run, what it was chosen over, what changed.")
@click.argument("version", metavar="VERSION")
@click.option("--metric", metavar="NAME", help="Compare by this metric, whatever was declared or logged.")
@click.option("--markdown", is_flag=True, help="As Markdown, for a merge request or a page.")
@folder_option
@tenant_option
@json_option
def why_version(
    version: str, metric: str | None, markdown: bool, url: str | None, tenant: str | None, as_json: bool
) -> None:
    """Why this version of a model: the run that made it, with its params, code and data as recorded; the runs of the same experiment
    that it was chosen over, and by which metric; the version before it side by side; and how it came to its stage and aliases.

    VERSION is NAME@ALIAS, NAME/3, NAME/production, or an id that was stamped on a prediction (`lineal.serving_tags`): of a
    version, or of the run that made it."""
    from lineal.registry import calls

    found = calls.get_model_version(version, url=url, tenant=tenant).explained(metric)
    if as_json:
        from lineal.cli.output import write_json
        from lineal.store.why_view import why_dict

        write_json(why_dict(found))
        return
    from lineal.store.why_text import why_markdown, why_text

    click.echo(why_markdown(found) if markdown else why_text(found), nl=False)
