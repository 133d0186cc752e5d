"""Columns of one tenant out of SQLite, for the search engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lineal.model.values import to_json
from lineal.query.syntax import Field
from lineal.series.columns import Int64s
from lineal.store.search.source import RunRows, Values
from lineal.store.sql.database import Connection
from lineal.store.sql.live import LiveMetrics

_RUN_COLUMNS = "r.pk, r.started_ms, r.experiment, r.is_deleted, r.is_stale"
_TEXTS = {
    "run_id": "r.run_id",
    "name": "r.name",
    "status": "r.status",
    "experiment": "coalesce(e.shown, e.name)",
    "experiment_id": "e.experiment_id",
    "user_id": "r.user_id",
    "parent_run_id": "r.parent_run_id",
    "forked_from": "r.forked_from",
    "description": "r.description",
}
_NUMBERS = {
    "start_time": "r.started_ms",
    "end_time": "r.ended_ms",
    "duration": "CASE WHEN r.ended_ms < r.started_ms THEN 0 ELSE r.ended_ms - r.started_ms END",
}


class SqlColumns:
    """See `search.source.ColumnSource`. Lives as long as a snapshot."""

    def __init__(self, connection: Connection, tenant: int, live: LiveMetrics) -> None:
        self._connection = connection
        self._tenant = tenant
        self._live = live
        self._change_number: int | None = None

    def change_number(self) -> int:
        if self._change_number is None:
            self._change_number = read_change_number(self._connection)
        return self._change_number

    def read_runs(self, after: int | None) -> RunRows:
        if after is None:
            sql, values = f"SELECT {_RUN_COLUMNS} FROM {self._runs()} WHERE r.tenant = ?", [self._tenant]
        else:
            sql = f"SELECT {_RUN_COLUMNS} FROM run r WHERE r.tenant = ? AND r.changed > ?"
            values = [self._tenant, after]
        rows = self._connection.execute(sql, values).fetchall()
        number, started_ms, experiment, is_deleted, is_stale = (
            np.array(column, np.int64) for column in _unzipped(rows, 5)
        )
        found = RunRows(number, started_ms, experiment, is_deleted != 0, is_stale != 0)
        if len(number) > 1 and bool((number[1:] < number[:-1]).any()):
            order = np.argsort(number, kind="stable")
            return RunRows(*(array[order] for array in found))
        return found

    def _runs(self) -> str:
        """How all runs are read: in the table's own order, unless most of them are other tenants'."""
        [mine] = self._connection.execute(
            "SELECT coalesce(sum(active + deleted), 0) FROM run_count WHERE tenant = ?", (self._tenant,)
        ).fetchone()
        [last] = self._connection.execute("SELECT coalesce(max(pk), 0) FROM run").fetchone()
        return "run r NOT INDEXED" if mine * 4 >= last else "run r"

    def read_values(self, field: Field, runs: Int64s | None, stale: Int64s) -> Values:
        if field.kind == "attribute":
            return self._attribute(field.name, runs)
        if field.kind == "metric":
            return self._metric(field, runs, stale)
        return self._indexed(field, runs)

    def _attribute(self, name: str, runs: Int64s | None) -> Values:
        column = _TEXTS.get(name) or _NUMBERS[name]
        source = self._runs() if runs is None else "run r"
        if name.startswith("experiment"):
            source += " JOIN experiment said ON said.pk = r.experiment JOIN experiment e ON e.pk = coalesce(said.home, said.pk)"
        rows = self._select(f"SELECT r.pk, {column} FROM {source} WHERE r.tenant = ?", "r.pk", self._tenant, runs)
        pks, values = _unzipped(rows, 2)
        if name in _TEXTS:
            return Values(pks, (), values)
        return Values(pks, values)

    def _indexed(self, field: Field, runs: Int64s | None) -> Values:
        sql = "SELECT a.run, a.number, a.text FROM attribute a WHERE a.attribute_key = ?"
        return Values(*_unzipped(self._select(sql, "a.run", self._key(field), runs), 3))

    def _metric(self, field: Field, runs: Int64s | None, stale: Int64s) -> Values:
        sql = f"SELECT a.run, a.{field.aggregate} FROM metric a WHERE a.attribute_key = ?"
        pks, numbers = _unzipped(self._select(sql, "a.run", self._key(field), runs), 2)
        if not len(stale):
            return Values(pks, numbers)
        live = self._live.values(self._connection, stale.tolist(), field)
        is_stale = set(stale.tolist())
        known = [(pk, number) for pk, number in zip(pks, numbers, strict=True) if pk not in is_stale]
        return Values(*_unzipped([*known, *live.items()], 2))

    def read_run_ids(self, runs: Int64s) -> list[str]:
        sql = "SELECT r.pk, r.run_id FROM run r WHERE r.tenant = ?"
        found: dict[int, str] = dict(self._select(sql, "r.pk", self._tenant, runs))
        return [found[pk] for pk in runs.tolist()]

    def find_experiments(self, names: Sequence[str]) -> list[int]:
        return find_experiments(self._connection, self._tenant, names)

    def _select(self, sql: str, pk: str, of: int | None, runs: Int64s | None) -> list[Any]:
        if runs is None:
            return self._connection.execute(sql, (of,)).fetchall()
        # CROSS JOIN keeps SQLite from walking all runs and looking each up among these.
        head, where = sql.split(" WHERE ")
        select, source = head.split(" FROM ")
        return self._connection.execute(
            f"{select} FROM json_each(?) wanted CROSS JOIN {source} WHERE {where} AND {pk} = wanted.value",
            (to_json(runs.tolist()), of),
        ).fetchall()

    def _key(self, field: Field) -> int | None:
        row = self._connection.execute(
            "SELECT pk FROM attribute_key WHERE tenant = ? AND kind = ? AND name = ?",
            (self._tenant, field.kind, field.name),
        ).fetchone()
        return None if row is None else int(row[0])


def read_change_number(connection: Connection) -> int:
    return int(connection.execute("SELECT change_number FROM lineal_schema").fetchone()[0])


def find_experiments(connection: Connection, tenant: int, names: Sequence[str]) -> list[int]:
    """All by which runs may be found that are in the experiments which the names mean."""
    if not names:
        return []
    rows = connection.execute(
        "SELECT DISTINCT other.pk FROM experiment named"
        " JOIN experiment other ON coalesce(other.home, other.pk) = coalesce(named.home, named.pk)"
        f" WHERE named.tenant = ? AND other.tenant = ? AND named.name IN ({', '.join('?' * len(names))})",
        (tenant, tenant, *names),
    )
    return [pk for (pk,) in rows]


def _unzipped(rows: Sequence[Any], width: int) -> Any:
    return tuple(zip(*rows, strict=True)) if rows else ((),) * width
