"""`lineal models promote`."""

from __future__ import annotations

import click

from lineal.cli.options import folder_option, json_option, tenant_option
from lineal.model.registry import STAGES, Stage


@click.command("promote", short_help="Move a version into a stage, or give it an alias.")
@click.argument("model", metavar="MODEL")
@click.argument("version", metavar="[VERSION]", required=False)
@click.option("--to", type=click.Choice(STAGES), help="The stage.")
@click.option("--alias", metavar="NAME", help="The alias, which another version may have had.")
@click.option("--why", metavar="TEXT", default="", help="Kept with the change, and shown by `lineal models why`.")
@click.option("--archive-existing", is_flag=True, help="Archive the other versions of that stage.")
@click.option("--no-lock", is_flag=True, help="Do not lock the run that made it.")
@folder_option
@tenant_option
@json_option
def promote_version(
    model: str,
    version: str | None,
    to: Stage | None,
    alias: str | None,
    why: str,
    archive_existing: bool,
    no_lock: bool,
    url: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Move a version into a stage, give it an alias, or both: `lineal models promote NAME 3 --to production --alias champion`.

    VERSION is a number or "@alias"; without one MODEL says it all (NAME/3, NAME@ALIAS, an id). The run that made the version is
    locked, so that what the version rests on stays as it is; a run that still runs is refused (exit status 4) unless --no-lock
    is given. On a server it takes the role approver."""
    from lineal.registry import calls

    which = "" if version is None else version if version.startswith("@") else f"/{version}"
    found = calls.promote(
        model + which,
        to=to,
        alias=alias,
        why=why,
        archive_existing=archive_existing,
        lock_run=not no_lock,
        url=url,
        tenant=tenant,
    )
    if as_json:
        from lineal.cli.output import write_json

        write_json(found.to_dict())
        return
    from lineal.cli.wording import printable

    places = [f"in stage {found.stage}"] if to else []
    places += [f"@{alias}"] if alias else []
    click.echo(f"{printable(found.name)}/{found.version} is now {' and '.join(places)}.")
    if found.run_id and not no_lock and to not in ("none", "archived"):
        click.echo(f"Its run {printable(found.run_id)} is locked; `lineal runs unlock` opens it.")
