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
    """What a browser shows. By https only the bound one; else that one first, for something before us may speak https."""
    secure = request.cookies.get(_SECURE)
    return secure if secure is not None or request.url.scheme == "https" else request.cookies.get(_PLAIN)


def is_by_https(request: Request) -> bool:
    """Whether the browser speaks https, to us or to what stands before us: then its page's origin says so. (That the origin
    is our own, HostGuard has seen.)"""
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https://")


def _name(is_secure: bool) -> str:
    return _SECURE if is_secure else _PLAIN
