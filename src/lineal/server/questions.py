"""Filter texts and orders of a request, as the store's queries."""

from __future__ import annotations

from collections.abc import Sequence

from lineal.query.parser import parse, parse_orders
from lineal.query.syntax import And, Filter, Order


def filter_of(text: str) -> Filter | None:
    return parse(text)


def order_of(texts: Sequence[str]) -> tuple[Order, ...]:
    return parse_orders([text for text in texts if text.strip()])


def names_of(experiments: Sequence[str] | None) -> tuple[str, ...] | None:
    return None if experiments is None else tuple(experiments)


def all_of(parts: Sequence[Filter]) -> Filter | None:
    """What holds where all parts do; None if there is nothing to hold."""
    return None if not parts else parts[0] if len(parts) == 1 else And(tuple(parts))
