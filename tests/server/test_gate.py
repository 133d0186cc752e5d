"""What the gate remembers and for how long; guesses; hostile names and cookies."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from starlette.requests import Request

from lineal.model.entities import Stamp
from lineal.model.limits import (
    GUESSED_MAX_COUNT,
    GUESSES_ADDRESS_MAX_COUNT,
    GUESSES_MAX_COUNT,
    GUESSES_WINDOW_S,
    PEOPLE_KEPT_MAX_COUNT,
    PEOPLE_KEPT_S,
)
from lineal.model.people import Token, User, digest_of_secret, new_secret
from lineal.model.roles import ROLES, Role, at_least, lower
from lineal.server.errors import Refused
from lineal.server.gate import Gate
from lineal.server.guesses import Guesses
from lineal.server.hosted import HostedSource
from lineal.server.passwords import Passwords
from lineal.server.principals import NOBODY, Principal, of_token
from lineal.store.contracts import Store
from tests.server.conftest import json_of
from tests.server.let_in import PASSWORD, World, new_world

NOW_MS = 1_700_000_000_000


class FakeClock:
    def __init__(self) -> None:
        self.s = 1_000.0

    def time_ns(self) -> int:
        return NOW_MS * 1_000_000 + int(self.s * 1e9)

    def monotonic_s(self) -> float:
        return self.s


async def at_once(call: Callable[..., Any], *arguments: Any) -> Any:
    return call(*arguments)


def shown(token: str) -> Request:
    headers = [(b"authorization", f"Bearer {token}".encode())]
    return Request(
        {"type": "http", "method": "GET", "headers": headers, "scheme": "http", "path": "/", "query_string": b""}
    )


@pytest.fixture
def kept(tmp_path: Any) -> Any:
    with HostedSource("memory:", tmp_path / "blobs") as source:
        yield source


def say(store: Store, method: str, *values: Any, **more: Any) -> None:
    with store.begin() as transaction:
        getattr(transaction.people(), method)(*values, Stamp(NOW_MS, "test", 0), **more)


def token_of(source: HostedSource, user: str = "ada", ends_ms: int = 4_000_000_000_000) -> str:
    secret = new_secret("lnl_")
    with source.opened() as store:
        if store.people().find_user(user) is None:
            say(store, "create_user", User(user, False, NOW_MS), None)
            say(store, "set_member", "acme", user, "writer")
        digest = digest_of_secret(secret)
        say(store, "create_token", Token(digest[:12], user, "t", digest, "admin", None, NOW_MS, ends_ms, None, ends_ms))
    return secret


def identify(gate: Gate, secret: str) -> Principal:
    return asyncio.run(gate.identify(shown(secret), at_once))


def test_another_servers_change_counts_after_a_few_seconds_and_ones_own_at_once(kept: HostedSource) -> None:
    clock = FakeClock()
    one, other = Gate(kept, asks=True, clock=clock), Gate(kept, asks=True, clock=clock)
    secret = token_of(kept)
    assert identify(one, secret).user == identify(other, secret).user == "ada"
    with kept.opened() as store:
        say(store, "revoke_token", digest_of_secret(secret)[:12])
    one.forget_known()  # as `say_of_people` does
    assert identify(one, secret) == NOBODY and identify(other, secret).user == "ada"
    clock.s += PEOPLE_KEPT_S
    assert identify(other, secret) == NOBODY


def test_a_token_that_is_remembered_ends_to_the_second(kept: HostedSource) -> None:
    clock = FakeClock()
    gate = Gate(kept, asks=True, clock=clock)
    secret = token_of(kept, ends_ms=NOW_MS + 1_002_000)
    assert identify(gate, secret).user == "ada"
    clock.s += 1.9
    assert identify(gate, secret).user == "ada"
    clock.s += 0.1
    assert identify(gate, secret) == NOBODY


def test_what_was_read_before_a_change_is_not_remembered_after_it(kept: HostedSource) -> None:
    """The change comes between the reading and the remembering."""
    gate = Gate(kept, asks=True, clock=FakeClock())
    secret = token_of(kept)

    async def slowly(call: Callable[..., Any], *arguments: Any) -> Any:
        found = call(*arguments)
        with kept.opened() as store:
            say(store, "set_user", "ada", disabled=True)
        gate.forget_known()
        return found

    assert asyncio.run(gate.identify(shown(secret), slowly)).user == "ada", "it had begun before"
    assert identify(gate, secret) == NOBODY


def test_what_is_remembered_is_bounded(kept: HostedSource, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lineal.server.gate.PEOPLE_KEPT_MAX_COUNT", 3)
    gate = Gate(kept, asks=True, clock=FakeClock())
    for _ in range(5):
        assert identify(gate, token_of(kept)).user == "ada"
    for _ in range(5):
        assert identify(gate, new_secret("lnl_")) == NOBODY
    assert len(gate._known) == 3 and PEOPLE_KEPT_MAX_COUNT > 1_000


def test_roles() -> None:
    for place, one in enumerate(ROLES):
        assert [at_least(other, one) for other in ROLES] == [other >= place for other in range(len(ROLES))]
        assert not at_least(None, one)
    assert lower("admin", "reader") == lower("reader", "admin") == "reader"


@pytest.mark.parametrize("is_admin", [True, False])
@pytest.mark.parametrize("tenants", [None, ("acme",), ("never",), ("acme", "zeta")])
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("member", [None, *ROLES])
def test_a_token_never_widens_what_its_user_may(
    member: Role | None, role: Role, tenants: tuple[str, ...] | None, is_admin: bool
) -> None:
    from lineal.model.people import Member

    token = Token("t", "ada", "t", "d", role, tenants, 0, 1)
    members = [] if member is None else [Member("acme", "ada", member)]
    principal = of_token(token, User("ada", is_admin, 0), members)
    for tenant in ("acme", "zeta", "never", "default"):
        own: Role | None = "admin" if is_admin else member if tenant == "acme" else None
        allowed = own is not None and (tenants is None or tenant in tenants)
        assert principal.role_in(tenant) == (lower(own, role) if allowed and own is not None else None)
        if principal.among is not None:
            assert (tenant in principal.among) == allowed
    assert principal.everywhere is None or (is_admin and tenants is None)


# -- guesses ------------------------------------------------------------------------------------


def tries(guesses: Guesses, user: str, address: str = "10.0.0.1") -> int:
    """How many are let through."""
    for count in range(10_000):
        try:
            guesses.make(user, address)
        except Refused as refused:
            assert refused.status == 429 and 0 < int(refused.headers["retry-after"]) <= GUESSES_WINDOW_S + 1
            return count
    raise AssertionError("no bound")


def test_guesses_are_bounded_by_user_and_by_address_and_come_back() -> None:
    clock = FakeClock()
    guesses = Guesses(clock)
    assert tries(guesses, "ada") == GUESSES_MAX_COUNT
    assert tries(guesses, "ada", "10.0.0.2") == 0, "from elsewhere neither"
    others = sum(tries(guesses, f"u{n}") for n in range(200))
    assert others == GUESSES_ADDRESS_MAX_COUNT - GUESSES_MAX_COUNT
    clock.s += GUESSES_WINDOW_S - 1
    assert tries(guesses, "ada", "10.0.0.2") == 0
    clock.s += 1
    assert tries(guesses, "ada") == GUESSES_MAX_COUNT


def test_a_right_password_takes_its_guess_back() -> None:
    guesses = Guesses(FakeClock())
    for _ in range(3 * GUESSES_ADDRESS_MAX_COUNT):
        guesses.make("ada", "10.0.0.1")
        guesses.forgive("ada", "10.0.0.1")
    assert tries(guesses, "ada") == GUESSES_MAX_COUNT


def test_guesses_take_a_bounded_memory() -> None:
    guesses = Guesses(FakeClock())
    for number in range(GUESSED_MAX_COUNT):
        guesses.make(f"user{number}", f"10.{number}")
    assert len(guesses._made) == GUESSED_MAX_COUNT


def test_guesses_at_once_are_counted_each(world: World) -> None:
    """Thirty at a time: no more than the bound are even looked at, and the server stays answering."""
    statuses: list[int] = []

    def guess() -> None:
        answer = httpx.post(f"{world.client.base_url}session", json={"user": "writer", "password": "wrong"}, timeout=60)
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=guess) for _ in range(30)]
    for thread in threads:
        thread.start()
    assert world.client.get("/health").status_code == 200
    for thread in threads:
        thread.join()
    assert set(statuses) <= {401, 429, 503} and statuses.count(401) <= GUESSES_MAX_COUNT and statuses.count(429) >= 20


def test_passwords_are_argon2id_and_wait_for_their_turn() -> None:
    passwords = Passwords()
    kept = passwords.hash(PASSWORD)
    assert kept.startswith("$argon2id$v=19$m=65536,t=3,p=4$") and PASSWORD not in kept
    assert passwords.fits(kept, PASSWORD) and not passwords.fits(kept, PASSWORD + " ")
    assert (
        not passwords.fits(None, "nobody's") and not passwords.fits("", "") and not passwords.fits("no hash", PASSWORD)
    )
    assert passwords.hash(PASSWORD) != kept, "salted"
    held = [passwords._waiting.acquire(blocking=False) for _ in range(20)]
    with pytest.raises(Refused) as refused:
        passwords.fits(kept, PASSWORD)
    assert refused.value.status == 503 and any(held)


# -- hostile words ------------------------------------------------------------------------------

HOSTILE = [
    "",
    " ",
    "\0",
    "a\0b",
    "../root",
    "root ",
    "ROOT",
    "ｒｏｏｔ",
    "'; DROP TABLE users; --",
    "%",
    "_",
    "x" * 4_000,
    "\N{ROCKET}",
    "a\nb",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_are_none(every_world: World, name: str) -> None:
    world = every_world
    from urllib.parse import quote

    assert (
        json_of(world.client.post("/session", json={"user": name, "password": PASSWORD}), 401)["code"]
        == "wrong_password"
    )
    with world.asking(token=world.token("root")) as root:
        assert root.post("/users", json={"name": name, "password": PASSWORD}).status_code == 400
        for method, path in (
            ("PATCH", "/users/"),
            ("PUT", "/members/"),
            ("DELETE", "/members/"),
            ("DELETE", "/tokens/"),
        ):
            body = {"role": "reader"} if method == "PUT" else {} if method == "PATCH" else None
            answer = root.request(method, path + quote(name, safe=""), json=body, headers={"x-tenant-id": "acme"})
            assert answer.status_code in (400, 404, 405), (method, path, answer.text)
        assert root.get("/tokens", params={"user": name}).status_code in (200, 400)


def test_text_that_is_no_unicode(every_world: World) -> None:
    body = b'{"user": "\\ud800", "password": "\\udfff\\ud800"}'
    answer = every_world.client.post("/session", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 401)
    with every_world.asking(token=every_world.token("root")) as root:
        assert root.put("/members/%ff%fe", json={"role": "reader"}).status_code in (400, 404)


@pytest.mark.parametrize(
    "cookie",
    [
        "lineal_session",
        "lineal_session=",
        "lineal_session=lns_x",
        "a=b; lineal_session=lns_" + "A" * 43,
        "lineal_session=" + "x" * 9_000,
        "lineal_session=lns_{}",
        "__Host-lineal_session=lns_" + "A" * 43,
    ],
)
def test_cookies_that_are_none(world: World, cookie: str) -> None:
    answer = world.client.get("/experiments", headers={"cookie": cookie})
    assert answer.status_code in (401, 431)


def test_a_page_that_came_by_https_gets_the_bound_cookie(tmp_path: Any) -> None:
    """Something before the server speaks https for it; the origin tells."""
    with new_world("memory:", tmp_path / "blobs", hosts=("tracker.example.org",)) as world:
        host = {"host": "tracker.example.org", "origin": "https://tracker.example.org"}
        answer = world.client.post("/session", json={"user": "writer", "password": PASSWORD}, headers=host)
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("__Host-lineal_session=lns_") and cookie.endswith("; Secure")
        kept = {"cookie": cookie.partition(";")[0], "host": "tracker.example.org"}
        world.client.cookies.clear()
        assert world.client.get("/experiments", headers=kept).status_code == 200
        assert world.client.post("/experiments", json={"name": "x"}, headers={**kept, **host}).status_code == 201
        assert world.client.post("/experiments", json={"name": "y"}, headers=kept).status_code == 403
