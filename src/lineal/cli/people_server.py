"""Users, members and tokens of a server, asked by this user's token; a token is made after signing in with the password."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from lineal.client.address import ServerAddress
from lineal.client.login import find_token
from lineal.client.transport import Transport, error_of, path_of
from lineal.model.errors import NotAllowed
from lineal.model.roles import Role


class ServerPeople:
    """See `lineal.cli.people.People`."""

    def __init__(self, address: ServerAddress) -> None:
        self._address = address
        self._transport = Transport(address, token=find_token(address))

    def close(self) -> None:
        self._transport.close()

    def list_users(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", "users")["users"]
        return found

    def add_user(self, name: str, password: str, is_admin: bool) -> dict[str, Any]:
        return self._ask("POST", "users", body={"name": name, "password": password, "is_admin": is_admin})

    def change_user(self, name: str, *, password: str | None = None, is_disabled: bool | None = None) -> dict[str, Any]:
        given = {"password": password, "is_disabled": is_disabled}
        return self._ask("PATCH", "users", name, body={key: one for key, one in given.items() if one is not None})

    def list_members(self, tenant: str) -> dict[str, Any]:
        return self._ask("GET", "members", tenant=tenant)

    def set_member(self, tenant: str, user: str, role: Role) -> dict[str, Any]:
        return self._ask("PUT", "members", user, tenant=tenant, body={"role": role})

    def remove_member(self, tenant: str, user: str) -> dict[str, Any]:
        return self._ask("DELETE", "members", user, tenant=tenant)

    def list_tokens(self, user: str | None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._ask("GET", "tokens", query=None if user is None else {"user": user})[
            "tokens"
        ]
        return found

    def create_token(
        self, user: str | None, name: str, role: Role, tenants: list[str] | None, days: int
    ) -> dict[str, Any]:
        from lineal.cli.passwords import read_password

        if user is None:
            user = self._ask("GET", "session")["user"]
        if user is None:
            raise NotAllowed("nobody has signed in here: say who you are (--user)")
        body = {"name": name, "role": role, "tenants": tenants, "expires_in_days": days}
        with signed_in(self._address, user, read_password(f"Password of {user}")) as session:
            return session.ask("POST", "tokens", body)

    def revoke_token(self, token_id: str) -> dict[str, Any]:
        return self._ask("DELETE", "tokens", token_id)

    def _ask(
        self, method: str, *parts: str, tenant: str | None = None, body: Any = None, query: Any = None
    ) -> dict[str, Any]:
        headers = {} if tenant is None else {"X-Tenant-ID": tenant}
        return _answer(self._transport, self._address, method, parts, headers, body, query)


class SignedIn:
    """A session, as a browser has one."""

    def __init__(self, address: ServerAddress, transport: Transport, cookie: str) -> None:
        self._address, self._transport, self._cookie = address, transport, cookie

    def ask(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        headers = {"Cookie": self._cookie, "Origin": _origin(self._address)}
        return _answer(self._transport, self._address, method, (path,), headers, body, None)


@contextmanager
def signed_in(address: ServerAddress, user: str, password: str) -> Iterator[SignedIn]:
    """Signs in, and out at the end."""
    transport = Transport(address)
    try:
        body = json.dumps({"user": user, "password": password}).encode()
        headers = {"Content-Type": "application/json", "Origin": _origin(address)}
        reply = transport.send("POST", "/session", body=body, headers=headers)
        if not reply.is_good:
            raise error_of(reply, address)
        session = SignedIn(address, transport, reply.headers.get("set-cookie", "").partition(";")[0])
        try:
            yield session
        finally:
            session.ask("DELETE", "session")
    finally:
        transport.close()


def _origin(address: ServerAddress) -> str:
    return address.url.removesuffix(address.path)


def _answer(
    transport: Transport,
    address: ServerAddress,
    method: str,
    parts: tuple[str, ...],
    headers: dict[str, str],
    body: Any,
    query: Any,
) -> dict[str, Any]:
    content = None if body is None else json.dumps(body).encode()
    if content is not None:
        headers = {**headers, "Content-Type": "application/json"}
    reply = transport.send(method, path_of(parts), query=query, body=content, headers=headers)
    if not reply.is_good:
        raise error_of(reply, address)
    said: dict[str, Any] = reply.json()
    return said
