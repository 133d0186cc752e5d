"""What the filter language accepts in this release, and where it says what is wrong."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.model.errors import InvalidInput
from lineal.query.parser import parse, parse_order
from lineal.query.syntax import ATTRIBUTES, Comparison, Field, Order
from lineal.testing.strategies import names


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.val_accuracy > 0.9", Comparison(Field("metric", "val_accuracy"), ">", 0.9)),
        ("metric.val/acc<1", Comparison(Field("metric", "val/acc"), "<", 1)),
        ("metrics.a.b.c >= -2.5e-3", Comparison(Field("metric", "a.b.c"), ">=", -2.5e-3)),
        ("metrics.loss != '1e3'", Comparison(Field("metric", "loss"), "!=", "1e3")),
        ("params.model_type = 'xgboost'", Comparison(Field("param", "model_type"), "=", "xgboost")),
        ("param.x=+3", Comparison(Field("param", "x"), "=", 3)),
        ("parameter.x <= .5", Comparison(Field("param", "x"), "<=", 0.5)),
        ("params.seed = 9007199254740993", Comparison(Field("param", "seed"), "=", 9007199254740993)),
        ("PARAMS.Case = 'It''s'", Comparison(Field("param", "Case"), "=", "It's")),
        ('params.x = "say ""so"""', Comparison(Field("param", "x"), "=", 'say "so"')),
        ("tags.`odd name` = ''", Comparison(Field("tag", "odd name"), "=", "")),
        ("tag.\"mlflow.user\" = 'a'", Comparison(Field("tag", "mlflow.user"), "=", "a")),
        ("tags.val-acc@2 = 'x'", Comparison(Field("tag", "val-acc@2"), "=", "x")),
        ("tags.and = 'x'", Comparison(Field("tag", "and"), "=", "x")),
        ("status = 'finished'", Comparison(Field("attribute", "status"), "=", "finished")),
        ("attributes.start_time > 1700000000000", Comparison(Field("attribute", "start_time"), ">", 1700000000000)),
        ("attribute.Name != '3'", Comparison(Field("attribute", "name"), "!=", "3")),
        ("`name` = 'x'", Comparison(Field("attribute", "name"), "=", "x")),
        ("\n\t name\n=\n'x' \n", Comparison(Field("attribute", "name"), "=", "x")),
    ],
)
def test_one_comparison(text: str, expected: Comparison) -> None:
    [found] = parse(text)
    assert found == expected and type(found.value) is type(expected.value)


def test_conjunctions() -> None:
    found = parse("metrics.a > 1 AND params.b = 'and' and tags.c!='x'AnD name='y'")
    assert [comparison.field.name for comparison in found] == ["a", "b", "c", "name"]
    assert parse("") == parse("  \n") == ()


