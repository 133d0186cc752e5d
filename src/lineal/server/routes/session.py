"""Browsers sign in and out."""

from __future__ import annotations

from typing import Any

from lineal.model.entities import Stamp
from lineal.model.limits import SECRETS_BODY_MAX_BYTES, SESSION_MAX_AGE_S
from lineal.model.people import SESSION_PREFIX, Session, check_password, digest_of_secret, new_secret
from lineal.server.answers import Told
from lineal.server.context import Context
from lineal.server.cookies import session_cookie
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.errors import Refused
from lineal.server.gate import Gate
from lineal.server.people_desk import gate_of, say_of_people
from lineal.server.principals import Principal, of_session
from lineal.server.shapes.people import ChangePassword, SessionInfo, SignIn, TenantRole
from lineal.store.people import PeopleWriter
from lineal.store.run_view import iso_time

_PATH = "/api/v1/session"


def get_session(context: Context, asked: Asked[Any, None]) -> SessionInfo:
    """Who is asking, and which tenants they may ask for."""
    if context.gate is None or not context.gate.asks:
        return SessionInfo("open")
    return _info(context, context.principal)


def sign_in(context: Context, asked: Asked[Any, SignIn]) -> Told:
    """Sets a cookie. After too many wrong passwords in a while: 429."""
    gate = gate_of(context)
    name, password = asked.body.user, asked.body.password
    _check(gate, context, name, password, asked.address)
    secret = new_secret(SESSION_PREFIX)
    now_ms = gate.now_ms()
    session = Session(digest_of_secret(secret), name, now_ms, now_ms + int(SESSION_MAX_AGE_S * 1000))

    def work(people: PeopleWriter, said: Stamp) -> None:
        people.forget(now_ms - gate.dead_kept_ms)
        people.start_session(session, said)

    say_of_people(context, work, f"user:{name}")
    people = context.store.people()
    user = people.find_user(name)
    assert user is not None  # users stay
    info = _info(context, of_session(session, user, people.list_memberships(name)))
    return Told(info, {"set-cookie": session_cookie(asked.is_secure, secret)})


def sign_out(context: Context, asked: Asked[Any, None]) -> Told:
    """Ends the session, and takes the cookie away."""
    gate_of(context)
    principal = context.principal
    if principal.by == "session":
        say_of_people(context, lambda people, said: people.end_session(principal.secret, said))
    return Told(SessionInfo("sign_in"), {"set-cookie": session_cookie(asked.is_secure, "")})


def change_password(context: Context, asked: Asked[Any, ChangePassword]) -> Told:
    """One's own. Everywhere else the user is signed out; here too, so sign in again."""
    gate = gate_of(context)
    principal = context.principal
    if principal.by != "session" or principal.user is None:
        raise Refused(403, "forbidden", "a token cannot change a password: sign in with the password")
    user = principal.user
    new = check_password(asked.body.new)
    _check(gate, context, user, asked.body.current, asked.address)
    kept = gate.passwords.hash(new)
    say_of_people(context, lambda people, said: people.set_password(user, kept, said))
    return Told(SessionInfo("sign_in"), {"set-cookie": session_cookie(asked.is_secure, "")})


def _check(gate: Gate, context: Context, name: str, password: str, address: str) -> None:
    """Refused, in the same words whatever was wrong."""
    gate.guesses.make(name[:200], address)
    people = context.store.people()
    user = people.find_user(name)
    kept = people.find_password(name) if user is not None and user.disabled_ms is None else None
    if not gate.passwords.fits(kept, password):
        refused = Refused(401, "wrong_password", "no user of that name has that password", field="password")
        refused.headers["www-authenticate"] = 'Bearer realm="lineal"'
        raise refused
    gate.guesses.forgive(name[:200], address)


def _info(context: Context, principal: Principal) -> SessionInfo:
    if not principal.is_known:
        return SessionInfo("sign_in")
    tenants = context.store.list_tenants() if principal.everywhere is not None else sorted(principal.roles)
    return SessionInfo(
        "sign_in",
        principal.user,
        principal.everywhere == "admin",
        "token" if principal.by == "token" else "session",
        principal.token_id,
        None if principal.ends_ms is None else iso_time(principal.ends_ms),
        [TenantRole(name, role) for name in tenants if (role := principal.role_in(name)) is not None],
    )


ENDPOINTS = (
    Endpoint("GET", _PATH, get_session, "Who is asking", SessionInfo, access="open"),
    Endpoint(
        "POST",
        _PATH,
        sign_in,
        "Sign in",
        SessionInfo,
        body=SignIn,
        refusals=(401, 404, 429),
        body_max_bytes=SECRETS_BODY_MAX_BYTES,
        keeps_answer=False,
        access="open",
    ),
    Endpoint("DELETE", _PATH, sign_out, "Sign out", SessionInfo, refusals=(404,), access="open"),
    Endpoint(
        "POST",
        f"{_PATH}/password",
        change_password,
        "Change one's password",
        SessionInfo,
        body=ChangePassword,
        refusals=(404, 429),
        body_max_bytes=SECRETS_BODY_MAX_BYTES,
        keeps_answer=False,
        access="user",
    ),
)
