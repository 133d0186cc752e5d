"""Patterns in linear time: LIKE and MATCHES are RE2, whatever a user writes."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from lineal.model.errors import InvalidInput
from lineal.model.limits import PATTERN_MAX_CHARS, PATTERN_MEMORY_BYTES


class WrongPattern(InvalidInput):
    """`place` is where in the pattern, as far as RE2 tells; `reason` its words."""

    def __init__(self, pattern: str, reason: str, place: int) -> None:
        super().__init__(f"the pattern {pattern!r:.200} is not an RE2 expression: {reason}", field="filter")
        self.reason = reason
        self.place = place


def tester(operator: str, pattern: str) -> Callable[[str], bool]:
    """Whether a text satisfies `like`, `ilike`, `matches` or `^=`. InvalidInput for a pattern that cannot be used."""
    if operator == "^=":
        return lambda text: text.startswith(pattern)
    if len(pattern) > PATTERN_MAX_CHARS:
        raise InvalidInput(f"a pattern has at most {PATTERN_MAX_CHARS:,} characters", field="filter")
    if operator == "ilike":
        lowered = _compiled(like_expression(pattern.lower()))
        return lambda text: lowered.search(text.lower()) is not None
    expression = _compiled(like_expression(pattern) if operator == "like" else pattern)
    return lambda text: expression.search(text) is not None


def like_expression(pattern: str) -> str:
    """The RE2 expression of a LIKE pattern: % any characters, _ one, all else itself."""
    import re2

    parts = (".*" if one == "%" else "." if one == "_" else re2.escape(one) for one in pattern)
    return r"(?s)\A" + "".join(parts) + r"\z"


@lru_cache(maxsize=64)
def _compiled(expression: str) -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = PATTERN_MEMORY_BYTES
    try:
        return re2.compile(expression, options)
    except (re2.error, UnicodeEncodeError) as error:
        reason = _words(error)
        raise WrongPattern(expression, reason, _place(expression, reason)) from None


def _words(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)


def _place(expression: str, reason: str) -> int:
    """RE2 names the piece it stumbled over at the end of its message."""
    _, found, piece = reason.partition(": ")
    place = expression.rfind(piece) if found and piece else -1
    return max(place, 0)
