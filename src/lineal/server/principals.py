"""Who a request is from, and what they may do where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from lineal.model.ids import DEFAULT_TENANT
from lineal.model.people import Member, Session, Token, User
from lineal.model.roles import Role, lower

By = Literal["open", "nobody", "session", "token", "password"]


@dataclass(frozen=True, slots=True)
class Principal:
    """`everywhere` is the role in all tenants, those that are not there yet included; `roles` those in single ones. `secret`
    is the digest of what was shown, `ends_ms` when that ends."""

    by: By
    user: str | None = None
    everywhere: Role | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)
    secret: str = ""
    token_id: str | None = None
    ends_ms: int | None = None

    @property
    def is_known(self) -> bool:
        return self.by in ("session", "token", "password")

    @property
    def name(self) -> str:
        """As audit rows name whoever said something."""
        return f"user:{self.user}" if self.user is not None else self.by

    @property
    def among(self) -> tuple[str, ...] | None:
        """The tenants that may be asked for, sorted; None: any."""
        return None if self.by == "open" or self.everywhere is not None else tuple(sorted(self.roles))

    def role_in(self, tenant: str) -> Role | None:
        return self.everywhere or self.roles.get(tenant)

    def usual_tenant(self) -> str | None:
        """The one that is meant where none is named; None where that is not clear."""
        among = self.among
        if among is None or DEFAULT_TENANT in among:
            return DEFAULT_TENANT
        return among[0] if len(among) == 1 else None


OPEN = Principal("open", everywhere="admin")
NOBODY = Principal("nobody")


def of_session(session: Session, user: User, members: Sequence[Member]) -> Principal:
    roles = {member.tenant: member.role for member in members}
    everywhere: Role | None = "admin" if user.is_admin else None
    return Principal("session", user.name, everywhere, roles, session.digest, None, session.expires_ms)


def of_password(user: User, members: Sequence[Member]) -> Principal:
    everywhere: Role | None = "admin" if user.is_admin else None
    return Principal("password", user.name, everywhere, {member.tenant: member.role for member in members})


def of_token(token: Token, user: User, members: Sequence[Member]) -> Principal:
    """A token never widens what its user may do."""
    roles = {member.tenant: lower(member.role, token.role) for member in members}
    everywhere: Role | None = token.role if user.is_admin else None
    if token.tenants is not None:
        roles = {name: everywhere or roles[name] for name in token.tenants if everywhere or name in roles}
        everywhere = None
    return Principal("token", user.name, everywhere, roles, token.digest, token.token_id, token.expires_ms)
