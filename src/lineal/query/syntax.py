"""The syntax tree of a filter. The parser builds it; `evaluate` says what it means, and every store agrees with that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["attribute", "param", "metric", "tag", "json", "dataset", "git"]
Aggregate: TypeAlias = Literal["last", "first", "min", "max", "mean", "count"]
Operator: TypeAlias = Literal[
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "not in",
    "between",
    "not between",
    "like",
    "not like",
    "ilike",
    "not ilike",
    "matches",
    "not matches",
    "^=",
    "is null",
    "is not null",
]
Scalar: TypeAlias = str | int | float

ORDERING_OPERATORS: tuple[Operator, ...] = ("=", "!=", "<", "<=", ">", ">=")
PATTERN_OPERATORS: tuple[Operator, ...] = ("like", "not like", "ilike", "not ilike", "matches", "not matches")
LIST_OPERATORS: tuple[Operator, ...] = ("in", "not in", "between", "not between")
NULL_OPERATORS: tuple[Operator, ...] = ("is null", "is not null")

TEXT_ATTRIBUTES = (
    "run_id",
    "name",
    "status",
    "experiment",
    "experiment_id",
    "user_id",
    "parent_run_id",
    "forked_from",
    "description",
)
"""Compared as texts, also where they read as numbers."""
TIME_ATTRIBUTES = ("start_time", "end_time")
"""In ms since the epoch; the language also takes ISO 8601 texts for them."""
NUMBER_ATTRIBUTES = (*TIME_ATTRIBUTES, "duration")
"""duration is in ms (never negative)."""
ATTRIBUTES = (*TEXT_ATTRIBUTES, *NUMBER_ATTRIBUTES)
DATASET_PROPERTIES = ("name", "version", "digest", "context", "source")
GIT_PROPERTIES = ("commit", "branch", "remote", "dirty")


@dataclass(frozen=True, slots=True)
class Field:
    """Left side of a comparison, or what runs are ordered or grouped by.

    A dataset field means those of all datasets that the run used, as one text (`value_sets.py`).
    A git field means the code of the latest attempt that recorded any; "dirty" is a flag, the others are texts.
    A metric means its points without labels, of both value types; `aggregate` says what of them (others than metrics have
    "last"). A json field's name is DOCUMENT.path.to.leaf, a dataset's NAME.property, or property for any dataset."""

    kind: Kind
    name: str
    aggregate: Aggregate = "last"

    @property
    def is_text(self) -> bool:
        """Compared as a text only."""
        if self.kind == "git":
            return self.name != "dirty"
        return self.kind == "dataset" or (self.kind == "attribute" and self.name in TEXT_ATTRIBUTES)

    @property
    def is_number(self) -> bool:
        """Compared as a number only."""
        return self.kind == "metric" or (self.kind == "attribute" and self.name in NUMBER_ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A missing key, a missing value and a NaN satisfy `is null` and nothing else.

    `value` is a tuple for in (one or more) and between (low, high), None for the two of null, else a scalar.

    Params, tags and json values compare as numbers when the right side is a number or text that reads as one and their
    value reads as one too (`values.number_of`; the text "nan" reads as none); if the right side reads as a number and the
    value does not, "=" is false, "!=" is true and an order is false. Otherwise the texts (`values.value_text`) are
    compared by code point. Metrics and number attributes compare as numbers only: with a text that reads as none
    nothing is satisfied. Numbers compare exactly, an int with a float too; an int beyond 64 bits counts as the
    nearest float64.

    Of a dataset field a comparison holds where it holds for one of its values.

    `in` holds where "=" holds for one of its values, `between` where ">=" its low and "<=" its high value hold.
    like, ilike, matches and ^= look at the text, of number-only fields at nothing: `%` stands for any characters and `_`
    for one, over the whole text; ilike compares lower case; matches is an RE2 expression found anywhere in the text; ^= is how
    it starts. `not ...` of these holds where the right side can be compared with the value and the operator does not hold."""

    field: Field
    operator: Operator
    value: Scalar | tuple[Scalar, ...] | None


@dataclass(frozen=True, slots=True)
class And:
    """All parts hold. The parser makes two parts or more; of none, it holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """One part holds or more. The parser makes two parts or more; of none, it does not hold."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The complement: holds exactly where the part does not, so also where a key is missing."""

    part: Filter


Filter: TypeAlias = Comparison | And | Or | Not


@dataclass(frozen=True, slots=True)
class Order:
    """In either direction numbers come before texts, and runs that lack the key (or have NaN) last."""

    field: Field
    descending: bool = False


def comparisons_of(filter: Filter | None) -> Iterator[Comparison]:
    """Every comparison of a filter, in the order written."""
    waiting: list[Filter] = [] if filter is None else [filter]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Comparison):
            yield part
        elif isinstance(part, Not):
            waiting.append(part.part)
        else:
            waiting.extend(reversed(part.parts))


def fields_of(filter: Filter | None) -> tuple[Field, ...]:
    """Every field a filter asks for, once, in the order written."""
    return tuple(dict.fromkeys(comparison.field for comparison in comparisons_of(filter)))
