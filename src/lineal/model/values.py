"""Params keep their type; numbers come back bit-exact; JSON has no NaN, so three strings stand for it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from lineal.model.errors import InvalidInput

ParamValue: TypeAlias = bool | int | float | str | None
"""What a param may be after flattening. Nested dicts and lists become several params."""

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
_NON_FINITE = "$float"
_AS_IT_IS = frozenset((str, int, bool, type(None)))
_ENCODER = json.JSONEncoder(separators=(",", ":"), allow_nan=False)  # `json.dumps` would make one for each text


def to_json(value: Any) -> str:
    """Compact JSON of a value made of dicts, lists, strings, numbers, booleans and None.

    A float that is not finite becomes {"$float": "NaN" | "Infinity" | "-Infinity"}, so that it is told from
    the string "NaN". Shortest-repr floats and unbounded ints survive `from_json` exactly."""
    return _ENCODER.encode(_tagged(value))


class Written(dict[str, Any]):
    """A dict that nobody changes any more, with its JSON: many records say the same one, and it is made once."""

    __slots__ = ("text",)

    def __init__(self, members: Mapping[str, Any]) -> None:
        super().__init__(members)
        self.text = to_json(members)


def from_json(text: str | bytes) -> Any:
    """The inverse of `to_json`."""
    # A page of runs reads a text a run, and `json.loads` would make a decoder for each.
    return _DECODER.decode(text) if isinstance(text, str) else json.loads(text, object_hook=_untag)


def float_text(value: float) -> str:
    """Shortest text that reads back as the same float; NaN, Infinity and -Infinity by those names."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def value_text(value: ParamValue) -> str:
    """The string beside a typed value: what the facade and MLflow's dialect hand out, and what text filters see."""
    if isinstance(value, float):
        return float_text(value)
    return str(value)


def number_of(value: ParamValue) -> float | int | None:
    """The number a value stands for when it is compared with a number; None if it reads as none."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, str) and 0 < len(value) <= 64 and value.isascii():
        try:
            return int(value) if value.lstrip("+-").isdigit() else float(value)
        except ValueError:
            return None
    return None


def clean_text(text: str) -> str:
    """The text with lone surrogates replaced: they are not Unicode and no database takes them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def check_name(name: object, *, field: str, max_bytes: int) -> str:
    """A metric, param or tag name as data: any text but the empty one, up to `max_bytes` of UTF-8."""
    if not isinstance(name, str):
        raise InvalidInput(f"{field} {name!r:.80} is not a string but {type(name).__name__}", field=field)
    name = clean_text(name)
    if not name:
        raise InvalidInput(f"{field} is empty", field=field)
    if len(name) * 4 > max_bytes and len(name.encode()) > max_bytes:
        raise InvalidInput(f"{field} {name!r:.60}... is longer than {max_bytes} bytes", field=field)
    return name


def texts_of(given: object, field: str) -> tuple[str, ...]:
    """One text is a list of one: to Python it is one of its letters. Raises InvalidInput for what holds anything else."""
    if isinstance(given, str):
        return (given,)
    if not isinstance(given, Iterable):
        raise InvalidInput(f"{field} {given!r:.80} is neither a text nor a list of texts", field=field)
    texts = tuple(given)
    for one in texts:
        if not isinstance(one, str):
            raise InvalidInput(f"{field} holds {one!r:.80}, which is no text", field=field)
    return texts


def is_deeper(value: Any, levels: int) -> bool:
    """Whether dicts and lists stand within one another more than so many times."""
    if not isinstance(value, (dict, list, tuple)):
        return False
    items = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(is_deeper(item, levels - 1) for item in items)


def _tagged(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else {_NON_FINITE: float_text(value)}
    if isinstance(value, dict):
        # An environment has hundreds of members, and every run says it: a call for each would take longer than the rest.
        members = {str(key): item if type(item) in _AS_IT_IS else _tagged(item) for key, item in value.items()}
        return {f"${key}": item for key, item in members.items()} if _is_notation(members) else members
    if isinstance(value, (list, tuple)):
        return [item if type(item) in _AS_IT_IS else _tagged(item) for item in value]
    return value


def _untag(mapping: dict[str, Any]) -> Any:
    if not _is_notation(mapping):
        return mapping
    [(key, value)] = mapping.items()
    return float(value) if key == _NON_FINITE else {key[1:]: value}


def _is_notation(mapping: dict[str, Any]) -> bool:
    """{"$float": ...} is ours; a user's own is written with one more "$", and so is that one."""
    return len(mapping) == 1 and next(iter(mapping)).startswith("$") and next(iter(mapping)).lstrip("$") == "float"


_DECODER = json.JSONDecoder(object_hook=_untag)
