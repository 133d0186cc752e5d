"""Users, members and tokens, wherever they are kept: a server says it, or its store is opened here."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from lineal.client.address import is_address, parse_address

if TYPE_CHECKING:
    from lineal.model.roles import Role

Command = TypeVar("Command", bound=Callable[..., Any])


class People(Protocol):
    """What is handed out has the fields of the REST answers."""

    def list_users(self) -> list[dict[str, Any]]: ...

    def add_user(self, name: str, password: str, is_admin: bool) -> dict[str, Any]: ...

    def change_user(
        self, name: str, *, password: str | None = None, is_disabled: bool | None = None
    ) -> dict[str, Any]: ...

    def list_members(self, tenant: str) -> dict[str, Any]: ...

    def set_member(self, tenant: str, user: str, role: Role) -> dict[str, Any]: ...

    def remove_member(self, tenant: str, user: str) -> dict[str, Any]: ...

    def list_tokens(self, user: str | None) -> list[dict[str, Any]]: ...

    def create_token(
        self, user: str | None, name: str, role: Role, tenants: list[str] | None, days: int
    ) -> dict[str, Any]: ...

    def revoke_token(self, token_id: str) -> dict[str, Any]: ...


def place_option(command: Command) -> Command:
    return click.option(
        "--url",
        "url",
        metavar="URL",
        help="The server (http://...), or its store (sqlite:///..., postgresql://...). Without it: LINEAL_URL if that is "
        "one, else the store that `lineal serve` has without --store.",
    )(command)


@contextmanager
def opened_people(url: str | None, *, writes: bool) -> Iterator[People]:
    """Raises what either does: Conflict for a SQLite database that a server has, InvalidInput for another kind of URL."""
    from lineal.cli.serve import DEFAULT_STORE

    given = url or os.environ.get("LINEAL_URL", "")
    if is_address(given):
        from lineal.cli.people_server import ServerPeople

        people = ServerPeople(parse_address(given))
        try:
            yield people
        finally:
            people.close()
        return
    if url is None and not given.startswith(("sqlite:", "postgres")):
        given = DEFAULT_STORE
    from lineal.cli.people_store import opened_store

    with opened_store(given, writes=writes) as found:
        yield found


def print_rows(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    from lineal.cli.wording import printable

    shown = [heads, *(tuple(printable(cell) for cell in row) for row in rows)]
    widths = [max(len(row[at]) for row in shown) for at in range(len(heads))]
    for row in shown:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
