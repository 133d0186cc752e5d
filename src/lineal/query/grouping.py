"""When runs are of one group, what the group's value is, and how groups are ordered."""

from __future__ import annotations

from lineal.model.values import ParamValue
from lineal.query.evaluate import operand_of
from lineal.query.syntax import Field

_EXACT_MAX = 2**53


def group_value(value: ParamValue, field: Field) -> ParamValue:
    """Equal for values of one group: what reads as a number is that number, however written (0.1 and "0.10", 1 and 1.0;
    a whole one as an int), True and False are themselves, NaN is as missing as what is missing. Two group values are one
    group if `group_key` says so, since in Python 1 == True."""
    operand = None if value is None else operand_of(value)
    if operand is None:
        return None
    if isinstance(value, bool):
        return value
    if operand.number is None or field.is_text:
        return operand.text
    number = operand.number
    return int(number) if isinstance(number, float) and number.is_integer() and abs(number) <= _EXACT_MAX else number


def group_key(value: ParamValue) -> tuple[int, int | float, str]:
    """Of a `group_value`: orders numbers, then texts and flags, then none."""
    if value is None:
        return (2, 0, "")
    if isinstance(value, bool):
        return (1, 0, str(value))
    return (1, 1, value) if isinstance(value, str) else (0, value, "")
