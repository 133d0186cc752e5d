"""Where a wrong filter is wrong, what was expected there, and what to write instead."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineal.model import limits
from lineal.model.errors import InvalidInput, OverLimit
from lineal.query.parser import parse, parse_field, parse_orders


def refused(text: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as raised:
        parse(text)
    error = raised.value
    assert error.field == "filter" and error.position is not None and error.expected
    assert 0 <= error.position <= len(text)
    return error


@pytest.mark.parametrize(
    ("text", "position", "expected", "found", "hint"),
    [
        # Fields
        ("foo = 3", 0, "metrics.NAME, params.NAME", "'foo'", "did you mean metrics.foo, params.foo or tags.foo?"),
        ("val_loss < 3", 0, "metrics.NAME", "'val_loss'", "metrics.val_loss"),
        ("statsu = 'x'", 0, "metrics.NAME", "'statsu'", "did you mean status?"),
        ("mertics.a > 1", 0, "metrics.NAME", "'mertics.a'", "did you mean metrics.a?"),
        ("lifecycle = 'deleted'", 0, "metrics.NAME", "'lifecycle'", "deleted=True"),
        ("0.1 = params.lr", 0, "metrics.NAME", "'0.1'", "the field comes first"),
        ("'x' = name", 0, "metrics.NAME", "the text 'x'", "the field comes first"),
        ("run.lr = 1", 0, "metrics.NAME", "'run.lr'", "attributes: run_id, name"),
        ("metrics. = 3", 8, "a name after metrics.", "the end", ""),
        ("metrics. `a` = 3", 8, "a name after metrics.", "the end", ""),
        ("metrics.`` = 3", 8, "a name after metrics.", "the text ''", ""),
        ("metrics = 3", 0, "metrics.NAME", "'metrics'", "metrics.NAME, as in metrics.val_loss"),
        ("json. = 3", 5, "a name after json.", "the end", ""),
        ("git.comit = 'a1'", 0, "git.commit or git.branch", "'git.comit'", "did you mean commit?"),
        ("datasets.train = 'a'", 0, "datasets.name or datasets.version", "'datasets.train'", ""),
        ("datasets.train.size = 1", 0, "datasets.NAME.name or", "'datasets.train.size'", ""),
        ("and name = 'x'", 0, "metrics.NAME", "'and'", ""),
        ("min(val_loss) > 3", 4, "metrics.NAME", "'val_loss'", "min(metrics.val_loss)"),
        ("min(params.a) > 3", 4, "metrics.NAME", "'params.a'", "min is of a metric's points"),
        ("min(max(metrics.a)) > 3", 4, "metrics.NAME", "'max'", ""),
        ("avg(metrics.a) > 3", 0, "a field, or one of last", "'avg'", "functions of metrics are last"),
        ("mni(metrics.a) > 3", 0, "a field, or one of last", "'mni'", "did you mean min?"),
        ("min(metrics.a > 3", 14, ")", "'>'", ""),
        # Operators
        ("metrics.a", 9, "an operator (= != < <= > >=", "the end", ""),
        ("metrics.a 3", 10, "an operator", "'3'", ""),
        ("metrics.val acc > 0.9", 12, "an operator", "'acc'", "a name with a space is quoted: metrics.`val acc`"),
        ("name == 'x'", 5, "an operator", "'=='", "equality is a single ="),
        ("name =~ 'x'", 5, "an operator", "'=~'", "field matches '...'"),
        ("name contains 'x'", 5, "an operator", "'contains'", "field like '%part%'"),
        ("metrics.a like 'x'", 10, "an operator (= != < <= > >=, [not] in", "'like'", "a is a number"),
        ("metrics.a ^= 'x'", 10, "an operator", "'^='", "a is a number"),
        ("start_time matches '2026'", 11, "an operator", "'matches'", "start_time is a number"),
        ("name not = 'x'", 9, "IN, BETWEEN, LIKE, ILIKE or MATCHES", "'='", ""),
        ("params.a is missing", 12, "NULL or NOT NULL", "'missing'", ""),
        ("params.a is not", 15, "NULL", "the end", ""),
        ("params.a = null", 11, "a value", "'null'", "field is null"),
        ("params.a != None", 12, "a value", "'None'", "field is not null"),
        # Values
        ("metrics.a > ", 11, "a number", "the end", ""),
        ("metrics.a > 'x'", 12, "a number", "the text 'x'", ""),
        ("metrics.a > 'nan'", 12, "a number", "the text 'nan'", ""),
        ("metrics.a > NaN", 12, "a number", "'NaN'", "field is null"),
        ("metrics.a > 1_000", 12, "a number", "'1_000'", ""),
        ("metrics.a > ٣", 12, "a number", "'٣'", ""),
        ("metrics.a > " + "9" * 65, 12, "a number", "'9", ""),
        ("start_time > 'yesterday'", 13, "a time ('2026-01-31'", "the text 'yesterday'", ""),
        ("start_time > '2026-13-01'", 13, "a time", "the text '2026-13-01'", ""),
        ("start_time > 2026-01-01", 13, "a time", "'2026-01-01'", "times are quoted: '2026-01-01'"),
        ("name = 3", 7, "a text in single quotes", "'3'", "texts are quoted: '3'"),
        ("name = x", 7, "a text in single quotes", "'x'", "texts are quoted: 'x'"),
        ("name = `x`", 7, "a text in single quotes", "the text 'x'", "texts are in single quotes: 'x'"),
        ("params.a = true", 11, "a number, or a text in single quotes", "'true'", "the text 'True' (or the number 1)"),
        ("params.a = adam", 11, "a number, or a text in single quotes", "'adam'", "texts are quoted: 'adam'"),
        ("name like x%", 10, "a text in single quotes", "'x%'", "texts are quoted: 'x%'"),
        ("name like 3", 10, "a text in single quotes", "'3'", ""),
        ("status in 'a'", 10, "( and a list of values", "the text 'a'", "in ('a', 'b')"),
        ("status in ()", 11, "a text in single quotes", "')'", ""),
        ("status in ('a' 'b')", 15, ", or )", "the text 'b'", ""),
        ("status in ('a'", 14, ", or )", "the end", ""),
        ("metrics.a between 1, 2", 19, "AND and the upper bound", "','", "between 1 and 5"),
        ("metrics.a between 1 and", 23, "a number", "the end", ""),
        # Quotes
        ("name = 'x", 7, "a closing ' for the one opened here", "none", "''"),
        ("name = 'it's'", 12, "a closing ' for the one opened here", "none", "''"),
        ('name = "x', 7, 'a closing " for the one opened here', "none", '""'),
        ("tags.`x = 'y'", 5, "a closing ` for the one opened here", "none", ""),
        # Patterns
        ("name matches 'a(b'", 14, "an RE2 expression", "missing ): a(b", ""),
        ("name matches 'it''s [a-'", 20, "an RE2 expression", "missing ]: [a-", ""),
        ("name matches '(a{99}){99}'", 21, "an RE2 expression", "invalid repetition size: {99}", ""),
        ("metrics.a > 0,9", 13, "AND, OR or the end", "','", "decimals are written with a point"),
        ("metrics.a => 9", 11, "a number", "'>'", "operators are = != < <= > >="),
        ("name matches 'a(?=b)'", 15, "an RE2 expression", "invalid perl operator: (?=", "no look-around"),
        # Joining
        ("name = 'x' name = 'y'", 11, "AND, OR or the end", "'name'", ""),
        ("name = 'x' && name = 'y'", 11, "AND, OR or the end", "'&&'", "joined by and"),
        ("name = 'x', name = 'y'", 10, "AND, OR or the end", "','", "joined by and"),
        ("name = 'x' and", 14, "metrics.NAME", "the end", ""),
        ("(name = 'x' or name = 'y'", 25, "AND, OR or )", "the end", "the ( at position 1 is open"),
        ("name = 'x')", 10, "AND, OR or the end", "')'", "there is no ( for this )"),
        ("()", 1, "metrics.NAME", "')'", ""),
        ("not", 3, "metrics.NAME", "the end", ""),
        ("! name = 'x'", 0, "metrics.NAME", "'!'", "not field = ..."),
    ],
)
def test_wrong_text_is_shown_where_it_is_wrong(text: str, position: int, expected: str, found: str, hint: str) -> None:
    error = refused(text)
    said, shown, caret, *hints = error.message.split("\n")
    assert error.position == position, error.message
    assert error.expected is not None and error.expected.startswith(expected), error.message
    assert said.startswith(f"filter, position {position + 1}: expected {expected}") and f", found {found}" in said
    assert len(hints) <= 1
    if hint:
        assert hints and hint in hints[0], error.message
    if len(text) < 60:
        assert shown == "  " + text and caret == " " * (position + 2) + "^"


def test_the_whole_message() -> None:
    assert refused("status = 'finished' and params.lr == 0.1").message == (
        "filter, position 35: expected an operator (= != < <= > >= ^=, [not] in, [not] between, [not] like, [not] ilike,"
        " [not] matches, is [not] null), found '=='\n"
        "  status = 'finished' and params.lr == 0.1\n"
        "                                    ^\n"
        "  equality is a single ="
    )


def test_a_long_text_is_shown_around_the_place() -> None:
    text = " and ".join(f"metrics.m{number} > 0" for number in range(200)) + " xor name = 'x'" + " " * 500 + "x"
    _, shown, caret = refused(text).message.split("\n")
    assert len(shown) < 140 and shown[len(caret) - 1 :].startswith("xor name") and shown.startswith("  ...")


def test_the_caret_stands_below_wide_characters_too() -> None:
    _, shown, caret, *_ = refused("name = '数据' nonsense").message.split("\n")
    assert shown.index("nonsense") + 2 == len(caret) - 1


def test_control_characters_do_not_reach_the_terminal() -> None:
    for text in ("metrics.a > 1 \x1b[31m\r\n\u202e nonsense", "metrics.a > 'x\x1b'", "name = \x1bx"):
        error = refused(text)
        assert "\x1b" not in error.message and "\u202e" not in error.message and "\r" not in error.message


# -- bounds --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fits", "too_much"),
    [
        ("(" * 50 + "name = 'x'" + ")" * 50, "(" * 51 + "name = 'x'" + ")" * 51),
        ("not " * 50 + "name = 'x'", "not " * 100_000 + "name = 'x'"),
        (" or ".join(["name = 'x'"] * 256), " or ".join(["name = 'x'"] * 257)),
        (f"name in ({', '.join(['1'] * 0 + [chr(39) + 'x' + chr(39)] * 10_000)})", f"params.a in ({'1,' * 10_001})"),
        (f"name like '{'%a' * 500}'", f"name like '{'%a' * 500}b'"),
        (f"name = '{'x' * (limits.FILTER_MAX_CHARS - 9)}'", f"name = '{'x' * (limits.FILTER_MAX_CHARS - 8)}'"),
    ],
    ids=["parentheses", "nots", "comparisons", "list", "pattern", "text"],
)
def test_bounds(fits: str, too_much: str) -> None:
    parse(fits)
    error = refused(too_much)
    assert isinstance(error, OverLimit) and error.code == "over_limit"
    assert re.search(r"\d", error.expected or "")


def test_depth_counts_what_is_open_not_what_was() -> None:
    parse(" or ".join(["(not name = 'x')"] * 200))


def test_quotes_never_closed_cost_one_pass() -> None:
    started = time.process_time()
    refused("name = '" + "''" * 200_000 + "x")
    refused('name = "' + '""' * 200_000 + "x")
    assert time.process_time() - started < 5  # minutes if it were quadratic


# -- anything ------------------------------------------------------------------------------------------------

PIECES = r"""metrics.a params.`b c` tags."d" json.x.0 datasets.v.version git.commit status start_time min( last ( ) , = !=
    == < ^= and or not in between like ilike matches is null 1 -2.5 1e9 NaN inf 'text' "t" 'a(' '%' '2026-01-01' ` ' " . ;"""
pieces = st.sampled_from((*PIECES.split(), "\ud800", "\0"))


@given(st.one_of(st.text(), st.lists(pieces, max_size=12).map(" ".join), st.lists(pieces, max_size=8).map("".join)))
def test_any_text_parses_or_is_refused_with_its_place(text: str) -> None:
    for read in (parse, parse_orders, parse_field):
        try:
            read(text)
        except InvalidInput as error:
            assert error.position is not None and 0 <= error.position <= len(text)
            assert error.expected and error.message.startswith(
                f"{error.field}, position {error.position + 1}: expected "
            )
            error.message.encode()
