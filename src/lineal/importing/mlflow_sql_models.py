"""Datasets, logged models and registered models in MLflow's SQL store."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from lineal.importing.databases import ForeignDatabase
from lineal.importing.mlflow_schema import Schema
from lineal.importing.mlflow_words import (
    CONTEXT_TAG,
    DELETED_STAGE,
    lifecycle_of,
    model_status_of,
    stage_of,
    version_status_of,
)
from lineal.importing.nouns import (
    SourceDataset,
    SourceExperiment,
    SourceLoggedModel,
    SourceModelUse,
    SourceRegisteredModel,
    SourceVersion,
)

_MODELS_COUNT = 500  # read at a time, with their params and tags


class MlflowSqlModels:
    def __init__(self, database: ForeignDatabase, schema: Schema, workspace: str) -> None:
        self._database = database
        self._schema = schema
        self._workspace = workspace

    # -- what runs used -------------------------------------------------------------------------

    def datasets(self, first: str, last: str) -> dict[str, list[SourceDataset]]:
        """By run, of the runs whose ids lie between."""
        if not self._schema.has("inputs"):
            return {}
        words: dict[str, dict[str, str]] = {}
        asked = (
            "SELECT t.input_uuid, t.name, t.value FROM input_tags t JOIN inputs i ON i.input_uuid = t.input_uuid"
            " WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id BETWEEN ? AND ?"
        )
        for input_id, key, value in self._database.rows(asked, (first, last)):
            words.setdefault(input_id, {})[key] = value
        found: dict[str, list[SourceDataset]] = {}
        asked = (
            "SELECT i.destination_id, i.input_uuid, d.name, d.digest, d.dataset_source_type, d.dataset_source, d.dataset_schema,"
            " d.dataset_profile FROM inputs i JOIN datasets d ON d.dataset_uuid = i.source_id"
            " WHERE i.source_type = 'DATASET' AND i.destination_type = 'RUN' AND i.destination_id BETWEEN ? AND ?"
            " ORDER BY i.destination_id, d.name, d.digest"
        )
        for run_id, input_id, name, digest, kind, source, schema, profile in self._database.rows(asked, (first, last)):
            tags = words.get(input_id, {})
            purpose = tags.pop(CONTEXT_TAG, "")
            used = SourceDataset(name, digest, kind, source, schema, profile, purpose, tags)
            found.setdefault(run_id, []).append(used)
        return found

    def model_uses(self, first: str, last: str) -> dict[str, list[SourceModelUse]]:
        if not self._schema.has("logged_models"):
            return {}
        step = "step" if self._schema.has("inputs", "step") else "NULL"
        asked = (
            f"SELECT source_id, source_type, destination_id, {step} FROM inputs WHERE source_id BETWEEN ? AND ?"
            " AND source_type IN ('RUN_INPUT', 'RUN_OUTPUT') ORDER BY source_id, source_type, destination_id"
        )
        found: dict[str, list[SourceModelUse]] = {}
        for run_id, kind, model_id, at in self._database.rows(asked, (first, last)):
            use = (
                SourceModelUse(model_id, "input", None)
                if kind == "RUN_INPUT"
                else SourceModelUse(model_id, "output", at)
            )
            found.setdefault(run_id, []).append(use)
        return found

    # -- logged models --------------------------------------------------------------------------

    def model_places(self) -> dict[str, list[tuple[str, str, str | None]]]:
        """By the run that logged them: (model id, number of its experiment, where its files are)."""
        found: dict[str, list[tuple[str, str, str | None]]] = {}
        if self._schema.has("logged_models"):
            asked = (
                "SELECT source_run_id, model_id, experiment_id, artifact_location FROM logged_models ORDER BY model_id"
            )
            for run_id, model_id, number, uri in self._database.rows(asked):
                if run_id:
                    found.setdefault(run_id, []).append((model_id, str(number), uri))
        return found

    def logged_models(self, experiments: Mapping[str, SourceExperiment]) -> Iterator[SourceLoggedModel]:
        if not self._schema.has("logged_models"):
            return
        asked = (
            "SELECT model_id, name, experiment_id, source_run_id, model_type, status, lifecycle_stage, creation_timestamp_ms,"
            " last_updated_timestamp_ms, artifact_location FROM logged_models WHERE model_id > ? ORDER BY model_id LIMIT ?"
        )
        last = ""
        while rows := list(self._database.rows(asked, (last, _MODELS_COUNT))):
            first, last = rows[0][0], rows[-1][0]
            params = self._model_texts("logged_model_params", "param_key, param_value", first, last)
            tags = self._model_texts("logged_model_tags", "tag_key, tag_value", first, last)
            for model_id, name, number, run_id, kind, status, stage, created_ms, updated_ms, uri in rows:
                if str(number) in experiments:
                    yield SourceLoggedModel(
                        model_id,
                        name,
                        experiments[str(number)],
                        run_id or None,
                        kind,
                        model_status_of(status),
                        lifecycle_of(stage),
                        created_ms,
                        updated_ms or created_ms,
                        params.get(model_id, {}),
                        tags.get(model_id, {}),
                        uri,
                    )

    def _model_texts(self, table: str, columns: str, first: str, last: str) -> dict[str, dict[str, str]]:
        asked = f"SELECT model_id, {columns} FROM {table} WHERE model_id BETWEEN ? AND ?"
        return self._texts(asked, (first, last))

    def _texts(self, asked: str, values: Sequence[object]) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        for whose, key, value in self._database.rows(asked, values):
            found.setdefault(whose, {})[key] = value or ""
        return found

    # -- registered models ----------------------------------------------------------------------

    def registered_models(self) -> Iterator[SourceRegisteredModel]:
        if not self._schema.has("registered_models"):
            return
        table = "registered_model_tags"
        tags = self._texts(f"SELECT name, key, value FROM {table}{self._where(table)}", self._values(table))
        aliases: dict[str, dict[str, int]] = {}
        table = "registered_model_aliases"
        if self._schema.has(table):
            asked = f"SELECT name, alias, version FROM {table}{self._where(table)}"
            for name, alias, number in self._database.rows(asked, self._values(table)):
                aliases.setdefault(name, {})[alias] = number
        table = "registered_models"
        asked = (
            f"SELECT name, creation_time, last_updated_time, description FROM {table}{self._where(table)} ORDER BY name"
        )
        for name, created_ms, updated_ms, description in list(self._database.rows(asked, self._values(table))):
            yield SourceRegisteredModel(
                name,
                description or "",
                created_ms or 0,
                updated_ms or created_ms or 0,
                tags.get(name, {}),
                dict(sorted(aliases.get(name, {}).items())),
                self._versions(name),
            )

    def _versions(self, name: str) -> list[SourceVersion]:
        tags: dict[int, dict[str, str]] = {}
        table = "model_version_tags"
        asked = f"SELECT version, key, value FROM {table}{self._where(table, 'name = ?')}"
        for number, key, value in self._database.rows(asked, (name, *self._values(table))):
            tags.setdefault(number, {})[key] = value or ""
        table = "model_versions"
        location = "storage_location" if self._schema.has(table, "storage_location") else "NULL"
        asked = (
            "SELECT version, creation_time, last_updated_time, description, current_stage, source, run_id, run_link, status,"
            f" {location} FROM {table}{self._where(table, 'name = ?')} ORDER BY version"
        )
        return [
            SourceVersion(
                number,
                created_ms or 0,
                updated_ms or created_ms or 0,
                description or "",
                stage_of(stage),
                source or "",
                kept_at,
                run_id or None,
                run_link or None,
                version_status_of(status),
                tags.get(number, {}),
                stage == DELETED_STAGE,
            )
            for number, created_ms, updated_ms, description, stage, source, run_id, run_link, status, kept_at in (
                self._database.rows(asked, (name, *self._values(table)))
            )
        ]

    def _where(self, table: str, also: str = "") -> str:
        conditions = [one for one in (also, "workspace = ?" if self._schema.has(table, "workspace") else "") if one]
        return f" WHERE {' AND '.join(conditions)}" if conditions else ""

    def _values(self, table: str) -> tuple[str, ...]:
        return (self._workspace,) if self._schema.has(table, "workspace") else ()