@pytest.mark.parametrize(
    ("text", "position", "expected", "found"),
    [
        ("foo = 3", 1, "metrics.NAME, params.NAME, tags.NAME or an attribute (run_id", "'foo'"),
        ("git.commit = 'a1'", 1, "metrics.NAME", "'git.commit'"),
        ("metrics. = 3", 9, "a name after metrics.", "the end"),
        ("metrics. `a` = 3", 9, "a name after metrics.", "the end"),
        ("metrics.`` = 3", 9, "a name after metrics.", "the text ''"),
        ("metrics = 3", 1, "metrics.NAME", "'metrics'"),
        ("metrics.a", 10, "an operator (= != < <= > >=)", "the end"),
        ("metrics.a 3", 11, "an operator", "'3'"),
        ("metrics.a > ", 12, "a number", "the end"),
        ("metrics.a > 'x'", 13, "a number", "the text 'x'"),
        ("metrics.a > 1_000", 13, "a number", "'1_000'"),
        ("metrics.a > " + "9" * 65, 13, "a number", "'9"),
        ("start_time > 'yesterday'", 14, "a number", "the text 'yesterday'"),
        ("name = 3", 8, "a text in single quotes", "'3'"),
        ("name = x", 8, "a text in single quotes", "'x'"),
        ("name = `x`", 8, "a text in single quotes", "the text 'x'"),
        ("params.a = true", 12, "a number, or a text in single quotes", "'true'"),
        ("name = 'x", 8, "a closing ' for the one opened here", "none"),
        ("tags.`x = 'y'", 6, "a closing ` for the one opened here", "none"),
        ("name = 'x' name = 'y'", 12, "AND or the end", "'name'"),
        ("name = 'x' and", 15, "metrics.NAME", "the end"),
        ("and name = 'x'", 1, "metrics.NAME", "'and'"),
        ("name == 'x'", 6, "an operator", "'==' (equality is a single =)"),
        ("name = 'x' or name = 'y'", 12, "AND or the end", "'or' (this version knows"),
        ("not name = 'x'", 1, "metrics.NAME", "'not' (this version knows"),
        ("(name = 'x')", 1, "metrics.NAME", "'(' (this version knows"),
        ("name in ('x')", 6, "an operator", "'in' (this version knows"),
        ("name like 'x%'", 6, "an operator", "'like' (this version knows"),
        ("name ^= 'x'", 6, "an operator", "'^=' (this version knows"),
        ("min(metrics.a) > 3", 1, "metrics.NAME", "'min' (this version knows"),
        ("params.a is null", 10, "an operator", "'is' (this version knows"),
    ],
)
def test_wrong_text_is_shown_where_it_is_wrong(text: str, position: int, expected: str, found: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse(text)
    assert raised.value.field == "filter"
    said, shown, caret = raised.value.message.split("\n")
    assert said.startswith(f"filter, position {position}: expected {expected}"), said
    assert f", found {found}" in said
    if len(text) < 60:
        assert shown == "  " + text.replace("\t", " ") and caret == " " * (position + 1) + "^"


def test_a_long_text_is_shown_around_the_place() -> None:
    text = " and ".join(f"metrics.m{number} > 0" for number in range(1_000)) + " or name = 'x'" + " " * 500 + "x"
    with pytest.raises(InvalidInput) as raised:
        parse(text)
    _, shown, caret = raised.value.message.split("\n")
    assert len(shown) < 140 and shown[len(caret) - 1 :].startswith("or name") and shown.startswith("  ...")


def test_control_characters_do_not_reach_the_terminal() -> None:
    with pytest.raises(InvalidInput) as raised:
        parse("metrics.a > 1 \x1b[31m\r\n\u202e nonsense")
    assert "\x1b" not in raised.value.message and "\u202e" not in raised.value.message
    assert raised.value.message.count("\n") == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.val_acc DESC", Order(Field("metric", "val_acc"), True)),
        ("metrics.val_acc asc", Order(Field("metric", "val_acc"))),
        ("params.`learning rate`", Order(Field("param", "learning rate"))),
        ("start_time Desc", Order(Field("attribute", "start_time"), True)),
    ],
)
def test_orders(text: str, expected: Order) -> None:
    assert parse_order(text) == expected


@pytest.mark.parametrize(
    "text", ["", "nonsense", "metrics.a sideways", "metrics.a desc, name", "metrics.a desc asc", "metrics.a = 3"]
)
def test_wrong_orders(text: str) -> None:
    with pytest.raises(InvalidInput) as raised:
        parse_order(text)
    assert raised.value.field == "order_by" and raised.value.message.startswith("order_by, position ")


@given(st.text())
def test_any_text_parses_or_is_refused(text: str) -> None:
    for read in (parse, parse_order):
        try:
            read(text)
        except InvalidInput:
            pass


@given(kind=st.sampled_from(("metrics", "params", "tags")), name=names, value=st.text())
def test_every_name_and_text_can_be_written(kind: str, name: str, value: str) -> None:
    if kind == "metrics":
        value = "1.5"
    quoted = f"`{name}`" if "`" not in name else '"' + name.replace('"', '""') + '"'
    [found] = parse(f"{kind}.{quoted} = '" + value.replace("'", "''") + "'")
    assert found == Comparison(Field(kind[:-1], name), "=", value)  # type: ignore[arg-type]


def test_every_attribute_can_be_asked_for() -> None:
    for attribute in ATTRIBUTES:
        value = "3" if attribute in ("start_time", "end_time", "duration") else "'x'"
        [found] = parse(f"{attribute} = {value}")
        assert found.field == Field("attribute", attribute)
