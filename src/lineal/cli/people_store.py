"""Users, members and tokens in a store that is opened here, by whoever may open it: how the first admin comes into being."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import msgspec

from lineal.model.entities import Stamp
from lineal.model.errors import Conflict, InvalidInput, NotFound
from lineal.model.ids import check_tenant
from lineal.model.people import (
    TOKEN_PREFIX,
    Token,
    User,
    check_password,
    check_user_name,
    digest_of_secret,
    new_secret,
    new_token_id,
)
from lineal.model.roles import Role
from lineal.server.hosted import refuse_local, sole_server
from lineal.server.passwords import Passwords
from lineal.server.people_views import token_info, user_info
from lineal.store.contracts import Store
from lineal.store.open import is_shared, open_store, sqlite_path

_BY = "command"  # whom audit rows name
_DAY_MS = 86_400_000


@contextmanager
def opened_store(url: str, *, writes: bool) -> Iterator[StorePeople]:
    """A SQLite database has one writing process (ADR 0010): while a server has it, the server is who must be asked."""
    with ExitStack() as held:
        if not is_shared(url):
            path = sqlite_path(url)
            refuse_local(path)
            if writes:
                try:
                    held.enter_context(sole_server(path))
                except Conflict:
                    raise Conflict(
                        f"a server has the database {path}, and it alone writes there: ask it (`lineal login URL` as an admin, "
                        "then --url URL), or stop it first",
                        field="url",
                    ) from None
        store = open_store(url, read_only=not writes)
        held.callback(store.close)
        yield StorePeople(store)


class StorePeople:
    """See `lineal.cli.people.People`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list_users(self) -> list[dict[str, Any]]:
        people = self._store.people()
        return [_plain(user_info(people, user)) for user in people.list_users()]

    def add_user(self, name: str, password: str, is_admin: bool) -> dict[str, Any]:
        user = User(check_user_name(name), is_admin, _now_ms())
        kept = Passwords().hash(check_password(password))
        with self._store.begin() as transaction:
            transaction.people().create_user(user, kept, _said())
        return self._user(name)

    def change_user(self, name: str, *, password: str | None = None, is_disabled: bool | None = None) -> dict[str, Any]:
        kept = None if password is None else Passwords().hash(check_password(password))
        with self._store.begin() as transaction:
            people = transaction.people()
            if kept is not None:
                people.set_password(name, kept, _said())
            people.set_user(name, _said(), disabled=is_disabled)
        return self._user(name)

    def list_members(self, tenant: str) -> dict[str, Any]:
        found = self._store.people().list_members(check_tenant(tenant))
        return {"tenant": tenant, "members": [{"user": one.user, "role": one.role} for one in found]}

    def set_member(self, tenant: str, user: str, role: Role) -> dict[str, Any]:
        with self._store.begin() as transaction:
            transaction.people().set_member(check_tenant(tenant), user, role, _said())
        return self.list_members(tenant)

    def remove_member(self, tenant: str, user: str) -> dict[str, Any]:
        with self._store.begin() as transaction:
            transaction.people().remove_member(check_tenant(tenant), user, _said())
        return self.list_members(tenant)

    def list_tokens(self, user: str | None) -> list[dict[str, Any]]:
        people = self._store.people()
        users = [one.name for one in people.list_users()] if user is None else [user]
        return [_plain(token_info(token)) for name in users for token in people.list_tokens(name)]

    def create_token(
        self, user: str | None, name: str, role: Role, tenants: list[str] | None, days: int
    ) -> dict[str, Any]:
        if user is None:
            raise InvalidInput("a token belongs to a user: --user", field="user")
        secret, now_ms = new_secret(TOKEN_PREFIX), _now_ms()
        named = None if tenants is None else tuple(sorted({check_tenant(tenant) for tenant in tenants}))
        token = Token(
            new_token_id(), user, name, digest_of_secret(secret), role, named, now_ms, now_ms + days * _DAY_MS
        )
        with self._store.begin() as transaction:
            transaction.people().create_token(token, _said())
        return {**_plain(token_info(token)), "token": secret}

    def revoke_token(self, token_id: str) -> dict[str, Any]:
        with self._store.begin() as transaction:
            transaction.people().revoke_token(token_id, _said())
        return next(one for one in self.list_tokens(None) if one["token_id"] == token_id)

    def _user(self, name: str) -> dict[str, Any]:
        people = self._store.people()
        user = people.find_user(name)
        if user is None:
            raise NotFound(f"no user {name!r:.80}", field="user")
        return _plain(user_info(people, user))


def _said() -> Stamp:
    return Stamp(_now_ms(), _BY, 0)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _plain(info: msgspec.Struct) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(info)
    return found
