"""`lineal models rename`, `delete` and `restore`: of registered models, the last two of their versions, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from lineal.cli.exits import NO, Refusal
from lineal.cli.options import folder_option, json_option, tenant_option, yes_option

if TYPE_CHECKING:
    from lineal.registry.handles import ModelVersion, RegisteredModel


@click.command("rename", short_help="Call a registered model by another name.")
@click.argument("model", metavar="MODEL")
@click.argument("name", metavar="NAME")
@folder_option
@tenant_option
@json_option
def rename_model(model: str, name: str, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Call a registered model by another name. Its versions, aliases and transitions stay.

    What programs go on logging to its former name reaches it, until another model takes that. Exit status 4 for a name in use."""
    from lineal.cli.wording import printable
    from lineal.registry import calls

    found = calls.rename_model(model, name, url=url, tenant=tenant)
    _answer(found, as_json, f"Model {printable(model)} is now called {printable(found.name)}.")


@click.command("delete", short_help="Put a model or a version away; restore brings it back.")
@click.argument("model", metavar="MODEL")
@click.option("--why", metavar="TEXT", default="", help="Of a version: kept with the loss of its aliases.")
@yes_option
@folder_option
@tenant_option
@json_option
def delete_model(model: str, why: str, yes: bool, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Put a registered model away with its versions (MODEL is its name), or one version: NAME/3, NAME@ALIAS, the id of a version,
    or of the run that made it. Lists leave it out; a version loses its aliases.

    Nothing is erased, and `lineal models restore` brings it back. Asks first on a terminal. Exit status 1 if the answer is
    no."""
    from lineal.cli.model_show import find
    from lineal.cli.selection import confirmed
    from lineal.model.errors import InvalidInput
    from lineal.registry import calls
    from lineal.registry.handles import ModelVersion

    found = find(model, url, tenant)
    if why and not isinstance(found, ModelVersion):
        raise InvalidInput("--why is for a version: no alias of a model is lost with it", field="why")
    if found.details.lifecycle == "deleted":
        _answer(found, as_json, f"Nothing to do: {_named(found)} is deleted already.")
        return
    if not confirmed(f"Delete {_named(found)}{_what_goes(found)}?", yes=yes):
        raise Refusal("nothing was deleted", NO, "refused")
    if isinstance(found, ModelVersion):
        now: RegisteredModel | ModelVersion = calls.delete_model_version(
            found.version_id, why=why, url=url, tenant=tenant
        )
    else:
        now = calls.delete_model(found.name, url=url, tenant=tenant)
    _answer(now, as_json, f"Deleted {_named(found)}. To bring it back: lineal models restore {_quoted(found)}")


@click.command("restore", short_help="Bring a deleted model or version back.")
@click.argument("model", metavar="MODEL")
@folder_option
@tenant_option
@json_option
def restore_model(model: str, url: str | None, tenant: str | None, as_json: bool) -> None:
    """Bring back a registered model, given by its name, or a version: NAME/3, or its id. The aliases of a version do not come back.

    `lineal models list --deleted` lists deleted models, `lineal models show MODEL --deleted` the deleted versions of one."""
    from lineal.cli.model_show import find
    from lineal.registry import calls
    from lineal.registry.handles import ModelVersion

    found = find(model, url, tenant)
    if isinstance(found, ModelVersion):
        now: RegisteredModel | ModelVersion = calls.restore_model_version(found.version_id, url=url, tenant=tenant)
    else:
        now = calls.restore_model(found.name, url=url, tenant=tenant)
    was_deleted = found.details.lifecycle == "deleted"
    _answer(
        now, as_json, f"Restored {_named(now)}." if was_deleted else f"Nothing to do: {_named(now)} is not deleted."
    )


def _name(found: RegisteredModel | ModelVersion) -> str:
    from lineal.registry.handles import ModelVersion

    return f"{found.name}/{found.version}" if isinstance(found, ModelVersion) else found.name


def _named(found: RegisteredModel | ModelVersion) -> str:
    from lineal.cli.wording import printable

    return f"model {'version ' if '/' in _name(found) else ''}{printable(_name(found))}"


def _quoted(found: RegisteredModel | ModelVersion) -> str:
    from shlex import quote

    from lineal.cli.wording import printable

    return printable(quote(_name(found)))


def _what_goes(found: RegisteredModel | ModelVersion) -> str:
    """What a person should know before saying yes."""
    from lineal.cli.wording import count_text, printable
    from lineal.registry.handles import ModelVersion

    if isinstance(found, ModelVersion):
        said = [f"in stage {found.stage}"] if found.stage not in ("none", "archived") else []
        said += [printable(f"@{alias}") for alias in found.aliases]
        return f" ({', '.join(said)})" if said else ""
    count = found.details.version_count
    return f" with {count_text(count, 'version')}" if count else ""


def _answer(found: RegisteredModel | ModelVersion, as_json: bool, said: str) -> None:
    """What it is about as it is now under `--json`, else the line."""
    if as_json:
        from lineal.cli.output import write_json

        write_json(found.to_dict())
        return
    click.echo(said)
