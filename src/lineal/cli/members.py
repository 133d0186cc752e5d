"""`lineal members ...`."""

from __future__ import annotations

import os
from typing import Any

import click

from lineal.cli.options import json_option, tenant_option
from lineal.cli.people import opened_people, place_option, print_rows
from lineal.model.ids import DEFAULT_TENANT, check_tenant
from lineal.model.roles import ROLES, check_role


@click.group(short_help="Who may do what in a tenant.")
def members() -> None:
    """Who may do what in a tenant: reader, writer, approver, admin, each more than the one before."""


@members.command("list", short_help="List the members of a tenant.")
@tenant_option
@place_option
@json_option
def list_members(tenant: str | None, url: str | None, as_json: bool) -> None:
    """List the members of a tenant, with their roles."""
    with opened_people(url, writes=False) as people:
        _print(people.list_members(_tenant(tenant)), as_json)


@members.command("set", short_help="Make a user a member, or change the role.")
@click.argument("user", metavar="USER")
@click.argument("role", type=click.Choice(ROLES))
@tenant_option
@place_option
@json_option
def set_member(user: str, role: str, tenant: str | None, url: str | None, as_json: bool) -> None:
    """Make USER a member of the tenant with that ROLE, or give a member another one. A new tenant is made by it."""
    with opened_people(url, writes=True) as people:
        _print(people.set_member(_tenant(tenant), user, check_role(role)), as_json)


@members.command("remove", short_help="Remove a member.")
@click.argument("user", metavar="USER")
@tenant_option
@place_option
@json_option
def remove_member(user: str, tenant: str | None, url: str | None, as_json: bool) -> None:
    """Remove USER from the tenant, of which nothing is seen any more then."""
    with opened_people(url, writes=True) as people:
        _print(people.remove_member(_tenant(tenant), user), as_json)


def _tenant(given: str | None) -> str:
    return check_tenant(given or os.environ.get("LINEAL_TENANT") or DEFAULT_TENANT)


def _print(page: dict[str, Any], as_json: bool) -> None:
    if as_json:
        from lineal.cli.output import write_json

        write_json(page)
        return
    click.echo(f"Members of {page['tenant']}:" if page["members"] else f"{page['tenant']} has no members.")
    if page["members"]:
        print_rows(("USER", "ROLE"), [(one["user"], one["role"]) for one in page["members"]])
