"""logged-models/search. Its filter is a little language of its own: comparisons joined by AND."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from lineal.model.limits import (
    FILTER_COMPARISONS_MAX_COUNT,
    FILTER_LIST_MAX_COUNT,
    FILTER_MAX_CHARS,
    LIST_PAGE_MAX_COUNT,
)
from lineal.model.vocabulary import ModelStatus
from lineal.query.syntax import And, Comparison, Field, Filter, Operator, Or
from lineal.server.answers import Content
from lineal.server.compat.mlflow.answers import answer
from lineal.server.compat.mlflow.errors import MlflowError
from lineal.server.compat.mlflow.experiment_ids import known_experiments, unmade
from lineal.server.compat.mlflow.given import Param, given, typed
from lineal.server.compat.mlflow.model_view import SHOWN_AS, model_json
from lineal.server.compat.mlflow.run_search import holds, max_results_of
from lineal.server.context import Context
from lineal.server.endpoint import Asked
from lineal.store.lineage import ModelOrder, ModelQuery

RESULTS_DEFAULT = 50
_TEXTS = {name: name for name in ("model_id", "name", "model_type", "source_run_id", "status")}
_TIMES = {
    "creation_time": "creation_time",
    "creation_timestamp": "creation_time",
    "creation_timestamp_ms": "creation_time",
    "last_updated_timestamp": "last_updated_time",
    "last_updated_timestamp_ms": "last_updated_time",
}
_KINDS = {"attributes": "attribute", "metrics": "metric", "params": "param", "tags": "tag"}
_NUMBER_OPERATORS = ("<", "<=", ">", ">=", "=", "!=")
_TEXT_OPERATORS = ("=", "!=", "LIKE", "ILIKE", "IN", "NOT IN")
_COMPARISON = re.compile(
    r"""\s*
    (?P<name>(?:[^\s'`"=<>!(),]+|`[^`]*`|"[^"]*")+)\s*
    (?P<operator><=|>=|!=|=|<|>|NOT\s+IN\b|IN\b|LIKE\b|ILIKE\b)\s*
    (?P<value>'[^']*'|\([^()]*\)|[^\s'"()]+)\s*
    (?P<joiner>AND\b|$)""",
    re.VERBOSE | re.IGNORECASE,
)
_ITEM = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)")\s*(?:,|$)""")
_DOT, _DIGEST_CHARS = ".", 8
_PARTS = {
    "experiment_ids": "Experiment IDs in the page token do not match the requested experiment IDs.",
    "filter": "Filter string in the page token does not match the requested filter string.",
    "order_by": "Order by in the page token does not match the requested order by.",
}
_DATASET = (Param("dataset_name"), Param("dataset_digest"))


class Clause(NamedTuple):
    kind: str
    key: str
    operator: str
    value: str | float | tuple[str, ...]


def search_logged_models(context: Context, asked: Asked[Any, None]) -> Content:
    values = given(
        asked,
        Param("experiment_ids", "texts", required=True),
        Param("filter"),
        Param("datasets", "list"),
        Param("max_results", "int"),
        Param("order_by", "list"),
        Param("page_token"),
    )
    reader = context.reader
    known = known_experiments(reader, context.tenant, values["experiment_ids"])
    query = ModelQuery(
        experiments=tuple(one.name for one in known),
        filter=filter_of(values.get("filter", "")),
        order=tuple(_order(entry) for entry in values.get("order_by", [])),
        datasets=tuple(_dataset(entry) for entry in values.get("datasets", [])),
        limit=min(max_results_of(values.get("max_results") or RESULTS_DEFAULT), LIST_PAGE_MAX_COUNT),
        after=_inner_token(values),
    )
    page = reader.list_logged_models(query)
    by_id = {one.experiment_id: one for one in known}
    models = [model_json(model, by_id.get(model.experiment_id) or unmade(context.tenant)) for model in page.models]
    return answer(models=models, next_page_token=page.next_token and f"{_asked_by(values)}{_DOT}{page.next_token}")


def _inner_token(values: dict[str, Any]) -> str | None:
    """Ours, behind digests of what was asked: clients are told which part of their question is another one now."""
    token: str = values.get("page_token") or ""
    if not token:
        return None
    before, dot, inner = token.partition(_DOT)
    now, size = _asked_by(values), _DIGEST_CHARS
    if not dot or len(before) != len(now):
        raise MlflowError(f"Invalid page token: {token[:300]}")
    for at, said in enumerate(_PARTS.values()):
        if before[at * size : (at + 1) * size] != now[at * size : (at + 1) * size]:
            raise MlflowError(said)
    return inner


def _asked_by(values: dict[str, Any]) -> str:
    parts = (json.dumps(values.get(name) or None, sort_keys=True, default=str) for name in _PARTS)
    return "".join(hashlib.sha256(part.encode()).hexdigest()[:_DIGEST_CHARS] for part in parts)


def _dataset(entry: dict[str, Any]) -> tuple[str, str | None]:
    values = typed(entry, _DATASET)
    if not values.get("dataset_name"):
        raise MlflowError("`dataset_name` in the `datasets` clause must be specified.")
    return values["dataset_name"], values.get("dataset_digest") or None


def _order(entry: dict[str, Any]) -> ModelOrder:
    values = typed(entry, (Param("field_name"), Param("ascending", "bool"), *_DATASET))
    name = values.get("field_name") or ""
    # protobuf's default is false, and every client says it.
    descending = not values.get("ascending", True)
    prefix, dot, key = name.partition(".")
    if not dot:
        known = {**_TEXTS, **_TIMES}.get(name)
        if known is None:
            raise MlflowError(f"Invalid order by field name: {name}")
        return ModelOrder(Field("attribute", known), descending)
    if prefix != "metrics":
        raise MlflowError(f"Invalid order by field name: {name}. Only metrics are supported.")
    name_and_digest = values.get("dataset_name") or None, values.get("dataset_digest") or None
    return ModelOrder(Field("metric", key), descending, *name_and_digest)


# -- filters ---------------------------------------------------------------------------------------


def filter_of(text: str) -> Filter | None:
    parts = [_part(clause) for clause in _clauses(text)]
    return None if not parts else parts[0] if len(parts) == 1 else And(tuple(parts))


def _clauses(text: str) -> list[Clause]:
    if len(text) > FILTER_MAX_CHARS:
        raise MlflowError(f"A filter has at most {FILTER_MAX_CHARS} characters")
    clauses: list[Clause] = []
    at, joined = 0, bool(text.strip())
    while joined:
        found = _COMPARISON.match(text, at)
        if found is None:
            raise MlflowError(
                f"Invalid filter string: {text[:300]!r}. Expected a list of comparisons separated by 'AND'"
                " (e.g. 'metrics.loss > 0.1 AND params.lr = 0.01')."
            )
        clauses.append(_clause(found["name"], " ".join(found["operator"].upper().split()), found["value"]))
        if len(clauses) > FILTER_COMPARISONS_MAX_COUNT:
            raise MlflowError(f"A filter has at most {FILTER_COMPARISONS_MAX_COUNT} comparisons")
        at, joined = found.end(), bool(found["joiner"])
    return clauses


def _clause(name: str, operator: str, value: str) -> Clause:
    prefix, dot, key = name.partition(".")
    if dot and re.fullmatch("[a-z]+", prefix):
        if prefix not in _KINDS:
            raise MlflowError(f"Invalid entity type: {prefix!r}. Expected one of {list(_KINDS)}.")
        kind, key = _KINDS[prefix], _unquoted(key)
    else:
        kind, key = "attribute", _unquoted(name)
    if kind == "attribute" and key not in _TEXTS and key not in _TIMES:
        raise MlflowError(f"Invalid attribute key '{key}' specified. Valid keys are {[*_TEXTS, *_TIMES]}")
    is_number = kind == "metric" or (kind == "attribute" and key in _TIMES)
    known = _NUMBER_OPERATORS if is_number else _TEXT_OPERATORS
    if operator not in known:
        raise MlflowError(f"Invalid comparison operator for {name}: {operator!r}. Expected one of {known}.")
    if is_number:
        try:
            return Clause(kind, key, operator, float(value))
        except ValueError:
            raise MlflowError(f"Expected a number for {name}. Found {value[:100]}") from None
    if operator in ("IN", "NOT IN"):
        return Clause(kind, key, operator, _listed(value))
    if value.startswith("("):
        raise MlflowError(f"Invalid comparison: {name} {operator} {value[:100]}. A list is compared by IN or NOT IN")
    return Clause(kind, key, operator, value.strip("'"))


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in '`"' else text


def _listed(text: str) -> tuple[str, ...]:
    inside, at, values = text[1:-1].strip(), 0, list[str]()
    while at < len(inside) or not values:
        found = _ITEM.match(inside, at) if text.startswith("(") else None
        if found is None:
            raise MlflowError(f"Invalid list: {text[:100]}. Expected texts in quotes, in parentheses")
        values.append(found[1] if found[1] is not None else found[2])
        at = found.end()
    if len(values) > FILTER_LIST_MAX_COUNT:
        raise MlflowError(f"A list has at most {FILTER_LIST_MAX_COUNT} values")
    return tuple(values)


def _part(clause: Clause) -> Filter:
    asked: Operator = clause.operator.lower()  # type: ignore[assignment]
    if clause.kind == "attribute":
        if clause.key == "status":
            return _status(clause)
        return Comparison(Field("attribute", {**_TEXTS, **_TIMES}[clause.key]), asked, _value(clause.value))
    return Comparison(Field(clause.kind, clause.key), asked, _value(clause.value))  # type: ignore[arg-type]


def _value(value: Any) -> Any:
    return int(value) if isinstance(value, float) and math.isfinite(value) and value == int(value) else value


def _status(clause: Clause) -> Filter:
    """By their words there."""
    fitting: Sequence[ModelStatus] = [
        word for word, shown in SHOWN_AS.items() if holds(clause.operator, shown, clause.value)
    ]
    return Comparison(Field("attribute", "status"), "in", tuple(fitting)) if fitting else Or(())
