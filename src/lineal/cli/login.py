"""`lineal login`."""

from __future__ import annotations

import socket
import sys
from typing import TYPE_CHECKING

import click

from lineal.cli.options import json_option
from lineal.cli.tokens import MAX_DAYS
from lineal.model.roles import ROLES

if TYPE_CHECKING:
    from lineal.client.address import ServerAddress


@click.command(short_help="Sign in at a server, once on this machine.")
@click.argument("url", metavar="URL")
@click.option("--user", metavar="NAME", help="Who you are. Without it: it is asked for.")
@click.option("--role", type=click.Choice(ROLES), default=None, help="At most this role. Without it: all that you may.")
@click.option(
    "--days", type=click.IntRange(1, MAX_DAYS), default=90, show_default=True, help="Until you sign in again."
)
@click.option("--token", "with_token", is_flag=True, help="Keep a token that you have: it is asked for.")
@click.option("--forget", is_flag=True, help="Revoke the token that is kept for that server, and forget it.")
@json_option
def login(
    url: str, user: str | None, role: str | None, days: int, with_token: bool, forget: bool, as_json: bool
) -> None:
    """Sign in at a server, once on this machine: a token for it is kept in your configuration folder, and shown whenever
    LINEAL_URL or --url names that server. LINEAL_TOKEN goes before it.

    The password is asked for, or read from standard input where that is no terminal; it is not kept."""
    from lineal.client.address import parse_address
    from lineal.client.login import login_path

    address = parse_address(url)
    if forget:
        said = {"url": address.url, "forgotten": _forget(address)}
        text = f"{address.url}: {'forgotten' if said['forgotten'] else 'nothing was kept'}"
    else:
        if address.scheme == "http" and not address.is_loopback:
            click.echo(f"lineal: {address.url} is not https: whoever is on the way reads the password", err=True)
        info = _keep_given(address) if with_token else _keep_new(address, user, role, days)
        said = {"url": address.url, **info, "file": login_path()}
        text = f"{address.url}: signed in as {info['user']}; the token is kept in {login_path()}"
    if as_json:
        from lineal.cli.output import write_json

        write_json(said)
    else:
        click.echo(text)


def _keep_new(address: ServerAddress, user: str | None, role: str | None, days: int) -> dict[str, object]:
    from lineal.cli.passwords import read_password
    from lineal.cli.people_server import signed_in
    from lineal.client.login import drop_token, save_token
    from lineal.model.roles import at_least

    if user is None:
        user = str(click.prompt("User", err=True)) if sys.stdin.isatty() else sys.stdin.readline().strip()
    password = read_password()
    with signed_in(address, user, password) as session:
        mine = [one["role"] for one in session.ask("GET", "session")["tenants"]]
        most = next((one for one in reversed(ROLES) if any(at_least(known, one) for known in mine)), "admin")
        name = f"lineal login on {socket.gethostname()}"[:100]
        body = {"name": name, "role": role or most, "expires_in_days": days}
        made = session.ask("POST", "tokens", body)
        before = drop_token(address)
        save_token(address, made["token"])
    if before is not None:
        _revoke(address, before)
    return {"user": made["user"], "token_id": made["token_id"], "expires_at": made["expires_at"]}


def _keep_given(address: ServerAddress) -> dict[str, object]:
    """Asks the server whether it counts before it is kept."""
    from lineal.cli.passwords import read_password
    from lineal.client.login import save_token
    from lineal.client.transport import Transport
    from lineal.model.errors import NotAllowed

    token = read_password("Token")
    transport = Transport(address, token=token)
    try:
        info = transport.ask("GET", ["session"])
    finally:
        transport.close()
    if info.get("by") != "token":
        raise NotAllowed(f"{address.url} does not take that token")
    save_token(address, token)
    return {"user": info["user"], "token_id": None, "expires_at": info["ends_at"]}


def _forget(address: ServerAddress) -> bool:
    from lineal.client.login import drop_token

    token = drop_token(address)
    if token is not None:
        _revoke(address, token)
    return token is not None


def _revoke(address: ServerAddress, token: str) -> None:
    """That there is one fewer is worth a word where it fails, and no more: it ends by itself."""
    from lineal.client.transport import Transport
    from lineal.model.errors import LinealError

    transport = Transport(address, token=token)
    try:
        info = transport.ask("GET", ["session"])
        if info.get("token_id"):
            transport.ask("DELETE", ["tokens", info["token_id"]])
    except LinealError as error:
        click.echo(f"lineal: the token kept until now was forgotten, but not revoked: {error.message}", err=True)
    finally:
        transport.close()
