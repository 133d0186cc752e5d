"""Datasets and logged models in the memory store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Protocol

from lineal.model.entities import Stamp
from lineal.model.errors import NotFound
from lineal.model.lineage import (
    ArtifactUse,
    DatasetSummary,
    DatasetUse,
    LoggedModel,
    ModelFile,
    ModelUse,
    VersionUse,
)
from lineal.model.vocabulary import MODEL_LABEL, Lifecycle, ModelStatus
from lineal.series.stats import summary_of
from lineal.store.audit import Action
from lineal.store.lineage import (
    ModelPage,
    ModelQuery,
    ModelSettings,
    artifact_key,
    dataset_key,
    in_order_said,
    model_of,
    model_words,
    say_first,
    say_model,
)
from lineal.store.memory_state import RunState, TenantState, piece_stats
from lineal.store.model_search import Candidate, ModelSeries, metrics_of, page_of_models
from lineal.store.rules import DEFAULT_EXPERIMENT
from lineal.store.summaries import merge_in_order


class _Writer(Protocol):
    """What a `MemoryWriter` has for this."""

    state: TenantState

    def draft_run(self, run_id: str) -> RunState: ...

    def mention_experiment(self, name: str, stamp: Stamp) -> bool: ...

    def audit(self, action: Action, subject: str, stamp: Stamp, values: dict[str, Any]) -> None: ...


class MemoryLineageWriter:
    """See `lineage.LineageWriter`. Part of a `MemoryWriter`."""

    def use_dataset(self: _Writer, run_id: str, use: DatasetUse, stamp: Stamp) -> None:
        said = replace(use, used_ms=stamp.time_ms)
        if say_first(self.draft_run(run_id).datasets, dataset_key(use), stamp, said):
            self.audit("dataset.use", run_id, stamp, {**asdict(use), "used_ms": None})

    def use_model(self: _Writer, run_id: str, use: ModelUse, stamp: Stamp) -> None:
        said = replace(use, used_ms=stamp.time_ms)
        if say_first(self.draft_run(run_id).models, (use.role, use.model_id), stamp, said):
            self.audit("logged_model.use", run_id, stamp, {**asdict(use), "used_ms": None})

    def use_artifact(self: _Writer, run_id: str, use: ArtifactUse, stamp: Stamp) -> None:
        said = replace(use, used_ms=stamp.time_ms)
        if say_first(self.draft_run(run_id).artifact_uses, artifact_key(use), stamp, said):
            self.audit("artifact.use", run_id, stamp, {**asdict(use), "used_ms": None})

    def use_version(self: _Writer, run_id: str, use: VersionUse, stamp: Stamp) -> None:
        said = replace(use, used_ms=stamp.time_ms)
        if say_first(self.draft_run(run_id).version_uses, use.version_id, stamp, said):
            self.audit("version.use", run_id, stamp, {**asdict(use), "used_ms": None})

    def set_logged_model(
        self: _Writer,
        model_id: str,
        stamp: Stamp,
        *,
        name: str | None = None,
        experiment: str | None = None,
        run_id: str | None = None,
        model_type: str | None = None,
        path: str | None = None,
        params: Mapping[str, str] | None = None,
        tags: Mapping[str, str | None] | None = None,
        status: ModelStatus | None = None,
        lifecycle: Lifecycle | None = None,
        files: Mapping[str, ModelFile | None] | None = None,
    ) -> None:
        given = model_words(name, experiment, run_id, model_type, path, status, lifecycle)
        changed = model_id not in self.state.models
        if experiment is not None:
            changed |= self.mention_experiment(experiment, stamp)
        changed |= bool(say_model(self.state.models.setdefault(model_id, {}), stamp, given, params, tags, files))
        if changed:
            values: dict[str, Any] = {
                **given,
                "params": dict(params or {}),
                "tags": dict(tags or {}),
                "files": dict(files or {}),
            }
            self.audit("logged_model.set", model_id, stamp, values)

    def find_logged_model(self: _Writer, model_id: str) -> Lifecycle | None:
        settings = self.state.models.get(model_id)
        return None if settings is None else model_of(model_id, settings, ("", "")).lifecycle


# -- answers -----------------------------------------------------------------------------------------------


def list_uses(state: RunState, *, whole: bool) -> list[DatasetUse]:
    found = in_order_said(state.datasets.values())
    if whole:
        return found
    return [replace(use, dataset=replace(use.dataset, schema=None, profile=None)) for use in found]


def list_model_uses(state: RunState) -> list[ModelUse]:
    return in_order_said(state.models.values())


def list_datasets(tenant: TenantState, experiments: Sequence[str], limit: int) -> list[DatasetSummary]:
    wanted = {tenant.experiment_of(name)[0] for name in experiments}
    found = set()
    for run_id, state in tenant.runs.items():
        experiment_id = state.run(tenant, run_id).experiment_id if state.datasets else ""
        if experiment_id in wanted:
            found |= {DatasetSummary(experiment_id, *key) for key in state.datasets}
    return sorted(found)[:limit]


def get_model(tenant: TenantState, model_id: str) -> LoggedModel:
    settings = tenant.models.get(model_id)
    if settings is None:
        raise NotFound(f"no logged model has the id {model_id!r:.80}", field="model_id")
    return replace(_model(tenant, model_id, settings), metrics=metrics_of(_series_of(tenant, model_id)))


def list_files(tenant: TenantState) -> Iterator[ModelFile]:
    for model_id, settings in tenant.models.items():
        yield from model_of(model_id, settings, ("", "")).files.values()


def list_models(tenant: TenantState, query: ModelQuery) -> ModelPage:
    models, token = page_of_models(_candidates(tenant, query), query)
    return ModelPage([get_model(tenant, model.model_id) for model in models], token)


def _candidates(tenant: TenantState, query: ModelQuery) -> Iterator[Candidate]:
    wanted = None if query.experiments is None else {tenant.experiment_of(name)[0] for name in query.experiments}
    for model_id, settings in tenant.models.items():
        model = _model(tenant, model_id, settings)
        if (wanted is None or model.experiment_id in wanted) and query.lifecycle in (None, model.lifecycle):
            yield Candidate(model, list(_series_of(tenant, model_id)))


def _model(tenant: TenantState, model_id: str, settings: ModelSettings) -> LoggedModel:
    _, experiment = settings.get(("experiment", ""), (None, None))
    return model_of(model_id, settings, tenant.experiment_of(experiment or DEFAULT_EXPERIMENT))


def _series_of(tenant: TenantState, model_id: str) -> Iterator[ModelSeries]:
    for run_id, state in tenant.runs.items():
        for key in state.series_keys():
            if (MODEL_LABEL, model_id) in key.labels:
                summary = summary_of(merge_in_order(piece_stats(state, key)))
                yield ModelSeries(run_id, key, summary)
