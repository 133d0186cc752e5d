"""Who is let in."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from lineal.model.limits import TOKEN_NAME_MAX_CHARS
from lineal.model.roles import Role

Instant = Annotated[str, Meta(description="ISO 8601, UTC.", extra_json_schema={"format": "date-time"})]
UserName = Annotated[str, Meta(description="Lower-case letters and digits, then also . _ @ + and -")]
Password = Annotated[str, Meta(extra_json_schema={"format": "password"})]


class TenantRole(Struct, frozen=True):
    tenant: str
    role: Role


class SessionInfo(Struct, frozen=True):
    """Who is asking. `mode` "open": nobody is asked who they are, and everybody may do everything. `user` is null for nobody.
    `tenants`: those that may be asked for, with the role in each; `is_admin`: of the server, and thereby in all tenants."""

    mode: Literal["open", "sign_in"]
    user: UserName | None = None
    is_admin: bool = False
    by: Literal["session", "token"] | None = None
    token_id: str | None = None
    ends_at: Instant | None = None
    tenants: list[TenantRole] = []


class SignIn(Struct, frozen=True):
    user: UserName
    password: Password


class ChangePassword(Struct, frozen=True):
    current: Password
    new: Password


class TokenInfo(Struct, frozen=True):
    """`role` and `tenants` (null: all that its user may use) bound what it is good for. `used_at` is to the hour."""

    token_id: str
    user: UserName
    name: str
    role: Role
    tenants: list[str] | None
    created_at: Instant
    expires_at: Instant
    revoked_at: Instant | None
    used_at: Instant | None


class NewToken(TokenInfo, frozen=True):
    """`token` is shown now, and never again."""

    token: str


class TokensList(Struct, frozen=True):
    tokens: list[TokenInfo]


class AskTokens(Struct, frozen=True):
    """`user`: somebody else's, for admins of the server."""

    user: str | None = None


class CreateToken(Struct, frozen=True):
    name: Annotated[str, Meta(min_length=1, max_length=TOKEN_NAME_MAX_CHARS, description="What it is for.")]
    role: Role = "writer"
    tenants: list[str] | None = None
    expires_in_days: Annotated[int, Meta(ge=1, le=366)] = 90


class MemberInfo(Struct, frozen=True):
    user: UserName
    role: Role


class MembersList(Struct, frozen=True):
    tenant: str
    members: list[MemberInfo]


class SetMember(Struct, frozen=True):
    role: Role


class UserInfo(Struct, frozen=True):
    """`is_admin`: of the server. A disabled one cannot sign in, and no token of theirs counts."""

    name: UserName
    is_admin: bool
    is_disabled: bool
    created_at: Instant
    tenants: list[TenantRole]


class UsersList(Struct, frozen=True):
    users: list[UserInfo]


class CreateUser(Struct, frozen=True):
    name: UserName
    password: Password
    is_admin: bool = False


class EditUser(Struct, frozen=True):
    """What is left out stays."""

    password: Password | None = None
    is_admin: bool | None = None
    is_disabled: bool | None = None
