"""Answers of the memory store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from lineal.model.captures import Capture
from lineal.model.entities import Cursor, Experiment, MetricDefinition, Run, RunDetails, SeriesInfo
from lineal.model.errors import NotFound
from lineal.model.lineage import DatasetSummary, DatasetUse, LoggedModel, ModelFile
from lineal.model.lineage_graph import LineageGraph, LineageQuery
from lineal.model.values import ParamValue, from_json
from lineal.model.vocabulary import Labels, Lifecycle
from lineal.query.evaluate import check_field
from lineal.query.syntax import ATTRIBUTES, Field, Kind
from lineal.series.blocks import slice_steps
from lineal.series.downsample import bucketize
from lineal.series.stats import summary_of
from lineal.store.audit import is_asked_for
from lineal.store.captures import CapturePage, CaptureQuery, capture_page, latest_first, latest_of_parts
from lineal.store.console import ConsolePage, ConsoleQuery, check_console_query, console_page
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
from lineal.store.json_leaves import leaves_of_documents
from lineal.store.lineage import ModelPage, ModelQuery, in_order_said, largest, searched_fields
from lineal.store.lineage_graph import walk
from lineal.store.lineage_start import check, find_start
from lineal.store.memory_captures import captures_of, code_of
from lineal.store.memory_datasets import MemoryDatasetReader
from lineal.store.memory_lineage import get_model, list_datasets, list_files, list_model_uses, list_models, list_uses
from lineal.store.memory_links import MemoryLinks
from lineal.store.memory_loose_files import list_loose
from lineal.store.memory_registry import MemoryRegistryReader
from lineal.store.memory_state import RunState, TenantState, piece_stats, values_of
from lineal.store.memory_webhooks import MemoryWebhookReader
from lineal.store.reference import Candidate, counts_of, frequent_values, groups_of, page_of
from lineal.store.rules import (
    artifact_versions,
    attempt_of,
    attribute_of,
    effective_params,
    loss_sums,
    param_conflicts,
    started,
)
from lineal.store.summaries import aggregate_of, merge_in_order

if TYPE_CHECKING:
    from lineal.store.memory import MemoryStore


class MemoryReader:
    """See `contracts.TenantReader`."""

    def __init__(self, store: MemoryStore, tenant: str) -> None:
        self._store = store
        self._tenant = tenant

    # -- runs ----------------------------------------------------------------------------------------------

    def get_run(self, run_id: str) -> Run:
        return self._state(run_id).run(self._store.committed(self._tenant), run_id)

    def find_run_ids(self, prefix: str, limit: int = 2) -> list[str]:
        runs = self._store.committed(self._tenant).runs
        if prefix in runs:
            return [prefix]
        return sorted(run_id for run_id in runs if run_id.startswith(prefix))[:limit]

    def list_runs(self, query: RunQuery) -> RunPage:
        return page_of(self._candidates(), query)

    def list_groups(self, query: GroupQuery) -> GroupPage:
        return groups_of(self._candidates(), query)

    def list_names(self, kind: Kind, prefix: str = "", limit: int = 100) -> list[str]:
        names = set(ATTRIBUTES) if kind == "attribute" else set()
        for state in self._store.committed(self._tenant).runs.values():
            if state.lifecycle == "active":
                names |= names_of(state, kind)
        return sorted(name for name in names if name.startswith(prefix))[:limit]

    def list_values(self, field: Field, prefix: str = "", limit: int = 20) -> list[str]:
        check_field(field, "field")
        return frequent_values(self._candidates(), field, prefix, limit)

    def count_runs(self) -> Counts:
        return counts_of(candidate.run for candidate in self._candidates())

    def list_changes(self, after: int, limit: int = 1_000) -> Changes:
        # The number first: what is committed in between is told twice rather than never.
        number = self._store.change_number()
        changed = self._store.committed(self._tenant).changed_in
        later = sorted((said, run_id) for run_id, said in changed.items() if said > after)
        run_ids = [run_id for _, run_id in later]
        return Changes(number, run_ids[:limit], len(run_ids) <= limit and after <= number)

    def _candidates(self) -> Iterator[Candidate]:
        tenant = self._store.committed(self._tenant)
        naming = tenant.naming()
        for run_id, state in tenant.runs.items():
            run = state.run(tenant, run_id)
            key = naming.key_of(run.experiment_name)
            former = (name for name, home in naming.homes.items() if home == key)
            yield Candidate(run, partial(value_of, run, state), frozenset((key, *former)))

    def get_details(self, run_id: str) -> RunDetails:
        return self.get_details_of([run_id])[0]

    def get_details_of(self, run_ids: Sequence[str]) -> list[RunDetails]:
        tenant = self._store.committed(self._tenant)
        return [self._details(run_id, run_in(tenant, run_id)) for run_id in run_ids]

    def _details(self, run_id: str, state: RunState) -> RunDetails:
        said = [(state.rank(attempt_id), params) for attempt_id, params in state.params.items()]
        definitions = values_of(state.settings, "metric")
        return RunDetails(
            run=state.run(self._store.committed(self._tenant), run_id),
            params=effective_params(said),
            tags=values_of(state.settings, "tag"),
            note=values_of(state.settings, "note").get("", ""),
            attempts=[attempt_of(facts) for facts in started(state.attempts.values())],
            artifacts=artifact_versions((stamp, a) for (_, stamp), a in state.artifacts.items()),
            metric_definitions={name: MetricDefinition(**from_json(text)) for name, text in definitions.items()},
            conflicts=param_conflicts(said),
            losses=loss_sums((reason, count) for (_, reason), count in state.losses.items()),
            document_names=list(values_of(state.settings, "document")),
            datasets=list_uses(state, whole=False),
            models=list_model_uses(state),
            artifact_uses=in_order_said(state.artifact_uses.values()),
            version_uses=in_order_said(state.version_uses.values()),
            console_line_count=state.console_line_count,
        )

    def get_document(self, run_id: str, name: str) -> str:
        documents = values_of(self._state(run_id).settings, "document")
        if name not in documents:
            raise NotFound(f"run {run_id:.80} has no document {name!r:.80}", field="name")
        return documents[name]

    def list_captures(self, run_id: str) -> list[Capture]:
        return latest_first(captures_of(self._state(run_id)))

    def read_captures(self, run_id: str, query: CaptureQuery) -> CapturePage:
        found = [one for one in self.list_captures(run_id) if query.fits(one.attempt_id, one.part)]
        return capture_page(iter(found[query.offset :]), query, len(found))

    def find_capture(self, run_id: str, part: str) -> Capture | None:
        return self.get_captures_of([run_id], [part])[0].get(part)

    def get_captures_of(self, run_ids: Sequence[str], parts: Sequence[str]) -> list[dict[str, Capture]]:
        tenant = self._store.committed(self._tenant)
        return [latest_of_parts(captures_of(run_in(tenant, run_id)), parts) for run_id in run_ids]

    def read_console(self, run_id: str, query: ConsoleQuery) -> ConsolePage:
        check_console_query(query)
        state = self._state(run_id)
        blocks = state.console[::-1] if query.is_backward else state.console
        return console_page(blocks, query, state.console_line_count)

    # -- datasets and logged models ------------------------------------------------------------------------

    def list_dataset_uses(self, run_ids: Sequence[str]) -> list[list[DatasetUse]]:
        tenant = self._store.committed(self._tenant)
        return [list_uses(run_in(tenant, run_id), whole=True) for run_id in run_ids]

    def list_datasets(self, experiments: Sequence[str], limit: int = 1_000) -> list[DatasetSummary]:
        return list_datasets(self._store.committed(self._tenant), experiments, limit)

    def get_logged_model(self, model_id: str) -> LoggedModel:
        return get_model(self._store.committed(self._tenant), model_id)

    def list_logged_models(self, query: ModelQuery) -> ModelPage:
        return list_models(self._store.committed(self._tenant), query)

    def find_lineage(self, query: LineageQuery) -> LineageGraph:
        check(query)
        links = MemoryLinks(self._store.committed(self._tenant))
        return walk(links, find_start(self, links, query), query)

    # -- loose files ---------------------------------------------------------------------------------------

    def find_loose_file(self, path: str) -> ModelFile | None:
        _, file = self._store.committed(self._tenant).loose_files.get(path, (None, None))
        return file

    def list_loose_files(self, folder: str = "") -> dict[str, ModelFile]:
        return dict(list_loose(self._store.committed(self._tenant), folder))

    # -- series --------------------------------------------------------------------------------------------

    def list_series(self, run_id: str) -> list[SeriesInfo]:
        return self.list_summaries([run_id])[0]

    def list_summaries(self, run_ids: Sequence[str]) -> list[list[SeriesInfo]]:
        tenant = self._store.committed(self._tenant)
        states = [run_in(tenant, run_id) for run_id in run_ids]
        return [
            [SeriesInfo(key, summary_of(merge_in_order(piece_stats(state, key)))) for key in state.series_keys()]
            for state in states
        ]

    def read_points(
        self,
        run_id: str,
        name: str,
        labels: Labels = (),
        *,
        step_min: float | None = None,
        step_max: float | None = None,
    ) -> list[Piece]:
        return read_pieces(self._state(run_id), name, labels, step_min, step_max)

    def read_points_of(
        self,
        wanted: Sequence[tuple[str, SeriesName]],
        *,
        step_min: float | None = None,
        step_max: float | None = None,
    ) -> list[list[Piece]]:
        tenant = self._store.committed(self._tenant)
        return [read_pieces(run_in(tenant, run_id), *name, step_min, step_max) for run_id, name in wanted]

    def read_buckets(
        self,
        wanted: Sequence[tuple[str, SeriesName]],
        max_points: int,
        *,
        step_min: float | None = None,
        step_max: float | None = None,
    ) -> list[list[BucketPiece]]:
        tenant = self._store.committed(self._tenant)
        return [
            [
                BucketPiece(*piece[:3], bucketize(piece.columns, max_points))
                for piece in read_pieces(run_in(tenant, run_id), *name, step_min, step_max)
            ]
            for run_id, name in wanted
        ]

    # -- experiments, cursors, audit -----------------------------------------------------------------------

    def get_experiment(self, experiment_id: str) -> Experiment:
        tenant = self._store.committed(self._tenant)
        meant = tenant.experiment_id_of(experiment_id)
        for experiment in tenant.list_experiments():
            if experiment.experiment_id == meant:
                return experiment
        raise NotFound(f"no experiment has the id {experiment_id!r:.80}", field="experiment_id")

    def find_experiment(self, name: str) -> Experiment | None:
        tenant = self._store.committed(self._tenant)
        key = tenant.naming().key_of(name)
        return next((experiment for experiment in tenant.list_experiments() if experiment.first_name == key), None)

    def list_experiments(
        self,
        *,
        search: str | None = None,
        lifecycle: Lifecycle | None = "active",
        limit: int = 100,
        offset: int = 0,
    ) -> ExperimentPage:
        found = [
            experiment
            for experiment in self._store.committed(self._tenant).list_experiments()
            if lifecycle in (None, experiment.lifecycle)
            and (search is None or search.casefold() in experiment.name.casefold())
        ]
        return ExperimentPage(found[offset : offset + limit], len(found))

    def datasets(self) -> MemoryDatasetReader:
        return MemoryDatasetReader(lambda: self._store.committed(self._tenant))

    def registry(self) -> MemoryRegistryReader:
        return MemoryRegistryReader(lambda: self._store.committed(self._tenant).registry)

    def webhooks(self) -> MemoryWebhookReader:
        return MemoryWebhookReader(lambda: self._store.committed(self._tenant).webhooks)

    def find_cursor(self, writer: str) -> Cursor | None:
        return self._store.committed(self._tenant).cursors.get(writer)

    def list_lapsed(self, now_ms: int, limit: int = 1_000) -> list[Cursor]:
        cursors = self._store.committed(self._tenant).cursors.values()
        lapsed = [(one.lease_until_ms, one.writer, one) for one in cursors if one.lease_until_ms is not None]
        return [one for until_ms, _, one in sorted(lapsed)[:limit] if until_ms <= now_ms]

    def list_digests(self, beginning: str = "") -> dict[str, int | None]:
        tenant = self._store.committed(self._tenant)
        found: list[tuple[str | None, int | None]] = [(file.digest, file.size_bytes) for file in list_files(tenant)]
        found += [(file.digest, file.size_bytes) for _, file in list_loose(tenant)]
        for version in tenant.registry.versions.values():
            found += [(file.digest, file.size_bytes) for file in (version.said.content.files if version.said else ())]
        for state in tenant.runs.values():
            found += [(said.digest, said.size_bytes) for said in state.artifacts.values() if said.uri is None]
        return largest((digest, size) for digest, size in found if digest and digest.startswith(beginning))

    def list_audit(self, *, after: int = 0, limit: int = 1_000) -> list[AuditRow]:
        rows = self._store.committed(self._tenant).audit
        return [row for row in rows if row.number > after][:limit]

    def find_audit(self, query: AuditQuery) -> list[AuditRow]:
        rows = reversed(self._store.committed(self._tenant).audit)
        return list(islice((row for row in rows if is_asked_for(row, query)), query.limit))

    def find_chain_head(self) -> ChainHead | None:
        linked = [row for row in self._store.committed(self._tenant).audit if row.hash is not None]
        return ChainHead(self._tenant, linked[-1].number, linked[-1].hash or "", linked[-1].time_ms) if linked else None

    def _state(self, run_id: str) -> RunState:
        return run_in(self._store.committed(self._tenant), run_id)


def run_in(tenant: TenantState, run_id: str) -> RunState:
    state = tenant.runs.get(run_id)
    if state is None:
        raise NotFound(f"no run has the id {run_id!r:.80}", field="run_id")
    return state


@np.errstate(all="ignore")  # users log NaN and numbers that overflow: nothing to warn a reader of
def read_pieces(
    state: RunState, name: str, labels: Labels, step_min: float | None, step_max: float | None
) -> list[Piece]:
    found = []
    for key in state.series_keys():
        if (key.name, key.labels) == (name, labels):
            for attempt_id, writer, columns in state.pieces(key):
                columns = slice_steps(columns, step_min, step_max)
                if len(columns):
                    found.append(Piece(attempt_id, writer, key.value_type, columns))
    return sorted(found, key=lambda piece: (state.rank(piece.attempt_id), piece.writer, piece.value_type))


def value_of(run: Run, state: RunState, field: Field) -> ParamValue:
    """What a filter or an order sees of a run; None if it lacks the field."""
    if field.kind == "attribute":
        return attribute_of(run, field.name)
    if field.kind == "tag":
        return values_of(state.settings, "tag").get(field.name)
    if field.kind == "param":
        said = [(state.rank(attempt_id), params) for attempt_id, params in state.params.items()]
        return effective_params(said).get(field.name)
    if field.kind == "json":
        return leaves_of_documents(values_of(state.settings, "document")).get(field.name)
    if field.kind == "metric":
        keys = [key for key in state.series_keys() if (key.name, key.labels) == (field.name, ())]
        return aggregate_of((piece for key in keys for piece in piece_stats(state, key)), field.aggregate)
    if field.kind == "dataset":
        return searched_fields(list_uses(state, whole=False)).get(field.name)
    return code_of(state).get(field.name)


def names_of(state: RunState, kind: Kind) -> set[str]:
    """What `value_of` may be asked for."""
    if kind == "tag":
        return set(values_of(state.settings, "tag"))
    if kind == "param":
        return {name for said in state.params.values() for name in said}
    if kind == "json":
        return set(leaves_of_documents(values_of(state.settings, "document")))
    if kind == "metric":
        return {key.name for key in state.series_keys() if not key.labels}
    if kind == "dataset":
        return set(searched_fields(list_uses(state, whole=False)))
    return set(code_of(state)) if kind == "git" else set()
