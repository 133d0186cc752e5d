"""From whatever a training loop hands over to an exact number, without importing numpy or torch.

The rule: a number is recorded bit for bit or refused by name. Nothing is rounded in silence."""

from __future__ import annotations

from typing import Any

from lineal.journal.interrupts import raised_by_handler
from lineal.model.values import INT64_MAX, INT64_MIN

# What `struct` packs exactly as it is. Subclasses (an IntEnum, say) take the slow road through `exact_number`.
_BUILTIN_CODES: dict[type, str] = {float: "d", int: "q", bool: "q"}
_NUMPY_CODES = {
    "float64": "d",
    "float32": "d",
    "float16": "d",
    "int64": "q",
    "int32": "q",
    "int16": "q",
    "int8": "q",
    "uint32": "q",
    "uint16": "q",
    "uint8": "q",
}


class NotExact(Exception):
    """The value cannot be recorded as it is; `reason` is the word under which it is counted."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def code_of(value_type: type) -> str | None:
    """The struct code that packs every value of this very type exactly (an int may still overflow); None if unknown."""
    code = _BUILTIN_CODES.get(value_type)
    if code is None and value_type.__module__ == "numpy":
        code = _NUMPY_CODES.get(value_type.__name__)
    return code


def exact_number(value: Any) -> int | float:
    """An int within int64 or a float with the same bits. One-element arrays and tensors count as their element.

    Raises NotExact for what is no number, or has no exact form (Decimal("0.1"), 10**400)."""
    if type(value).__name__ == "MaskedConstant":  # numpy's: its item() is 0.0
        raise NotExact("not_a_number", "a masked value is not a number")
    for _ in range(3):  # a tensor's item may be a numpy scalar, whose item is a Python number
        if isinstance(value, int):
            return _exact_int(int.__int__(value))  # not int(value), which asks a subclass
        if isinstance(value, float):
            return float.__float__(value)
        item = getattr(value, "item", None)
        if item is None or not callable(item):
            break
        try:
            unpacked = item()
        except Exception as error:
            if raised_by_handler(error):
                raise
            raise NotExact("not_a_number", f"a {_name(value)} of more than one element is not a number") from None
        if type(unpacked) is type(value):
            break
        value = unpacked
    return _converted(value)


def _converted(value: Any) -> int | float:
    if isinstance(value, (str, bytes, complex)) or value is None or not hasattr(value, "__float__"):
        raise NotExact("not_a_number", f"a {_name(value)} is not a number")
    try:
        number = float(value)
        if number == value or number != number:
            return number
    except Exception as error:
        if raised_by_handler(error):
            raise
        raise NotExact("not_a_number", f"a {_name(value)} does not convert to a number") from None
    raise NotExact("not_exact", f"{shown(value)} has no exact float64; pass float(...) of it if rounding is fine")


def _exact_int(value: int) -> int | float:
    if INT64_MIN <= value <= INT64_MAX:
        return value
    try:
        number = float(value)
    except OverflowError:
        number = 0.0
    if number == value:
        return number
    raise NotExact("not_exact", f"the integer {shown(value)} is beyond 64 bits and has no exact float64")


def shown(value: object) -> str:
    """A short text of anything, for a message. Showing a value may raise too: a class of the user's, an int of 5,000 digits."""
    try:
        return f"{value!r:.60}"
    except Exception:
        return f"(a {type(value).__name__} that cannot be shown)"


def _name(value: Any) -> str:
    return "None" if value is None else type(value).__name__
