"""Text -> syntax tree. In this release: comparisons joined by AND.

    filter     := [comparison {AND comparison}]
    comparison := field operator value
    field      := attribute | prefix "." name          metrics.val/acc   params.`batch size`   tags."a.b"
    operator   := = != < <= > >=
    value      := number | 'text' | "text"
    order      := field [ASC | DESC]

One function a rule, so that the rest of the language (OR, NOT, parentheses, IN, LIKE, functions) becomes more functions."""

from __future__ import annotations

import re
from typing import get_args

from lineal.model.errors import InvalidInput
from lineal.model.values import number_of
from lineal.query.syntax import (
    ATTRIBUTES,
    NUMBER_ATTRIBUTES,
    Comparison,
    Field,
    Filter,
    Kind,
    Operator,
    Order,
)
from lineal.query.tokens import Token, tokenize, wrong

_PREFIXES: dict[str, Kind] = {
    "metrics": "metric",
    "metric": "metric",
    "params": "param",
    "param": "param",
    "parameter": "param",
    "parameters": "param",
    "tags": "tag",
    "tag": "tag",
    "attributes": "attribute",
    "attribute": "attribute",
}
_LATER = ("or", "not", "in", "like", "ilike", "between", "is", "matches")
_OPERATORS: tuple[Operator, ...] = get_args(Operator)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_NUMBER_MAX_CHARS = 64  # as `number_of` reads
_FIELD = "metrics.NAME, params.NAME, tags.NAME or an attribute"


def parse(text: str) -> Filter:
    """The comparisons that must all hold; () for an empty text. InvalidInput(field="filter") shows what is wrong where."""
    parser = _Parser(text, "filter")
    comparisons: list[Comparison] = []
    while not parser.at_end():
        if comparisons:
            parser.keyword("and")
        comparisons.append(parser.comparison())
    return tuple(comparisons)


def parse_order(text: str) -> Order:
    """One field and perhaps a direction. InvalidInput(field="order_by") shows what is wrong where."""
    parser = _Parser(text, "order_by")
    field = parser.field()
    descending = parser.next.is_word("desc")
    if parser.next.is_word("asc", "desc"):
        parser.take()
    if not parser.at_end():
        raise parser.wrong("ASC, DESC or the end")
    return Order(field, descending)


class _Parser:
    def __init__(self, text: str, purpose: str) -> None:
        self._text = text
        self._purpose = purpose
        self._tokens = tokenize(text, purpose)
        self._at = 0

    @property
    def next(self) -> Token:
        return self._tokens[self._at]

    def at_end(self) -> bool:
        return self.next.kind == "end"

    def take(self) -> Token:
        token = self.next
        self._at += 1
        return token

    def wrong(self, expected: str, token: Token | None = None) -> InvalidInput:
        token = token or self.next
        found = token.shown()
        is_call = token.kind == "word" and self._text[token.end : token.end + 1] == "("
        is_later = token.kind == "symbol" and token.value in ("(", ")", ",", "^=")
        if token.is_word(*_LATER) or is_call or is_later:
            found += " (this version knows comparisons joined by AND only)"
        elif token.value == "==" and token.kind == "symbol":
            found += " (equality is a single =)"
        return wrong(self._text, self._purpose, token.start, expected, found)

    # -- rules ---------------------------------------------------------------------------------------------

    def keyword(self, word: str) -> None:
        if not self.next.is_word(word):
            raise self.wrong(f"{word.upper()} or the end")
        self.take()

    def comparison(self) -> Comparison:
        field = self.field()
        operator = self.operator()
        return Comparison(field, operator, self.value(field))

    def field(self) -> Field:
        token = self.next
        if token.kind not in ("word", "name") or token.is_word(*_LATER):
            raise self.wrong(_FIELD)
        self.take()
        if token.kind == "name":
            return self._attribute(token.value, token)
        prefix, dot, name = token.value.partition(".")
        kind = _PREFIXES.get(prefix.lower())
        if not dot:
            return self._attribute(token.value, token)
        if kind is None:
            raise self.wrong(_FIELD, token)
        if not name:
            name = self._quoted_name(token)
        return self._attribute(name, token) if kind == "attribute" else Field(kind, name)

    def _quoted_name(self, prefix: Token) -> str:
        """After "metrics." and the like, without a space between."""
        if self.next.kind != "name" or self.next.start != prefix.end or not self.next.value:
            at = Token("end", "", prefix.end, prefix.end) if self.next.start != prefix.end else self.next
            raise self.wrong(f'a name after {prefix.value}, odd ones in `...` or "..."', at)
        return self.take().value

    def _attribute(self, name: str, token: Token) -> Field:
        known = name.lower()
        if known not in ATTRIBUTES:
            raise self.wrong(f"{_FIELD} ({', '.join(ATTRIBUTES)})", token)
        return Field("attribute", known)

    def operator(self) -> Operator:
        for operator in _OPERATORS:
            if self.next.kind == "symbol" and self.next.value == operator:
                self.take()
                return operator
        raise self.wrong(f"an operator ({' '.join(_OPERATORS)})")

    def value(self, field: Field) -> str | int | float:
        token = self.next
        is_number_only = field.kind == "metric" or (field.name in NUMBER_ATTRIBUTES and field.kind == "attribute")
        is_text_only = field.kind == "attribute" and not is_number_only
        expected = "a number" if is_number_only else "a text in single quotes"
        if not is_number_only and not is_text_only:
            expected = "a number, or a text in single quotes"
        if token.kind in ("text", "name") and self._text[token.start] != "`":
            if is_number_only and number_of(token.value) is None:
                raise self.wrong(expected)
            return self.take().value
        number = _number(token) if token.kind == "word" and not is_text_only else None
        if number is None:
            raise self.wrong(expected)
        self.take()
        return number


def _number(token: Token) -> int | float | None:
    if len(token.value) > _NUMBER_MAX_CHARS or not _NUMBER.fullmatch(token.value):
        return None
    return int(token.value) if token.value.lstrip("+-").isdecimal() else float(token.value)
