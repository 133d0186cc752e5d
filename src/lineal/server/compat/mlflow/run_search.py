"""runs/search: the filter becomes our syntax tree, the order ours."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from lineal.model.entities import Experiment
from lineal.model.limits import RUNS_PAGE_MAX_COUNT
from lineal.model.vocabulary import STATUSES
from lineal.query.patterns import tester
from lineal.query.syntax import And, Comparison, Field, Filter, Operator, Or, Order
from lineal.server.answers import Content
from lineal.server.compat.mlflow.answers import answer
from lineal.server.compat.mlflow.artifact_uris import uri_filter
from lineal.server.compat.mlflow.errors import MlflowError, invalid_value
from lineal.server.compat.mlflow.experiment_ids import known_experiments
from lineal.server.compat.mlflow.given import Param, at_most, given
from lineal.server.compat.mlflow.grammar import Clause, Subject, parse_filter, parse_order
from lineal.server.compat.mlflow.run_view import NAME_TAG, PARENT_TAG, STATUS_OF, read_runs
from lineal.server.context import Context
from lineal.server.endpoint import Asked
from lineal.store.contracts import RunQuery

_TEXTS = ("artifact_uri", "run_id", "run_name", "status", "user_id")
_TIMES = ("start_time", "end_time")
RUNS = Subject(
    texts=_TEXTS,
    numbers=_TIMES,
    aliases=(
        ("created", "start_time"),
        ("Created", "start_time"),
        ("run name", "run_name"),
        ("Run name", "run_name"),
        ("Run Name", "run_name"),
    ),
    entities=("metric", "parameter", "tag", "attribute", "dataset"),
    listed=("run_id",),
    orders=(*_TEXTS, *_TIMES),
)
_ORDERINGS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_FIELDS = {
    "run_id": "run_id",
    "run_name": "name",
    "status": "status",
    "user_id": "user_id",
    "start_time": "start_time",
    "end_time": "end_time",
}
_VIEWS = {1: "ACTIVE_ONLY", 2: "DELETED_ONLY", 3: "ALL"}
RESULTS_DEFAULT = 1_000


def search_runs(context: Context, asked: Asked[Any, None]) -> Content:
    values = given(
        asked,
        Param("experiment_ids", "texts"),
        Param("filter"),
        Param("run_view_type", "any"),
        Param("max_results", "int", check=at_most("max_results", RUNS_PAGE_MAX_COUNT)),
        Param("order_by", "texts"),
        Param("page_token"),
    )
    reader = context.reader
    clauses = parse_filter(values.get("filter", ""), RUNS)
    order = order_of(values.get("order_by", []))
    view = view_of(values.get("run_view_type", 1), "run_view_type")
    limit = max_results_of(values.get("max_results", RESULTS_DEFAULT))
    experiments = known_experiments(reader, context.tenant, values.get("experiment_ids", []))
    filter = filter_of(clauses, experiments)
    query = _query(experiments, view, filter, order)
    if query is None:
        return answer()
    page = reader.list_runs(
        RunQuery(**query, filter=filter, order=order, limit=limit, after=values.get("page_token") or None)
    )
    found = read_runs(context, page.runs)
    return answer(runs=found, next_page_token=page.next_token)


def view_of(value: Any, name: str) -> str:
    """A name of protobuf's enum, or its number."""
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    view = _VIEWS.get(value) if isinstance(value, int) else value
    if view not in _VIEWS.values():
        raise invalid_value(name, value)
    return str(view)


def max_results_of(value: int) -> int:
    if value < 1:
        raise MlflowError(
            f"Invalid value for request parameter max_results. It must be a positive integer, but got value {value}"
        )
    return value


