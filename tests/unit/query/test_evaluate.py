"""What a comparison, a filter and an order mean; the store suite asks the same of stores."""

import math
from dataclasses import replace

import pytest

from lineal.model.errors import InvalidInput, OverLimit
from lineal.model.values import ParamValue
from lineal.query.evaluate import (
    NO_KEY,
    Operand,
    SortKey,
    check_question,
    comparable,
    compare_keys,
    holds,
    operand_of,
    satisfies,
    sort_key,
)
from lineal.query.grouping import group_key, group_value
from lineal.query.syntax import And, Comparison, Field, Filter, Not, Operator, Or, Order, Scalar

PARAM, METRIC, NAME, END = (
    Field("param", "x"),
    Field("metric", "x"),
    Field("attribute", "name"),
    Field("attribute", "end_time"),
)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, Operand(1, "1")),
        (1.0, Operand(1.0, "1.0")),
        (True, Operand(1, "True")),
        ("0.10", Operand(0.1, "0.10")),
        ("nan", Operand(None, "nan")),
        ("abc", Operand(None, "abc")),
        (math.nan, None),
        (2**70, Operand(float(2**70), str(2**70))),
        (-(10**400), Operand(-math.inf, str(-(10**400)))),
    ],
)
def test_operands(value: ParamValue, expected: Operand | None) -> None:
    found = operand_of(value)
    assert found == expected and (found is None or type(found.number) is type(expected.number if expected else None))


def test_numbers_of_64_bits_compare_exactly() -> None:
    assert comparable(2**63 - 1) == 2**63 - 1 and comparable(2**63) == 2.0**63
    assert not holds(Comparison(PARAM, "=", 2**53 + 1), float(2**53))
    assert holds(Comparison(PARAM, "<", 2**53 + 1), float(2**53))


Right = Scalar | tuple[Scalar, ...] | None


@pytest.mark.parametrize(
    ("field", "operator", "right", "value", "expected"),
    [
        (PARAM, "=", 1, "1.0", True),
        (PARAM, "=", "1.0", 1, True),
        (PARAM, "!=", 1, "abc", True),
        (PARAM, "<", 1, "abc", False),
        (PARAM, "<", "b", "abc", True),
        (PARAM, "<", "b", 0.5, True),
        (PARAM, "=", "x", None, False),
        (PARAM, "!=", "x", None, False),
        (PARAM, "!=", "x", math.nan, False),
        (PARAM, "!=", math.nan, "x", False),
        (METRIC, ">", "0.5", 0.6, True),
        (METRIC, "!=", "abc", 0.6, False),
        (NAME, "=", "1.0", "1", False),
        (NAME, "=", 1, "1", True),
        (END, ">=", 5.5, 6, True),
        (END, "!=", 5, None, False),
        (PARAM, "in", (1, "b"), "b", True),
        (PARAM, "in", (1, "b"), "1.0", True),
        (PARAM, "in", (2,), 1, False),
        (PARAM, "not in", (1, "b"), "c", True),
        (PARAM, "not in", (1, "b"), 1.0, False),
        (PARAM, "not in", (1,), None, False),
        (PARAM, "not in", (math.nan, 1), 2, False),
        (METRIC, "not in", ("abc", 1), 2, False),
        (METRIC, "in", ("abc", 2), 2, True),
        (PARAM, "between", (1, 5), 5, True),
        (PARAM, "between", (1, 5), "abc", False),
        (PARAM, "between", (5, 1), 3, False),
        (PARAM, "between", ("a", "c"), "b", True),
        (PARAM, "not between", (1, 5), "abc", True),
        (PARAM, "not between", (1, 5), 6, True),
        (PARAM, "not between", (1, 5), 1, False),
        (PARAM, "not between", (1, 5), None, False),
        (PARAM, "not between", (1, math.nan), 6, False),
        (METRIC, "not between", (1, "abc"), 6, False),
        (PARAM, "like", "a%", "abc", True),
        (PARAM, "like", "a_c", "abc", True),
        (PARAM, "like", "b", "abc", False),
        (PARAM, "like", "A%", "abc", False),
        (PARAM, "like", "a.c", "abc", False),
        (PARAM, "like", "%\n%", "a\nb", True),
        (PARAM, "like", "_", "😀", True),
        (PARAM, "like", "%", "", True),
        (PARAM, "like", "0.%", 0.5, True),
        (PARAM, "like", "T%", True, True),
        (PARAM, "not like", "a%", "abc", False),
        (PARAM, "not like", "a%", "b", True),
        (PARAM, "not like", "a%", None, False),
        (PARAM, "ilike", "ÄB%", "äbc", True),
        (PARAM, "not ilike", "AB%", "abc", False),
        (PARAM, "matches", "b+", "abbc", True),
        (PARAM, "matches", "^b", "abc", False),
        (PARAM, "matches", "(?i)B", "abc", True),
        (PARAM, "not matches", "b", "abc", False),
        (PARAM, "not matches", "b", math.nan, False),
        (PARAM, "^=", "ab", "abc", True),
        (PARAM, "^=", "b", "abc", False),
        (PARAM, "^=", "", None, False),
        (METRIC, "like", "%", 1.0, False),
        (METRIC, "not matches", "x", 1.0, False),
        (END, "^=", "1", 1, False),
        (PARAM, "is null", None, None, True),
        (PARAM, "is null", None, math.nan, True),
        (PARAM, "is null", None, "", False),
        (PARAM, "is not null", None, False, True),
        (METRIC, "is not null", None, math.nan, False),
        (METRIC, "is not null", None, math.inf, True),
    ],
)
def test_comparisons(field: Field, operator: Operator, right: Right, value: ParamValue, expected: bool) -> None:
    assert holds(Comparison(field, operator, right), value) is expected


