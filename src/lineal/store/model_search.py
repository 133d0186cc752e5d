"""What a question about logged models means, worked out on candidates at hand: one place for every backend."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from lineal.model.entities import SeriesKey, Summary
from lineal.model.errors import InvalidInput
from lineal.model.lineage import LoggedModel, ModelMetric
from lineal.model.values import ParamValue
from lineal.model.vocabulary import DATASET_LABEL, DIGEST_LABEL
from lineal.query.evaluate import check_question, holds, sort_key
from lineal.query.syntax import And, Comparison, Field, Filter, Not, Or, Order, comparisons_of
from lineal.store.lineage import MODEL_TEXTS, MODEL_TIMES, ModelOrder, ModelQuery
from lineal.store.page_tokens import Place, compare_places, place_key, read_place, token_of

_TEXT, _TIME = Field("attribute", "name"), Field("attribute", "start_time")  # as which attributes of models compare


@dataclass(frozen=True, slots=True)
class ModelSeries:
    """A series that a run logged of a model."""

    run_id: str
    key: SeriesKey
    summary: Summary

    def dataset(self) -> tuple[str | None, str | None]:
        labels = dict(self.key.labels)
        return labels.get(DATASET_LABEL), labels.get(DIGEST_LABEL)

    def metric(self) -> ModelMetric:
        last = self.summary
        return ModelMetric(self.key.name, last.last, last.last_step, last.last_ms, self.run_id, *self.dataset())


class Candidate(NamedTuple):
    """A model with as much as the question asks for (`Wanted`)."""

    model: LoggedModel
    series: Sequence[ModelSeries] = ()


class Wanted(NamedTuple):
    """What of its candidates a question asks for besides their attributes."""

    words: bool
    """Params and tags."""
    series: bool


def wanted_of(query: ModelQuery) -> Wanted:
    fields = [comparison.field for comparison in comparisons_of(query.filter)] + [order.field for order in query.order]
    kinds = {field.kind for field in fields}
    return Wanted(bool(kinds & {"param", "tag"}), "metric" in kinds or bool(query.datasets))


def metrics_of(series: Iterable[ModelSeries]) -> tuple[ModelMetric, ...]:
    def place(one: ModelMetric) -> tuple[str, str, str, str]:
        return one.name, one.dataset_name or "", one.dataset_digest or "", one.run_id

    return tuple(sorted((one.metric() for one in series), key=place))


def page_of_models(candidates: Iterable[Candidate], query: ModelQuery) -> tuple[list[LoggedModel], str | None]:
    """The page's models as candidates have them, and the token of the next page. Candidates of other experiments and lifecycles are
    left out by whoever gives them."""
    check_models(query)
    start = place_of(query)
    orders = tuple(Order(order.field, order.descending) for order in query.order)
    found = []
    for candidate in candidates:
        if _is_found(candidate, query):
            model = candidate.model
            keys = tuple(
                sort_key(_order_value(candidate, order), _stand_in(order.field, "order_by")) for order in query.order
            )
            place = Place(keys, model.created_ms, model.model_id)
            if start is None or compare_places(place, start, orders) > 0:
                found.append((place, model))
    key = place_key(orders)
    found.sort(key=lambda item: key(item[0]))
    page = found[: query.limit]
    token = token_of(_digest(query), page[-1][0]) if page and len(found) > len(page) else None
    return [model for _, model in page], token


def place_of(query: ModelQuery) -> Place | None:
    """Where the page begins; None: at the first. InvalidInput for a token that is damaged or another query's."""
    return None if query.after is None else read_place(query.after, _digest(query))


def is_plain(query: ModelQuery) -> bool:
    """Whether the newest come first, whatever they are."""
    return query.filter is None and not query.order and not query.datasets and query.limit >= 0


def check_models(query: ModelQuery) -> None:
    """InvalidInput for what cannot be asked."""
    if query.limit < 0:
        raise InvalidInput("limit is 0 or more", field="limit")
    orders = [Order(_stand_in(order.field, "order_by"), order.descending) for order in query.order]
    check_question(None if query.filter is None else _as_of_runs(query.filter), orders)


