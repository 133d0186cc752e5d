"""`lineal serve --auth` within this process, and people to ask it things."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from lineal.ingest.desk import Desk, Said
from lineal.model.entities import Stamp
from lineal.model.ids import DEFAULT_TENANT
from lineal.model.people import (
    SESSION_PREFIX,
    TOKEN_PREFIX,
    Session,
    Token,
    User,
    digest_of_secret,
    new_secret,
    new_token_id,
)
from lineal.model.roles import ROLES, Role
from lineal.server.hosted import HostedSource
from lineal.server.passwords import Passwords
from tests.server.contract import check
from tests.server.hosting import hosting

PASSWORD = "correct horse battery"
_HASHED: list[str] = []
YEAR_MS = 366 * 86_400_000
NOW_MS = 1_700_000_000_000


def hashed() -> str:
    """Of PASSWORD; made once, for it costs 50 ms."""
    if not _HASHED:
        _HASHED.append(Passwords().hash(PASSWORD))
    return _HASHED[0]


class World:
    """A server that asks who somebody is. Of tenant acme there are `reader`, `writer`, `approver` and `admin`; `zoe` is admin
    of zeta, and `root` of the server."""

    def __init__(self, source: HostedSource, client: httpx.Client) -> None:
        self.source = source
        self.client = client
        self._sessions = 0
        self.origin = str(client.base_url.copy_with(path="/")).rstrip("/")
        names = {"root": True, **dict.fromkeys((*ROLES, "zoe"), False)}

        def work(desk: Desk) -> Said:
            for at, (name, is_admin) in enumerate(names.items()):
                desk.people.create_user(User(name, is_admin, NOW_MS), hashed(), Stamp(NOW_MS, "test", at))
            for role in ROLES:
                desk.people.set_member("acme", role, role, Stamp(NOW_MS, "test", 9))
            desk.people.set_member("zeta", "zoe", "admin", Stamp(NOW_MS, "test", 9))
            return Said(200, b"")

        self.source.submit(DEFAULT_TENANT, work).result(30)

    def say(self, method: str, *values: Any, **more: Any) -> None:
        def work(desk: Desk) -> Said:
            said = () if method in ("mark_used", "forget") else (Stamp(desk.time_ms, "test", 0),)
            getattr(desk.people, method)(*values, *said, **more)
            return Said(200, b"")

        self.source.submit(DEFAULT_TENANT, work).result(30)

    def token(
        self, user: str, role: Role = "admin", tenants: tuple[str, ...] | None = None, expires_ms: int | None = None
    ) -> str:
        secret = new_secret(TOKEN_PREFIX)
        ends = 4_000_000_000_000 if expires_ms is None else expires_ms
        digest = digest_of_secret(secret)
        self.say("create_token", Token(new_token_id(), user, "t", digest, role, tenants, NOW_MS, ends, None, ends))
        return secret

    def session(self, user: str) -> str:
        secret = new_secret(SESSION_PREFIX)
        self._sessions += 1
        session = Session(digest_of_secret(secret), user, NOW_MS + self._sessions, 4_000_000_000_000)
        self.say("start_session", session)
        return secret

    @contextmanager
    def asking(self, token: str | None = None, session: str | None = None, **headers: str) -> Iterator[httpx.Client]:
        shown = {}
        if token is not None:
            shown["authorization"] = f"Bearer {token}"
        if session is not None:
            shown = {"cookie": f"lineal_session={session}", "origin": self.origin}
        with httpx.Client(
            base_url=self.client.base_url,
            headers={**shown, **headers},
            timeout=30,
            event_hooks={"response": [check]},
        ) as client:
            yield client


@contextmanager
def new_world(url: str, blobs: Path, **settings: Any) -> Iterator[World]:
    with HostedSource(url, blobs) as source, hosting(source, asks=True, **settings) as client:
        yield World(source, client)
