"""What a filter and an order mean, on values at hand. The memory store uses it as it is; a SQL store must agree."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

from lineal.model.errors import InvalidInput
from lineal.model.values import INT64_MAX, INT64_MIN, ParamValue, number_of, value_text
from lineal.query.syntax import ATTRIBUTES, NUMBER_ATTRIBUTES, Comparison, Field, Filter, Order

Lookup = Callable[[Field], ParamValue]
"""A run's value for a field; None if it has none, or a param whose value is None."""

_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Operand(NamedTuple):
    """What a value compares as: as a number if it reads as one and the other side does, else as text."""

    number: int | float | None
    text: str


def operand_of(value: ParamValue) -> Operand | None:
    """None for NaN, which satisfies no comparison. A text like "nan" is a text."""
    number = number_of(value)
    if isinstance(number, float) and math.isnan(number):
        if not isinstance(value, str):
            return None
        number = None
    return Operand(None if number is None else comparable(number), value_text(value))


def comparable(number: int | float) -> int | float:
    """The number as comparisons see it: beyond 64 bits an int counts as the nearest float."""
    if isinstance(number, int) and not INT64_MIN <= number <= INT64_MAX:
        try:
            return float(number)
        except OverflowError:
            return math.inf if number > 0 else -math.inf
    return number


def holds(comparison: Comparison, value: ParamValue) -> bool:
    """Whether a run whose field has this value satisfies the comparison; `value` None is a missing key."""
    if value is None:
        return False
    left, right = operand_of(value), operand_of(comparison.value)
    if left is None or right is None:
        return False
    compare = _OPERATORS[comparison.operator]
    if is_text_field(comparison.field):
        return compare(left.text, right.text)
    if right.number is not None:
        if left.number is None:
            return comparison.operator == "!="
        return compare(left.number, right.number)
    if comparison.field.kind in ("metric", "attribute"):
        return False
    return compare(left.text, right.text)


def check_fields(filter: Filter | None, order: Order | None) -> None:
    """InvalidInput if an attribute is asked for that runs do not have."""
    for field in [comparison.field for comparison in filter or ()] + ([order.field] if order else []):
        is_text_field(field)


def is_text_field(field: Field) -> bool:
    """Attributes that are never numbers, however their value reads. InvalidInput if there is no such attribute."""
    if field.kind != "attribute":
        return False
    if field.name not in ATTRIBUTES:
        raise InvalidInput(f"a run has no attribute {field.name!r:.80}; it has {', '.join(ATTRIBUTES)}", field="filter")
    return field.name not in NUMBER_ATTRIBUTES


T = TypeVar("T")


def in_order(items: Iterable[tuple[ParamValue, T]], field: Field, descending: bool) -> list[T]:
    """Items by their value, equal ones in the order given: numbers first, then texts, then those that have none."""
    numbers: list[tuple[int | float, T]] = []
    texts: list[tuple[str, T]] = []
    without: list[T] = []
    as_text = is_text_field(field)
    for value, item in items:
        operand = None if value is None else operand_of(value)
        if operand is None:
            without.append(item)
        elif operand.number is None or as_text:
            texts.append((operand.text, item))
        else:
            numbers.append((operand.number, item))
    numbers.sort(key=lambda pair: pair[0], reverse=descending)
    texts.sort(key=lambda pair: pair[0], reverse=descending)
    return [item for _, item in numbers] + [item for _, item in texts] + without
