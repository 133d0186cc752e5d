"""The language over the memory store, against an evaluator written here from docs/reference/filter-language.md, by other
means: exact fractions for numbers, `re` and recursion for patterns, three-valued logic, stable sorts for orders."""

import json
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineal.model.entities import Attempt, SeriesKey, Stamp
from lineal.model.values import ParamValue
from lineal.query.evaluate import holds
from lineal.query.parser import parse, parse_orders
from lineal.query.syntax import (
    LIST_OPERATORS,
    NULL_OPERATORS,
    ORDERING_OPERATORS,
    PATTERN_OPERATORS,
    And,
    Comparison,
    Field,
    Filter,
    Not,
    Or,
    Order,
    Scalar,
)
from lineal.query.text import filter_text
from lineal.store.contracts import RunQuery, RunStart, TenantReader
from lineal.store.memory import MemoryStore
from lineal.testing.suite_base import WRITER, block_with

# -- runs ----------------------------------------------------------------------------------------------------

NAMES = ("a", "b/c", "odd name")
RAW_VALUES: tuple[ParamValue, ...] = (
    *(0, 1, -1, 2, 2**53, 2**53 + 1, 0.5, 1.0, -0.0, 2.0**53, math.nan, math.nan, math.inf, True, False, None),
    *("1", "0.50", "1e0", "x", "X", "xy", "", "nan", "True", "é%_", "a\nb"),
)
raw_values = st.sampled_from(RAW_VALUES)
tag_values = st.sampled_from(("", "1", "1.0", "x", "X", "xy", "é%_", "10", "9"))
points = st.lists(st.sampled_from((0.0, 1.0, -1.5, math.nan, math.inf, 2.0**53)), max_size=3)
json_values = st.recursive(
    st.sampled_from((None, True, 0, 1.5, "1", "x", "xy")),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from(("k", "l", "0")), inner, max_size=2)
    ),
    max_leaves=4,
)
run_contents = st.fixed_dictionaries(
    {
        "params": st.dictionaries(st.sampled_from(NAMES), raw_values, max_size=3),
        "tags": st.dictionaries(st.sampled_from(NAMES), tag_values, max_size=2),
        "metrics": st.dictionaries(st.sampled_from(NAMES), points, max_size=2),
        "json": st.dictionaries(st.sampled_from(("doc", "other")), json_values, max_size=2),
        "name": st.sampled_from((None, "x", "xy", "1", "1.0")),
        "started_ms": st.integers(0, 3),
        "ended_ms": st.one_of(st.none(), st.integers(0, 5)),
    }
)
notebooks = st.lists(run_contents, min_size=1, max_size=6)


def store_of(runs: list[dict[str, Any]], first: int = 0, store: MemoryStore | None = None) -> MemoryStore:
    store = store or MemoryStore()
    with store.begin() as transaction:
        writer = transaction.tenant("default")
        for number, run in enumerate(runs, first):
            stamp = iter(Stamp(10, WRITER, number * 100 + place) for place in range(100))
            run_id = f"r{number}"
            writer.start_attempt(run_id, Attempt("a1", run["started_ms"]), RunStart("e", name=run["name"]), next(stamp))
            writer.set_params(run_id, "a1", run["params"], next(stamp))
            writer.set_tags(run_id, run["tags"], next(stamp))
            for name, document in run["json"].items():
                writer.set_document(run_id, name, json.dumps(document), next(stamp))
            for place, (name, values) in enumerate(run["metrics"].items()):
                if values:
                    writer.append_points(
                        run_id, WRITER, "a1", [block_with(values, number * 100 + place * 10 + 1, SeriesKey(name))]
                    )
            if run["ended_ms"] is not None:
                end = Stamp(run["ended_ms"], WRITER, number * 100 + 99)
                writer.end_attempt(run_id, "a1", "finished", None, end)
    return store


# -- questions -----------------------------------------------------------------------------------------------

