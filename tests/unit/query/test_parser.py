"""What the filter language accepts, and the trees it becomes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.model.errors import InvalidInput, OverLimit
from lineal.query.parser import parse, parse_field, parse_orders
from lineal.query.syntax import ATTRIBUTES, And, Comparison, Field, Filter, Not, Operator, Or, Order, Scalar, fields_of
from lineal.testing.strategies import names


def one(text: str) -> Comparison:
    found = parse(text)
    assert isinstance(found, Comparison)
    return found


A, B, C = (Comparison(Field("param", name), "=", 1) for name in "abc")
NAME = Field("attribute", "name")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics.val_accuracy > 0.9", Comparison(Field("metric", "val_accuracy"), ">", 0.9)),
        ("metric.val/acc<1", Comparison(Field("metric", "val/acc"), "<", 1)),
        ("metrics.a.b.c >= -2.5e-3", Comparison(Field("metric", "a.b.c"), ">=", -2.5e-3)),
        ("metrics.loss != '1e3'", Comparison(Field("metric", "loss"), "!=", "1e3")),
        ("metrics.loss <> 2", Comparison(Field("metric", "loss"), "!=", 2)),
        ("metrics.loss < Infinity", Comparison(Field("metric", "loss"), "<", float("inf"))),
        ("metrics.loss > -inf", Comparison(Field("metric", "loss"), ">", float("-inf"))),
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
        ("attribute.Name != '3'", Comparison(NAME, "!=", "3")),
        ("attr.name = 'x'", Comparison(NAME, "=", "x")),
        ("run.name = 'x'", Comparison(NAME, "=", "x")),
        ("run_name = 'x'", Comparison(NAME, "=", "x")),
        ("run name = 'x'", Comparison(NAME, "=", "x")),
        ("`Run Name` = 'x'", Comparison(NAME, "=", "x")),
        ("attributes.`run name` = 'x'", Comparison(NAME, "=", "x")),
        ("Created > 5", Comparison(Field("attribute", "start_time"), ">", 5)),
        ("`name` = 'x'", Comparison(NAME, "=", "x")),
        ("\n\t name\n=\n'x' \n", Comparison(NAME, "=", "x")),
        ("start_time >= '1970-01-02'", Comparison(Field("attribute", "start_time"), ">=", 86_400_000)),
        ("start_time >= '1970-01-01T08:00'", Comparison(Field("attribute", "start_time"), ">=", 28_800_000)),
        ("end_time < '1970-01-01 08:00+02:00'", Comparison(Field("attribute", "end_time"), "<", 21_600_000)),
        ("end_time < '1970-01-01T00:00:00.0015Z'", Comparison(Field("attribute", "end_time"), "<", 1)),
        ("start_time = '5'", Comparison(Field("attribute", "start_time"), "=", "5")),
        ("status in ('a', \"b\")", Comparison(Field("attribute", "status"), "in", ("a", "b"))),
        ("params.x IN (1, 2.5, 'c',)", Comparison(Field("param", "x"), "in", (1, 2.5, "c"))),
        ("run_id NOT  IN ('a')", Comparison(Field("attribute", "run_id"), "not in", ("a",))),
        ("metrics.a between -1 and 2", Comparison(Field("metric", "a"), "between", (-1, 2))),
        ("tags.a not between 'a' and 'b'", Comparison(Field("tag", "a"), "not between", ("a", "b"))),
        ("name like 'a%_'", Comparison(NAME, "like", "a%_")),
        ("name NOT ILIKE 'a'", Comparison(NAME, "not ilike", "a")),
        ("params.x matches '^a+$'", Comparison(Field("param", "x"), "matches", "^a+$")),
        ("params.x not matches 'b'", Comparison(Field("param", "x"), "not matches", "b")),
        ("git.commit ^= 'a1'", Comparison(Field("git", "commit"), "^=", "a1")),
        ("params.x is null", Comparison(Field("param", "x"), "is null", None)),
        ("metrics.x IS NOT NULL", Comparison(Field("metric", "x"), "is not null", None)),
        ("min(metrics.val_loss) < 0.3", Comparison(Field("metric", "val_loss", "min"), "<", 0.3)),
        ("COUNT ( metric.`a b` ) >= 10", Comparison(Field("metric", "a b", "count"), ">=", 10)),
        ("last(metrics.a) = 1", Comparison(Field("metric", "a"), "=", 1)),
        ("json.review.score > 3", Comparison(Field("json", "review.score"), ">", 3)),
        ("json.`my doc`.a.`b c`.0 = 'x'", Comparison(Field("json", "my doc.a.b c.0"), "=", "x")),
        ("datasets.version = 'v2'", Comparison(Field("dataset", "version"), "=", "v2")),
        ("dataset.train.version = '2.1'", Comparison(Field("dataset", "train.version"), "=", "2.1")),
        ("datasets.`a.b c`.Digest like 'x%'", Comparison(Field("dataset", "a.b c.digest"), "like", "x%")),
    ],
)
def test_one_comparison(text: str, expected: Comparison) -> None:
    found = one(text)
    assert found == expected and type(found.value) is type(expected.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("params.a = 1 and params.b = 1 AND params.c = 1", And((A, B, C))),
        ("params.a = 1 or params.b = 1 Or params.c = 1", Or((A, B, C))),
        ("params.a = 1 or params.b = 1 and params.c = 1", Or((A, And((B, C))))),
        ("params.a = 1 and params.b = 1 or params.c = 1", Or((And((A, B)), C))),
        ("(params.a = 1 or params.b = 1) and params.c = 1", And((Or((A, B)), C))),
        ("not params.a = 1 and params.b = 1", And((Not(A), B))),
        ("not (params.a = 1 and params.b = 1)", Not(And((A, B)))),
        ("NOT not params.a = 1", Not(Not(A))),
        ("((params.a = 1))", A),
        ("not(params.a=1)or(params.b=1)", Or((Not(A), B))),
        ("params.a = 1 and (params.b = 1 and params.c = 1)", And((A, And((B, C))))),
        ("not params.a not in (1)", Not(Comparison(Field("param", "a"), "not in", (1,)))),
        ("metrics.m between 1 and 2 and params.a = 1", And((Comparison(Field("metric", "m"), "between", (1, 2)), A))),
    ],
)
def test_and_or_not_and_parentheses(text: str, expected: Filter) -> None:
    assert parse(text) == expected


def test_statuses_as_mlflow_writes_them() -> None:
    assert parse("attributes.status = 'FINISHED'") == parse("status = 'finished'")
    assert parse("status in ('FAILED', 'KILLED', 'SCHEDULED')") == parse("status in ('failed', 'killed', 'SCHEDULED')")
    assert parse("name = 'FINISHED'") != parse("name = 'finished'")


def test_an_empty_filter_is_none() -> None:
    assert parse("") is parse("  \n") is None


def test_the_fields_of_a_filter() -> None:
    found = parse("params.a = 1 or not (min(metrics.m) > 1 and params.a in (2)) or status = 'x'")
    assert fields_of(found) == (Field("param", "a"), Field("metric", "m", "min"), Field("attribute", "status"))
    assert fields_of(None) == ()


def test_the_filter_of_the_design() -> None:
    found = parse(
        "status = 'finished' and (params.lr >= 1e-3 or tags.model_type in ('xgboost', 'lightgbm'))\n"
        "and metrics.val_f1 > 0.85 and min(metrics.val_loss) < 0.3 and datasets.train.version = '2.1'\n"
        "and not name like 'debug%' and start_time > '2026-01-01' and git.commit ^= 'a1b2c3'"
    )
    assert isinstance(found, And) and len(found.parts) == 8
    assert found.parts[5] == Not(Comparison(NAME, "like", "debug%"))
    assert found.parts[6] == Comparison(Field("attribute", "start_time"), ">", 1_767_225_600_000)


# -- orders and fields ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("metrics.val_acc DESC", (Order(Field("metric", "val_acc"), True),)),
        ("metrics.val_acc asc", (Order(Field("metric", "val_acc")),)),
        ("params.`learning rate`", (Order(Field("param", "learning rate")),)),
        ("start_time Desc", (Order(Field("attribute", "start_time"), True),)),
        ("max(metrics.a) desc, params.b", (Order(Field("metric", "a", "max"), True), Order(Field("param", "b")))),
        ("name, name desc", (Order(NAME),)),
    ],
)
def test_orders(text: str, expected: tuple[Order, ...]) -> None:
    assert parse_orders(text) == expected
    assert parse_orders([text] if text else []) == expected


def test_orders_as_a_list() -> None:
    found = parse_orders(["metrics.a DESC", "params.b, tags.c asc"])
    assert [(order.field.name, order.descending) for order in found] == [("a", True), ("b", False), ("c", False)]


@pytest.mark.parametrize(
    "text", ["nonsense", "metrics.a sideways", "metrics.a,", ", name", "metrics.a desc asc", "metrics.a = 3", "(name)"]
)
def test_wrong_orders(text: str) -> None:
    for given_as in (text, ["name", text]):
        with pytest.raises(InvalidInput) as raised:
            parse_orders(given_as)
        assert raised.value.field == "order_by" and raised.value.message.startswith("order_by, position ")
        assert raised.value.position is not None and raised.value.expected


def test_an_empty_entry_is_wrong() -> None:
    with pytest.raises(InvalidInput):
        parse_orders([""])


def test_too_many_orders() -> None:
    assert len(parse_orders(",".join(f"params.p{number}" for number in range(8)))) == 8
    with pytest.raises(OverLimit) as raised:
        parse_orders([f"params.p{number}" for number in range(9)])
    assert (raised.value.field, raised.value.position) == ("order_by", 0)


def test_one_field() -> None:
    assert parse_field(" mean(metrics.a)") == Field("metric", "a", "mean")
    with pytest.raises(InvalidInput) as raised:
        parse_field("params.a = 1", "by")
    assert (raised.value.field, raised.value.position, raised.value.expected) == ("by", 9, "the end")


# -- anything ------------------------------------------------------------------------------------------------


@given(kind=st.sampled_from(("metrics", "params", "tags")), name=names, value=st.text())
def test_every_name_and_text_can_be_written(kind: str, name: str, value: str) -> None:
    if kind == "metrics":
        value = "1.5"
    quoted = f"`{name}`" if "`" not in name else '"' + name.replace('"', '""') + '"'
    found = one(f"{kind}.{quoted} = '" + value.replace("'", "''") + "'")
    # Lone surrogates are not Unicode, and no store holds them.
    assert found == Comparison(Field(kind[:-1], name), "=", value.encode("utf-8", "replace").decode())  # type: ignore[arg-type]


def test_every_attribute_can_be_asked_for() -> None:
    for attribute in ATTRIBUTES:
        value: Scalar = 3 if attribute in ("start_time", "end_time", "duration") else "x"
        assert one(f"{attribute} = {value!r}") == Comparison(Field("attribute", attribute), "=", value)


def test_operators_are_read_in_any_case_and_spacing() -> None:
    operators: dict[str, Operator] = {"Is  Null": "is null", "NOT\nBetween 1 AND 2": "not between"}
    for text, operator in operators.items():
        assert one(f"params.a {text}").operator == operator
