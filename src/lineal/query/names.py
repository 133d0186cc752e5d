"""The rule `field`: which value of a run is meant.

field     := [function "("] prefix "." name [")"] | attribute
prefix    := metrics params tags json datasets git attributes, and what MLflow calls them
function  := last first min max mean count, of a metric
name      := word | `quoted` | "quoted", parts of a json path also mixed: json.review.`by whom`.0"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import get_args

from lineal.model.errors import InvalidInput
from lineal.query.reading import Reading
from lineal.query.syntax import ATTRIBUTES, DATASET_PROPERTIES, GIT_PROPERTIES, Aggregate, Field, Kind
from lineal.query.tokens import Token

PREFIXES: dict[str, Kind] = {
    "metrics": "metric",
    "metric": "metric",
    "params": "param",
    "param": "param",
    "parameter": "param",
    "parameters": "param",
    "tags": "tag",
    "tag": "tag",
    "json": "json",
    "datasets": "dataset",
    "dataset": "dataset",
    "git": "git",
    "attributes": "attribute",
    "attribute": "attribute",
    "attr": "attribute",
    "run": "attribute",
}
ALIASES = {
    "created": "start_time",
    "run name": "name",
    "run_name": "name",
    "experiment_name": "experiment",
}
"""Other names of attributes: MLflow's."""
AGGREGATES: tuple[Aggregate, ...] = get_args(Aggregate)
RESERVED = ("and", "or", "not", "in", "like", "ilike", "between", "is", "matches")
_EXPECTED = (
    "metrics.NAME, params.NAME, tags.NAME, json.DOCUMENT.PATH, datasets.NAME.version, git.commit or an attribute"
)
_FIELD_FIRST = "the field comes first: params.lr = 0.1"
_PUT_AWAY = "deleted runs are asked for beside the filter: deleted=True, --deleted"
_LIFECYCLE = ("lifecycle", "lifecycle_stage", "deleted", "archived", "is_deleted")
_ATTRIBUTES = f"attributes: {', '.join(ATTRIBUTES)}"


def read_field(reading: Reading) -> Field:
    token = reading.next
    if token.kind not in ("word", "name") or token.is_word(*RESERVED):
        raise reading.wrong(_EXPECTED, hint=_FIELD_FIRST if token.kind == "text" else "")
    if token.kind == "word" and reading.after_next.is_symbol("("):
        return _aggregate(reading)
    reading.take()
    if token.kind == "name":
        return _attribute(reading, token.value, token)
    if token.value.lower() == "run" and reading.next.is_word("name"):
        reading.take()
        return Field("attribute", "name")
    prefix, dot, name = token.value.partition(".")
    if not dot:
        return _attribute(reading, token.value, token)
    kind = PREFIXES.get(prefix.lower())
    if kind is None:
        hint = _FIELD_FIRST if _is_number(token.value) else _closest(prefix, PREFIXES, name and f".{name}")
        raise reading.wrong(_EXPECTED, token, hint)
    if kind in ("json", "dataset"):
        name = _glued(reading, token, name)
    elif not name:
        name = _quoted_name(reading, token)
    if kind == "attribute":
        return _attribute(reading, name, token)
    if kind == "git":
        return Field(kind, _one_of(reading, name, GIT_PROPERTIES, "git", token))
    if kind == "dataset":
        of, dot, last = name.rpartition(".")
        return Field(
            kind, of + dot + _one_of(reading, last, DATASET_PROPERTIES, f"datasets{'.NAME' if dot else ''}", token)
        )
    return Field(kind, name)


def _aggregate(reading: Reading) -> Field:
    """min(metrics.val_loss)"""
    token = reading.take()
    function = next((known for known in AGGREGATES if known == token.value.lower()), None)
    if function is None:
        hint = _closest(token.value, AGGREGATES) or "functions of metrics are " + ", ".join(AGGREGATES)
        raise reading.wrong("a field, or one of " + ", ".join(AGGREGATES) + " before (", token, hint)
    reading.take()
    inside = reading.next
    bare = inside.kind == "word" and "." not in inside.value and reading.after_next.is_symbol(")")
    if bare:
        raise reading.wrong("metrics.NAME", hint=f"{function}(metrics.{inside.value})")
    field = read_field(reading)
    if field.kind != "metric" or field.aggregate != "last":
        raise reading.wrong("metrics.NAME", inside, f"{function} is of a metric's points")
    if not reading.take_symbol(")"):
        raise reading.wrong(")")
    return Field("metric", field.name, function)


def _quoted_name(reading: Reading, prefix: Token) -> str:
    """After "metrics." and the like, without a space between."""
    token = reading.next
    if token.kind != "name" or token.start != prefix.end or not token.value:
        raise _no_name(reading, prefix, token)
    return reading.take().value


def _glued(reading: Reading, prefix: Token, name: str) -> str:
    """Words and quoted parts without a space between."""
    end = prefix.end
    while reading.next.kind in ("word", "name") and reading.next.start == end:
        token = reading.take()
        name += token.value
        end = token.end
    if not name:
        raise _no_name(reading, prefix, reading.next)
    return name


def _no_name(reading: Reading, prefix: Token, token: Token) -> InvalidInput:
    at = token if token.start == prefix.end else Token("end", "", prefix.end, prefix.end)
    return reading.wrong(f'a name after {prefix.value}, odd ones in `...` or "..."', at)


def _attribute(reading: Reading, name: str, token: Token) -> Field:
    known = name.lower()
    known = ALIASES.get(known, known)
    if known in ATTRIBUTES:
        return Field("attribute", known)
    if known in PREFIXES and token.kind == "word" and "." not in token.value:
        raise reading.wrong(_EXPECTED, token, f"{token.value}.NAME, as in {token.value}.{_EXAMPLES[PREFIXES[known]]}")
    hint = _PUT_AWAY if known in _LIFECYCLE else _closest(known, (*ATTRIBUTES, *ALIASES))
    if not hint and token.kind == "word" and _is_number(token.value):
        hint = _FIELD_FIRST
    if not hint and token.kind == "word" and "." not in token.value:
        hint = f"did you mean metrics.{token.value}, params.{token.value} or tags.{token.value}?"
        if reading.next.kind == "end":
            hint += f" A run of that name: name = '{token.value}'"
    raise reading.wrong(_EXPECTED, token, hint or _ATTRIBUTES)


_EXAMPLES: dict[Kind, str] = {
    "metric": "val_loss",
    "param": "lr",
    "tag": "team",
    "json": "review.score",
    "dataset": "version",
    "git": "commit",
    "attribute": "status",
}


def _one_of(reading: Reading, name: str, known: tuple[str, ...], prefix: str, token: Token) -> str:
    if name.lower() not in known:
        hint = _closest(name, known)
        raise reading.wrong(" or ".join(f"{prefix}.{one}" for one in known), token, hint)
    return name.lower()


def _is_number(text: str) -> bool:
    return text[0] in "+-.0123456789"


def _closest(name: str, known: Iterable[str], rest: str = "") -> str:
    found = get_close_matches(name[:40].lower(), list(known), 1)
    return f"did you mean {found[0]}{rest}?" if found else ""