fields = st.one_of(
    st.builds(Field, st.sampled_from(("param", "tag")), st.sampled_from((*NAMES, "none"))),
    st.builds(
        Field,
        st.just("metric"),
        st.sampled_from((*NAMES, "none")),
        st.sampled_from(("last", "first", "min", "max", "mean", "count")),
    ),
    st.builds(Field, st.just("json"), st.sampled_from(("doc", "doc.k", "doc.0", "doc.k.l", "doc.1.k", "other.0"))),
    st.builds(
        Field,
        st.just("attribute"),
        st.sampled_from(("name", "start_time", "end_time", "duration", "status", "user_id")),
    ),
)
SCALARS: tuple[Scalar, ...] = (
    0,
    1,
    -1,
    0.5,
    1.0,
    2**53,
    2**53 + 1,
    "1",
    "1.0",
    "0.5",
    "x",
    "X",
    "",
    "True",
    "nan",
    "é%_",
    "running",
)
EXPRESSIONS = ("x", "^x$", "[0-9]+", "(?i)X", ".", "^$", "1|y")
scalars = st.sampled_from(SCALARS)
leaves = st.one_of(
    st.builds(Comparison, fields, st.sampled_from(("=", "!=", "<", "<=", ">", ">=")), scalars),
    st.builds(
        Comparison, fields, st.sampled_from(("in", "not in")), st.lists(scalars, min_size=1, max_size=3).map(tuple)
    ),
    st.builds(Comparison, fields, st.sampled_from(("between", "not between")), st.tuples(scalars, scalars)),
    st.builds(
        Comparison,
        fields,
        st.sampled_from(("like", "not like", "ilike", "not ilike")),
        st.text(st.sampled_from("%_xXyé1.0ab\n("), max_size=5),
    ),
    st.builds(
        Comparison,
        fields,
        st.sampled_from(("matches", "not matches")),
        st.sampled_from(EXPRESSIONS),
    ),
    st.builds(Comparison, fields, st.just("^="), st.sampled_from(("", "x", "1", "Tr", "é"))),
    st.builds(Comparison, fields, st.sampled_from(("is null", "is not null")), st.none()),
)
filters: st.SearchStrategy[Filter] = st.recursive(
    leaves,
    lambda parts: st.one_of(
        st.builds(Not, parts),
        st.builds(And, st.lists(parts, min_size=2, max_size=3).map(tuple)),
        st.builds(Or, st.lists(parts, min_size=2, max_size=3).map(tuple)),
    ),
    max_leaves=6,
)
orders = st.lists(st.builds(Order, fields, st.booleans()), max_size=3).map(tuple)


# -- the other evaluator -------------------------------------------------------------------------------------


def value(run: dict[str, Any], number: int, field: Field) -> Any:
    """The plain Python value, None where there is none."""
    if field.kind == "param":
        return run["params"].get(field.name)
    if field.kind == "tag":
        return run["tags"].get(field.name)
    if field.kind == "json":
        return leaf(run["json"], field.name.split("."))
    if field.kind == "metric":
        logged = run["metrics"].get(field.name) or []
        real = [one for one in logged if one == one]
        if not logged:
            return None
        with np.errstate(all="ignore"):
            return {
                "last": logged[-1],
                "first": logged[0],
                "count": len(logged),
                "min": min(real, default=None),
                "max": max(real, default=None),
                "mean": float(np.sum(real)) / len(real) if real else None,
            }[field.aggregate]
    start, end = run["started_ms"], run["ended_ms"]
    return {
        "name": run["name"] if run["name"] is not None else f"r{number}",
        "start_time": start,
        "end_time": end,
        "duration": None if end is None else max(0, end - start),
        "status": "running" if end is None else "finished",
        "user_id": None,
    }[field.name]


def leaf(documents: Any, path: list[str]) -> Any:
    here = documents
    for part in path:
        if isinstance(here, dict) and part in here:
            here = here[part]
        elif isinstance(here, list) and part.isdigit() and int(part) < len(here):
            here = here[int(part)]
        else:
            return None
    return None if isinstance(here, (dict, list)) else here


def shown(raw: Any) -> str:
    if isinstance(raw, float):
        return "Infinity" if raw == math.inf else "-Infinity" if raw == -math.inf else repr(raw)
    return str(raw)


def exact(raw: Any) -> Any:
    """A Fraction, an infinity, or None for what is no number."""
    if isinstance(raw, str):
        if not re.fullmatch(r"[+-]?\d+(\.\d*)?(e[+-]?\d+)?", raw, re.I):
            return None
        raw = int(raw) if re.fullmatch(r"[+-]?\d+", raw) else float(raw)
    return raw if isinstance(raw, float) and math.isinf(raw) else Fraction(raw)


def compared(field: Field, raw: Any, right: Any) -> int | str | None:
    """-1, 0 or 1; "differs" where they are of different sorts; None where nothing can be said."""
    if right != right:
        return None
    numbers_only = field.kind == "metric" or field.name in ("start_time", "end_time", "duration")
    texts_only = field.kind == "attribute" and not numbers_only
    wanted = None if texts_only else exact(right)
    if wanted is not None:
        had = exact(raw)
        if had is None:
            return "differs"
        return (had > wanted) - (had < wanted)
    if numbers_only:
        return None
    return (shown(raw) > shown(right)) - (shown(raw) < shown(right))


