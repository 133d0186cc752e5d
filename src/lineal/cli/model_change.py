"""`lineal models set`, `tag`, `describe` and `unalias`."""

from __future__ import annotations

import click

from lineal.cli.options import folder_option, json_option, tenant_option
from lineal.cli.tags import tags_given


@click.command("set", short_help="Describe or tag a registered model; makes it if it is new.")
@click.argument("model", metavar="MODEL")
@click.argument("tags", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--description", metavar="TEXT", help="What it is about.")
@click.option("--remove", metavar="KEY", multiple=True, help="Remove this tag; may be given several times.")
@folder_option
@tenant_option
@json_option
def set_model(
    model: str,
    tags: tuple[str, ...],
    description: str | None,
    remove: tuple[str, ...],
    url: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Describe or tag the registered model of that name. One that is new is made."""
    from lineal.cli.wording import printable
    from lineal.registry import calls

    found = calls.set_model(model, description=description, tags=tags_given(tags, remove), url=url, tenant=tenant)
    if as_json:
        from lineal.cli.output import write_json

        write_json(found.to_dict())
        return
    click.echo(f"Set model {printable(found.name)}.")


@click.command("tag", short_help="Tag a version of a model.")
@click.argument("version", metavar="VERSION")
@click.argument("tags", metavar="[KEY=VALUE]...", nargs=-1)
@click.option("--remove", metavar="KEY", multiple=True, help="Remove this tag; may be given several times.")
@folder_option
@tenant_option
@json_option
def tag_version(
    version: str, tags: tuple[str, ...], remove: tuple[str, ...], url: str | None, tenant: str | None, as_json: bool
) -> None:
    """Set or remove tags of a version (NAME/3, NAME@ALIAS, an id)."""
    from lineal.model.errors import InvalidInput
    from lineal.registry import calls

    given = tags_given(tags, remove)
    if not given:
        raise InvalidInput("say which tags: KEY=VALUE, or --remove KEY", field="tags")
    _answer(calls.set_model_version(version, tags=given, url=url, tenant=tenant), as_json)


@click.command("describe", short_help="Say what a version of a model is.")
@click.argument("version", metavar="VERSION")
@click.argument("text", metavar="TEXT")
@folder_option
@tenant_option
@json_option
def describe_version(version: str, text: str, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Replace the description (Markdown) of a version (NAME/3, NAME@ALIAS, an id) by TEXT."""
    from lineal.registry import calls

    _answer(calls.set_model_version(version, description=text, url=url, tenant=tenant), as_json)


@click.command("unalias", short_help="Remove an alias.")
@click.argument("model", metavar="MODEL")
@click.argument("alias", metavar="ALIAS")
@click.option("--why", metavar="TEXT", default="", help="Kept with the change.")
@folder_option
@tenant_option
@json_option
def unalias(model: str, alias: str, why: str, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Remove an alias of a registered model: it means no version from now on. `promote --alias` gives or moves one."""
    from lineal.cli.wording import printable
    from lineal.registry import calls

    alias = alias.removeprefix("@")
    calls.delete_alias(model, alias, why=why, url=url, tenant=tenant)
    if as_json:
        from lineal.cli.output import write_json

        write_json(calls.get_model(model, url=url, tenant=tenant).to_dict())
        return
    click.echo(f"Removed @{printable(alias)} of model {printable(model)}.")


def _answer(version: object, as_json: bool) -> None:
    from lineal.cli.wording import printable
    from lineal.registry.handles import ModelVersion

    assert isinstance(version, ModelVersion)
    if as_json:
        from lineal.cli.output import write_json

        write_json(version.to_dict())
        return
    click.echo(f"Set {printable(version.name)}/{version.version}.")
