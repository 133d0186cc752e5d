"""Tokens: what programs show instead of a password."""

from __future__ import annotations

from typing import Any

from lineal.model.entities import Stamp
from lineal.model.errors import InvalidInput, NotFound, OverLimit
from lineal.model.ids import check_tenant
from lineal.model.limits import SECRETS_BODY_MAX_BYTES, TOKENS_PER_USER_MAX_COUNT
from lineal.model.people import TOKEN_PREFIX, Token, digest_of_secret, new_secret, new_token_id
from lineal.model.roles import at_least
from lineal.model.values import clean_text
from lineal.server.answers import Told
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.errors import Refused
from lineal.server.people_desk import gate_of, say_of_people
from lineal.server.people_views import token_info
from lineal.server.principals import Principal
from lineal.server.shapes.people import AskTokens, CreateToken, NewToken, TokenInfo, TokensList
from lineal.store.people import PeopleWriter

_PATH = "/api/v1/tokens"
_DAY_MS = 86_400_000


def list_tokens(context: Context, asked: Asked[AskTokens, None]) -> TokensList:
    """One's own, newest first. Those that ended are listed for a while."""
    gate_of(context)
    user = asked.query.user or context.principal.user or ""
    if user != context.principal.user and not _rules(context.principal):
        raise Refused(403, "forbidden", "only admins of the server see the tokens of others")
    return TokensList([token_info(token) for token in context.store.people().list_tokens(user)])


def create_token(context: Context, asked: Asked[Any, CreateToken]) -> Told:
    """For oneself, signed in with the password; at most the user's own role counts. The secret is in this answer only."""
    gate = gate_of(context)
    principal = context.principal
    if principal.by != "session" or principal.user is None:
        raise Refused(403, "forbidden", "a token cannot make tokens: sign in with the password")
    body = asked.body
    tenants = None if body.tenants is None else tuple(sorted({check_tenant(name) for name in body.tenants}))
    _check_bounds(principal, body, tenants)
    now_ms = gate.now_ms()
    name = clean_text(body.name).strip()
    if not name:
        raise InvalidInput("a token has a name, so that it can be told from others", field="name")
    secret = new_secret(TOKEN_PREFIX)
    token = Token(
        new_token_id(),
        principal.user,
        name,
        digest_of_secret(secret),
        body.role,
        tenants,
        now_ms,
        now_ms + body.expires_in_days * _DAY_MS,
    )

    def work(people: PeopleWriter, said: Stamp) -> None:
        people.forget(now_ms - gate.dead_kept_ms)
        if sum(one.ended_ms() > now_ms for one in people.list_tokens(token.user)) >= TOKENS_PER_USER_MAX_COUNT:
            raise OverLimit(f"a user has at most {TOKENS_PER_USER_MAX_COUNT} tokens: revoke one first")
        people.create_token(token, said)

    say_of_people(context, work)
    info = token_info(token)
    return Told(NewToken(**{key: getattr(info, key) for key in info.__struct_fields__}, token=secret), status=201)


def revoke_token(context: Context, asked: Asked[Any, None]) -> TokenInfo:
    """From the answer on it lets nobody in. An admin of the server revokes anybody's."""
    gate_of(context)
    token_id = asked.path["token_id"]
    people = context.store.people()
    theirs = (
        [user.name for user in people.list_users()] if _rules(context.principal) else [context.principal.user or ""]
    )
    found = next((one for user in theirs for one in people.list_tokens(user) if one.token_id == token_id), None)
    if found is None:
        raise NotFound(f"no token {token_id!r:.80}", field="token_id")
    say_of_people(context, lambda writer, said: writer.revoke_token(token_id, said))
    again = next((one for one in context.store.people().list_tokens(found.user) if one.token_id == token_id), found)
    return token_info(again)


def _rules(principal: Principal) -> bool:
    return principal.everywhere == "admin"


def _check_bounds(principal: Principal, body: CreateToken, tenants: tuple[str, ...] | None) -> None:
    """A token that asks for more than its user has would only pretend to."""
    if tenants == ():
        raise InvalidInput("a token is for at least one tenant (leave it out for all of yours)", field="tenants")
    for name in tenants or ():
        role = principal.role_in(name)
        if role is None:
            raise NotFound(f"no tenant {name!r:.80}", field="tenants")
        if not at_least(role, body.role):
            raise Refused(403, "forbidden", f"your role in {name} is {role}: a token cannot have more", field="role")
    roles = [principal.everywhere, *principal.roles.values()]
    if tenants is None and not any(at_least(role, body.role) for role in roles):
        raise Refused(403, "forbidden", f"you are {body.role} in no tenant: a token cannot have more", field="role")


ENDPOINTS = (
    Endpoint("GET", _PATH, list_tokens, "Tokens of a user", TokensList, AskTokens, refusals=(404,), access="user"),
    Endpoint(
        "POST",
        _PATH,
        create_token,
        "Make a token",
        NewToken,
        body=CreateToken,
        made=True,
        refusals=(404,),
        body_max_bytes=SECRETS_BODY_MAX_BYTES,
        keeps_answer=False,
        access="user",
    ),
    Endpoint(
        "DELETE", f"{_PATH}/{{token_id}}", revoke_token, "Revoke a token", TokenInfo, refusals=(404,), access="user"
    ),
)
