"""experiments/search: few enough to be looked through one by one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cmp_to_key
from typing import Any

from lineal.model.entities import Experiment
from lineal.server.answers import Content
from lineal.server.compat.mlflow.answers import answer
from lineal.server.compat.mlflow.errors import MlflowError
from lineal.server.compat.mlflow.experiment_ids import DEFAULT_NUMBER, all_experiments, number_of
from lineal.server.compat.mlflow.experiments import NOTE_TAG, STARTED_MS, experiment_json
from lineal.server.compat.mlflow.given import Param, given
from lineal.server.compat.mlflow.grammar import Clause, Subject, parse_filter, parse_order
from lineal.server.compat.mlflow.history import offset_of, token_of
from lineal.server.compat.mlflow.run_search import RESULTS_DEFAULT, holds, max_results_of, view_of
from lineal.server.context import Context
from lineal.server.endpoint import Asked

EXPERIMENTS = Subject(
    texts=("name",),
    numbers=("creation_time", "last_update_time"),
    nullable=("tag",),
    orders=("name", "experiment_id", "creation_time", "last_update_time"),
)
_RESULTS_MAX_COUNT = 50_000
Attribute = Callable[[Experiment], Any]
_ATTRIBUTES: dict[str, Attribute] = {
    "name": lambda one: one.name,
    "creation_time": lambda one: one.created_ms or STARTED_MS,
    "last_update_time": lambda one: one.updated_ms or STARTED_MS,
    # There ids count up: to order by them is to order by when experiments were made, "Default" first.
    "experiment_id": lambda one: (0, 0) if number_of(one) == DEFAULT_NUMBER else (one.created_ms, int(number_of(one))),
}


def search_experiments(context: Context, asked: Asked[Any, None]) -> Content:
    values = given(
        asked,
        Param("view_type", "any"),
        Param("max_results", "int"),
        Param("order_by", "texts"),
        Param("filter"),
        Param("page_token"),
    )
    view = view_of(values.get("view_type", 1), "view_type")
    limit = max_results_of(values.get("max_results", RESULTS_DEFAULT))
    if limit > _RESULTS_MAX_COUNT:
        raise MlflowError(
            f"Invalid value for request parameter max_results. It must be at most {_RESULTS_MAX_COUNT}, but got value {limit}"
        )
    clauses = parse_filter(values.get("filter", ""), EXPERIMENTS)
    order = _order(values.get("order_by", []))
    start = offset_of(values.get("page_token"))
    found = [
        one
        for one in all_experiments(context.reader, context.tenant)
        if (view == "ALL" or (one.lifecycle == "active") == (view == "ACTIVE_ONLY")) and _fits(one, clauses)
    ]
    found.sort(key=order)
    page = found[start : start + limit]
    token = token_of(start + limit) if start + limit < len(found) else None
    return answer(experiments=[experiment_json(one) for one in page], next_page_token=token)


def _fits(one: Experiment, clauses: Sequence[Clause]) -> bool:
    return all(holds(clause.operator, _value(one, clause), clause.value) for clause in clauses)


def _value(one: Experiment, clause: Clause) -> Any:
    if clause.entity == "attribute":
        return _ATTRIBUTES[clause.key](one)
    if clause.key == NOTE_TAG and clause.key not in one.tags:
        return one.description or None
    return one.tags.get(clause.key)


def _order(texts: Sequence[str]) -> Any:
    """By what is asked for, then by number, the highest first; without an order the latest made first."""
    keys = []
    for text in texts:
        entity, key, descending = parse_order(text, EXPERIMENTS)
        if entity != "attribute":
            raise MlflowError(f"Invalid order_by entity: {entity}")
        keys.append((key, descending))
    if not keys:
        keys = [("creation_time", True)]
    if "experiment_id" not in (key for key, _ in keys):
        keys.append(("experiment_id", True))

    def compare(a: Experiment, b: Experiment) -> int:
        for key, descending in keys:
            mine, other = _ATTRIBUTES[key](a), _ATTRIBUTES[key](b)
            if mine != other:
                return -1 if (mine < other) != descending else 1
        return 0

    return cmp_to_key(compare)
