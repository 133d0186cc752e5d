"""The engine answers as the reference does, also of what changed since the last question, whatever its bounds are."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cmp_to_key, partial
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineal.model.entities import Run
from lineal.model.values import ParamValue
from lineal.query.evaluate import compare_keys, holds, sort_key
from lineal.query.syntax import (
    ORDERING_OPERATORS,
    TEXT_ATTRIBUTES,
    And,
    Comparison,
    Field,
    Filter,
    Not,
    Operator,
    Or,
    Order,
)
from lineal.query.value_sets import join_values
from lineal.series.columns import Int64s
from lineal.store.contracts import GroupQuery, RunQuery
from lineal.store.reference import Candidate, frequent_values, groups_of, page_of
from lineal.store.rules import attribute_of
from lineal.store.search import columns, engine, groups, order, pool, runs, texts
from lineal.store.search.column import Column
from lineal.store.search.engine import SearchEngine
from lineal.store.search.order import window
from lineal.store.search.source import RunRows, Values
from lineal.store.sql.attributes import Stored, stored
from lineal.testing.strategies import floats64, ints64, names, param_values

DATASET = Field("dataset", "train.version")
FIELDS = (
    Field("param", "x"),
    Field("param", "y"),
    Field("metric", "m"),
    Field("attribute", "name"),
    Field("attribute", "run_id"),
    Field("attribute", "start_time"),
    Field("attribute", "duration"),
    Field("attribute", "experiment"),
    DATASET,
    Field("git", "commit"),
)
MAX = 3_000 if os.environ.get("LINEAL_TEST_PROFILE") == "torture" else 60
TEXTS = (
    "",
    "a",
    "ab",
    "abc",
    "AB",
    "aXb",
    "a\nb",
    "İ",
    "ß",
    "k",
    "K",
    "K",
    "é%_",
    "1",
    "0.10",
    "nan",
    "True",
    "b" * 300,
    "b" * 301,
)
values = st.one_of(
    st.none(),
    st.sampled_from(TEXTS),
    st.booleans(),
    st.sampled_from((0, 1, 1.0, -0.0, 2**53 + 1, 2.0**53)),
    param_values,
)
sets = st.one_of(st.none(), st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3).map(join_values))
numbers = st.one_of(st.none(), floats64, ints64, st.sampled_from((1, 2.0, 2**63 - 1, 2.0**63, -(2**63), math.inf)))
patterns = st.one_of(
    st.sampled_from(
        (
            "%",
            "a%",
            "%b",
            "%b%",
            "_b%",
            "a_",
            "%a%b%",
            "é\\%",
            "ab",
            "A%",
            "",
            "%k%",
            "%_%",
            "%İ%",
            "a%b",
            "%b%b%",
            "a%a",
        )
    ),
    names,
)
expressions = st.sampled_from(
    (
        "a",
        "^a",
        "b$",
        "^ab?c*$",
        "(?i)a",
        "(?i)^K",
        "[ab]{2}",
        "a.b",
        "(a|b)c",
        "^(?:a|A)B$",
        "\\d",
        "",
        "^$",
        "a+b",
        "b{3}",
        "x|a",
        "é",
    )
)
scalars = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from((0, 1, 0.1, 2**53, 2**53 + 1, 2.0**63, 1.5, -math.inf)),
    numbers.filter(lambda n: n is not None),
)


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    of = draw(st.sampled_from(FIELDS))
    operator = draw(st.sampled_from(get_args(Operator)))
    value: object = draw(scalars)
    if "null" in operator:
        value = None
    elif operator in ("in", "not in"):
        value = tuple(draw(st.lists(scalars, min_size=1, max_size=7)))
    elif "between" in operator:
        value = (draw(scalars), draw(scalars))
    elif "matches" in operator:
        value = draw(expressions)
    elif "like" in operator or operator == "^=":
        value = draw(patterns)
    return Comparison(of, operator, value)  # type: ignore[arg-type]


filters: st.SearchStrategy[Filter] = st.recursive(
    comparisons(),
    lambda parts: st.one_of(
        st.lists(parts, max_size=3).map(lambda some: And(tuple(some))),
        st.lists(parts, max_size=3).map(lambda some: Or(tuple(some))),
        parts.map(Not),
    ),
    max_leaves=4,
)
orders = st.lists(st.builds(Order, st.sampled_from(FIELDS), st.booleans()), max_size=3).map(tuple)
queries = st.builds(
    RunQuery,
    st.one_of(st.none(), filters),
    orders,
    lifecycle=st.sampled_from(("active", "deleted", None)),
    limit=st.integers(0, 5),
    offset=st.integers(0, 4),
    experiments=st.sampled_from((None, ("one",), ("one", "two", "none"), ())),
)
grouped = st.builds(
    GroupQuery,
    st.lists(st.sampled_from(FIELDS), max_size=2).map(tuple),
    st.sampled_from(((), (Field("metric", "m"), Field("param", "x")))),
    st.one_of(st.none(), filters),
    limit=st.integers(0, 4),
    order=st.lists(st.builds(Order, st.sampled_from(FIELDS), st.booleans()), max_size=2).map(tuple),
)


@dataclass
class Known:
    run: Run
    values: dict[Field, ParamValue]
    changed: int
    is_stale: bool


@dataclass
class Source:
    """Runs in memory behind the contract of a database."""

    known: dict[int, Known] = field(default_factory=dict)
    number: int = 0

    def put(self, number: int, run: Run, values: dict[Field, ParamValue], is_stale: bool) -> None:
        if number in self.known:
            run = replace(run, run_id=self.known[number].run.run_id)
        self.known[number] = Known(run, values, self.number, is_stale)

    def value_of(self, known: Known, of: Field) -> ParamValue:
        return attribute_of(known.run, of.name) if of.kind == "attribute" else known.values.get(of)

    def candidates(self) -> list[Candidate]:
        return [
            Candidate(known.run, partial(self.value_of, known), frozenset((known.run.experiment_name,)))
            for known in self.known.values()
        ]

    def change_number(self) -> int:
        return self.number

    def read_runs(self, after: int | None) -> RunRows:
        rows = sorted((n, k) for n, k in self.known.items() if after is None or k.changed > after)
        return RunRows(
            np.array([number for number, _ in rows], np.int64),
            np.array([known.run.started_ms for _, known in rows], np.int64),
            np.array([("one", "two").index(known.run.experiment_name) for _, known in rows], np.int64),
            np.array([known.run.lifecycle == "deleted" for _, known in rows], np.bool_),
            np.array([known.is_stale for _, known in rows], np.bool_),
        )

    def read_values(self, of: Field, runs: Int64s | None, stale: Int64s) -> Values:
        found: list[tuple[Any, Any, Any]] = []
        for number in sorted(self.known) if runs is None else runs.tolist():
            value = self.value_of(self.known[number], of)
            if of.is_text and value is not None:
                found.append((number, None, value))
            elif of.kind == "attribute" and value is not None:
                found.append((number, value, None))
            elif (row := stored(value)) is not None:
                found.append((number, row.number, row.text))
            elif of.kind == "metric" and value is not None:
                found.append((number, None, None))
        if of.kind == "metric":
            assert set(stale.tolist()) <= {number for number, known in self.known.items() if known.is_stale}
        return Values(*zip(*found, strict=True)) if found else Values((), (), ())

    def read_run_ids(self, numbers: Int64s) -> list[str]:
        return [self.known[number].run.run_id for number in numbers.tolist()]

    def find_experiments(self, names: Sequence[str]) -> list[int]:
        return [("one", "two").index(name) for name in names if name in ("one", "two")]


@st.composite
def told(draw: st.DrawFn) -> tuple[int, Run, dict[Field, ParamValue], bool]:
    number = draw(st.integers(1, 12))
    started = draw(st.integers(1, 3))
    run = Run(
        draw(st.sampled_from(("r", "é", "B"))) + str(number),
        "",
        draw(st.sampled_from(("one", "two"))),
        draw(st.sampled_from(TEXTS)),
        "running",
        draw(st.sampled_from(("active", "active", "deleted"))),
        started,
        draw(st.sampled_from((None, started, started + 5))),
    )
    said = {FIELDS[0]: draw(values), FIELDS[1]: draw(values), FIELDS[2]: draw(numbers), DATASET: draw(sets)}
    return number, run, said, draw(st.booleans())


@contextmanager
def bounds(small: bool) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        if small:
            patch.setattr(runs, "CHANGED_SHARE", 0)
            patch.setattr(runs, "CHANGES_MAX_COUNT", 3)
            patch.setattr(texts, "KNOWN_MAX_COUNT", 3)
            patch.setattr(texts, "TESTS_MAX_COUNT", 1)
            patch.setattr(texts, "GAP", 4)
            patch.setattr(texts, "INSERT_MAX_COUNT", 3)
            patch.setattr(order, "SORT_ALL_UP_TO", 1)
            patch.setattr(engine, "IDS_ASKED_MAX_COUNT", 2)
            patch.setattr(groups, "_SMALL_RANGE", 3)
            patch.setattr(columns, "MASKS_MAX_BYTES", 100)
            patch.setattr(columns, "COLUMNS_MAX_BYTES", 2_000)
            patch.setattr(pool, "_roomy", lambda count: count)
        yield


Change = tuple[int, Run, dict[Field, ParamValue], bool]


@pytest.mark.parametrize("small", [False, True])
@settings(max_examples=MAX, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None)
@given(
    st.lists(st.lists(told(), min_size=1, max_size=12), min_size=1, max_size=4),
    st.lists(st.one_of(queries, grouped), min_size=1, max_size=8),
)
def test_the_engine_answers_as_the_reference(
    small: bool, rounds: list[list[Change]], questions: list[RunQuery | GroupQuery]
) -> None:
    """The same questions again after each round of changes."""
    with bounds(small):
        source, asked = Source(), SearchEngine()
        for changes in rounds:
            source.number += 1
            for change in changes:
                source.put(*change)
            for question in questions:
                if isinstance(question, GroupQuery):
                    assert repr(asked.groups(source, question)) == repr(groups_of(source.candidates(), question))
                else:
                    assert_same_pages(source, asked, question)
            for of in (*FIELDS[:4], DATASET):
                assert asked.frequent_values(source, of, "a", 3) == frequent_values(source.candidates(), of, "a", 3)


def assert_same_pages(source: Source, asked: SearchEngine, question: RunQuery) -> None:
    ids = {number: known.run.run_id for number, known in source.known.items()}
    for _ in range(4):
        found, expected = asked.page(source, question), page_of(source.candidates(), question)
        assert [ids[number] for number in found.runs] == [run.run_id for run in expected.runs], question
        assert (found.total, found.next_token) == (expected.total, expected.next_token)
        if found.next_token is None:
            return
        question = replace(question, offset=0, after=found.next_token)


def test_every_text_attribute_has_a_column() -> None:
    from lineal.store.sql.columns import _TEXTS

    assert set(_TEXTS) == set(TEXT_ATTRIBUTES)


NUMBERS: tuple[int | float, ...] = (
    *(0, -0.0, 1, 1.0, 0.1, 1.5, -1, math.inf, -math.inf, math.nan, 5e-324),
    *(2**53 - 1, 2**53, 2**53 + 1, 2**53 + 2, 2.0**53, -(2**53) - 1, -(2.0**53)),
    *(
        2**63 - 1,
        2**63 - 512,
        2.0**63,
        2**63,
        -(2**63),
        -(2.0**63),
        -(2**63) + 1,
        2**62 + 1,
        2.0**62,
        2**70,
        -(10**400),
    ),
)
ODD: tuple[ParamValue, ...] = (None, True, False, *TEXTS, *NUMBERS)
LIKES: tuple[str, ...] = (
    "",
    "%",
    "_",
    "%%",
    "a",
    "a%",
    "%a",
    "%a%",
    "a%b",
    "a%b%c",
    "%a%b%",
    "_b",
    "a_",
    "%_b%",
    "__",
    "ab%b",
    "%b%b%b%",
    "A%",
    "%K%",
)
LIKES += ("%İ%", "i̇%", "é", "%é%", "%\\%", "%1%", "1", "%.%", "%\n%", "a%b%b%", "ß%", "%_%_%", "%ue")
EXPRESSIONS: tuple[str, ...] = (
    "",
    "a",
    "^a",
    "b$",
    "^ab$",
    "^$",
    "a.b",
    "a.?b",
    "a+b",
    "^[ab]+$",
    "(?i)a",
    "(?i)k",
    "(?i)^İ",
    "(a|x)b",
    "^(?:a|A)b?",
    "a|B",
)
EXPRESSIONS += (
    "\\d",
    "\\D",
    "\\w",
    "[^a]",
    "b{3}",
    "b{300}",
    "^b*$",
    "1\\.|0\\.1",
    "0\\.1",
    "\\.",
    ".",
    "^.$",
    "é",
    "\\bab",
    "(?s)a.b",
    "(?m)^b",
    "\\Aa",
)
EXPRESSIONS += (
    "a\nb",
    "ab?",
    "ab*c",
    "a{0}b",
    "a?b",
    "^a?$",
    "(b)+",
    "(a)(b)",
    "[A-Z]b",
    "True",
    "^-",
    "e",
    "e-",
    "inf",
    "Inf",
)


@pytest.mark.parametrize("of", [Field("param", "x"), Field("metric", "m"), Field("attribute", "name")])
@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("small", [False, True])
def test_a_column_holds_what_the_evaluator_holds(of: Field, parts: int, small: bool) -> None:
    """Every odd value against every odd value, asked after each part of the rows was added."""
    values = [value for value in ODD if of.kind != "metric" or isinstance(value, (int, float))]
    if of.is_text:
        values = [value for value in ODD if value is None or isinstance(value, str)]
    asked = [Comparison(of, name, right) for name in ORDERING_OPERATORS for right in ODD if right is not None]
    asked += [Comparison(of, name, (1, 2**53 + 1, "a", "0.10", 2.0**63)) for name in ("in", "not in")]
    asked += [Comparison(of, name, tuple(TEXTS[:6])) for name in ("in", "not in")]
    asked += [Comparison(of, name, (0.1, 1, 2, 3, 4, 2**53 + 1, 2**63 - 1, -(2**63))) for name in ("in", "not in")]
    asked += [
        Comparison(of, name, (low, high))
        for name in ("between", "not between")
        for low in (0, 2**53 + 1, "a", "", math.nan)
        for high in (1, 2.0**63, "b", "0.2")
    ]
    asked += [Comparison(of, name, None) for name in ("is null", "is not null")]
    asked += [Comparison(of, n, p) for n in ("like", "not like", "ilike", "not ilike", "^=") for p in LIKES]
    asked += [Comparison(of, name, pattern) for name in ("matches", "not matches") for pattern in EXPRESSIONS]
    with bounds(small):
        column = Column(of, 0)
        step = -(-len(values) // parts)
        for start in range(0, len(values), step):
            column.resize(min(start + step, len(values)))
            found = [(row, stored(values[row])) for row in range(start, min(start + step, len(values)))]
            has = [(row, one) for row, one in found if one is not None]
            rows = np.array([row for row, _ in has], np.int64)
            in_texts = [one.text if not of.is_text else values[row] for row, one in has]
            column.set(slice(0, 0), rows, [one.number for _, one in has], in_texts)  # type: ignore[arg-type]
            for comparison in asked:
                mask = column.holds(comparison, slice(0, start + len(found)))
                expected = [holds(comparison, value) for value in values[: start + len(found)]]
                assert mask.tolist() == expected, (comparison, values)


@pytest.mark.parametrize("of", [Field("param", "x"), Field("metric", "m"), Field("attribute", "name")])
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("small", [False, True])
def test_a_column_orders_as_the_evaluator(of: Field, descending: bool, small: bool) -> None:
    values = [value for value in ODD if of.kind != "metric" or value is None or isinstance(value, (int, float))]
    if of.is_text:
        values = [value for value in ODD if value is None or isinstance(value, str)]
    nan = Stored(None, None) if of.kind == "metric" else None
    with bounds(small):
        column = Column(of, len(values))
        has = [(row, one) for row, value in enumerate(values) if value is not None and (one := stored(value) or nan)]
        texts_of = [one.text if not of.is_text else values[row] for row, one in has]
        rows = np.array([row for row, _ in has], np.int64)
        column.set(slice(0, 0), rows, [one.number for _, one in has], texts_of)  # type: ignore[arg-type]
        everything = np.arange(len(values))
        keys = [sort_key(value, of) for value in values]

        def compare(a: int, b: int) -> int:
            return compare_keys(keys[a], keys[b], descending) or a - b

        expected = sorted(range(len(values)), key=cmp_to_key(compare))
        for start in range(len(values)):
            for stop in (start + 1, start + 3, len(values)):
                found = window(everything, [order.by_column(column, descending)], start, stop).tolist()
                assert [keys[row] for row in found] == [keys[row] for row in expected[start:stop]]
        for row, key in enumerate(keys):
            assert column.sort_key(row) == key
            after, level = column.beside(key, descending, everything)
            assert after.tolist() == [compare_keys(other, key, descending) > 0 for other in keys]
            assert level.tolist() == [compare_keys(other, key, descending) == 0 for other in keys]
