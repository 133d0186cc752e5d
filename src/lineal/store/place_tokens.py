"""Page tokens of lists that are ordered by plain values: where a page ended, opaque to clients and bound to their question."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from typing import TypeAlias

from lineal.model.errors import InvalidInput
from lineal.model.values import from_json, to_json

Key: TypeAlias = str | int

_CHECK_BYTES, _DIGEST_BYTES = 6, 9


def token_of(question: tuple[object, ...], place: Sequence[Key]) -> str:
    """The page behind the entry whose keys these are. `question`: all that the next page must ask again."""
    body = _digest(question) + to_json(list(place)).encode()
    return base64.urlsafe_b64encode(_check(body) + body).rstrip(b"=").decode()


def place_of(question: tuple[object, ...], token: str | None) -> list[Key] | None:
    """InvalidInput for a token that is damaged or another question's."""
    if token is None:
        return None
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    body = raw[_CHECK_BYTES:]
    if len(body) <= _DIGEST_BYTES or raw[:_CHECK_BYTES] != _check(body):
        raise InvalidInput("this page token is damaged; ask for the first page anew", field="page_token")
    if body[:_DIGEST_BYTES] != _digest(question):
        raise InvalidInput(
            "this page token belongs to another question: filter, order and lifecycle must be the same as for the page before",
            field="page_token",
        )
    place: list[Key] = from_json(body[_DIGEST_BYTES:])
    return place


def _digest(question: tuple[object, ...]) -> bytes:
    return hashlib.sha256(repr(question).encode("utf-8", "backslashreplace")).digest()[:_DIGEST_BYTES]


def _check(body: bytes) -> bytes:
    return hashlib.sha256(b"lineal registry token 1\0" + body).digest()[:_CHECK_BYTES]
