"""`lineal tokens ...`."""

from __future__ import annotations

from typing import Any

import click

from lineal.cli.options import json_option
from lineal.cli.people import opened_people, place_option, print_rows
from lineal.model.limits import TOKEN_MAX_AGE_S
from lineal.model.roles import ROLES, check_role

MAX_DAYS = int(TOKEN_MAX_AGE_S // 86_400)


@click.group()
def tokens() -> None:
    """Tokens: what programs show a server instead of a password."""


@tokens.command("list", short_help="List tokens.")
@click.option("--user", metavar="NAME", help="Somebody else's (for admins of the server).")
@place_option
@json_option
def list_tokens(user: str | None, url: str | None, as_json: bool) -> None:
    """List one's own tokens, newest first; of a store that is opened here, everybody's."""
    with opened_people(url, writes=False) as people:
        found = people.list_tokens(user)
    if as_json:
        from lineal.cli.output import write_json

        write_json({"tokens": found})
        return
    heads = ("ID", "USER", "NAME", "ROLE", "TENANTS", "ENDS", "USED")
    print_rows(heads, [_row(token) for token in found])


@tokens.command("create", short_help="Make a token.")
@click.argument("name", metavar="NAME")
@click.option("--role", type=click.Choice(ROLES), default="writer", show_default=True, help="At most this role.")
@click.option(
    "--tenant", "tenants", multiple=True, metavar="NAME", help="Only for this tenant; may be given several times."
)
@click.option("--days", type=click.IntRange(1, MAX_DAYS), default=90, show_default=True, help="Until it ends.")
@click.option("--user", metavar="NAME", help="Whose it is. Without it: whoever `lineal login` signed in.")
@place_option
@json_option
def create_token(
    name: str, role: str, tenants: tuple[str, ...], days: int, user: str | None, url: str | None, as_json: bool
) -> None:
    """Make a token, called NAME, and print it: it is shown this once. A server asks for the user's password first."""
    with opened_people(url, writes=True) as people:
        made = people.create_token(user, name, check_role(role), list(tenants) or None, days)
    if as_json:
        from lineal.cli.output import write_json

        write_json(made)
        return
    click.echo(made["token"])
    click.echo(
        f"Token {made['token_id']} of {made['user']}, until {made['expires_at'][:10]}. It is not shown again.", err=True
    )


@tokens.command("revoke", short_help="Revoke a token.")
@click.argument("token_id", metavar="ID")
@place_option
@json_option
def revoke_token(token_id: str, url: str | None, as_json: bool) -> None:
    """Revoke the token of that ID (not its secret): from now on it lets nobody in."""
    with opened_people(url, writes=True) as people:
        revoked = people.revoke_token(token_id)
    if as_json:
        from lineal.cli.output import write_json

        write_json(revoked)
    else:
        click.echo(f"{revoked['token_id']}: revoked")


def _row(token: dict[str, Any]) -> tuple[str, ...]:
    ends = "revoked" if token["revoked_at"] else str(token["expires_at"])[:10]
    tenants = "all" if token["tenants"] is None else ", ".join(token["tenants"])
    used = "never" if token["used_at"] is None else str(token["used_at"])[:16].replace("T", " ")
    return token["token_id"], token["user"], token["name"], token["role"], tenants, ends, used