def _stand_in(field: Field, purpose: str) -> Field:
    """A field of runs that compares alike."""
    if field.kind == "attribute":
        if field.name in MODEL_TEXTS:
            return _TEXT
        if field.name in MODEL_TIMES:
            return _TIME
        known = ", ".join((*MODEL_TEXTS, *MODEL_TIMES))
        raise InvalidInput(f"a logged model has no attribute {field.name!r:.80}; it has {known}", field=purpose)
    if field.kind not in ("param", "tag", "metric") or field.aggregate != "last":
        raise InvalidInput(f"a logged model has no {field.kind} fields such as {field.name!r:.80}", field=purpose)
    return field


def _as_of_runs(filter: Filter) -> Filter:
    if isinstance(filter, Comparison):
        return replace(filter, field=_stand_in(filter.field, "filter"))
    if isinstance(filter, Not):
        return Not(_as_of_runs(filter.part))
    return replace(filter, parts=tuple(map(_as_of_runs, filter.parts)))


def _is_found(candidate: Candidate, query: ModelQuery) -> bool:
    series = [one for one in candidate.series if _is_on(one, query.datasets)]
    if query.datasets and not series:
        return False
    return query.filter is None or _satisfies(query.filter, candidate.model, series)


def _is_on(series: ModelSeries, datasets: Sequence[tuple[str, str | None]]) -> bool:
    name, digest = series.dataset()
    return not datasets or any(name == wanted and of in (None, digest) for wanted, of in datasets)


def _satisfies(filter: Filter, model: LoggedModel, series: Sequence[ModelSeries]) -> bool:
    if isinstance(filter, Comparison):
        if filter.field.kind == "metric":
            return _holds_of_metric(filter, [one for one in series if one.key.name == filter.field.name])
        return holds(replace(filter, field=_stand_in(filter.field, "filter")), _value(model, filter.field))
    if isinstance(filter, Not):
        return not _satisfies(filter.part, model, series)
    if isinstance(filter, And):
        return all(_satisfies(part, model, series) for part in filter.parts)
    assert isinstance(filter, Or)
    return any(_satisfies(part, model, series) for part in filter.parts)


def _holds_of_metric(comparison: Comparison, series: Sequence[ModelSeries]) -> bool:
    return holds(comparison, _latest(series))


def _value(model: LoggedModel, field: Field) -> ParamValue:
    if field.kind == "param":
        return model.params.get(field.name)
    if field.kind == "tag":
        return model.tags.get(field.name)
    match field.name:
        case "experiment":
            return model.experiment_name
        case "creation_time":
            return model.created_ms
        case "last_updated_time":
            return model.updated_ms
    value: str | None = getattr(model, field.name)
    return value


def _order_value(candidate: Candidate, order: ModelOrder) -> ParamValue:
    if order.field.kind != "metric":
        return _value(candidate.model, order.field)
    found = [
        one
        for one in candidate.series
        if one.key.name == order.field.name
        and order.dataset_name in (None, one.dataset()[0])
        and order.dataset_digest in (None, one.dataset()[1])
    ]
    value = _latest(found)
    return None if value != value else value  # a model's NaN is a missing value to MLflow, too


def _latest(series: Sequence[ModelSeries]) -> ParamValue:
    """The last point of them all: by time, then step; of equal ones that of the run whose id comes first."""
    if not series:
        return None
    when = max((one.summary.last_ms, one.summary.last_step) for one in series)
    same = [one for one in series if (one.summary.last_ms, one.summary.last_step) == when]
    return min(same, key=lambda one: (one.run_id, one.key)).summary.last


def _digest(query: ModelQuery) -> bytes:
    experiments = None if query.experiments is None else sorted(set(query.experiments))
    said = repr(("models", query.filter, query.order, query.datasets, query.lifecycle, experiments))
    return hashlib.sha256(said.encode("utf-8", "backslashreplace")).digest()
