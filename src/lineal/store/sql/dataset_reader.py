"""Answers about datasets by themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from lineal.model.datasets import DatasetRun, DatasetVersion, MadeVersion, UsedDataset
from lineal.model.errors import NotFound
from lineal.model.limits import DATASET_NAMES_CHUNK_ROWS, DATASET_PROFILE_LISTED_MAX_CHARS
from lineal.model.lineage import Dataset
from lineal.model.vocabulary import REPRODUCES_TAG
from lineal.store.datasets import (
    MadePage,
    NamesPage,
    NamesQuery,
    Query,
    UsesPage,
    UsesQuery,
    VersionsPage,
    VersionsQuery,
    digests_meant,
    question_of,
    start_of,
)
from lineal.store.place_tokens import Key, token_of
from lineal.store.sql.database import Connection, Row, list_text
from lineal.store.sql.details import read_runs

_USES_ORDER = "u.time_ms DESC, u.digest, r.run_id, u.context"
_BY_ORDER = (
    f"SELECT u.dataset FROM dataset_use u JOIN run r ON r.pk = u.run WHERE {{0}}{{1}} ORDER BY {_USES_ORDER} LIMIT 1"
)
# Asked of each use in turn, the newest first: there are few reproductions before one that is none.
_NO_REPRODUCTION = (
    " AND (SELECT s.value FROM run_setting s WHERE s.run = u.run AND s.kind = 'tag'"
    f" AND s.name = '{REPRODUCES_TAG}') IS NULL"
)
# What the latest use said. `{0}`: of which name, or version.
_LATEST = f"COALESCE(({_BY_ORDER.format('{0}', _NO_REPRODUCTION)}), ({_BY_ORDER.format('{0}', '')}))"
_OF_NAME = "u.dataset_name = n.pk"
_OF_VERSION = "u.dataset_name = v.dataset_name AND u.digest = v.digest"
_NAMES = (
    "SELECT n.pk, n.name, (SELECT count(*) FROM dataset_version v WHERE v.dataset_name = n.pk), n.run_count, n.last_ms,"
    f" {_LATEST.format(_OF_NAME)} FROM dataset_name n"
)
_VERSIONS = (
    f"SELECT v.last_ms, n.name, v.digest, v.run_count, {_LATEST.format(_OF_VERSION)},"
    f" (SELECT min(u.time_ms) FROM dataset_use u WHERE {_OF_VERSION})"
    " FROM dataset_version v JOIN dataset_name n ON n.pk = v.dataset_name WHERE v.tenant = ?"
)
_CALLED = (
    " AND EXISTS (SELECT 1 FROM dataset d JOIN dataset_use u ON u.dataset = d.pk AND u.digest = d.digest"
    " WHERE d.tenant = v.tenant AND d.digest = v.digest AND d.name = n.name AND d.version = ?)"
)
_MADE = (
    "SELECT v.created_ms, v.version_id, m.name, v.number, v.run_id, v.stage FROM model_version v"
    " JOIN registered_model m ON m.pk = v.model WHERE v.tenant = ? AND v.lifecycle = 'active' AND m.lifecycle = 'active'"
    " AND EXISTS (SELECT 1 FROM run r JOIN dataset_use u ON u.run = r.pk"
    " WHERE r.tenant = v.tenant AND r.run_id = v.run_id AND u.name = ?{})"
)
_LISTED = f"CASE WHEN length(profile) <= {DATASET_PROFILE_LISTED_MAX_CHARS} THEN profile END"

Snapshot = Callable[[], AbstractContextManager[tuple[Connection, int]]]
"""A connection within one moment, and the tenant's number."""


