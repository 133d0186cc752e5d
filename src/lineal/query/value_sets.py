"""Several values of one field as one text, sorted: what a run has of a dataset field, since it may use many datasets.

A comparison holds of them where it holds of one. Ordered and grouped, they are that one text, a value a line."""

from __future__ import annotations

from collections.abc import Iterable

_SEPARATOR, _ESCAPE = "\n", "\x1b"


def join_values(values: Iterable[str]) -> str:
    return _SEPARATOR.join(sorted({_escaped(value) for value in values}))


def split_values(text: str) -> list[str]:
    """The values that `join_values` was given, each once."""
    parts = text.split(_SEPARATOR)
    return [_unescaped(part) for part in parts] if _ESCAPE in text else parts


def _escaped(value: str) -> str:
    return value.replace(_ESCAPE, _ESCAPE + "e").replace(_SEPARATOR, _ESCAPE + "n")


def _unescaped(part: str) -> str:
    return part.replace(_ESCAPE + "n", _SEPARATOR).replace(_ESCAPE + "e", _ESCAPE)
