"""Parameters of a request: protobuf's mapping of JSON, or a query; checked in the order and the words that clients know.

A number may be a text, an integer of 64 bits too; null is absent. An unknown name is stepped over, as protobuf does."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from lineal.model.values import INT64_MAX, INT64_MIN, clean_text
from lineal.server.compat.mlflow.errors import MlflowError, invalid_value, missing_value
from lineal.server.endpoint import Asked

_SEE = " See the API docs for more information about request parameters."


class Param(NamedTuple):
    """`kind`: text, int, double, bool, texts (a list), list (of objects). `check` looks at the raw value and raises."""

    name: str
    kind: str = "text"
    required: bool = False
    check: Callable[[Any], None] | None = None


def given(asked: Asked[Any, Any], *params: Param) -> dict[str, Any]:
    """Name -> value of those given, typed. Raises MlflowError."""
    raw = _of_query(asked, params) if asked.method in ("GET", "HEAD") else raw_body(asked)
    return typed(raw, params)


def typed(raw: Mapping[str, Any], params: Sequence[Param]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    wrong: set[str] = set()
    for param in params:
        value = raw.get(param.name)
        if value is None:
            continue
        try:
            values[param.name] = _KINDS[param.kind](value)
        except (ValueError, OverflowError):
            wrong.add(param.name)
    for param in params:
        value = raw.get(param.name)
        if param.name == "run_id" and value is None:
            value = raw.get("run_uuid")
            if isinstance(value, str):
                values["run_id"] = clean_text(value)
        if param.required and value in (None, ""):
            raise _explained(missing_value(param.name))
        if param.name in wrong:
            raise _explained(invalid_value(param.name, value, f" Hint: Value was of type '{type(value).__name__}'."))
        if param.check is not None and value is not None:
            param.check(value)
    return values


def raw_body(asked: Asked[Any, Any]) -> dict[str, Any]:
    if asked.method in ("POST", "PUT"):
        check_json(asked.headers)
    if not asked.content:
        return {}
    try:
        body = msgspec.json.decode(asked.content)
        if isinstance(body, str):  # old clients encode twice
            body = json.loads(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        body = _lenient(asked.content)
    return body if isinstance(body, dict) else {}


def _lenient(content: bytes) -> Any:
    """A bare NaN, which Python writes; what is no JSON at all counts as empty, as MLflow has it."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return {}


def check_json(headers: Mapping[str, str]) -> None:
    kind = headers.get("content-type")
    if kind is None:
        raise MlflowError("Bad Request. Content-Type header is missing.")
    if kind.partition(";")[0].strip().lower() != "application/json":
        raise MlflowError("Bad Request. Content-Type must be one of ['application/json'].")


def _of_query(asked: Asked[Any, Any], params: Sequence[Param]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    kinds = {param.name: param.kind for param in params}
    for name, value in asked.pairs:
        kind = kinds.get(name, "text")
        if kind in ("texts", "list"):
            values.setdefault(name, []).append(value)
        elif name in values:
            continue
        elif kind == "bool":
            if value.lower() not in ("true", "false"):
                raise MlflowError(f"Invalid boolean value: {value}, must be 'true' or 'false'.")
            values[name] = value.lower() == "true"
        else:
            values[name] = value
    return values


def _explained(error: MlflowError) -> MlflowError:
    return MlflowError(error.message + _SEE, error.error_code)


def as_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return clean_text(value)


def as_int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(value)
    if isinstance(value, float) and not value.is_integer():
        raise ValueError(value)
    number = int(value)
    if not INT64_MIN <= number <= INT64_MAX:
        raise ValueError(value)
    return number


def as_double(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(value)
    if isinstance(value, str) and value.strip() != value:
        raise ValueError(value)
    return float(value)


def as_bool(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise ValueError(value)
    return [as_text(one) for one in value]


def _list(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise ValueError(value)
    return value


_KINDS: dict[str, Callable[[Any], Any]] = {
    "text": as_text,
    "int": as_int,
    "double": as_double,
    "bool": as_bool,
    "texts": _texts,
    "list": _list,
    "any": lambda value: value,
}


def at_most(name: str, bound: int, said: str = "") -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if int(value) > bound:
            raise _explained(MlflowError(said) if said else invalid_value(name, value, _type_hint(value)))

    return check


def _type_hint(value: Any) -> str:
    return f" Hint: Value was of type '{type(value).__name__}'."


def number(value: float | int) -> float | int | str:
    """As it goes out: protobuf's three names for what JSON lacks."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value
