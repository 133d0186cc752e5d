"""What a filter and an order mean, on values at hand. The memory store uses it as it is; a SQL store must agree."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

from lineal.model.errors import InvalidInput, OverLimit
from lineal.model.limits import (
    FILTER_COMPARISONS_MAX_COUNT,
    FILTER_LIST_MAX_COUNT,
    FILTER_MAX_DEPTH,
    ORDER_KEYS_MAX_COUNT,
    ORDER_TEXT_CHARS,
)
from lineal.model.values import INT64_MAX, INT64_MIN, ParamValue, number_of, value_text
from lineal.query.patterns import tester
from lineal.query.syntax import (
    ATTRIBUTES,
    LIST_OPERATORS,
    NULL_OPERATORS,
    PATTERN_OPERATORS,
    And,
    Comparison,
    Field,
    Filter,
    Not,
    Order,
    Scalar,
    comparisons_of,
)
from lineal.query.value_sets import split_values

Lookup = Callable[[Field], ParamValue]
"""A run's value for a field; None if it has none, or a param whose value is None."""

_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
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


# -- filters -----------------------------------------------------------------------------------------------


def satisfies(filter: Filter | None, lookup: Lookup) -> bool:
    """Whether a run whose values `lookup` gives satisfies the filter. Without one, every run does."""
    if filter is None:
        return True
    if isinstance(filter, Comparison):
        return holds(filter, lookup(filter.field))
    if isinstance(filter, Not):
        return not satisfies(filter.part, lookup)
    if isinstance(filter, And):
        return all(satisfies(part, lookup) for part in filter.parts)
    return any(satisfies(part, lookup) for part in filter.parts)


def holds(comparison: Comparison, value: ParamValue) -> bool:
    """Whether a run whose field has this value satisfies the comparison; `value` None is a missing key."""
    field, name = comparison.field, comparison.operator
    left = None if value is None else operand_of(value)
    if name in NULL_OPERATORS:
        return (left is None) == (name == "is null")
    if left is None:
        return False
    if field.kind == "dataset":
        return any(_holds_of_one(comparison, Operand(None, one)) for one in split_values(left.text))
    return _holds_of_one(comparison, left)


def _holds_of_one(comparison: Comparison, left: Operand) -> bool:
    field, name, right = comparison.field, comparison.operator, comparison.value
    if name in PATTERN_OPERATORS or name == "^=":
        if field.is_number:
            return False
        plain = name.removeprefix("not ")
        return tester(plain, str(right))(left.text) == (plain == name)
    if name in LIST_OPERATORS:
        return _holds_of_many(comparison, left)
    return _compares(field, name, left, right)  # type: ignore[arg-type]


def _holds_of_many(comparison: Comparison, left: Operand) -> bool:
    field, values = comparison.field, comparison.value
    assert isinstance(values, tuple)
    if comparison.operator == "in":
        return any(_compares(field, "=", left, value) for value in values)
    if comparison.operator == "not in":
        return all(_compares(field, "!=", left, value) for value in values)
    low, high = values
    within = _compares(field, ">=", left, low) and _compares(field, "<=", left, high)
    if comparison.operator == "between":
        return within
    # A value that can be compared with a bound is equal to it or not.
    can = all(_compares(field, "=", left, value) or _compares(field, "!=", left, value) for value in values)
    return can and not within


def _compares(field: Field, name: str, left: Operand, value: Scalar) -> bool:
    right = operand_of(value)
    if right is None:
        return False
    compare = _ORDERINGS[name]
    if field.is_text:
        return compare(left.text, right.text)
    if right.number is not None:
        if left.number is None:
            return name == "!="
        return compare(left.number, right.number)
    return False if field.is_number else compare(left.text, right.text)


