"""What a comparison and an order mean; the store suite asks the same of stores."""

import math

import pytest

from lineal.model.errors import InvalidInput
from lineal.model.values import ParamValue
from lineal.query.evaluate import Operand, check_fields, comparable, holds, in_order, operand_of
from lineal.query.syntax import Comparison, Field, Operator, Order

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
    ],
)
def test_comparisons(field: Field, operator: Operator, right: str | float, value: ParamValue, expected: bool) -> None:
    assert holds(Comparison(field, operator, right), value) is expected


def test_order_is_stable_in_either_direction() -> None:
    values: list[ParamValue] = [1, "1.0", None, "x", math.nan, 0, "w", "x"]
    items = list(zip(values, "abcdefgh", strict=True))
    assert "".join(in_order(items, PARAM, False)) == "fabgdhce"
    assert "".join(in_order(items, PARAM, True)) == "abfdhgce"
    texts: list[tuple[ParamValue, str]] = [("10", "a"), ("9", "b")]
    assert in_order(texts, NAME, False) == ["a", "b"]


def test_unknown_attributes_are_refused() -> None:
    nonsense = Field("attribute", "nonsense")
    with pytest.raises(InvalidInput, match="start_time"):
        check_fields((Comparison(nonsense, "=", "x"),), None)
    with pytest.raises(InvalidInput):
        check_fields(None, Order(nonsense))
    check_fields(None, None)
