"""Filters and orders as SQL. Values travel as parameters only; what a comparison means is said in `query/syntax.py`."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from lineal.query.evaluate import Operand, is_text_field, operand_of
from lineal.query.syntax import Comparison, Field
from lineal.store.contracts import RunQuery
from lineal.store.sql.catalog import Catalog
from lineal.store.sql.overlay import overlay_metrics

_ATTRIBUTES = {
    "run_id": "r.run_id",
    "name": "r.name",
    "status": "r.status",
    "experiment": "e.name",
    "experiment_id": "e.experiment_id",
    "user_id": "r.user_id",
    "parent_run_id": "r.parent_run_id",
    "start_time": "r.started_ms",
    "end_time": "r.ended_ms",
    "duration": "CASE WHEN r.ended_ms IS NOT NULL THEN max(0, r.ended_ms - r.started_ms) END",
}
_OPERATORS = {"=": "=", "!=": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">="}


class Sql(NamedTuple):
    """A piece of a statement and its parameters."""

    text: str
    values: tuple[object, ...] = ()


_NEVER = Sql("0 = 1")


def search_runs(
    connection: sqlite3.Connection, catalog: Catalog, tenant: int, query: RunQuery
) -> tuple[list[int], int]:
    """Numbers of the runs on the page, in order, and how many match in all."""
    fields = [comparison.field for comparison in query.filter or ()] + ([query.order.field] if query.order else [])
    metrics = {field.name for field in fields if field.kind == "metric"}
    has_overlay = bool(metrics) and overlay_metrics(connection, catalog, tenant, metrics)
    compiler = _Compiler(connection, tenant, has_overlay)
    conditions = [Sql("r.tenant = ?", (tenant,))]
    if query.lifecycle is not None:
        conditions.append(Sql("r.is_deleted = ?", (query.lifecycle == "deleted",)))
    if query.experiments is not None:
        names = ", ".join("?" * len(query.experiments))
        conditions.append(Sql(f"e.name IN ({names})", query.experiments) if names else _NEVER)
    conditions += [compiler.condition(comparison) for comparison in query.filter or ()]
    joins, order = compiler.order(query.order.field, query.order.descending) if query.order else (Sql(""), "")
    source = f"FROM run r JOIN experiment e ON e.pk = r.experiment{joins.text}"
    where = " AND ".join(f"({condition.text})" for condition in conditions)
    values = joins.values + tuple(value for condition in conditions for value in condition.values)
    rows = connection.execute(
        f"SELECT r.pk, count(*) OVER () {source} WHERE {where}"
        f" ORDER BY {order}r.started_ms DESC, r.run_id LIMIT ? OFFSET ?",
        (*values, query.limit, query.offset),
    ).fetchall()
    if rows:
        return [pk for pk, _ in rows], rows[0][1]
    [total] = connection.execute(f"SELECT count(*) {source} WHERE {where}", values).fetchone()
    return [], total


class _Compiler:
    """`has_overlay`: stale runs' metrics are to be looked up in the overlay."""

    def __init__(self, connection: sqlite3.Connection, tenant: int, has_overlay: bool) -> None:
        self._connection = connection
        self._tenant = tenant
        self._has_overlay = has_overlay

    def condition(self, comparison: Comparison) -> Sql:
        field, operator = comparison.field, _OPERATORS[comparison.operator]
        right = operand_of(comparison.value)
        is_text = is_text_field(field)
        if right is None:
            return _NEVER
        if is_text:
            return Sql(f"{_ATTRIBUTES[field.name]} {operator} ?", (right.text,))
        if field.kind in ("param", "tag"):
            return self._exists(field, _value_test(operator, right))
        if right.number is None:
            return _NEVER
        if field.kind == "attribute":
            return Sql(f"{_ATTRIBUTES[field.name]} {operator} ?", (right.number,))
        return self._metric(field, Sql(f"a.number {operator} ?", (right.number,)))

    def _exists(self, field: Field, test: Sql) -> Sql:
        text = f"EXISTS (SELECT 1 FROM attribute a WHERE a.attribute_key = ? AND a.run = r.pk AND ({test.text}))"
        return Sql(text, (self._key(field), *test.values))

    def _metric(self, field: Field, test: Sql) -> Sql:
        indexed = self._exists(field, test)
        if not self._has_overlay:
            return indexed
        fresh = f"EXISTS (SELECT 1 FROM temp.overlay a WHERE a.name = ? AND a.run = r.pk AND {test.text})"
        text = f"CASE r.is_stale WHEN 1 THEN {fresh} ELSE {indexed.text} END"
        return Sql(text, (field.name, *test.values, *indexed.values))

    def order(self, field: Field, descending: bool) -> tuple[Sql, str]:
        """Joins, and the first terms of ORDER BY: numbers, then texts, then runs without a value."""
        direction = "DESC" if descending else "ASC"
        if field.kind == "attribute":
            is_text_field(field)  # raises for an unknown one
            column = _ATTRIBUTES[field.name]
            return Sql(""), f"({column} IS NULL), {column} {direction}, "
        joins = Sql(" LEFT JOIN attribute o ON o.attribute_key = ? AND o.run = r.pk", (self._key(field),))
        number = "o.number"
        if field.kind == "metric" and self._has_overlay:
            joins = Sql(
                f"{joins.text} AND r.is_stale = 0 LEFT JOIN temp.overlay f ON f.name = ? AND f.run = r.pk",
                (*joins.values, field.name),
            )
            number = "coalesce(o.number, f.number)"
        text = "CASE WHEN o.number IS NULL THEN o.text END"
        return joins, f"({number} IS NULL), {number} {direction}, ({text} IS NULL), {text} {direction}, "

    def _key(self, field: Field) -> int | None:
        row = self._connection.execute(
            "SELECT pk FROM attribute_key WHERE tenant = ? AND kind = ? AND name = ?",
            (self._tenant, field.kind, field.name),
        ).fetchone()
        return None if row is None else int(row[0])


def _value_test(operator: str, right: Operand) -> Sql:
    """Of a param or tag in the row `a`, whose text is missing where it is that of its number."""
    if right.number is not None:
        if operator == "<>":
            return Sql("a.number IS NULL OR a.number <> ?", (right.number,))
        return Sql(f"a.number {operator} ?", (right.number,))
    if operator == "=":
        return Sql("a.text = ?", (right.text,))
    return Sql(f"coalesce(a.text, lineal_text(a.number)) {operator} ?", (right.text,))
