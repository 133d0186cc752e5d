"""Several values as one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.query.evaluate import holds
from lineal.query.parser import parse
from lineal.query.syntax import Comparison
from lineal.query.value_sets import join_values, split_values

texts = st.text(st.one_of(st.sampled_from("a\n\x1ben"), st.characters(codec="utf-8")), max_size=6)


@given(st.lists(texts, min_size=1, max_size=5))
def test_they_come_back_each_once(values: list[str]) -> None:
    assert sorted(split_values(join_values(values))) == sorted(set(values))
    assert join_values(reversed(values)) == join_values(values)


@given(texts)
def test_one_value_is_itself_where_it_has_no_line_in_it(value: str) -> None:
    if not {"\n", "\x1b"} & set(value):
        assert join_values([value]) == value


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("datasets.name = 'b'", True),
        ("datasets.name = 'c'", False),
        ("datasets.name != 'b'", True),
        ("datasets.name in ('c', 'a')", True),
        ("datasets.name not in ('a', 'b', '2.10')", False),
        ("datasets.name between 'aa' and 'c'", True),
        ("datasets.name like 'a%b'", False),
        ("datasets.name not like 'a'", True),
        ("datasets.name matches '^b$'", True),
        ("datasets.name ^= '2.'", True),
        ("datasets.name = '2.1'", False),
        ("datasets.name is null", False),
    ],
)
def test_a_comparison_holds_where_it_holds_of_one(condition: str, expected: bool) -> None:
    comparison = parse(condition)
    assert isinstance(comparison, Comparison)
    assert holds(comparison, join_values(["b", "a", "2.10"])) is expected
