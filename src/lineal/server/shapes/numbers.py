"""Numbers as JSON has them: NaN and infinities are strings, since an encoder would make null of them without a word."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, TypeAlias, cast

from msgspec import Meta

from lineal.model.values import ParamValue, float_text

NonFinite: TypeAlias = Literal["NaN", "Infinity", "-Infinity"]
Number: TypeAlias = Annotated[
    int | float | NonFinite, Meta(description='A number; "NaN", "Infinity" and "-Infinity" are those strings.')
]
Scalar: TypeAlias = Annotated[
    int | float | str | bool | None, Meta(description="A param with its type; NaN and infinities as in numbers.")
]


def number(value: float | int) -> int | float | NonFinite:
    """The number as it goes out."""
    if isinstance(value, float) and not math.isfinite(value):
        return cast(NonFinite, float_text(value))
    return value


def number_or_none(value: float | int | None) -> int | float | NonFinite | None:
    return None if value is None else number(value)


def scalar(value: ParamValue) -> int | float | str | bool | None:
    if isinstance(value, float) and not math.isfinite(value):
        return float_text(value)
    return value


def plain(value: Any) -> Any:
    """A JSON document of a user's, with its NaN and infinities as strings."""
    if isinstance(value, float):
        return number(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def given(value: int | float | NonFinite) -> int | float:
    """The number that came in."""
    return float(value) if isinstance(value, str) else value
