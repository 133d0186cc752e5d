"""Trees written as text and read again; and texts that are nearly right."""

import math
import random

from hypothesis import example, given
from hypothesis import strategies as st

from lineal.model.errors import InvalidInput
from lineal.model.values import number_of
from lineal.query.parser import parse, parse_field, parse_orders
from lineal.query.syntax import PATTERN_OPERATORS, TIME_ATTRIBUTES, And, Comparison, Field, Filter, Order
from lineal.query.text import field_text, filter_text, order_text
from lineal.testing import strategies


def is_writable(comparison: Comparison) -> bool:
    """What the language refuses to say: NaN, texts for numbers, numbers for texts, patterns of numbers."""
    field = comparison.field
    if comparison.value is None:
        return True
    if comparison.operator in (*PATTERN_OPERATORS, "^="):
        return not field.is_number
    for value in comparison.value if isinstance(comparison.value, tuple) else (comparison.value,):
        if field.is_text and not isinstance(value, str):
            return False
        if isinstance(value, float) and math.isnan(value):
            return False
        number = number_of(value)
        if field.is_number and isinstance(value, str) and (number is None or math.isnan(number)):
            return False
        if field.kind == "attribute" and field.name in TIME_ATTRIBUTES and isinstance(value, str) and number is None:
            return False
    return True


written = strategies.filters(strategies.comparisons().filter(is_writable))


@given(written)
def test_a_tree_written_and_read_is_the_same_tree(tree: Filter) -> None:
    text = filter_text(tree)
    found = parse(text)
    assert repr(found) == repr(tree), text  # repr tells 1 from 1.0
    assert filter_text(found) == text


_KEYWORDS = "and or not in between like ilike matches is null last first min max mean count"


@given(written, st.randoms(use_true_random=False))
def test_spacing_and_case_of_words_do_not_matter(tree: Filter, chance: random.Random) -> None:
    if any(quote in filter_text(tree) for quote in "'\"`"):
        return  # what is quoted would be changed, too
    words = filter_text(tree).replace("(", " ( ").replace(")", " ) ").split(" ")
    keywords = _KEYWORDS.split()
    shaken = [word.upper() if word in keywords and chance.random() < 0.5 else word for word in words]
    assert repr(parse(chance.choice([" ", "\n", "  \t"]).join(shaken))) == repr(tree)


@given(strategies.fields)
def test_a_field_written_and_read_is_the_same_field(field: Field) -> None:
    assert parse_field(field_text(field)) == field


@given(st.lists(st.builds(Order, strategies.fields, st.booleans()), max_size=8, unique_by=lambda order: order.field))
def test_orders_written_and_read_are_the_same(orders: list[Order]) -> None:
    texts = [order_text(order) for order in orders]
    assert parse_orders(texts) == tuple(orders) == parse_orders(", ".join(texts))


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A right filter with a piece cut out, doubled, or put in."""
    text = filter_text(draw(written))
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 6)))
    return (
        text[:start]
        + draw(st.sampled_from(("", text[start:end] * 2, "'", "(", ")", "and", "not ", ".", "\0", "9")))
        + text[end:]
    )


@given(damaged())
@example("params.a between 1 and")
@example("name matches '[''")
def test_a_damaged_text_is_read_or_refused_at_its_place(text: str) -> None:
    try:
        found = parse(text)
    except InvalidInput as error:
        assert error.field == "filter" and error.expected and error.position is not None
        assert 0 <= error.position <= len(text)
        assert error.message.startswith(f"filter, position {error.position + 1}: expected {error.expected}, found ")
    else:
        # What was read says what it was read from.
        assert found is None or repr(parse(filter_text(found))) == repr(found)


def test_an_and_of_one_part_is_written_as_that_part() -> None:
    part = Comparison(Field("param", "a"), "=", 1)
    assert filter_text(And((part,))) == "params.a = 1" and filter_text(None) == ""