def like(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(like(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and like(pattern[1:], text[1:])


def said(comparison: Comparison, raw: Any) -> bool | None:
    """None: not to be said of a run that has no such value, or of such a value."""
    field, operator, right = comparison.field, comparison.operator, comparison.value
    missing = raw is None or raw != raw
    if operator in ("is null", "is not null"):
        return missing == (operator == "is null")
    if missing:
        return None
    plain = operator.removeprefix("not ")
    answer: bool | None
    if plain in ("like", "ilike", "matches", "^="):
        if field.kind == "metric" or field.name in ("start_time", "end_time", "duration"):
            return None
        assert isinstance(right, str)
        text = shown(raw)
        if plain == "^=":
            answer = text[: len(right)] == right
        elif plain == "matches":
            answer = re.search(right.replace("$", r"\Z"), text) is not None
        else:
            answer = like(right, text) if plain == "like" else like(right.lower(), text.lower())
    elif plain == "in":
        assert isinstance(right, tuple)
        found = [compared(field, raw, one) for one in right]
        if operator == "not in" and None in found:
            return None
        answer = 0 in [one for one in found if one is not None and one != "differs"]
    elif plain == "between":
        assert isinstance(right, tuple)
        low, high = compared(field, raw, right[0]), compared(field, raw, right[1])
        if low is None or high is None:
            return None
        answer = low in (0, 1) and high in (0, -1)
    else:
        found_one = compared(field, raw, right)
        if found_one is None:
            return None
        if found_one == "differs":
            return operator == "!="
        return found_one in {"=": (0,), "!=": (-1, 1), "<": (-1,), "<=": (-1, 0), ">": (1,), ">=": (0, 1)}[operator]
    return answer if plain == operator else not answer


def true_of(tree: Filter, run: dict[str, Any], number: int) -> bool:
    if isinstance(tree, Comparison):
        return said(tree, value(run, number, tree.field)) is True
    if isinstance(tree, Not):
        return not true_of(tree.part, run, number)
    answers = [true_of(part, run, number) for part in tree.parts]
    return min(answers) if isinstance(tree, And) else max(answers)


def in_order(runs: list[dict[str, Any]], numbers: list[int], wanted: tuple[Order, ...]) -> list[int]:
    """By sorting again and again, the most important key last."""
    found = sorted(numbers, key=lambda number: (-runs[number]["started_ms"], f"r{number}"))
    for order in reversed(wanted):
        had = {number: value(runs[number], number, order.field) for number in found}
        text_field = order.field.kind == "attribute" and order.field.name in ("name", "status", "user_id")
        as_number = {
            number: None if raw is None or raw != raw or text_field else exact(raw) for number, raw in had.items()
        }
        with_number = [number for number in found if as_number[number] is not None]
        without = [number for number in found if had[number] is None or had[number] != had[number]]
        texts = [number for number in found if number not in with_number and number not in without]
        with_number.sort(key=lambda number: float_key(as_number[number]), reverse=False)
        if order.descending:
            with_number = reversed_stably(with_number, as_number)
        by_text = {number: shown(had[number]) for number in texts}
        texts.sort(key=lambda number: by_text[number])
        if order.descending:
            texts = reversed_stably(texts, by_text)
        found = with_number + texts + without
    return found


def float_key(number: Any) -> Any:
    return (0, number) if not isinstance(number, float) else (1 if number > 0 else -1, 0)


def reversed_stably(numbers: list[int], keys: dict[int, Any]) -> list[int]:
    """Backwards, but what is equal stays as it was."""
    groups: list[list[int]] = []
    for number in numbers:
        if groups and keys[groups[-1][0]] == keys[number]:
            groups[-1].append(number)
        else:
            groups.append([number])
    return [number for group in reversed(groups) for number in group]


# -- both, side by side --------------------------------------------------------------------------------------


def asked(reader: TenantReader, tree: Filter | None, order: tuple[Order, ...] = ()) -> list[int]:
    return [int(run.run_id[1:]) for run in reader.list_runs(RunQuery(filter=tree, order=order)).runs]


def every_comparison(field: Field) -> Iterator[Comparison]:
    for operator in ORDERING_OPERATORS:
        yield from (Comparison(field, operator, scalar) for scalar in (*SCALARS, math.nan))
    for pair in product((*SCALARS, math.nan), repeat=2):
        yield from (Comparison(field, operator, pair) for operator in LIST_OPERATORS)
    for pattern in ("", "%", "_", "x%", "X_", "%y", "1%", "%.0", "é\\%", "T%e", "a_b", "%1%"):
        for operator in PATTERN_OPERATORS[:4]:
            yield Comparison(field, operator, pattern)
    for expression in EXPRESSIONS:
        yield from (Comparison(field, operator, expression) for operator in PATTERN_OPERATORS[4:])
    yield from (Comparison(field, "^=", start) for start in ("", "x", "1", "Tr", "é", "X"))
    yield from (Comparison(field, operator, None) for operator in NULL_OPERATORS)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        (Field("param", "a"), RAW_VALUES),
        (Field("metric", "a"), [one for one in RAW_VALUES if isinstance(one, (int, float, type(None)))]),
        (Field("attribute", "name"), [one for one in RAW_VALUES if isinstance(one, (str, type(None)))]),
    ],
)
def test_every_comparison_of_every_value(field: Field, values: Sequence[ParamValue]) -> None:
    wrong = [
        (comparison, one)
        for comparison in every_comparison(field)
        for one in values
        if holds(comparison, one) is not (said(comparison, one) is True)
    ]
    assert not wrong


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(runs=notebooks, trees=st.lists(filters, min_size=4, max_size=20))
def test_filters_mean_what_the_reference_says(runs: list[dict[str, Any]], trees: list[Filter]) -> None:
    reader = store_of(runs).tenant("default")
    for tree in trees:
        expected = [number for number, run in enumerate(runs) if true_of(tree, run, number)]
        assert sorted(asked(reader, tree)) == expected, filter_text(tree)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(runs=notebooks, wanted=st.lists(orders, min_size=1, max_size=4))
def test_orders_mean_what_the_reference_says(runs: list[dict[str, Any]], wanted: list[tuple[Order, ...]]) -> None:
    reader = store_of(runs).tenant("default")
    for order in wanted:
        assert asked(reader, None, order) == in_order(runs, list(range(len(runs))), order), order


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(runs=notebooks, one=filters, two=filters)
def test_not_is_the_complement_and_the_laws_of_logic_hold(runs: list[dict[str, Any]], one: Filter, two: Filter) -> None:
    reader = store_of(runs).tenant("default")
    everything = set(range(len(runs)))
    first, second = set(asked(reader, one)), set(asked(reader, two))
    assert set(asked(reader, Not(one))) == everything - first
    assert set(asked(reader, And((one, two)))) == first & second
    assert set(asked(reader, Or((one, two)))) == first | second
    assert set(asked(reader, Not(And((one, two))))) == everything - (first & second)


def test_the_words_of_the_language_reach_the_same_evaluator() -> None:
    runs = [
        {"params": {"a": n}, "tags": {}, "metrics": {}, "json": {}, "name": None, "started_ms": n, "ended_ms": None}
        for n in (1, 2, 3)
    ]
    reader = store_of(runs).tenant("default")
    assert asked(reader, parse("not params.a = 2 or start_time between 2 and 2"), parse_orders("params.a desc")) == [
        2,
        1,
        0,
    ]


# -- pages ---------------------------------------------------------------------------------------------------


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(
    runs=notebooks,
    arriving=st.lists(notebooks, max_size=4),
    order=orders,
    tree=st.one_of(st.none(), filters),
    limit=st.integers(1, 4),
)
def test_pages_hold_each_run_once_while_others_arrive(
    runs: list[dict[str, Any]],
    arriving: list[list[dict[str, Any]]],
    order: tuple[Order, ...],
    tree: Filter | None,
    limit: int,
) -> None:
    store = store_of(runs)
    reader = store.tenant("default")
    query = RunQuery(filter=tree, order=order, limit=limit)
    before = asked(reader, tree, order)
    seen: list[int] = []
    count = len(runs)
    for _ in range(100):
        page = reader.list_runs(query)
        seen += [int(run.run_id[1:]) for run in page.runs]
        if page.next_token is None:
            break
        if arriving:
            more = arriving.pop()
            store_of(more, count, store)
            count += len(more)
        query = replace(query, after=page.next_token)
    else:
        raise AssertionError("pages without end")
    assert len(seen) == len(set(seen)), "a run came twice"
    assert [number for number in seen if number < len(runs)] == before, "one was missed, or the order changed"
