"""MLflow's filters and orders: comparisons joined by AND, as clauses. What they ask about says what its fields are.

metrics.loss < 0.3 AND params.`max depth` = '6' AND tags.team IN ...   (facts of the interface: docs/mlflow.md)"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from lineal.model.limits import FILTER_COMPARISONS_MAX_COUNT, FILTER_LIST_MAX_COUNT, FILTER_MAX_CHARS
from lineal.server.compat.mlflow.errors import MlflowError

Entity = Literal["metric", "parameter", "tag", "attribute", "dataset"]
_ENTITIES: dict[str, Entity] = {
    "metric": "metric",
    "metrics": "metric",
    "parameter": "parameter",
    "parameters": "parameter",
    "param": "parameter",
    "params": "parameter",
    "tag": "tag",
    "tags": "tag",
    "attribute": "attribute",
    "attributes": "attribute",
    "attr": "attribute",
    "run": "attribute",
    "dataset": "dataset",
    "datasets": "dataset",
}
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'[^']*')
      | (?P<operator><=|>=|!=|<>|==|=|<|>)
      | (?P<list>\([^()]*\))
      | (?P<name>(?:[^\s'"`=<>!(),]+|"[^"]*"|`[^`]*`)+)
      | (?P<other>\S)
    )""",
    re.VERBOSE,
)
_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_KEYWORDS = ("TRUE", "FALSE", "NULL")  # which are no values there
_ITEM = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)")\s*(,|$)""")
ORDERING = ("=", "!=", ">", ">=", "<", "<=")
TEXTUAL = ("=", "!=", "LIKE", "ILIKE")


class Token(NamedTuple):
    kind: str
    text: str


class Clause(NamedTuple):
    """`value`: a text, a number, a tuple of texts (IN), or None (IS NULL)."""

    entity: Entity
    key: str
    operator: str
    value: str | float | tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Subject:
    """What can be asked of a noun: attributes by kind, what they are called besides, which entities, which of them may be null."""

    texts: tuple[str, ...]
    numbers: tuple[str, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    entities: tuple[Entity, ...] = ("attribute", "tag")
    nullable: tuple[Entity, ...] = ("tag", "parameter")
    listed: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    orders_are: str = "attribute"
    text_operators: tuple[str, ...] = TEXTUAL
    number_operators: tuple[str, ...] = ORDERING


def parse_filter(text: str, subject: Subject) -> list[Clause]:
    if len(text) > FILTER_MAX_CHARS:
        raise MlflowError(f"A filter has at most {FILTER_MAX_CHARS} characters")
    tokens = list(_tokens(text))
    clauses: list[Clause] = []
    at = 0
    while at < len(tokens):
        if clauses:
            if tokens[at].text.upper() != "AND":
                raise _invalid_clause(tokens[at:])
            at += 1
            if at == len(tokens):
                raise _invalid_clause(tokens[-1:])
        clause, at = _clause(tokens, at, subject)
        clauses.append(clause)
    if len(clauses) > FILTER_COMPARISONS_MAX_COUNT:
        raise MlflowError(f"A filter has at most {FILTER_COMPARISONS_MAX_COUNT} comparisons")
    return clauses


def _tokens(text: str) -> Iterator[Token]:
    end = len(text.rstrip())
    at = 0
    while at < end:
        found = _TOKEN.match(text, at)
        assert found is not None and found.lastgroup is not None
        yield Token(found.lastgroup, found[found.lastgroup])
        at = found.end()


def _invalid_clause(tokens: Sequence[Token]) -> MlflowError:
    shown = " ".join(token.text for token in tokens)[:300]
    return MlflowError(f"Invalid clause(s) in filter string: '{shown}'")


def _clause(tokens: Sequence[Token], at: int, subject: Subject) -> tuple[Clause, int]:
    rest = tokens[at:]
    if len(rest) < 2 or rest[0].kind != "name":
        raise _invalid_clause(rest)
    words = [token.text.upper() for token in rest[1:4]]
    if words[:1] == ["IS"]:
        operator = "IS NULL" if words[1:2] == ["NULL"] else "IS NOT NULL" if words[1:3] == ["NOT", "NULL"] else ""
        if not operator:
            raise _invalid_clause(rest)
        entity, key = identifier(rest[0].text, subject, subject.texts + subject.numbers)
        if entity not in subject.nullable:
            raise MlflowError(
                f"IS NULL / IS NOT NULL is only supported for tags and params, not for '{entity}' '{key}'"
            )
        return Clause(entity, key, operator, None), at + 1 + len(operator.split())
    operator, length = ("NOT IN", 2) if words[:2] == ["NOT", "IN"] else (words[0], 1)
    if rest[1].kind != "operator" and operator not in ("LIKE", "ILIKE", "IN", "NOT IN"):
        raise _invalid_clause(rest)
    if len(rest) < 2 + length:
        raise _invalid_clause(rest)
    said = rest[1 + length]
    if said.kind == "other" or (said.kind == "name" and said.text.upper() in _KEYWORDS):
        raise _invalid_clause(rest)
    entity, key = identifier(rest[0].text, subject, subject.texts + subject.numbers)
    value = _value(entity, key, said, subject)
    _check_operator(entity, key, operator, subject)
    if isinstance(value, tuple) != (operator in ("IN", "NOT IN")):
        raise _invalid_clause(rest)
    return Clause(entity, key, operator, value), at + 2 + length


def identifier(text: str, subject: Subject, attributes: Sequence[str], called: str = "attribute") -> tuple[Entity, str]:
    """`metrics.loss` as entity and key; without a prefix an attribute. `called`: what a refusal calls that."""
    prefix, dot, key = text.partition(".")
    if not dot or (text[0] in '"`' and text[-1] == text[0] and text[0] not in text[1:-1]):
        prefix, key = "attribute", text
    entity = _ENTITIES.get(_unquoted(prefix))
    if entity is None or entity not in subject.entities:
        raise MlflowError(f"Invalid entity type '{prefix}'. Valid values are {list(subject.entities)}")
    key = _unquoted(key)
    if entity == "attribute":
        key = dict(subject.aliases).get(key, key)
        if key not in attributes:
            raise MlflowError(f"Invalid {called} key '{key}' specified. Valid keys are '{list(attributes)}'")
    elif entity == "dataset" and key not in ("name", "digest", "context"):
        raise MlflowError(f"Invalid dataset key '{key}' specified. Valid keys are 'name', 'digest', 'context'")
    return entity, key


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) >= 2 and text[0] == text[-1] and text[0] in "\"'`" else text


