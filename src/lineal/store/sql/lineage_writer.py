"""What a tenant's writer is told of datasets and logged models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

from lineal.model.entities import Stamp
from lineal.model.lineage import ArtifactUse, DatasetUse, ModelFile, ModelUse, VersionUse
from lineal.model.vocabulary import Lifecycle, ModelStatus
from lineal.store.audit import Action
from lineal.store.lineage import model_of, model_words, say_model
from lineal.store.sql.draft import RunDraft
from lineal.store.sql.logged_models import ModelDraft


class _Writer(Protocol):
    """What a `SqlWriter` has for this."""

    def draft_run(self, run_id: str) -> RunDraft: ...

    def find_model(self, model_id: str) -> ModelDraft | None: ...

    def make_model(self, model_id: str) -> ModelDraft: ...

    def mention_experiment(self, name: str, stamp: Stamp) -> bool: ...

    def audit_run(self, action: Action, run: RunDraft, stamp: Stamp, values: dict[str, Any]) -> None: ...

    def audit_subject(self, action: Action, subject: str, stamp: Stamp, values: dict[str, Any]) -> None: ...


class SqlLineageWriter:
    """See `lineage.LineageWriter`. Part of a `SqlWriter`."""

    def use_dataset(self: _Writer, run_id: str, use: DatasetUse, stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        if run.uses.use_dataset(use, stamp):
            self.audit_run("dataset.use", run, stamp, {**asdict(use), "used_ms": None})

    def use_model(self: _Writer, run_id: str, use: ModelUse, stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        if run.uses.use_model(use, stamp):
            self.audit_run("logged_model.use", run, stamp, {**asdict(use), "used_ms": None})

    def use_artifact(self: _Writer, run_id: str, use: ArtifactUse, stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        if run.uses.use_artifact(use, stamp):
            self.audit_run("artifact.use", run, stamp, {**asdict(use), "used_ms": None})

    def use_version(self: _Writer, run_id: str, use: VersionUse, stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        if run.uses.use_version(use, stamp):
            self.audit_run("version.use", run, stamp, {**asdict(use), "used_ms": None})

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
        model = self.find_model(model_id)
        changed = model is None
        if model is None:
            model = self.make_model(model_id)
        if experiment is not None:
            changed |= self.mention_experiment(experiment, stamp)
        told = say_model(model.settings, stamp, given, params, tags, files)
        model.changed += told
        if changed or told:
            values: dict[str, Any] = {
                **given,
                "params": dict(params or {}),
                "tags": dict(tags or {}),
                "files": dict(files or {}),
            }
            self.audit_subject("logged_model.set", model_id, stamp, values)

    def find_logged_model(self: _Writer, model_id: str) -> Lifecycle | None:
        model = self.find_model(model_id)
        return None if model is None else model_of(model_id, model.settings, ("", "")).lifecycle
