"""Questions about many runs. The list without filter and order walks an index; everything else is worked out in Python
on the values of all runs, as the reference does: right, and slow."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from lineal.model.entities import Run
from lineal.model.values import ParamValue
from lineal.query.evaluate import check_field, check_question
from lineal.query.syntax import ATTRIBUTES, Field, Kind, fields_of
from lineal.store.contracts import Changes, Counts, GroupPage, GroupQuery, RunPage, RunQuery
from lineal.store.json_leaves import leaves_of_documents
from lineal.store.page_tokens import Place, make_token, read_token
from lineal.store.reference import Candidate, frequent_values, groups_of, page_of
from lineal.store.rules import attribute_of
from lineal.store.sql.catalog import Catalog
from lineal.store.sql.details import read_details, read_runs

if TYPE_CHECKING:
    from lineal.model.entities import RunDetails
    from lineal.store.summaries import PieceStats


class Search(NamedTuple):
    """One question within one snapshot."""

    connection: sqlite3.Connection
    catalog: Catalog
    tenant: int

    def page(self, query: RunQuery) -> RunPage:
        if query.filter is None and not query.order and query.limit >= 0:
            return self._newest(query)
        check_question(query.filter, query.order)
        fields = {*fields_of(query.filter), *(order.field for order in query.order)}
        return page_of(self._candidates(fields), query)

    def groups(self, query: GroupQuery) -> GroupPage:
        check_question(query.filter, (), (*query.by, *query.metrics))
        return groups_of(self._candidates({*fields_of(query.filter), *query.by, *query.metrics}), query)

    def names(self, kind: Kind, prefix: str, limit: int) -> list[str]:
        names: Iterable[str] = ATTRIBUTES if kind == "attribute" else ()
        if kind == "json":
            runs = self._documents("JOIN run ON run.pk = run_setting.run WHERE run.tenant = ?", self.tenant)
            names = {path for documents in runs.values() for path in leaves_of_documents(documents)}
        elif kind == "metric":
            # The index knows those that were compacted, this also the others.
            sql = "SELECT name FROM series_key WHERE tenant = ? AND labels = '[]'"
            names = {name for (name,) in self.connection.execute(sql, (self.tenant,))}
        elif kind in ("param", "tag"):
            sql = "SELECT name FROM attribute_key WHERE tenant = ? AND kind = ?"
            names = {name for (name,) in self.connection.execute(sql, (self.tenant, kind))}
        return sorted(name for name in names if name.startswith(prefix))[:limit]

    def values(self, field: Field, prefix: str, limit: int) -> list[str]:
        check_field(field, "field")
        return frequent_values(self._candidates({field}), field, prefix, limit)

    def counts(self) -> Counts:
        sql = (
            "SELECT e.experiment_id, r.is_deleted, count(*) FROM run r JOIN experiment e ON e.pk = r.experiment"
            " WHERE r.tenant = ? GROUP BY r.experiment, r.is_deleted"
        )
        by_experiment: dict[str, int] = {}
        deleted = 0
        for experiment_id, is_deleted, count in self.connection.execute(sql, (self.tenant,)):
            if is_deleted:
                deleted += count
            else:
                by_experiment[experiment_id] = count
        return Counts(sum(by_experiment.values()), deleted, by_experiment)

    def changes(self, after: int) -> Changes:
        row = self.connection.execute("SELECT change_number FROM lineal_schema").fetchone()
        number = 0 if row is None else int(row[0])
        return Changes(number, [], after == number)

    # -- inside --------------------------------------------------------------------------------------------

    def _newest(self, query: RunQuery) -> RunPage:
        start = read_token(query)
        conditions, values = ["r.tenant = ?"], [self.tenant]
        told: list[object] = list(values)
        if query.lifecycle is not None:
            conditions.append("r.is_deleted = ?")
            told.append(query.lifecycle == "deleted")
        if query.experiments is not None:
            conditions.append(f"e.name IN ({', '.join('?' * len(query.experiments))})")
            told += query.experiments
        source = f"FROM run r JOIN experiment e ON e.pk = r.experiment WHERE {' AND '.join(conditions)}"
        [total] = self.connection.execute(f"SELECT count(*) {source}", told).fetchone()
        if start is not None:
            source += " AND (r.started_ms < ? OR r.started_ms = ? AND r.run_id > ?)"
            told += [start.started_ms, start.started_ms, start.run_id]
        pks = [
            pk
            for (pk,) in self.connection.execute(
                f"SELECT r.pk {source} ORDER BY r.started_ms DESC, r.run_id LIMIT ? OFFSET ?",
                (*told, query.limit + 1, query.offset),
            )
        ]
        runs = read_runs(self.connection, pks[: query.limit])
        page = [runs[pk] for pk in pks[: query.limit]]
        has_more = bool(page) and len(pks) > query.limit
        return RunPage(
            page, total, make_token(query, Place((), page[-1].started_ms, page[-1].run_id)) if has_more else None
        )

    def _candidates(self, fields: Iterable[Field]) -> list[Candidate]:
        kinds = {field.kind for field in fields}
        pks = [pk for (pk,) in self.connection.execute("SELECT pk FROM run WHERE tenant = ?", (self.tenant,))]
        if kinds <= {"attribute", "dataset", "git"}:
            return [Candidate(run, partial(_attribute, run)) for run in read_runs(self.connection, pks).values()]
        details = read_details(self.connection, pks)
        metrics = self._metrics(pks) if "metric" in kinds else {}
        of_tenant = "JOIN run ON run.pk = run_setting.run WHERE run.tenant = ?"
        documents = self._documents(of_tenant, self.tenant) if "json" in kinds else {}
        return [
            Candidate(known.run, _lookup(known, metrics.get(pk, {}), documents.get(pk, {})))
            for pk, known in details.items()
        ]

    def _documents(self, condition: str, *values: object) -> dict[int, dict[str, str]]:
        found: dict[int, dict[str, str]] = {}
        sql = (
            f"SELECT run_setting.run, run_setting.name, run_setting.value FROM run_setting {condition}"
            " AND run_setting.kind = 'document' AND run_setting.value IS NOT NULL"
        )
        for run, name, value in self.connection.execute(sql, values):
            found.setdefault(run, {})[name] = value
        return found

    def _metrics(self, pks: list[int]) -> dict[int, dict[str, list[PieceStats]]]:
        from lineal.store.sql.summary_reader import read_pieces

        found: dict[int, dict[str, list[PieceStats]]] = {}
        for run, series in read_pieces(self.connection, self.catalog, pks).items():
            for pk, pieces in series.items():
                key = self.catalog.series_key(self.connection, pk)
                if not key.labels:
                    found.setdefault(run, {}).setdefault(key.name, []).extend(pieces)
        return found


def _attribute(run: Run, field: Field) -> ParamValue:
    return attribute_of(run, field.name) if field.kind == "attribute" else None


def _lookup(
    details: RunDetails, metrics: dict[str, list[PieceStats]], documents: dict[str, str]
) -> Callable[[Field], ParamValue]:
    leaves = leaves_of_documents(documents)

    def look_up(field: Field) -> ParamValue:
        if field.kind == "param":
            return details.params.get(field.name)
        if field.kind == "tag":
            return details.tags.get(field.name)
        if field.kind == "json":
            return leaves.get(field.name)
        if field.kind == "metric":
            from lineal.store.summaries import aggregate_of

            return aggregate_of(metrics.get(field.name, ()), field.aggregate)
        return _attribute(details.run, field)

    return look_up
