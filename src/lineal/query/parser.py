"""Text -> syntax tree.

    filter      := [either]
    either      := both {OR both}
    both        := condition {AND condition}
    condition   := NOT condition | "(" either ")" | comparison
    comparison  := field operator value
                 | field [NOT] IN "(" value {"," value} ")"
                 | field [NOT] BETWEEN value AND value
                 | field [NOT] (LIKE | ILIKE | MATCHES) text | field "^=" text
                 | field IS [NOT] NULL
    operator    := = != <> < <= > >=
    value       := number | 'text' | "text"
    orders      := order {"," order}
    order       := field [ASC | DESC]

One function a rule; `field` is in names.py, `value` in literals.py. Words are read in any case."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lineal.model.errors import OverLimit
from lineal.model.limits import (
    FILTER_COMPARISONS_MAX_COUNT,
    FILTER_LIST_MAX_COUNT,
    FILTER_MAX_DEPTH,
    ORDER_KEYS_MAX_COUNT,
    PATTERN_MAX_CHARS,
)
from lineal.query.literals import read_text, read_value
from lineal.query.names import read_field
from lineal.query.patterns import WrongPattern, tester
from lineal.query.reading import Reading
from lineal.query.syntax import And, Comparison, Field, Filter, Not, Operator, Or, Order, Scalar
from lineal.query.tokens import Token, wrong

_ORDERINGS: dict[str, Operator] = {"=": "=", "!=": "!=", "<>": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">="}
_NEGATED: dict[str, Operator] = {
    "in": "not in",
    "between": "not between",
    "like": "not like",
    "ilike": "not ilike",
    "matches": "not matches",
}
_PLAIN: dict[str, Operator] = {"in": "in", "between": "between", "like": "like", "ilike": "ilike", "matches": "matches"}
_FOR_NUMBERS = "an operator (= != < <= > >=, [not] in, [not] between, is [not] null)"
_FOR_ALL = (
    "an operator (= != < <= > >= ^=, [not] in, [not] between, [not] like, [not] ilike, [not] matches, is [not] null)"
)


def parse(text: str) -> Filter | None:
    """The filter; None for an empty text, which every run satisfies. InvalidInput(field="filter") with the place of
    what is wrong (`position`, from 0) and what was `expected` there."""
    reading = Reading(text, "filter")
    if reading.at_end():
        return None
    found = _either(reading)
    if not reading.at_end():
        hint = "there is no ( for this )" if reading.next.is_symbol(")") else ""
        if reading.next.is_symbol(",") and reading.after_next.value[:1].isdecimal():
            hint = "decimals are written with a point: 0.9"
        raise reading.wrong("AND, OR or the end", hint=hint)
    return found


def parse_orders(text: str | Sequence[str]) -> tuple[Order, ...]:
    """ "metrics.acc desc, params.lr", or a list of such; () for an empty text. InvalidInput(field="order_by") as for `parse`;
    the place is one in the entry that the message shows."""
    texts = [text] if isinstance(text, str) and text.strip() else [] if isinstance(text, str) else text
    orders = [order for one in texts for order in _orders(one)]
    by_field: dict[Field, Order] = {}
    for order in orders:
        # What a key has ordered, the same key further back cannot.
        by_field.setdefault(order.field, order)
    if len(by_field) > ORDER_KEYS_MAX_COUNT:
        expected = f"at most {ORDER_KEYS_MAX_COUNT} keys"
        raise OverLimit(
            f"order_by: expected {expected}, found {len(by_field):,}", field="order_by", position=0, expected=expected
        )
    return tuple(by_field.values())


def parse_field(text: str, purpose: str = "field") -> Field:
    """ "params.lr", "min(metrics.val_loss)", "status" ... InvalidInput(field=purpose) as for `parse`."""
    reading = Reading(text, purpose)
    field = read_field(reading)
    if not reading.at_end():
        raise reading.wrong("the end")
    return field


def parse_fields(texts: str | Sequence[str], purpose: str = "field") -> tuple[Field, ...]:
    """Each once; as `parse_field`."""
    given = [texts] if isinstance(texts, str) else texts
    return tuple(dict.fromkeys(parse_field(text, purpose) for text in given))


# -- filter ------------------------------------------------------------------------------------------------


def _either(reading: Reading) -> Filter:
    parts = [_both(reading)]
    while reading.take_word("or"):
        parts.append(_both(reading))
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _both(reading: Reading) -> Filter:
    parts = [_condition(reading)]
    while reading.take_word("and"):
        parts.append(_condition(reading))
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _condition(reading: Reading) -> Filter:
    opening = reading.next
    if not (opening.is_word("not") or opening.is_symbol("(")):
        return _comparison(reading)
    if reading.depth >= FILTER_MAX_DEPTH:
        raise reading.over_limit(f"no more than {FILTER_MAX_DEPTH} parentheses and NOTs within one another")
    reading.depth += 1
    reading.take()
    if opening.kind == "word":
        found: Filter = Not(_condition(reading))
    else:
        found = _either(reading)
        if not reading.take_symbol(")"):
            raise reading.wrong("AND, OR or )", hint=f"the ( at position {opening.start + 1} is open")
    reading.depth -= 1
    return found


def _comparison(reading: Reading) -> Comparison:
    if reading.comparison_count >= FILTER_COMPARISONS_MAX_COUNT:
        raise reading.over_limit(f"the end (a filter has at most {FILTER_COMPARISONS_MAX_COUNT} comparisons)")
    reading.comparison_count += 1
    start = reading.next
    field = read_field(reading)
    token = reading.next
    if token.kind == "symbol" and token.value in _ORDERINGS:
        reading.take()
        _no_null(reading, token)
        return Comparison(field, _ORDERINGS[token.value], read_value(reading, field))
    if reading.take_word("is"):
        operator: Operator = "is not null" if reading.take_word("not") else "is null"
        if not reading.take_word("null"):
            raise reading.wrong("NULL" if operator == "is not null" else "NULL or NOT NULL")
        return Comparison(field, operator, None)
    if token.is_symbol("^="):
        _only_texts(reading, field)
        reading.take()
        return Comparison(field, "^=", read_text(reading).value)
    words = _PLAIN
    if reading.take_word("not"):
        words = _NEGATED
        token = reading.next
        if not token.is_word(*words):
            raise reading.wrong("IN, BETWEEN, LIKE, ILIKE or MATCHES")
    if not token.is_word(*words):
        raise reading.wrong(_FOR_NUMBERS if field.is_number else _FOR_ALL, hint=_space_in_name(reading, start, field))
    return _RULES[token.value.lower()](reading, field, words[token.value.lower()])


def _space_in_name(reading: Reading, start: Token, field: Field) -> str:
    """A hint for `metrics.val acc > 0.9`: one word, a blank, one word, and an operator behind it."""
    second = reading.next
    one_word = start.kind == "word" and start.end < second.start and reading.text[start.end : second.start].isspace()
    if not one_word or second.kind != "word" or field.kind == "attribute" or reading.after_next.value not in _ORDERINGS:
        return ""
    prefix, _, name = start.value.partition(".")
    return f"a name with a space is quoted: {prefix}.`{name} {second.value}`"


def _no_null(reading: Reading, operator: Token) -> None:
    if reading.next.is_word("null", "none"):
        said = "is not null" if operator.value in ("!=", "<>") else "is null"
        raise reading.wrong("a value", hint=f"missing keys: field {said}")


def _only_texts(reading: Reading, field: Field) -> None:
    if field.is_number:
        hint = f"{field.name} is a number; like, ilike, matches and ^= look at texts"
        raise reading.wrong(_FOR_NUMBERS, hint=hint)


def _in(reading: Reading, field: Field, operator: Operator) -> Comparison:
    reading.take()
    if not reading.take_symbol("("):
        raise reading.wrong("( and a list of values", hint="in ('a', 'b')" if not field.is_number else "in (1, 2)")
    values = [read_value(reading, field)]
    while reading.take_symbol(","):
        if reading.next.is_symbol(")"):
            break
        if len(values) >= FILTER_LIST_MAX_COUNT:
            raise reading.over_limit(f") (a list has at most {FILTER_LIST_MAX_COUNT:,} values)")
        values.append(read_value(reading, field))
    if not reading.take_symbol(")"):
        raise reading.wrong(", or )")
    return Comparison(field, operator, tuple(values))


def _between(reading: Reading, field: Field, operator: Operator) -> Comparison:
    reading.take()
    low: Scalar = read_value(reading, field)
    if not reading.take_word("and"):
        raise reading.wrong("AND and the upper bound", hint="between 1 and 5, both included")
    return Comparison(field, operator, (low, read_value(reading, field)))


def _pattern(reading: Reading, field: Field, operator: Operator) -> Comparison:
    _only_texts(reading, field)
    reading.take()
    token = read_text(reading)
    if len(token.value) > PATTERN_MAX_CHARS:
        raise reading.over_limit(f"a pattern of at most {PATTERN_MAX_CHARS:,} characters", token)
    try:
        tester(operator.removeprefix("not "), token.value)
    except WrongPattern as error:
        quote = reading.text[token.start]
        # A doubled quote is one character of the pattern.
        place = token.start + 1 + error.place + token.value[: error.place].count(quote)
        hint = "the syntax is RE2's: no backreferences, no look-around" if "perl" in error.reason else ""
        raise wrong(reading.text, reading.purpose, place, "an RE2 expression", error.reason, hint) from None
    return Comparison(field, operator, token.value)


_RULES: dict[str, Callable[[Reading, Field, Operator], Comparison]] = {
    "in": _in,
    "between": _between,
    "like": _pattern,
    "ilike": _pattern,
    "matches": _pattern,
}


# -- order -------------------------------------------------------------------------------------------------


def _orders(text: str) -> list[Order]:
    reading = Reading(text, "order_by")
    orders = [_order(reading)]
    while reading.take_symbol(","):
        orders.append(_order(reading))
    if not reading.at_end():
        raise reading.wrong("a comma or the end" if reading.next.kind != "symbol" else "ASC, DESC, a comma or the end")
    return orders


def _order(reading: Reading) -> Order:
    field = read_field(reading)
    descending = reading.next.is_word("desc", "descending")
    if not reading.take_word("asc", "desc", "ascending", "descending") and not (
        reading.at_end() or reading.next.is_symbol(",")
    ):
        raise reading.wrong("ASC, DESC, a comma or the end")
    return Order(field, descending)
