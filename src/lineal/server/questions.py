"""Filter texts and orders of a request, as the store's queries."""

from __future__ import annotations

from collections.abc import Sequence

from lineal.model.errors import InvalidInput
from lineal.query.parser import parse, parse_order
from lineal.query.syntax import Filter, Order


def filter_of(text: str) -> Filter | None:
    return parse(text) if text.strip() else None


def order_of(texts: Sequence[str]) -> Order | None:
    given = [text for text in texts if text.strip()]
    if len(given) > 1:
        raise InvalidInput("one order is understood so far", field="order_by")
    return parse_order(given[0]) if given else None
