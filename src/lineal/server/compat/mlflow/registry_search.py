"""registered-models/search and model-versions/search: filters become terms of the registry's own questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from lineal.server.answers import Content
from lineal.server.compat.mlflow.answers import answer
from lineal.server.compat.mlflow.errors import MlflowError
from lineal.server.compat.mlflow.given import Param, at_most, given
from lineal.server.compat.mlflow.grammar import Clause, Subject, parse_filter, parse_order
from lineal.server.compat.mlflow.registered_models import PROMPT_TAG, model_json
from lineal.server.compat.mlflow.version_view import version_json
from lineal.server.context import Context
from lineal.server.endpoint import Asked
from lineal.store.registry import By, ModelsQuery, Operator, Term, VersionsQuery

MODELS = Subject(
    texts=("name",), nullable=(), orders=("name", "timestamp", "last_updated_timestamp"), orders_are="order by"
)
VERSIONS = Subject(
    texts=("name", "run_id", "source_path"),
    numbers=("version_number",),
    nullable=(),
    listed=("run_id",),
    orders=("name", "version_number", "creation_timestamp", "last_updated_timestamp"),
)
MODELS_MAX_COUNT, MODELS_DEFAULT = 1_000, 100
VERSIONS_MAX_COUNT, VERSIONS_DEFAULT = 200_000, 10_000
_FIELDS: dict[str, Any] = {"version_number": "version", "source_path": "source"}
_ORDERS: dict[str, Any] = {
    "name": "name",
    "version_number": "version",
    "timestamp": "updated",
    "creation_timestamp": "created",
    "last_updated_timestamp": "updated",
}


def search_models(context: Context, asked: Asked[Any, None]) -> Content:
    values = _given(asked, MODELS_MAX_COUNT)
    terms = _terms(parse_filter(values.get("filter", ""), MODELS))
    order = _order(values.get("order_by", []), MODELS)
    limit = _limit(values.get("max_results", MODELS_DEFAULT))
    registry = context.reader.registry()
    page = registry.list_models(ModelsQuery(terms, order, limit=limit, after=values.get("page_token") or None))
    latest = registry.list_latest([one.name for one in page.models])
    found = [model_json(one, latest.get(one.name, ())) for one in page.models]
    return answer(registered_models=found, next_page_token=page.next_token)


def search_versions(context: Context, asked: Asked[Any, None]) -> Content:
    values = _given(asked, VERSIONS_MAX_COUNT)
    terms = _terms(parse_filter(values.get("filter", ""), VERSIONS))
    order = _order(values.get("order_by", []), VERSIONS) or (By("updated", True), By("name"), By("version", True))
    limit = _limit(values.get("max_results", VERSIONS_DEFAULT))
    registry = context.reader.registry()
    page = registry.list_versions(VersionsQuery(terms, order, limit=limit, after=values.get("page_token") or None))
    return answer(model_versions=[version_json(one) for one in page.versions], next_page_token=page.next_token)


def _given(asked: Asked[Any, None], bound: int) -> dict[str, Any]:
    return given(
        asked,
        Param("filter"),
        Param("max_results", "int", check=at_most("max_results", bound)),
        Param("order_by", "texts"),
        Param("page_token"),
    )


def _limit(value: int) -> int:
    if value < 1:
        raise MlflowError(f"Invalid value for max_results. It must be a positive integer, but got {value}")
    return value


def _terms(clauses: Sequence[Clause]) -> tuple[Term, ...]:
    """Prompts are models with a tag, and left out of what does not ask for them."""
    terms: list[Term] = []
    asks_prompts = False
    for clause in clauses:
        if clause.entity == "tag" and clause.key == PROMPT_TAG and clause.operator in ("=", "!="):
            asks_prompts = (clause.operator == "=") == (str(clause.value).lower() == "true")
            if asks_prompts:
                terms.append(Term("tag", "=", "true", PROMPT_TAG))
            continue
        terms.append(_term(clause))
    if not asks_prompts:
        terms.append(Term("tag", "isnt", "true", PROMPT_TAG))
    return tuple(terms)


def _term(clause: Clause) -> Term:
    operator = clause.operator.lower()
    if operator not in get_args(Operator):
        raise MlflowError(f"Invalid comparator '{clause.operator}'")
    value: Any = clause.value
    if isinstance(value, float):
        value = int(value) if value == int(value) else value
    if clause.entity == "tag":
        return Term("tag", operator, value, clause.key)  # type: ignore[arg-type]
    return Term(_FIELDS.get(clause.key, clause.key), operator, value)  # type: ignore[arg-type]


def _order(texts: Sequence[str], subject: Subject) -> tuple[By, ...]:
    keys: list[By] = []
    for text in texts:
        entity, key, descending = parse_order(text, subject)
        if entity != "attribute":
            raise MlflowError(f"Invalid order_by entity: {entity}")
        by = By(_ORDERS[key], descending)
        if any(one.field == by.field for one in keys):
            raise MlflowError(f"`order_by` contains duplicate fields: {list(texts)}")
        keys.append(by)
    return tuple(keys)
