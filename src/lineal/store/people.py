"""What a store promises of users, members, tokens and sessions. They belong to no tenant, and no record speaks of them: they
are told straight to the store, in one of its transactions, and never stand in a journal.

- **Every change writes one audit row** in the same transaction, with who said it (`said.writer`) and when. The row's subject
  is a user's name or a token's id, its digest is of what was set, and no password, hash or secret is part of that. Rows about
  members are their tenant's; all others are of the tenant "" (`SERVER`), which nobody can name and no list shows.
  What changes nothing writes none; nor does a token's last use, or what `forget` drops.
- Names and roles are checked by whoever calls (`model/people.py`, `model/roles.py`).
- `find` answers None for what is not there, whatever the reason: whether it still counts is for the caller to say.
- A user is never removed, only disabled: audit rows name them.
"""

from __future__ import annotations

from typing import Any, Protocol

from lineal.model.entities import Stamp
from lineal.model.people import Member, Session, Token, User
from lineal.model.roles import Role

SERVER = ""
"""The tenant of audit rows that belong to none."""


class PeopleReader(Protocol):
    """Committed state; as of the transaction, where a writer answers."""

    def find_user(self, name: str) -> User | None: ...

    def list_users(self) -> list[User]:
        """By name."""
        ...

    def find_password(self, name: str) -> str | None:
        """The hash; None also for a user who has no password."""
        ...

    def list_members(self, tenant: str) -> list[Member]:
        """By user."""
        ...

    def list_memberships(self, user: str) -> list[Member]:
        """By tenant."""
        ...

    def find_token(self, digest: str) -> Token | None: ...

    def list_tokens(self, user: str) -> list[Token]:
        """Newest first, then by id; ended ones too."""
        ...

    def find_session(self, digest: str) -> Session | None: ...


class PeopleWriter(PeopleReader, Protocol):
    """Changes; see the module's rules."""

    def create_user(self, user: User, password: str | None, said: Stamp) -> None:
        """Conflict if there is one of that name."""
        ...

    def set_user(self, name: str, said: Stamp, *, is_admin: bool | None = None, disabled: bool | None = None) -> None:
        """Sets what is given. Disabling ends the user's sessions. NotFound."""
        ...

    def set_password(self, name: str, password: str, said: Stamp) -> None:
        """A hash. Ends the user's sessions. NotFound."""
        ...

    def set_member(self, tenant: str, user: str, role: Role, said: Stamp) -> None:
        """The tenant is made if it is new. NotFound for a user who is not there."""
        ...

    def remove_member(self, tenant: str, user: str, said: Stamp) -> None:
        """NotFound if it is none."""
        ...

    def create_token(self, token: Token, said: Stamp) -> None:
        """NotFound for its user; Conflict if its id or digest is taken."""
        ...

    def revoke_token(self, token_id: str, said: Stamp) -> None:
        """NotFound. The first revocation stands."""
        ...

    def mark_used(self, token_id: str, time_ms: int) -> None:
        """Later wins. No audit row; nothing for a token that is not there."""
        ...

    def start_session(self, session: Session, said: Stamp) -> None:
        """NotFound for its user. The user's oldest beyond SESSIONS_PER_USER_MAX_COUNT end."""
        ...

    def end_session(self, digest: str, said: Stamp) -> None:
        """Nothing if it is not there."""
        ...

    def forget(self, before_ms: int) -> None:
        """Drops sessions and tokens that ended before that time."""
        ...


def token_values(token: Token) -> dict[str, Any]:
    """What the audit row of a new token is a digest of."""
    return {
        "token_id": token.token_id,
        "user": token.user,
        "name": token.name,
        "role": token.role,
        "tenants": None if token.tenants is None else list(token.tenants),
        "expires_ms": token.expires_ms,
    }