def test_filters() -> None:
    yes, no = Comparison(PARAM, "=", 1), Comparison(PARAM, "=", 2)

    def found(filter: Filter | None, value: ParamValue = 1) -> bool:
        return satisfies(filter, lambda field: value)

    assert found(None) and found(yes) and not found(no)
    assert found(And((yes, yes))) and not found(And((yes, no))) and found(And(()))
    assert found(Or((no, yes))) and not found(Or((no, no))) and not found(Or(()))
    assert found(Not(no)) and not found(Not(yes))
    assert found(Not(yes), None) and found(Not(Comparison(PARAM, "!=", 1)), None)


def test_order_is_numbers_then_texts_then_none_in_either_direction() -> None:
    values: list[ParamValue] = [1, "1.0", None, "x", math.nan, 0, "w", "x", -math.inf, True]
    keys = [sort_key(value, PARAM) for value in values]
    assert keys[0] == SortKey(0, 1) and keys[2] == keys[4] == NO_KEY and keys[3] == SortKey(1, "x")
    assert sort_key("10", NAME) == SortKey(1, "10")
    for descending in (False, True):
        assert compare_keys(keys[0], keys[1], descending) == 0
        assert compare_keys(keys[0], keys[3], descending) < 0 < compare_keys(keys[2], keys[3], descending)
    assert compare_keys(keys[5], keys[0], False) < 0 < compare_keys(keys[5], keys[0], True)


@pytest.mark.parametrize("descending", [False, True])
def test_a_metric_that_is_nan_comes_before_one_that_is_missing(descending: bool) -> None:
    number, nan, missing = (sort_key(value, METRIC) for value in (1.0, math.nan, None))
    assert compare_keys(number, nan, descending) < 0 and compare_keys(nan, missing, descending) < 0
    lowest = replace(METRIC, aggregate="min")
    assert sort_key(math.nan, lowest) == sort_key(None, lowest) == NO_KEY


def test_texts_are_ordered_by_their_beginning() -> None:
    assert sort_key("x" * 256 + "a", PARAM) == sort_key("x" * 256 + "b", PARAM) != sort_key("x" * 255 + "b", PARAM)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.1, 0.1), ("0.10", 0.1), (1.0, 1), ("1", 1), (True, True), ("True", "True"), (None, None), (math.nan, None)],
)
def test_group_values(value: ParamValue, expected: ParamValue) -> None:
    found = group_value(value, PARAM)
    assert found == expected and type(found) is type(expected)


def test_groups_tell_flags_from_numbers_and_sort_numbers_first() -> None:
    values: list[ParamValue] = [None, "b", True, 1, "True", False, "a", -2.5, 2**53 + 1, math.inf]
    assert len({group_key(value) for value in values}) == len(values)
    assert sorted(values, key=group_key) == [-2.5, 1, 2**53 + 1, math.inf, False, True, "True", "a", "b", None]
    assert group_value("1", NAME) == "1"


# -- trees by hand -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "filter",
    [
        Comparison(Field("attribute", "nonsense"), "=", "x"),
        Comparison(Field("param", "a", "min"), "=", 1),
        Comparison(PARAM, "in", 1),
        Comparison(PARAM, "in", ()),
        Comparison(PARAM, "between", (1, 2, 3)),
        Comparison(PARAM, "=", None),
        Comparison(PARAM, "=", (1, 2)),
        Comparison(PARAM, "is null", 1),
        Comparison(PARAM, "like", 1),
        Comparison(PARAM, "matches", "a("),
        Not(Or((Comparison(PARAM, "matches", "a" * 1_001), Comparison(PARAM, "=", 1)))),
        Comparison(PARAM, "in", tuple(range(10_001))),
        And(tuple([Comparison(PARAM, "=", 1)] * 257)),
    ],
)
def test_unusable_trees_are_refused(filter: Filter) -> None:
    with pytest.raises(InvalidInput) as raised:
        check_question(filter)
    assert raised.value.field == "filter"


def test_a_bottomless_tree_is_refused() -> None:
    tree: Filter = Comparison(PARAM, "=", 1)
    for _ in range(100_000):
        tree = Not(tree)
    with pytest.raises(OverLimit):
        check_question(tree)
    while isinstance(tree, Not):  # or the interpreter recurses when it frees them
        tree = tree.part


def test_unusable_orders_are_refused() -> None:
    with pytest.raises(InvalidInput, match="start_time"):
        check_question(None, [Order(Field("attribute", "nonsense"))])
    with pytest.raises(OverLimit):
        check_question(None, [Order(Field("param", str(number))) for number in range(9)])
    check_question(None)
