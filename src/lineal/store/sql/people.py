"""Users, members, tokens and sessions in the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from lineal.model.entities import Stamp
from lineal.model.errors import Conflict, NotFound
from lineal.model.limits import SESSIONS_PER_USER_MAX_COUNT
from lineal.model.people import Member, Session, Token, User
from lineal.model.roles import Role
from lineal.model.values import from_json, to_json
from lineal.store.audit import Action
from lineal.store.people import SERVER, token_values
from lineal.store.sql.database import Connection

if TYPE_CHECKING:
    from lineal.store.sql.names import Names

Audit = Callable[[str, Action, str, Stamp, dict[str, Any]], None]
"""(tenant, action, subject, said, values): writes the row."""
_TOKEN = (
    "SELECT token_id, user_name, name, digest, role, tenants, created_ms, expires_ms, revoked_ms, used_ms FROM token"
)
_USER = "SELECT name, is_admin, created_ms, disabled_ms FROM users"
_MEMBER = "SELECT tenant.name, member.user_name, member.role FROM member JOIN tenant ON tenant.pk = member.tenant"


class SqlPeopleReader:
    """See `people.PeopleReader`."""

    def __init__(self, snapshot: Callable[[], AbstractContextManager[Connection]]) -> None:
        self._snapshot = snapshot

    def find_user(self, name: str) -> User | None:
        rows = self._rows(f"{_USER} WHERE name = ?", name)
        return _user_of(rows[0]) if rows else None

    def list_users(self) -> list[User]:
        return [_user_of(row) for row in self._rows(f"{_USER} ORDER BY name")]

    def find_password(self, name: str) -> str | None:
        rows = self._rows("SELECT password FROM users WHERE name = ?", name)
        return rows[0][0] if rows else None

    def list_members(self, tenant: str) -> list[Member]:
        return [Member(*row) for row in self._rows(f"{_MEMBER} WHERE tenant.name = ? ORDER BY user_name", tenant)]

    def list_memberships(self, user: str) -> list[Member]:
        return [Member(*row) for row in self._rows(f"{_MEMBER} WHERE member.user_name = ? ORDER BY tenant.name", user)]

    def find_token(self, digest: str) -> Token | None:
        rows = self._rows(f"{_TOKEN} WHERE digest = ?", digest)
        return _token_of(rows[0]) if rows else None

    def list_tokens(self, user: str) -> list[Token]:
        rows = self._rows(f"{_TOKEN} WHERE user_name = ? ORDER BY created_ms DESC, token_id", user)
        return [_token_of(row) for row in rows]

    def find_session(self, digest: str) -> Session | None:
        rows = self._rows("SELECT digest, user_name, created_ms, expires_ms FROM session WHERE digest = ?", digest)
        return Session(*rows[0]) if rows else None

    def _rows(self, sql: str, *values: object) -> list[Any]:
        with self._snapshot() as connection:
            return connection.execute(sql, values).fetchall()


class SqlPeopleWriter(SqlPeopleReader):
    """See `people.PeopleWriter`. Reads and writes through the transaction's connection."""

    def __init__(
        self, connection: Connection, names: Names, audit: Audit, make_tenant: Callable[[str], object]
    ) -> None:
        @contextmanager
        def within() -> Iterator[Connection]:
            yield connection

        super().__init__(within)
        self._connection = connection
        self._names = names
        self._audit = audit
        self._make_tenant = make_tenant

    def create_user(self, user: User, password: str | None, said: Stamp) -> None:
        if self.find_user(user.name) is not None:
            raise Conflict(f"there is a user {user.name!r:.80} already", field="user")
        self._do(
            "INSERT INTO users (name, is_admin, created_ms, disabled_ms, password) VALUES (?, ?, ?, ?, ?)",
            *user,
            password,
        )
        self._say("user.create", user.name, said, {"name": user.name, "is_admin": user.is_admin})

    def set_user(self, name: str, said: Stamp, *, is_admin: bool | None = None, disabled: bool | None = None) -> None:
        known = user = self._user(name)
        if is_admin is not None:
            user = user._replace(is_admin=is_admin)
        if disabled is not None and disabled != (user.disabled_ms is not None):
            user = user._replace(disabled_ms=said.time_ms if disabled else None)
        if user != known:
            self._do(
                "UPDATE users SET is_admin = ?, disabled_ms = ? WHERE name = ?", user.is_admin, user.disabled_ms, name
            )
            if user.disabled_ms is not None:
                self._end_sessions(name)
            values = {"name": name, "is_admin": user.is_admin, "disabled": user.disabled_ms is not None}
            self._say("user.set", name, said, values)

    def set_password(self, name: str, password: str, said: Stamp) -> None:
        self._user(name)
        self._do("UPDATE users SET password = ? WHERE name = ?", password, name)
        self._end_sessions(name)
        self._say("password.set", name, said, {"name": name})

    def set_member(self, tenant: str, user: str, role: Role, said: Stamp) -> None:
        self._user(user)
        self._make_tenant(tenant)
        if Member(tenant, user, role) not in self.list_memberships(user):
            self._do(
                "INSERT INTO member (tenant, user_name, role) VALUES (?, ?, ?)"
                " ON CONFLICT (tenant, user_name) DO UPDATE SET role = excluded.role",
                self._names.tenant(tenant),
                user,
                role,
            )
            self._say("member.set", user, said, {"user": user, "role": role}, tenant)

    def remove_member(self, tenant: str, user: str, said: Stamp) -> None:
        pk = self._names.find_tenant(tenant)
        if not self._do("DELETE FROM member WHERE tenant = ? AND user_name = ?", pk, user):
            raise NotFound(f"{user!r:.80} is no member of tenant {tenant!r:.80}", field="user")
        self._say("member.remove", user, said, {"user": user}, tenant)

    def create_token(self, token: Token, said: Stamp) -> None:
        self._user(token.user)
        if self._rows("SELECT 1 FROM token WHERE token_id = ? OR digest = ?", token.token_id, token.digest):
            raise Conflict("there is such a token already", field="token_id")
        tenants = None if token.tenants is None else to_json(list(token.tenants))
        self._do(
            "INSERT INTO token (token_id, user_name, name, digest, role, tenants, created_ms, expires_ms, revoked_ms,"
            " used_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *token._replace(tenants=tenants),  # type: ignore[arg-type]
        )
        self._say("token.create", token.token_id, said, token_values(token))

    def revoke_token(self, token_id: str, said: Stamp) -> None:
        rows = self._rows("SELECT revoked_ms FROM token WHERE token_id = ?", token_id)
        if not rows:
            raise NotFound(f"no token {token_id!r:.80}", field="token_id")
        if rows[0][0] is None:
            self._do("UPDATE token SET revoked_ms = ? WHERE token_id = ?", said.time_ms, token_id)
            self._say("token.revoke", token_id, said, {"token_id": token_id})

    def mark_used(self, token_id: str, time_ms: int) -> None:
        self._do(
            "UPDATE token SET used_ms = ? WHERE token_id = ? AND coalesce(used_ms, -1) < ?", time_ms, token_id, time_ms
        )

    def start_session(self, session: Session, said: Stamp) -> None:
        self._user(session.user)
        self._do("INSERT INTO session (digest, user_name, created_ms, expires_ms) VALUES (?, ?, ?, ?)", *session)
        mine = self._rows(
            "SELECT digest FROM session WHERE user_name = ? ORDER BY created_ms DESC, digest", session.user
        )
        for (digest,) in mine[SESSIONS_PER_USER_MAX_COUNT:]:
            self._do("DELETE FROM session WHERE digest = ?", digest)
        self._say("session.start", session.user, said, {"user": session.user})

    def end_session(self, digest: str, said: Stamp) -> None:
        session = self.find_session(digest)
        if session is not None:
            self._do("DELETE FROM session WHERE digest = ?", digest)
            self._say("session.end", session.user, said, {"user": session.user})

    def forget(self, before_ms: int) -> None:
        self._do("DELETE FROM session WHERE expires_ms < ?", before_ms)
        self._do(
            "DELETE FROM token WHERE expires_ms < ? OR (revoked_ms IS NOT NULL AND revoked_ms < ?)",
            before_ms,
            before_ms,
        )

    # -- inside --------------------------------------------------------------------------------------------

    def _do(self, sql: str, *values: object) -> int:
        """Rows changed."""
        return self._connection.execute(sql, values).rowcount

    def _user(self, name: str) -> User:
        user = self.find_user(name)
        if user is None:
            raise NotFound(f"no user {name!r:.80}", field="user")
        return user

    def _end_sessions(self, user: str) -> None:
        self._do("DELETE FROM session WHERE user_name = ?", user)

    def _say(self, action: Action, subject: str, said: Stamp, values: dict[str, Any], tenant: str = SERVER) -> None:
        self._audit(tenant, action, subject, said, values)


def _user_of(row: Any) -> User:
    return User(row[0], bool(row[1]), row[2], row[3])


def _token_of(row: Any) -> Token:
    return Token._make(row)._replace(tenants=None if row[5] is None else tuple(from_json(row[5])))
