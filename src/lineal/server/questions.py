"""Filter texts and orders of a request, as the store's queries."""

from __future__ import annotations

from collections.abc import Sequence

from lineal.query.parser import parse, parse_orders
from lineal.query.syntax import Filter, Order


def filter_of(text: str) -> Filter | None:
    return parse(text)


def order_of(texts: Sequence[str]) -> tuple[Order, ...]:
    return parse_orders([text for text in texts if text.strip()])
