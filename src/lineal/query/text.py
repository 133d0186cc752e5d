"""Syntax tree -> text that the parser reads as the same tree."""

from __future__ import annotations

import math
import re

from lineal.query.syntax import And, Comparison, Field, Filter, Not, Order, Scalar

_PREFIXES = {"param": "params", "metric": "metrics", "tag": "tags", "json": "json", "dataset": "datasets", "git": "git"}
_PLAIN = re.compile(r"[A-Za-z0-9_./:@+-]*[A-Za-z0-9_/:@+-]", re.ASCII)


def filter_text(filter: Filter | None) -> str:
    """ValueError for what cannot be written: a NaN, an And or Or of nothing."""
    if filter is None:
        return ""
    if isinstance(filter, Comparison):
        return _comparison_text(filter)
    if isinstance(filter, Not):
        return f"not {_within(filter.part)}"
    if not filter.parts:
        raise ValueError("an And or Or of nothing cannot be written")
    return (" and " if isinstance(filter, And) else " or ").join(_within(part) for part in filter.parts)


def order_text(order: Order) -> str:
    return f"{field_text(order.field)} desc" if order.descending else field_text(order.field)


def field_text(field: Field) -> str:
    """params.lr, min(metrics.val_loss), tags.`odd name`, status ..."""
    if field.kind == "attribute":
        return field.name
    name = field.name
    if not _PLAIN.fullmatch(name):
        name = f"`{name}`" if "`" not in name else '"' + name.replace('"', '""') + '"'
    text = f"{_PREFIXES[field.kind]}.{name}"
    return text if field.aggregate == "last" else f"{field.aggregate}({text})"


def value_literal(value: Scalar) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            raise ValueError("NaN satisfies no comparison and cannot be written")
        return "Infinity" if value > 0 else "-Infinity"
    return repr(value)


def _comparison_text(comparison: Comparison) -> str:
    start = f"{field_text(comparison.field)} {comparison.operator}"
    if comparison.value is None:
        return start
    if not isinstance(comparison.value, tuple):
        return f"{start} {value_literal(comparison.value)}"
    values = [value_literal(value) for value in comparison.value]
    return f"{start} {' and '.join(values)}" if "between" in comparison.operator else f"{start} ({', '.join(values)})"


def _within(part: Filter) -> str:
    text = filter_text(part)
    return text if isinstance(part, (Comparison, Not)) else f"({text})"
