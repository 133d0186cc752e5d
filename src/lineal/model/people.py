"""Who may be let in: users, the tenants that they are members of, and the secrets that they show instead of a password.

Of a secret only its SHA-256 is ever kept: whoever reads the database cannot sign in with what is there."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from os import urandom
from typing import NamedTuple

from lineal.model.errors import InvalidInput
from lineal.model.limits import PASSWORD_MAX_BYTES, PASSWORD_MIN_CHARS, USER_NAME_MAX_CHARS
from lineal.model.roles import Role

TOKEN_PREFIX = "lnl_"  # so that a scanner of repositories knows one when it sees it
SESSION_PREFIX = "lns_"
_SECRET_BYTES = 32
_SECRET = re.compile(r"(lnl|lns)_[A-Za-z0-9_-]{43}")
_USER = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,%d}" % (USER_NAME_MAX_CHARS - 1))


class User(NamedTuple):
    """`is_admin`: may do everything in every tenant, and make users."""

    name: str
    is_admin: bool
    created_ms: int
    disabled_ms: int | None = None


class Member(NamedTuple):
    tenant: str
    user: str
    role: Role


class Token(NamedTuple):
    """`role` and `tenants` (None: all) bound what its user may do with it; they never widen it. `used_ms` is coarse."""

    token_id: str
    user: str
    name: str
    digest: str
    role: Role
    tenants: tuple[str, ...] | None
    created_ms: int
    expires_ms: int
    revoked_ms: int | None = None
    used_ms: int | None = None

    def ended_ms(self) -> int:
        return self.expires_ms if self.revoked_ms is None else min(self.revoked_ms, self.expires_ms)


class Session(NamedTuple):
    """A browser that has signed in."""

    digest: str
    user: str
    created_ms: int
    expires_ms: int


def new_secret(prefix: str) -> str:
    """47 characters, 256 bits of them random."""
    return prefix + urlsafe_b64encode(urandom(_SECRET_BYTES)).rstrip(b"=").decode()


def new_token_id() -> str:
    """12 hex characters: what a token is called where its secret must not be shown."""
    return urandom(6).hex()


def is_secret(text: str, prefix: str) -> bool:
    """Whether it has the form of one."""
    return text.startswith(prefix) and _SECRET.fullmatch(text) is not None


def digest_of_secret(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def check_user_name(name: object) -> str:
    """The name itself, or InvalidInput."""
    if isinstance(name, str) and _USER.fullmatch(name):
        return name
    raise InvalidInput(
        f"user {name!r:.80} is not usable: 1 to {USER_NAME_MAX_CHARS} characters, lower-case letters and digits, "
        "then also '.', '_', '@', '+' and '-'",
        field="user",
    )


def check_password(password: str) -> str:
    """The password itself, or InvalidInput, which does not repeat it."""
    if len(password) < PASSWORD_MIN_CHARS or len(password.encode("utf-8", "surrogatepass")) > PASSWORD_MAX_BYTES:
        raise InvalidInput(
            f"a password has at least {PASSWORD_MIN_CHARS} characters, and at most {PASSWORD_MAX_BYTES:,} bytes",
            field="password",
        )
    return password
