"""`lineal users ...`."""

from __future__ import annotations

from typing import Any

import click

from lineal.cli.options import json_option
from lineal.cli.passwords import read_password
from lineal.cli.people import opened_people, place_option, print_rows


@click.group(short_help="Users of a server that asks who they are.")
def users() -> None:
    """Users of a server that asks who they are (`lineal serve --auth`).

    The first admin is made on the server's own store, before it serves, or, with PostgreSQL, at any time."""


@users.command("list", short_help="List users.")
@place_option
@json_option
def list_users(url: str | None, as_json: bool) -> None:
    """List users by name, with the tenants that they are members of."""
    with opened_people(url, writes=False) as people:
        found = people.list_users()
    if as_json:
        from lineal.cli.output import write_json

        write_json({"users": found})
        return
    print_rows(
        ("USER", "MAY", "TENANTS"),
        [
            (user["name"], _state(user), ", ".join(f"{one['tenant']} ({one['role']})" for one in user["tenants"]))
            for user in found
        ],
    )


@users.command("add", short_help="Make a user.")
@click.argument("name", metavar="NAME")
@click.option(
    "--admin", is_flag=True, help="An admin of the server: may do everything in every tenant, and make users."
)
@place_option
@json_option
def add_user(name: str, admin: bool, url: str | None, as_json: bool) -> None:
    """Make a user. The password is asked for, or read from standard input where that is no terminal.

    What a user who is no admin may see and do, `lineal members set` says."""
    from lineal.model.people import check_password, check_user_name

    check_user_name(name)
    password = check_password(read_password(again=True))
    with opened_people(url, writes=True) as people:
        _say(people.add_user(name, password, admin), as_json, "made")


@users.command("disable", short_help="Let a user in no more.")
@click.argument("name", metavar="NAME")
@click.option("--undo", is_flag=True, help="Let the user in again.")
@place_option
@json_option
def disable_user(name: str, undo: bool, url: str | None, as_json: bool) -> None:
    """Let a user in no more, with whatever token or browser. Users are not deleted: the audit names them."""
    with opened_people(url, writes=True) as people:
        _say(people.change_user(name, is_disabled=not undo), as_json, "let in again" if undo else "disabled")


@users.command("password", short_help="Give a user another password.")
@click.argument("name", metavar="NAME")
@place_option
@json_option
def set_password(name: str, url: str | None, as_json: bool) -> None:
    """Give a user another password, which is asked for, or read from standard input. All browsers of the user are signed out."""
    from lineal.model.people import check_password

    password = check_password(read_password("New password", again=True))
    with opened_people(url, writes=True) as people:
        _say(people.change_user(name, password=password), as_json, "has another password")


def _state(user: dict[str, Any]) -> str:
    if user["is_disabled"]:
        return "not sign in"
    return "everything" if user["is_admin"] else "sign in"


def _say(user: dict[str, Any], as_json: bool, what: str) -> None:
    if as_json:
        from lineal.cli.output import write_json

        write_json(user)
    else:
        click.echo(f"{user['name']}: {what}")
