"""The syntax tree of a filter. Evaluators (memory, SQL) walk it; the parser builds it.

In this release a filter is a conjunction of comparisons; the whole language of the design comes with search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["attribute", "param", "metric", "tag"]
Operator: TypeAlias = Literal["=", "!=", "<", "<=", ">", ">="]

TEXT_ATTRIBUTES = ("run_id", "name", "status", "experiment", "experiment_id", "user_id", "parent_run_id")
"""Compared as texts, also where they read as numbers."""
NUMBER_ATTRIBUTES = ("start_time", "end_time", "duration")
"""start_time and end_time are ms since the epoch, duration is in ms (never negative)."""
ATTRIBUTES = (*TEXT_ATTRIBUTES, *NUMBER_ATTRIBUTES)


@dataclass(frozen=True, slots=True)
class Field:
    """Left side of a comparison, or what runs are ordered by.

    A metric means its last value, labels (); if it was logged with both value types, the one logged last of all."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """A missing key, a missing value and a NaN satisfy no comparison.

    Params and tags compare as numbers when the right side is a number or text that reads as one and their value
    reads as one too (`values.number_of`; the text "nan" reads as none); if the right side reads as a number and the
    value does not, "=" is false, "!=" is true and an order is false. Otherwise the texts (`values.value_text`) are
    compared by code point. Metrics and number attributes compare as numbers only: with a text that reads as none
    nothing is satisfied. Numbers compare exactly, an int with a float too; an int beyond 64 bits counts as the
    nearest float64."""

    field: Field
    operator: Operator
    value: str | int | float


Filter: TypeAlias = tuple[Comparison, ...]
"""All of them must hold."""


@dataclass(frozen=True, slots=True)
class Order:
    """In either direction numbers come before texts, and runs that lack the key (or have NaN) last."""

    field: Field
    descending: bool = False
