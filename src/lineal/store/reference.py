"""What questions about many runs mean, worked out on candidates at hand: the specification, not fast."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import NamedTuple

from lineal.model.entities import Run
from lineal.model.errors import InvalidInput, OverLimit
from lineal.model.limits import (
    GROUP_KEYS_MAX_COUNT,
    GROUP_METRICS_MAX_COUNT,
    GROUP_RUN_IDS_MAX_COUNT,
)
from lineal.model.values import ParamValue, value_text
from lineal.query.evaluate import Lookup, check_question, operand_of, satisfies, sort_key
from lineal.query.grouping import group_key, group_value
from lineal.query.syntax import Field, Order
from lineal.query.value_sets import split_values
from lineal.store.contracts import Counts, GroupPage, GroupQuery, RunGroup, RunPage, RunQuery, Spread
from lineal.store.page_tokens import Place, make_token, place_key, read_token


class Candidate(NamedTuple):
    """`names`: every name that means the run's experiment."""

    run: Run
    value_of: Lookup
    names: frozenset[str]


def page_of(candidates: Iterable[Candidate], query: RunQuery) -> RunPage:
    check_question(query.filter, query.order)
    start = read_token(query)
    found = []
    for candidate in _matching(candidates, query):
        keys = tuple(sort_key(candidate.value_of(order.field), order.field) for order in query.order)
        found.append((Place(keys, candidate.run.started_ms, candidate.run.run_id), candidate.run))
    key = place_key(query.order)
    found.sort(key=lambda item: key(item[0]))
    first = query.offset
    if start is not None:
        first = sum(key(place) <= key(start) for place, _ in found)
    page = found[first : first + query.limit]
    is_last = first + len(page) >= len(found) or not page
    return RunPage([run for _, run in page], len(found), None if is_last else make_token(query, page[-1][0]))


_Key = tuple[tuple[int, float, str], ...]
_Keyed = tuple[_Key, tuple[tuple[ParamValue, ...], list[Candidate]]]


def groups_of(candidates: Iterable[Candidate], query: GroupQuery) -> GroupPage:
    check_groups(query)
    groups: dict[_Key, tuple[tuple[ParamValue, ...], list[Candidate]]] = {}
    for candidate in _matching(candidates, query):
        values = tuple(group_value(candidate.value_of(field), field) for field in query.by)
        key = tuple(map(group_key, values))
        groups.setdefault(key, (values, []))[1].append(candidate)
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1][1]), item[0]))
    for order in reversed(query.order):
        ordered = _ordered(ordered, query.by, order)
    return GroupPage(
        [_group(values, members, query.metrics) for _, (values, members) in ordered[: query.limit]], len(groups)
    )


def _ordered(groups: list[_Keyed], by: Sequence[Field], order: Order) -> list[_Keyed]:
    """What it does not tell apart stays as given."""
    if order.field in by:
        at = by.index(order.field)
        found = sorted(groups, key=lambda item: item[0][at], reverse=order.descending)
        # Flags lie between numbers and texts, with an order of their own.
        return sorted(found, key=lambda item: (item[0][at][0], item[0][at][1] if item[0][at][0] == 1 else 0))
    means = [(_spread_in(members, order.field).mean, (key, (values, members))) for key, (values, members) in groups]
    some = [(mean, item) for mean, item in means if mean is not None]
    some.sort(key=lambda pair: pair[0], reverse=order.descending)
    return [item for _, item in some] + [item for mean, item in means if mean is None]


def check_groups(query: GroupQuery) -> None:
    """InvalidInput or OverLimit for a question that cannot be answered."""
    check_question(query.filter, query.order, (*query.by, *query.metrics))
    if len(query.by) > GROUP_KEYS_MAX_COUNT:
        raise OverLimit(f"runs are grouped by at most {GROUP_KEYS_MAX_COUNT} fields", field="by")
    if len(query.metrics) > GROUP_METRICS_MAX_COUNT:
        raise OverLimit(f"a group has at most {GROUP_METRICS_MAX_COUNT} metrics", field="metrics")


def spread_of(values: Sequence[float]) -> Spread:
    """Of finite values. Exact sums, and no overflow on the way."""
    count = len(values)
    if not count:
        return Spread(0, None, None, None, None)
    low, high = min(values), max(values)
    mean = min(max(math.fsum(value / count for value in values), low), high)
    std = None
    if count > 1:
        apart = [value / 2 - mean / 2 for value in values]
        scale = max(map(abs, apart))
        std = 0.0
        if scale:
            std = 2 * scale * math.sqrt(math.fsum((one / scale) ** 2 for one in apart) / (count - 1))
    return Spread(count, mean, std, low + 0.0, high + 0.0)


def finite(value: ParamValue) -> float | None:
    """The number that counts in a spread."""
    operand = None if value is None else operand_of(value)
    if operand is None or operand.number is None or not math.isfinite(operand.number):
        return None
    return float(operand.number)


def frequent_values(candidates: Iterable[Candidate], field: Field, prefix: str, limit: int) -> list[str]:
    if field.is_number:
        return []
    counts: Counter[str] = Counter()
    for run, value_of, _ in candidates:
        value = value_of(field)
        operand = None if value is None else operand_of(value)
        if run.lifecycle != "active" or operand is None:
            continue
        texts = split_values(operand.text) if field.kind == "dataset" else [value_text(value)]
        counts.update(text for text in texts if text.startswith(prefix))
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [text for text, _ in islice(ordered, limit)]


def counts_of(runs: Iterable[Run]) -> Counts:
    by_experiment: Counter[str] = Counter()
    deleted = 0
    for run in runs:
        if run.lifecycle == "active":
            by_experiment[run.experiment_id] += 1
        else:
            deleted += 1
    return Counts(by_experiment.total(), deleted, dict(by_experiment))


def _matching(candidates: Iterable[Candidate], query: RunQuery | GroupQuery) -> Iterable[Candidate]:
    if query.limit < 0:
        raise InvalidInput("limit is 0 or more", field="limit")
    for candidate in candidates:
        run = candidate.run
        if (
            query.lifecycle in (None, run.lifecycle)
            and (query.experiments is None or not candidate.names.isdisjoint(query.experiments))
            and satisfies(query.filter, candidate.value_of)
        ):
            yield candidate


def _spread_in(members: list[Candidate], field: Field) -> Spread:
    numbers = (finite(candidate.value_of(field)) for candidate in members)
    return spread_of([number for number in numbers if number is not None])


def _group(values: tuple[ParamValue, ...], members: list[Candidate], metrics: tuple[Field, ...]) -> RunGroup:
    newest = sorted((-candidate.run.started_ms, candidate.run.run_id) for candidate in members)
    aggregates = {field: _spread_in(members, field) for field in metrics}
    return RunGroup(values, len(members), aggregates, tuple(run_id for _, run_id in newest[:GROUP_RUN_IDS_MAX_COUNT]))
