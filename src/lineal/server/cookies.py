"""The cookie of a browser that has signed in. No script can read it, and no page of another site makes a browser send it."""

from __future__ import annotations

from starlette.requests import Request

from lineal.model.limits import SESSION_MAX_AGE_S

_PLAIN = "lineal_session"
_SECURE = "__Host-lineal_session"  # which browsers take from https only, and from no neighbouring host


def session_cookie(is_secure: bool, secret: str) -> str:
    """The header that sets it; with "" it is taken away."""
    age_s = int(SESSION_MAX_AGE_S) if secret else 0
    secure = "; Secure" if is_secure else ""
    return f"{_name(is_secure)}={secret}; Path=/; Max-Age={age_s}; HttpOnly; SameSite=Strict{secure}"


def session_secret(request: Request) -> str | None:
    return request.cookies.get(_name(request.url.scheme == "https"))


def _name(is_secure: bool) -> str:
    return _SECURE if is_secure else _PLAIN
