"""The rule `value`: numbers, texts in quotes, times."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta

from lineal.model.values import number_of
from lineal.model.vocabulary import STATUSES
from lineal.query.reading import Reading
from lineal.query.syntax import TIME_ATTRIBUTES, Field, Scalar
from lineal.query.tokens import Token

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_INFINITY = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_NUMBER_MAX_CHARS = 64  # as `number_of` reads
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def read_value(reading: Reading, field: Field) -> Scalar:
    """A value that the field can be compared with; times as ms."""
    token = reading.next
    is_time = field.kind == "attribute" and field.name in TIME_ATTRIBUTES
    if field.is_number:
        expected = "a time ('2026-01-31', '2026-01-31T08:00' or ms)" if is_time else "a number"
    else:
        expected = "a text in single quotes" if field.is_text else "a number, or a text in single quotes"
    if token.kind in ("text", "name") and reading.text[token.start] != "`":
        return _text(reading, field, is_time, expected)
    number = _number(token) if token.kind == "word" and not field.is_text else None
    if number is None:
        raise reading.wrong(expected, hint=_hint(token, field, is_time))
    reading.take()
    return number


def read_text(reading: Reading, expected: str = "a text in single quotes") -> Token:
    """The right side of like, matches and the like."""
    token = reading.next
    if token.kind not in ("text", "name") or reading.text[token.start] == "`":
        raise reading.wrong(expected, hint=f"texts are quoted: '{token.value}'" if token.kind == "word" else "")
    return reading.take()


def time_of(text: str) -> int | None:
    """The ms of an ISO 8601 date or time, UTC unless it says otherwise; None for any other text."""
    try:
        time = datetime.fromisoformat(text.strip())
        return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None


def _text(reading: Reading, field: Field, is_time: bool, expected: str) -> Scalar:
    value = reading.next.value
    if field.is_number:
        number = number_of(value)
        if is_time and (number is None or math.isnan(number)):
            number = time_of(value)
        elif number is not None:
            number = None if math.isnan(number) else number
        if number is None:
            raise reading.wrong(expected)
        if is_time and number_of(value) is None:
            reading.take()
            return number
    reading.take()
    if field.kind == "attribute" and field.name == "status" and value.isupper() and value.lower() in STATUSES:
        return value.lower()  # as MLflow writes them
    return value


def _number(token: Token) -> int | float | None:
    if _INFINITY.fullmatch(token.value):
        return float(token.value)
    if len(token.value) > _NUMBER_MAX_CHARS or not _NUMBER.fullmatch(token.value):
        return None
    return int(token.value) if token.value.lstrip("+-").isdecimal() else float(token.value)


def _hint(token: Token, field: Field, is_time: bool) -> str:
    if token.is_symbol("=", "<", ">", "==", "<=", ">="):
        return "operators are = != < <= > >="
    if token.kind != "word":
        return f"texts are in single quotes: '{token.value}'" if token.kind == "name" else ""
    word = token.value.lower()
    if word in ("null", "none", "nil", "nan"):
        return "what is missing or NaN: field is null"
    if is_time and time_of(token.value) is not None:
        return f"times are quoted: '{token.value}'"
    if field.is_number:
        return ""
    if word in ("true", "false") and not field.is_text:
        return f"a flag is the text '{word.capitalize()}' (or the number {int(word == 'true')})"
    return f"texts are quoted: '{token.value}'"
