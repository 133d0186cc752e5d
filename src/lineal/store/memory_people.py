"""Users, members, tokens and sessions in dicts: the reference of `store/people.py`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from lineal.model.entities import Stamp
from lineal.model.errors import Conflict, NotFound
from lineal.model.limits import SESSIONS_PER_USER_MAX_COUNT
from lineal.model.people import Member, Session, Token, User
from lineal.model.roles import Role
from lineal.store.audit import Action
from lineal.store.people import SERVER, token_values

Audit = Callable[[str, Action, str, Stamp, dict[str, Any]], None]
"""(tenant, action, subject, said, values): writes the row."""


@dataclass(slots=True)
class PeopleState:
    users: dict[str, User] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    members: dict[tuple[str, str], Role] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)

    def copy(self) -> PeopleState:
        return PeopleState(
            dict(self.users), dict(self.passwords), dict(self.members), dict(self.tokens), dict(self.sessions)
        )


class MemoryPeopleReader:
    """See `people.PeopleReader`. `state` is asked for at each call."""

    def __init__(self, state: Callable[[], PeopleState]) -> None:
        self._state_now = state

    def find_user(self, name: str) -> User | None:
        return self._state_now().users.get(name)

    def list_users(self) -> list[User]:
        return sorted(self._state_now().users.values())

    def find_password(self, name: str) -> str | None:
        return self._state_now().passwords.get(name)

    def list_members(self, tenant: str) -> list[Member]:
        return [member for member in self._members() if member.tenant == tenant]

    def list_memberships(self, user: str) -> list[Member]:
        return [member for member in self._members() if member.user == user]

    def find_token(self, digest: str) -> Token | None:
        return next((token for token in self._state_now().tokens.values() if token.digest == digest), None)

    def list_tokens(self, user: str) -> list[Token]:
        tokens = [token for token in self._state_now().tokens.values() if token.user == user]
        return sorted(tokens, key=lambda token: (-token.created_ms, token.token_id))

    def find_session(self, digest: str) -> Session | None:
        return self._state_now().sessions.get(digest)

    def _members(self) -> list[Member]:
        return [Member(tenant, user, role) for (tenant, user), role in sorted(self._state_now().members.items())]


class MemoryPeopleWriter(MemoryPeopleReader):
    """See `people.PeopleWriter`. `state` is this transaction's own copy."""

    def __init__(self, state: PeopleState, audit: Audit, make_tenant: Callable[[str], object]) -> None:
        super().__init__(lambda: state)
        self.state = state
        self.changed = False
        self._audit = audit
        self._make_tenant = make_tenant

    def create_user(self, user: User, password: str | None, said: Stamp) -> None:
        if user.name in self.state.users:
            raise Conflict(f"there is a user {user.name!r:.80} already", field="user")
        self.state.users[user.name] = user
        if password is not None:
            self.state.passwords[user.name] = password
        self._say("user.create", user.name, said, {"name": user.name, "is_admin": user.is_admin})

    def set_user(self, name: str, said: Stamp, *, is_admin: bool | None = None, disabled: bool | None = None) -> None:
        known = user = self._user(name)
        if is_admin is not None:
            user = user._replace(is_admin=is_admin)
        if disabled is not None and disabled != (user.disabled_ms is not None):
            user = user._replace(disabled_ms=said.time_ms if disabled else None)
        if user != known:
            self.state.users[name] = user
            if user.disabled_ms is not None:
                self._end_sessions(name)
            values = {"name": name, "is_admin": user.is_admin, "disabled": user.disabled_ms is not None}
            self._say("user.set", name, said, values)

    def set_password(self, name: str, password: str, said: Stamp) -> None:
        self._user(name)
        self.state.passwords[name] = password
        self._end_sessions(name)
        self._say("password.set", name, said, {"name": name})

    def set_member(self, tenant: str, user: str, role: Role, said: Stamp) -> None:
        self._user(user)
        self._make_tenant(tenant)
        if self.state.members.get((tenant, user)) != role:
            self.state.members[tenant, user] = role
            self._say("member.set", user, said, {"user": user, "role": role}, tenant)

    def remove_member(self, tenant: str, user: str, said: Stamp) -> None:
        if self.state.members.pop((tenant, user), None) is None:
            raise NotFound(f"{user!r:.80} is no member of tenant {tenant!r:.80}", field="user")
        self._say("member.remove", user, said, {"user": user}, tenant)

    def create_token(self, token: Token, said: Stamp) -> None:
        self._user(token.user)
        if token.token_id in self.state.tokens or self.find_token(token.digest) is not None:
            raise Conflict("there is such a token already", field="token_id")
        self.state.tokens[token.token_id] = token
        self._say("token.create", token.token_id, said, token_values(token))

    def revoke_token(self, token_id: str, said: Stamp) -> None:
        token = self.state.tokens.get(token_id)
        if token is None:
            raise NotFound(f"no token {token_id!r:.80}", field="token_id")
        if token.revoked_ms is None:
            self.state.tokens[token_id] = token._replace(revoked_ms=said.time_ms)
            self._say("token.revoke", token_id, said, {"token_id": token_id})

    def mark_used(self, token_id: str, time_ms: int) -> None:
        token = self.state.tokens.get(token_id)
        if token is not None and (token.used_ms is None or token.used_ms < time_ms):
            self.state.tokens[token_id] = token._replace(used_ms=time_ms)
            self.changed = True

    def start_session(self, session: Session, said: Stamp) -> None:
        self._user(session.user)
        self.state.sessions[session.digest] = session
        mine = [one for one in self.state.sessions.values() if one.user == session.user]
        for old in sorted(mine, key=lambda one: (-one.created_ms, one.digest))[SESSIONS_PER_USER_MAX_COUNT:]:
            del self.state.sessions[old.digest]
        self._say("session.start", session.user, said, {"user": session.user})

    def end_session(self, digest: str, said: Stamp) -> None:
        session = self.state.sessions.pop(digest, None)
        if session is not None:
            self._say("session.end", session.user, said, {"user": session.user})

    def forget(self, before_ms: int) -> None:
        sessions = {key: one for key, one in self.state.sessions.items() if one.expires_ms >= before_ms}
        tokens = {key: one for key, one in self.state.tokens.items() if one.ended_ms() >= before_ms}
        self.changed |= len(sessions) + len(tokens) < len(self.state.sessions) + len(self.state.tokens)
        self.state.sessions, self.state.tokens = sessions, tokens

    # -- inside --------------------------------------------------------------------------------------------

    def _user(self, name: str) -> User:
        user = self.state.users.get(name)
        if user is None:
            raise NotFound(f"no user {name!r:.80}", field="user")
        return user

    def _end_sessions(self, user: str) -> None:
        for digest in [digest for digest, one in self.state.sessions.items() if one.user == user]:
            del self.state.sessions[digest]

    def _say(self, action: Action, subject: str, said: Stamp, values: dict[str, Any], tenant: str = SERVER) -> None:
        self.changed = True
        self._audit(tenant, action, subject, said, values)