class SqlDatasetReader:
    """See `datasets.DatasetReader`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def list_names(self, query: NamesQuery) -> NamesPage:
        start = start_of(query, "names")
        with self._snapshot() as (connection, tenant):
            keys = _find_names(connection, tenant, query, start)
            pks = [pk for pk, _ in keys[: query.limit]]
            found = _named(
                connection,
                connection.execute(
                    f"{_NAMES} WHERE n.pk IN (SELECT value FROM json_each(?))", (list_text(pks),)
                ).fetchall(),
            )
        page = [found[pk] for pk in pks]
        return NamesPage(page, _token(query, "names", [list(place) for _, place in keys]))

    def get_name(self, name: str) -> UsedDataset:
        with self._snapshot() as (connection, tenant):
            rows = connection.execute(f"{_NAMES} WHERE n.tenant = ? AND n.name = ?", (tenant, name)).fetchall()
            for found in _named(connection, rows).values():
                return found
        raise NotFound(f"no run used a dataset {name!r:.80}", field="name")

    def list_versions(self, query: VersionsQuery) -> VersionsPage:
        start = start_of(query, "versions")
        sql, values = _VERSIONS, []
        if query.name is not None:
            sql += " AND v.dataset_name = (SELECT pk FROM dataset_name WHERE tenant = ? AND name = ?)"
        if query.digest is not None:
            sql += " AND v.digest >= ? AND v.digest < ?"
        if query.version is not None:
            sql += _CALLED
        if start is not None:
            last_ms, name, digest = start
            sql += " AND v.last_ms <= ? AND (v.last_ms < ? OR n.name > ? OR (n.name = ? AND v.digest > ?))"
            values = [-int(last_ms), -int(last_ms), name, name, digest]
        with self._snapshot() as (connection, tenant):
            of_name = () if query.name is None else (tenant, query.name)
            of_digest = () if query.digest is None else digests_meant(query.digest)
            called = () if query.version is None else (query.version,)
            rows = connection.execute(
                f"{sql} ORDER BY v.last_ms DESC, n.name, v.digest LIMIT ?",
                (tenant, *of_name, *of_digest, *called, *values, query.limit + 1),
            ).fetchall()
            page = _versions(connection, rows[: query.limit], whole=False)
        return VersionsPage(page, _token(query, "versions", [[-row[0], *row[1:3]] for row in rows]))

    def get_version(self, name: str, digest: str) -> DatasetVersion:
        with self._snapshot() as (connection, tenant):
            rows = connection.execute(
                f"{_VERSIONS} AND n.tenant = ? AND n.name = ? AND v.digest = ?", (tenant, tenant, name, digest)
            ).fetchall()
            for found in _versions(connection, rows, whole=True):
                return found
        raise NotFound(f"no run used a dataset {name!r:.80} of the digest {digest!r:.80}", field="digest")

    def list_uses(self, query: UsesQuery) -> UsesPage:
        start = start_of(query, "uses")
        behind, values = "", []
        if start is not None:
            used_ms, digest, run_id, context = -int(start[0]), *start[1:]
            behind = (
                " AND u.time_ms <= ? AND (u.time_ms < ? OR u.digest > ? OR (u.digest = ? AND (r.run_id > ? OR (r.run_id = ?"
                " AND u.context > ?))))"
            )
            values = [used_ms, used_ms, digest, digest, run_id, run_id, context]
        with self._snapshot() as (connection, tenant):
            rows = connection.execute(
                "SELECT u.time_ms, u.digest, r.run_id, u.context, d.version, r.pk FROM dataset_use u JOIN run r ON r.pk = u.run"
                " JOIN dataset d ON d.pk = u.dataset"
                " WHERE u.dataset_name = (SELECT pk FROM dataset_name WHERE tenant = ? AND name = ?)"
                f"{_digest_sql(query)}{behind} ORDER BY {_USES_ORDER} LIMIT ?",
                (tenant, query.name, *_digest_value(query), *values, query.limit + 1),
            ).fetchall()
            page = rows[: query.limit]
            runs = read_runs(connection, sorted({row[5] for row in page}))
        uses = [
            DatasetRun(*(*row[:5], run.name, run.experiment_name, run.status, run.lifecycle))
            for row in page
            for run in (runs[row[5]],)
        ]
        return UsesPage(uses, _token(query, "uses", [[-row[0], *row[1:4]] for row in rows]))

    def list_made(self, query: UsesQuery) -> MadePage:
        start = start_of(query, "made")
        sql, values = _MADE.format(_digest_sql(query)), []
        if start is not None:
            sql += " AND (v.created_ms < ? OR (v.created_ms = ? AND v.version_id > ?))"
            values = [-int(start[0]), -int(start[0]), start[1]]
        with self._snapshot() as (connection, tenant):
            rows = connection.execute(
                f"{sql} ORDER BY v.created_ms DESC, v.version_id LIMIT ?",
                (tenant, query.name, *_digest_value(query), *values, query.limit + 1),
            ).fetchall()
        made = [MadeVersion(*row) for row in rows[: query.limit]]
        return MadePage(made, _token(query, "made", [[-row[0], row[1]] for row in rows]))


def _digest_sql(query: UsesQuery) -> str:
    return "" if query.digest is None else " AND u.digest = ?"


def _digest_value(query: UsesQuery) -> list[str]:
    return [] if query.digest is None else [query.digest]


def _find_names(
    connection: Connection, tenant: int, query: NamesQuery, start: list[Key] | None
) -> list[tuple[int, list[Key]]]:
    """Number and place of one more than the page has."""
    part = query.search.casefold()
    chunk = DATASET_NAMES_CHUNK_ROWS if part else query.limit + 1
    by_name = query.order == "name"
    found: list[tuple[int, list[Key]]] = []
    while True:
        behind, values = "", []
        if start is not None and by_name:
            behind, values = " AND name > ?", [start[0]]
        elif start is not None:
            behind = " AND last_ms <= ? AND (last_ms < ? OR name > ?)"
            values = [-int(start[0]), -int(start[0]), start[1]]
        rows = connection.execute(
            f"SELECT pk, name{'' if by_name else ', last_ms'} FROM dataset_name WHERE tenant = ?{behind}"
            f" ORDER BY {'name' if by_name else 'last_ms DESC, name'} LIMIT ?",
            (tenant, *values, chunk),
        ).fetchall()
        # The search not in SQL, which knows the cases of ASCII only.
        meant = [row for row in rows if part in row[1].casefold()] if part else rows
        found += [(row[0], _place(row, by_name=by_name)) for row in meant[: query.limit + 1 - len(found)]]
        if len(found) > query.limit or len(rows) < chunk:
            return found
        start = _place(rows[-1], by_name=by_name)


def _place(row: Row, *, by_name: bool) -> list[Key]:
    return [row[1]] if by_name else [-row[2], row[1]]


def _token(query: Query, kind: str, places: Sequence[Sequence[Key]]) -> str | None:
    """Of the places of the page and, if there is one, of the entry behind it."""
    if len(places) <= query.limit:
        return None
    return token_of(question_of(query, kind), places[query.limit - 1])


def _named(connection: Connection, rows: Sequence[Row]) -> dict[int, UsedDataset]:
    datasets = _described(connection, [row[5] for row in rows], whole=False)
    return {row[0]: UsedDataset(*(*row[1:5], datasets[row[5]])) for row in rows}


def _versions(connection: Connection, rows: Sequence[Row], *, whole: bool) -> list[DatasetVersion]:
    datasets = _described(connection, [row[4] for row in rows], whole=whole)
    return [
        DatasetVersion(datasets[dataset], run_count, first_ms, last_ms)
        for last_ms, _, _, run_count, dataset, first_ms in rows
    ]


def _described(connection: Connection, pks: Sequence[int], *, whole: bool) -> dict[int, Dataset]:
    rows: list[Any] = connection.execute(
        f"SELECT pk, name, digest, version, source_type, source, {'schema, profile' if whole else f'NULL, {_LISTED}'}"
        " FROM dataset WHERE pk IN (SELECT value FROM json_each(?))",
        (list_text(sorted(set(pks))),),
    ).fetchall()
    return {pk: Dataset(*values) for pk, *values in rows}
