"""Page tokens: where a page ended, opaque to clients and bound to their question. One form for every backend."""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import cmp_to_key
from typing import Any, NamedTuple

from lineal.model.errors import InvalidInput
from lineal.model.values import from_json, to_json
from lineal.query.evaluate import SortKey, compare_keys
from lineal.query.syntax import Order
from lineal.store.contracts import RunQuery

_DIGEST_BYTES = 9
_CHECK_BYTES = 6


class Place(NamedTuple):
    """Where a run (or what else has a time and an id) stands in an order."""

    keys: tuple[SortKey, ...]
    started_ms: int
    run_id: str


def compare_places(a: Place, b: Place, orders: tuple[Order, ...]) -> int:
    """Below, at or above 0 as `a` comes before, with or after `b`."""
    for mine, other, order in zip(a.keys, b.keys, orders, strict=True):
        found = compare_keys(mine, other, order.descending)
        if found:
            return found
    if a.started_ms != b.started_ms:
        return b.started_ms - a.started_ms
    return (a.run_id > b.run_id) - (a.run_id < b.run_id)


def place_key(orders: tuple[Order, ...]) -> Any:
    """For `sorted`."""
    return cmp_to_key(lambda a, b: compare_places(a, b, orders))


def make_token(query: RunQuery, place: Place) -> str:
    """The page after this place of the query's answer."""
    return token_of(_digest(query), place)


def read_token(query: RunQuery) -> Place | None:
    """Where the page begins; None without `after`. InvalidInput for a token that is damaged or another query's, or beside an
    offset."""
    if query.after is None:
        return None
    if query.offset:
        raise InvalidInput("a page token and an offset exclude each other", field="page_token")
    return read_place(query.after, _digest(query))


def token_of(question: bytes, place: Place) -> str:
    """`question`: a digest of what was asked, of which the beginning counts."""
    said = to_json([[list(key) for key in place.keys], place.started_ms, place.run_id]).encode()
    body = question[:_DIGEST_BYTES] + said
    return base64.urlsafe_b64encode(_check(body) + body).rstrip(b"=").decode()


def read_place(token: str, question: bytes) -> Place:
    """InvalidInput for a token that is damaged or another question's."""
    try:
        raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error):
        raw = b""
    body = raw[_CHECK_BYTES:]
    if len(body) <= _DIGEST_BYTES or raw[:_CHECK_BYTES] != _check(body):
        raise InvalidInput("this page token is damaged; ask for the first page anew", field="page_token")
    if body[:_DIGEST_BYTES] != question[:_DIGEST_BYTES]:
        raise InvalidInput(
            "this page token belongs to another question: filter, order, lifecycle and experiments must be the same as for the"
            " page before",
            field="page_token",
        )
    keys, started_ms, run_id = from_json(body[_DIGEST_BYTES:])
    return Place(tuple(SortKey(*key) for key in keys), started_ms, run_id)


def _digest(query: RunQuery) -> bytes:
    experiments = None if query.experiments is None else sorted(set(query.experiments))
    said = repr((query.filter, query.order, query.lifecycle, experiments))
    return hashlib.sha256(said.encode("utf-8", "backslashreplace")).digest()[:_DIGEST_BYTES]


def _check(body: bytes) -> bytes:
    return hashlib.sha256(b"lineal page token 2\0" + body).digest()[:_CHECK_BYTES]