def check_question(filter: Filter | None, orders: Sequence[Order] = (), fields: Sequence[Field] = ()) -> None:
    """InvalidInput if an attribute is asked for that runs do not have, a pattern cannot be used, or a bound is exceeded:
    for trees that did not come from the parser."""
    _check_depth(filter)
    if len(orders) > ORDER_KEYS_MAX_COUNT:
        raise OverLimit(f"order_by takes at most {ORDER_KEYS_MAX_COUNT} keys, not {len(orders):,}", field="order_by")
    for count, comparison in enumerate(comparisons_of(filter), 1):
        if count > FILTER_COMPARISONS_MAX_COUNT:
            raise OverLimit(f"a filter has at most {FILTER_COMPARISONS_MAX_COUNT} comparisons", field="filter")
        check_field(comparison.field, "filter")
        _check_value(comparison)
    for order in orders:
        check_field(order.field, "order_by")
    for field in fields:
        check_field(field, "field")


def check_field(field: Field, purpose: str) -> None:
    if field.kind == "attribute" and field.name not in ATTRIBUTES:
        known = ", ".join(ATTRIBUTES)
        raise InvalidInput(f"a run has no attribute {field.name!r:.80}; it has {known}", field=purpose)
    if field.kind != "metric" and field.aggregate != "last":
        raise InvalidInput(
            f"{field.aggregate} is of metrics only, not of {field.kind} {field.name!r:.80}", field=purpose
        )


def _check_value(comparison: Comparison) -> None:
    name, value = comparison.operator, comparison.value
    if name in NULL_OPERATORS:
        right = value is None
    elif name in LIST_OPERATORS:
        right = isinstance(value, tuple) and (len(value) == 2 if "between" in name else len(value) > 0)
        if isinstance(value, tuple) and len(value) > FILTER_LIST_MAX_COUNT:
            raise OverLimit(f"a list has at most {FILTER_LIST_MAX_COUNT:,} values, not {len(value):,}", field="filter")
    elif name in PATTERN_OPERATORS or name == "^=":
        right = isinstance(value, str)
        if isinstance(value, str):
            tester(name.removeprefix("not "), value)
    else:
        right = isinstance(value, (str, int, float))
    if not right:
        raise InvalidInput(f"{name} cannot take {value!r:.80}", field="filter")


def _check_depth(filter: Filter | None) -> None:
    level: list[Filter] = [] if filter is None else [filter]
    # Two levels of tree for a parenthesis of the text: AND within OR.
    for _ in range(3 * FILTER_MAX_DEPTH):
        deeper: list[Filter] = []
        for part in level:
            if isinstance(part, Not):
                deeper.append(part.part)
            elif not isinstance(part, Comparison):
                deeper += part.parts
        if not deeper:
            return
        level = deeper
    raise OverLimit(f"a filter nests at most {FILTER_MAX_DEPTH} deep", field="filter")


# -- orders ------------------------------------------------------------------------------------------------


class SortKey(NamedTuple):
    """What a value is ordered by: `kind` 0 for numbers, 1 for texts (of which the beginning counts), 2 for a metric's NaN, 3 for none."""

    kind: Literal[0, 1, 2, 3]
    value: int | float | str


NAN_KEY = SortKey(2, 0)
NO_KEY = SortKey(3, 0)


def tells_nan(field: Field) -> bool:
    """Whether a NaN of it comes before what is missing. (Lowest, highest and mean leave NaN out, and elsewhere it counts as missing.)"""
    return field.kind == "metric" and field.aggregate in ("last", "first")


def sort_key(value: ParamValue, field: Field) -> SortKey:
    operand = None if value is None else operand_of(value)
    if operand is None:
        return NO_KEY if value is None or not tells_nan(field) else NAN_KEY
    if operand.number is None or field.is_text:
        return SortKey(1, operand.text[:ORDER_TEXT_CHARS])
    return SortKey(0, operand.number)


def compare_keys(a: SortKey, b: SortKey, descending: bool) -> int:
    """Below, at or above 0 as `a` comes before, with or after `b`. The direction turns values, not kinds."""
    if a.kind != b.kind:
        return a.kind - b.kind
    if a.value == b.value:
        return 0
    return -1 if (a.value < b.value) != descending else 1  # type: ignore[operator]