def _query(
    experiments: Sequence[Experiment], view: str, filter: Filter | None, order: tuple[Order, ...]
) -> dict[str, Any] | None:
    """Which runs are meant: those of a deleted experiment count as deleted. None: none are."""
    active = tuple(one.name for one in experiments if one.lifecycle == "active")
    put_away = tuple(one.name for one in experiments if one.lifecycle == "deleted")
    if view == "ALL":
        names, lifecycle = active + put_away, None
    elif view == "ACTIVE_ONLY":
        names, lifecycle = active, "active"
    elif put_away and not active:
        names, lifecycle = put_away, None
    else:
        names, lifecycle = active, "deleted"
    return {"experiments": names, "lifecycle": lifecycle} if names else None


# -- filters -------------------------------------------------------------------------------------


def filter_of(clauses: Sequence[Clause], experiments: Sequence[Experiment]) -> Filter | None:
    parts = [_part(clause, experiments) for clause in clauses]
    return None if not parts else parts[0] if len(parts) == 1 else And(tuple(parts))


def _part(clause: Clause, experiments: Sequence[Experiment]) -> Filter:
    asked: Operator = clause.operator.lower()  # type: ignore[assignment]
    if clause.entity == "metric":
        return Comparison(Field("metric", clause.key), asked, _number(clause.value))
    if clause.entity == "parameter":
        return Comparison(Field("param", clause.key), asked, clause.value)
    if clause.entity == "dataset":
        return Comparison(Field("dataset", clause.key), asked, clause.value)
    if clause.entity == "tag":
        return _tag(clause, asked)
    if clause.key == "status":
        return _status(clause)
    if clause.key == "artifact_uri":
        return uri_filter(clause.operator, clause.value, experiments)
    value = _number(clause.value) if clause.key in _TIMES else clause.value
    return Comparison(Field("attribute", _FIELDS[clause.key]), asked, value)


def _number(value: Any) -> float | int:
    return int(value) if math.isfinite(value) and value == int(value) else value


def _tag(clause: Clause, asked: Operator) -> Filter:
    """Two tags mirror what is kept apart."""
    if clause.key == NAME_TAG:
        return Comparison(Field("attribute", "name"), asked, clause.value)
    said = Comparison(Field("tag", clause.key), asked, clause.value)
    if clause.key != PARENT_TAG:
        return said
    kept = Comparison(Field("attribute", "parent_run_id"), asked, clause.value)
    if asked == "is null":
        return And((said, kept))
    unsaid = Comparison(Field("tag", clause.key), "is null", None)
    return Or((said, And((unsaid, kept))))


def _status(clause: Clause) -> Filter:
    """By their words there: what is lost here is FAILED there."""
    field = Field("attribute", "status")
    fitting = tuple(word for word in STATUSES if _fits(STATUS_OF[word], clause))
    return Comparison(field, "in", fitting) if fitting else Or(())


def _fits(text: str, clause: Clause) -> bool:
    return holds(clause.operator, text, clause.value)


def holds(name: str, left: Any, right: Any) -> bool:
    """A comparison of what is at hand, as MLflow means it; a missing value (None) satisfies IS NULL alone."""
    if name in ("IS NULL", "IS NOT NULL"):
        return (left is None) == (name == "IS NULL")
    if left is None:
        return False
    if name in ("LIKE", "ILIKE"):
        return bool(tester(name.lower(), right)(left))
    if name in ("IN", "NOT IN"):
        return (left in right) == (name == "IN")
    return _ORDERINGS[name](left, right)


# -- orders --------------------------------------------------------------------------------------


def order_of(texts: Iterable[str]) -> tuple[Order, ...]:
    orders: list[Order] = []
    for text in texts:
        entity, key, descending = parse_order(text, RUNS)
        if entity == "dataset":
            raise MlflowError(f"Invalid identifier type '{entity}'")
        field = {
            "metric": Field("metric", key),
            "parameter": Field("param", key),
            "tag": Field("attribute", "name") if key == NAME_TAG else Field("tag", key),
            "attribute": Field("attribute", _FIELDS.get(key, "run_id")),
        }[entity]
        if any(order.field == field for order in orders):
            raise MlflowError(f"`order_by` contains duplicate fields: {list(texts)}")
        orders.append(Order(field, descending))
    return tuple(orders)
