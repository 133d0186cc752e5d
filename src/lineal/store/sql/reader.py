"""Answers about one tenant. Every method reads one snapshot; what needs numpy is imported when it is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lineal.model.captures import Capture
from lineal.model.entities import Cursor, Experiment, Run, RunDetails, SeriesInfo
from lineal.model.errors import NotFound
from lineal.model.lineage import DatasetSummary, DatasetUse, LoggedModel, ModelFile
from lineal.model.lineage_graph import LineageGraph, LineageQuery
from lineal.model.vocabulary import Labels, Lifecycle
from lineal.query.evaluate import check_field
from lineal.query.syntax import Field, Kind
from lineal.store.captures import CapturePage, CaptureQuery, latest_first
from lineal.store.console import ConsolePage, ConsoleQuery
from lineal.store.contracts import (
    AuditQuery,
    AuditRow,
    BucketPiece,
    ChainHead,
    Changes,
    Counts,
    ExperimentPage,
    GroupPage,
    GroupQuery,
    Piece,
    RunPage,
    RunQuery,
    SeriesName,
)
from lineal.store.lineage import ModelPage, ModelQuery, in_order_said, largest
from lineal.store.lineage_graph import walk
from lineal.store.lineage_start import check, find_start
from lineal.store.sql.audit import read_audit, read_chain_head, search_audit
from lineal.store.sql.capture_reader import read_captures, read_latest, read_page
from lineal.store.sql.catalog import NO_TENANT, Catalog
from lineal.store.sql.console import read_console
from lineal.store.sql.cursors import read_cursor, read_lapsed
from lineal.store.sql.database import Connection, Database
from lineal.store.sql.dataset_reader import SqlDatasetReader
from lineal.store.sql.details import read_details, read_runs
from lineal.store.sql.experiment_reader import read_experiments
from lineal.store.sql.links import SqlLinks
from lineal.store.sql.logged_models import ModelReader, read_datasets, read_digests
from lineal.store.sql.loose_files import find_loose, list_loose, read_loose_digests
from lineal.store.sql.ranges import Range
from lineal.store.sql.registry_reader import SqlRegistryReader, read_version_digests
from lineal.store.sql.search import is_plain, newest_page, read_changes, read_names, read_run_counts
from lineal.store.sql.uses import read_dataset_uses
from lineal.store.sql.webhooks import SqlWebhookReader

if TYPE_CHECKING:
    from lineal.store.search.engine import SearchEngine
    from lineal.store.sql.columns import SqlColumns
    from lineal.store.sql.engines import Engines
    from lineal.store.sql.series_reader import SeriesReader

IDS_OF_STATEMENT = 10_000  # SQLite takes 32,766 parameters


class SqlReader:
    """See `contracts.TenantReader`."""

    def __init__(self, database: Database, catalog: Catalog, engines: Engines, tenant: str) -> None:
        self._database = database
        self._catalog = catalog
        self._engines = engines
        self._name = tenant

    # -- runs ----------------------------------------------------------------------------------------------

    def get_run(self, run_id: str) -> Run:
        with self._snapshot() as (connection, tenant):
            pk = find_runs(connection, tenant, [run_id])[run_id]
            return read_runs(connection, [pk])[pk]

    def find_run_ids(self, prefix: str, limit: int = 2) -> list[str]:
        with self._snapshot() as (connection, tenant):
            rows = connection.execute(
                "SELECT run_id FROM run WHERE tenant = ? AND run_id >= ? ORDER BY run_id LIMIT ?",
                (tenant, prefix, max(limit, 1)),
            ).fetchall()
        found = [run_id for (run_id,) in rows if run_id.startswith(prefix)]
        return [prefix] if prefix in found else found[:limit]

    def list_runs(self, query: RunQuery) -> RunPage:
        if is_plain(query):
            with self._snapshot() as (connection, tenant):
                page = newest_page(connection, tenant, query)
            if page is not None:
                return page
        with self._search() as (engine, columns, connection):
            found = engine.page(columns, query)
            runs = read_runs(connection, found.runs)
            return RunPage([runs[pk] for pk in found.runs], found.total, found.next_token)

    def list_groups(self, query: GroupQuery) -> GroupPage:
        from lineal.store.reference import check_groups

        check_groups(query)
        with self._search() as (engine, columns, _):
            return engine.groups(columns, query)

    def list_names(self, kind: Kind, prefix: str = "", limit: int = 100) -> list[str]:
        with self._snapshot() as (connection, tenant):
            return read_names(connection, tenant, kind, prefix, limit)

    def list_values(self, field: Field, prefix: str = "", limit: int = 20) -> list[str]:
        check_field(field, "field")
        with self._search() as (engine, columns, _):
            return engine.frequent_values(columns, field, prefix, limit)

    def count_runs(self) -> Counts:
        with self._snapshot() as (connection, tenant):
            return read_run_counts(connection, tenant)

    def list_changes(self, after: int, limit: int = 1_000) -> Changes:
        with self._snapshot() as (connection, tenant):
            return read_changes(connection, tenant, after, limit)

    def get_details(self, run_id: str) -> RunDetails:
        return self.get_details_of([run_id])[0]

    def get_details_of(self, run_ids: Sequence[str]) -> list[RunDetails]:
        with self._snapshot() as (connection, tenant):
            pks = find_runs(connection, tenant, run_ids)
            details = read_details(connection, list(pks.values()))
            return [details[pks[run_id]] for run_id in run_ids]

    def get_document(self, run_id: str, name: str) -> str:
        with self._snapshot() as (connection, tenant):
            pk = find_runs(connection, tenant, [run_id])[run_id]
            row = connection.execute(
                "SELECT value FROM run_setting WHERE run = ? AND kind = 'document' AND name = ?", (pk, name)
            ).fetchone()
        if row is None:
            raise NotFound(f"run {run_id:.80} has no document {name!r:.80}", field="name")
        return str(row[0])

    def list_captures(self, run_id: str) -> list[Capture]:
        with self._snapshot() as (connection, tenant):
            pk = find_runs(connection, tenant, [run_id])[run_id]
            return latest_first(read_captures(connection, [pk]).get(pk, ()))

    def read_captures(self, run_id: str, query: CaptureQuery) -> CapturePage:
        with self._snapshot() as (connection, tenant):
            return read_page(connection, find_runs(connection, tenant, [run_id])[run_id], query)

    def find_capture(self, run_id: str, part: str) -> Capture | None:
        return self.get_captures_of([run_id], [part])[0].get(part)

    def get_captures_of(self, run_ids: Sequence[str], parts: Sequence[str]) -> list[dict[str, Capture]]:
        with self._snapshot() as (connection, tenant):
            pks = find_runs(connection, tenant, run_ids)
            found = read_latest(connection, list(pks.values()), parts)
            return [found.get(pks[run_id], {}) for run_id in run_ids]

    def read_console(self, run_id: str, query: ConsoleQuery) -> ConsolePage:
        with self._snapshot() as (connection, tenant):
            return read_console(connection, find_runs(connection, tenant, [run_id])[run_id], query)

    # -- datasets and logged models ------------------------------------------------------------------------

    def list_dataset_uses(self, run_ids: Sequence[str]) -> list[list[DatasetUse]]:
        with self._snapshot() as (connection, tenant):
            pks = find_runs(connection, tenant, run_ids)
            found = read_dataset_uses(connection, pks.values(), whole=True)
        return [in_order_said(found.get(pks[run_id], {}).values()) for run_id in run_ids]

    def list_datasets(self, experiments: Sequence[str], limit: int = 1_000) -> list[DatasetSummary]:
        with self._snapshot() as (connection, tenant):
            return read_datasets(connection, tenant, experiments, limit)

    def get_logged_model(self, model_id: str) -> LoggedModel:
        with self._snapshot() as (connection, tenant):
            return ModelReader(connection, self._catalog, tenant).get(model_id)

    def list_logged_models(self, query: ModelQuery) -> ModelPage:
        with self._snapshot() as (connection, tenant):
            return ModelReader(connection, self._catalog, tenant).page(query)

    def find_lineage(self, query: LineageQuery) -> LineageGraph:
        check(query)
        with self._snapshot() as (connection, tenant):
            links = SqlLinks(connection, tenant)
            return walk(links, find_start(self, links, query), query)

    # -- loose files ---------------------------------------------------------------------------------------

    def find_loose_file(self, path: str) -> ModelFile | None:
        with self._snapshot() as (connection, tenant):
            return find_loose(connection, tenant, path)

    def list_loose_files(self, folder: str = "") -> dict[str, ModelFile]:
        with self._snapshot() as (connection, tenant):
            return list_loose(connection, tenant, folder)

    # -- series --------------------------------------------------------------------------------------------

    def list_series(self, run_id: str) -> list[SeriesInfo]:
        return self.list_summaries([run_id])[0]

    def list_summaries(self, run_ids: Sequence[str]) -> list[list[SeriesInfo]]:
        from lineal.store.sql.summary_reader import read_series_infos

        with self._snapshot() as (connection, tenant):
            pks = find_runs(connection, tenant, run_ids)
            infos = read_series_infos(connection, self._catalog, list(pks.values()))
            return [infos[pks[run_id]] for run_id in run_ids]

    def read_points(
        self,
        run_id: str,
        name: str,
        labels: Labels = (),
        *,
        step_min: float | None = None,
        step_max: float | None = None,
    ) -> list[Piece]:
        return self.read_points_of([(run_id, (name, labels))], step_min=step_min, step_max=step_max)[0]

    def read_points_of(
        self,
        wanted: Sequence[tuple[str, SeriesName]],
        *,
        step_min: float | None = None,
        step_max: float | None = None,
    ) -> list[list[Piece]]:
        with self._snapshot() as (connection, tenant):
            pks = find_runs(connection, tenant, [run_id for run_id, _ in wanted])
            series = self._series(connection, tenant, len(wanted))
            steps = Range(step_min, step_max)
            return [series.points(pks[run_id], name, steps) for run_id, name in wanted]

    def read_buckets(
        self,
        wanted: Sequence[tuple[str, SeriesName]],
        max_points: int,
        *,
        step_min: float | None = None,
        step_max: float | None = None,
    ) -> list[list[BucketPiece]]:
        with self._snapshot() as (connection, tenant):
            pks = find_runs(connection, tenant, [run_id for run_id, _ in wanted])
            series = self._series(connection, tenant, len(wanted))
            steps = Range(step_min, step_max)
            return [series.buckets(pks[run_id], name, max_points, steps) for run_id, name in wanted]

    def _series(self, connection: Connection, tenant: int, wanted_count: int) -> SeriesReader:
        from lineal.store.sql.series_reader import SeriesReader

        return SeriesReader(connection, self._catalog, tenant, wanted_count)

    # -- experiments, cursors, audit -----------------------------------------------------------------------

    def get_experiment(self, experiment_id: str) -> Experiment:
        with self._snapshot() as (connection, tenant):
            found = read_experiments(connection, tenant, "experiment_id", experiment_id)
        if not found:
            raise NotFound(f"no experiment has the id {experiment_id!r:.80}", field="experiment_id")
        return found[0]

    def find_experiment(self, name: str) -> Experiment | None:
        with self._snapshot() as (connection, tenant):
            found = read_experiments(connection, tenant, "name", name)
        return found[0] if found else None

    def list_experiments(
        self,
        *,
        search: str | None = None,
        lifecycle: Lifecycle | None = "active",
        limit: int = 100,
        offset: int = 0,
    ) -> ExperimentPage:
        with self._snapshot() as (connection, tenant):
            found = [
                experiment
                for experiment in read_experiments(connection, tenant)
                if lifecycle in (None, experiment.lifecycle)
                # Not in SQL, which knows the cases of ASCII only.
                and (search is None or search.casefold() in experiment.name.casefold())
            ]
        return ExperimentPage(found[offset : offset + limit], len(found))

    def datasets(self) -> SqlDatasetReader:
        return SqlDatasetReader(self._snapshot)

    def registry(self) -> SqlRegistryReader:
        return SqlRegistryReader(self._snapshot)

    def webhooks(self) -> SqlWebhookReader:
        return SqlWebhookReader(self._snapshot)

    def find_cursor(self, writer: str) -> Cursor | None:
        with self._snapshot() as (connection, tenant):
            return read_cursor(connection, tenant, writer)

    def list_lapsed(self, now_ms: int, limit: int = 1_000) -> list[Cursor]:
        with self._snapshot() as (connection, tenant):
            return read_lapsed(connection, tenant, now_ms, limit)

    def list_audit(self, *, after: int = 0, limit: int = 1_000) -> list[AuditRow]:
        with self._snapshot() as (connection, tenant):
            return read_audit(connection, tenant, after, limit)

    def find_audit(self, query: AuditQuery) -> list[AuditRow]:
        with self._snapshot() as (connection, tenant):
            return search_audit(connection, tenant, query)

    def find_chain_head(self) -> ChainHead | None:
        with self._snapshot() as (connection, tenant):
            return read_chain_head(connection, tenant, self._name)

    def list_digests(self, beginning: str = "") -> dict[str, int | None]:
        with self._snapshot() as (connection, tenant):
            rows = connection.execute(
                "SELECT digest, max(size_bytes) FROM artifact JOIN run ON run.pk = artifact.run"
                " WHERE run.tenant = ? AND uri IS NULL AND digest LIKE ? GROUP BY digest",
                (tenant, f"{beginning}%"),
            ).fetchall()
            named = read_version_digests(connection, tenant, beginning)
            loose = read_loose_digests(connection, tenant, beginning)
            return largest([*rows, *read_digests(connection, tenant, beginning), *named, *loose])

    # -- inside --------------------------------------------------------------------------------------------

    @contextmanager
    def _search(self) -> Iterator[tuple[SearchEngine, SqlColumns, Connection]]:
        """The snapshot begins under the engine's lock, so that what the engine knows is never ahead of it."""
        from lineal.store.sql.columns import SqlColumns

        with self._engines.of(self._name) as (engine, live), self._snapshot() as (connection, tenant):
            yield engine, SqlColumns(connection, tenant, live), connection

    @contextmanager
    def _snapshot(self) -> Iterator[tuple[Connection, int]]:
        """A connection within one moment, and the tenant's number."""
        tenant = self._catalog.find_tenant(self._name)
        with self._database.snapshot(tenant) as connection:
            if tenant is None:
                tenant = self._catalog.read_tenant(connection, self._name)
                if tenant is None:
                    yield connection, NO_TENANT
                    return
                self._database.enter(connection, tenant)
            yield connection, tenant


def find_runs(connection: Connection, tenant: int, run_ids: Sequence[str]) -> dict[str, int]:
    """Run id -> number; NotFound names the first that there is none of."""
    found: dict[str, int] = {}
    for first in range(0, len(run_ids), IDS_OF_STATEMENT):
        some = run_ids[first : first + IDS_OF_STATEMENT]
        sql = f"SELECT run_id, pk FROM run WHERE tenant = ? AND run_id IN ({', '.join('?' * len(some))})"
        found.update(connection.execute(sql, (tenant, *some)))
    for run_id in run_ids:
        if run_id not in found:
            raise NotFound(f"no run has the id {run_id!r:.80}", field="run_id")
    return found