def _value(entity: Entity, key: str, token: Token, subject: Subject) -> str | float | tuple[str, ...]:
    is_text = token.kind == "text" or (
        token.kind == "name" and len(token.text) > 1 and token.text[0] == '"' == token.text[-1]
    )
    if entity == "metric" or (entity == "attribute" and key in subject.numbers):
        if token.kind != "name" or not _NUMBER.fullmatch(token.text):
            what = "metric" if entity == "metric" else f"numeric attribute: {key}"
            raise MlflowError(f"Expected numeric value type for {what}. Found {token.text}")
        return float(token.text)
    if token.kind == "list":
        if entity == "attribute" and key not in subject.listed:
            raise MlflowError("Only the 'run_id' attribute supports comparison with a list of quoted string values.")
        if entity in ("attribute", "dataset"):
            return _listed(token.text)
    if not is_text:
        what = {"parameter": "parameter (e.g. 'my-value')", "tag": "tag (e.g. 'my-value')"}.get(
            entity, f"{entity} attributes"
        )
        if entity == "attribute":
            what = "attributes"
        if not _NUMBER.fullmatch(token.text) and token.kind == "name":
            raise MlflowError(
                "Parameter value is either not quoted or unidentified quote types used for string value"
                f" {token.text}. Use either single or double quotes."
            )
        raise MlflowError(f"Expected a quoted string value for {what}. Got value {token.text}")
    return _unquoted(token.text)


def _listed(text: str) -> tuple[str, ...]:
    inside = text[1:-1].strip()
    values: list[str] = []
    at = 0
    if not inside:
        raise MlflowError(
            "While parsing a list in the query, expected a non-empty list of string values, but got empty list"
        )
    while at < len(inside):
        found = _ITEM.match(inside, at)
        if found is None and inside[at:].lstrip()[:1] == ",":
            raise MlflowError(
                "While parsing a list in the query, expected a non-empty list of string values, but got ill-formed list"
                f" {text[:300]}"
            )
        if found is None:
            raise MlflowError(
                "While parsing a list in the query, expected string value, punctuation, or whitespace, but got different type in"
                f" list: {text[:300]}"
            )
        values.append(found[1] if found[1] is not None else found[2])
        at = found.end()
    if len(values) > FILTER_LIST_MAX_COUNT:
        raise MlflowError(f"A list has at most {FILTER_LIST_MAX_COUNT} values")
    return tuple(values)


def _check_operator(entity: Entity, key: str, operator: str, subject: Subject) -> None:
    if entity == "metric" or (entity == "attribute" and key in subject.numbers):
        known = ORDERING if entity == "metric" else subject.number_operators
    elif entity == "dataset":
        known = (*TEXTUAL, "IN", "NOT IN")
    elif entity == "attribute":
        known = (*subject.text_operators, "IN", "NOT IN") if key in subject.listed else subject.text_operators
    else:
        known = TEXTUAL
    if operator not in known:
        raise MlflowError(f"Invalid comparator '{operator}' not one of '{set(known)}'")


def parse_order(text: str, subject: Subject) -> tuple[Entity, str, bool]:
    """Entity, key, and whether the order descends."""
    tokens = list(_tokens(text))
    if not tokens or tokens[0].kind != "name":
        raise MlflowError(f"Invalid order_by clause '{text}'. Could not be parsed.")
    if len(tokens) > 2:
        raise MlflowError(f"Invalid order_by clause '{text}'. Could not be parsed.")
    direction = tokens[1].text.lower() if len(tokens) == 2 else "asc"
    if direction not in ("asc", "desc"):
        raise MlflowError(f"Invalid ordering key in order_by clause '{text}'.")
    entity, key = identifier(tokens[0].text, subject, subject.orders, subject.orders_are)
    return entity, key, direction == "desc"
