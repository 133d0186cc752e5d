"""MLflow's SQL store, read with plain SQL."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lineal.importing.databases import ForeignPostgres, ForeignSqlite, open_foreign
from lineal.importing.mlflow_schema import Schema, check_schema
from lineal.importing.mlflow_sql_models import MlflowSqlModels
from lineal.importing.mlflow_words import lifecycle_of
from lineal.importing.nouns import (
    MODELS_PATH,
    Place,
    SourceExperiment,
    SourceLoggedModel,
    SourcePoint,
    SourceRegisteredModel,
    SourceRun,
)
from lineal.model.vocabulary import Labels

DEFAULT_WORKSPACE = "default"
_LARGEST = sys.float_info.max
_PROVENANCE = ("source_type", "source_name", "entry_point_name", "source_version")
_OF_MODEL = ("model_id", "dataset_name", "dataset_digest")


class MlflowSql:
    """`artifacts`: the folder in which the files of runs lie, where that is not what the database says."""

    def __init__(
        self,
        url: str,
        *,
        artifacts: Path | None = None,
        workspace: str = DEFAULT_WORKSPACE,
        take_unknown: bool = False,
    ) -> None:
        self._database: ForeignSqlite | ForeignPostgres = open_foreign(url)
        self._artifacts = artifacts
        self.problems: list[tuple[str | None, str]] = []
        self._workspace = workspace
        try:
            self._schema: Schema = check_schema(self._database, take_unknown=take_unknown)
        except BaseException:
            self._database.close()
            raise
        self._models = MlflowSqlModels(self._database, self._schema, workspace)
        self._experiments = {one.number: one for one in self._read_experiments()}

    @property
    def place(self) -> str:
        return self._database.place

    def close(self) -> None:
        self._database.close()

    # -- experiments ----------------------------------------------------------------------------

    def list_experiments(self) -> list[SourceExperiment]:
        return list(self._experiments.values())

    def other_workspaces(self) -> list[str]:
        """Those that have experiments and are not read."""
        if not self._schema.has("experiments", "workspace"):
            return []
        asked = "SELECT DISTINCT workspace FROM experiments WHERE workspace <> ? ORDER BY workspace"
        return [str(row[0]) for row in self._database.rows(asked, (self._workspace,))]

    def _read_experiments(self) -> Iterator[SourceExperiment]:
        tags: dict[str, dict[str, str]] = {}
        for number, key, value in self._database.rows("SELECT experiment_id, key, value FROM experiment_tags"):
            tags.setdefault(str(number), {})[key] = value or ""
        times = "creation_time, last_update_time" if self._schema.has("experiments", "creation_time") else "NULL, NULL"
        where, values = "", []
        if self._schema.has("experiments", "workspace"):
            where, values = " WHERE workspace = ?", [self._workspace]
        asked = f"SELECT experiment_id, name, artifact_location, lifecycle_stage, {times} FROM experiments{where} ORDER BY experiment_id"
        for number, name, location, stage, created_ms, updated_ms in self._database.rows(asked, values):
            yield SourceExperiment(
                str(number),
                name,
                location,
                lifecycle_of(stage),
                created_ms or 0,
                updated_ms or created_ms or 0,
                tags.get(str(number), {}),
            )

    # -- runs -----------------------------------------------------------------------------------

    def count_runs(self) -> int:
        return sum(
            count
            for number, count in self._database.rows("SELECT experiment_id, count(*) FROM runs GROUP BY experiment_id")
            if str(number) in self._experiments
        )

    def chunks(self, size: int) -> Iterator[Sequence[SourceRun]]:
        known = [name for name in _PROVENANCE if self._schema.has("runs", name)]
        also = "".join(f", {name}" for name in known)
        asked = (
            "SELECT run_uuid, name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, experiment_id"
            f"{also} FROM runs WHERE run_uuid > ? ORDER BY run_uuid LIMIT ?"
        )
        last = ""
        while rows := list(self._database.rows(asked, (last, size))):
            first, last = rows[0][0], rows[-1][0]
            params = self._texts("params", first, last)
            tags = self._texts("tags", first, last)
            counts = self._counts(first, last)
            datasets, models = self._models.datasets(first, last), self._models.model_uses(first, last)
            found = [
                replace(
                    self._run_of(row, known, params.get(row[0], {}), tags.get(row[0], {}), counts.get(row[0], 0)),
                    datasets=datasets.get(row[0], []),
                    models=models.get(row[0], []),
                )
                for row in rows
                if str(row[8]) in self._experiments
            ]
            if found:
                yield found

    def _run_of(
        self, row: tuple[Any, ...], known: Sequence[str], params: dict[str, str], tags: dict[str, str], count: int
    ) -> SourceRun:
        run_id, name, user_id, status, started_ms, ended_ms, stage, artifact_uri, number = row[:9]
        return SourceRun(
            run_id,
            self._experiments[str(number)],
            name or tags.get("mlflow.runName") or None,
            status or "RUNNING",
            lifecycle_of(stage),
            started_ms or 0,
            ended_ms,
            user_id or tags.get("mlflow.user") or None,
            artifact_uri,
            count,
            params,
            tags,
            provenance={key: value for key, value in zip(known, row[9:], strict=True) if value},
        )

    def _texts(self, table: str, first: str, last: str) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {}
        asked = f"SELECT run_uuid, key, value FROM {table} WHERE run_uuid BETWEEN ? AND ? ORDER BY run_uuid, key"
        for run_id, key, value in self._database.rows(asked, (first, last)):
            found.setdefault(run_id, {})[key] = "" if value is None else value
        return found

    def _counts(self, first: str, last: str) -> dict[str, int]:
        asked = "SELECT run_uuid, count(*) FROM metrics WHERE run_uuid BETWEEN ? AND ? GROUP BY run_uuid"
        counts: dict[str, int] = dict(self._database.rows(asked, (first, last)))
        if self._schema.has("logged_model_metrics"):
            asked = "SELECT run_id, count(*) FROM logged_model_metrics WHERE run_id BETWEEN ? AND ? GROUP BY run_id"
            for run_id, count in self._database.rows(asked, (first, last)):
                counts[run_id] = counts.get(run_id, 0) + count
        return counts

    # -- points ---------------------------------------------------------------------------------

    def points(self, run: SourceRun) -> Iterator[SourcePoint]:
        asked = (
            "SELECT step, timestamp, key, is_nan, value FROM metrics WHERE run_uuid = ?"
            " ORDER BY step, timestamp, key, is_nan DESC, value"
        )
        yield from map(_point_of, self._database.rows(asked, (run.run_id,)))
        if self._schema.has("logged_model_metrics"):
            asked = (
                "SELECT metric_step, metric_timestamp_ms, metric_name, metric_value, model_id, dataset_name, dataset_digest"
                " FROM logged_model_metrics WHERE run_id = ? ORDER BY model_id, metric_step, metric_timestamp_ms, metric_name"
            )
            yield from map(_model_point, self._database.rows(asked, (run.run_id,)))

    def series(self, run: SourceRun) -> list[tuple[str, Labels, int]]:
        asked = "SELECT key, count(*) FROM metrics WHERE run_uuid = ? GROUP BY key ORDER BY key"
        found: list[tuple[str, Labels, int]] = [
            (key, (), count) for key, count in self._database.rows(asked, (run.run_id,))
        ]
        if self._schema.has("logged_model_metrics"):
            asked = (
                "SELECT metric_name, model_id, dataset_name, dataset_digest, count(*) FROM logged_model_metrics WHERE run_id = ?"
                " GROUP BY metric_name, model_id, dataset_name, dataset_digest"
            )
            rows = self._database.rows(asked, (run.run_id,))
            found += [(name, of_model(*whose), count) for name, *whose, count in rows]
        return found

    def points_of(self, run: SourceRun, name: str, labels: Labels) -> Iterator[SourcePoint]:
        if not labels:
            asked = (
                "SELECT step, timestamp, key, is_nan, value FROM metrics WHERE run_uuid = ? AND key = ?"
                " ORDER BY step, timestamp, is_nan DESC, value"
            )
            return map(_point_of, self._database.rows(asked, (run.run_id, name)))
        asked = (
            "SELECT metric_step, metric_timestamp_ms, metric_name, metric_value, model_id, dataset_name, dataset_digest"
            " FROM logged_model_metrics WHERE run_id = ? AND metric_name = ? AND model_id = ?"
            " ORDER BY metric_step, metric_timestamp_ms"
        )
        rows = self._database.rows(asked, (run.run_id, name, dict(labels)["model_id"]))
        return (point for point in map(_model_point, rows) if point.labels == labels)

    # -- artifacts ------------------------------------------------------------------------------

    def artifacts(self, run: SourceRun) -> list[Place]:
        found = [self._place_of(run.artifact_uri, f"{run.experiment.number}/{run.run_id}/artifacts")]
        for model_id, number, uri in self._model_places.get(run.run_id, []):
            place = self._place_of(uri, f"{number}/{MODELS_PATH}/{model_id}/artifacts")
            found.append(place._replace(below=f"{MODELS_PATH}/{model_id}"))
        return found

    def _place_of(self, uri: str | None, usual: str) -> Place:
        if self._artifacts is not None and (self._artifacts / usual).is_dir():
            return Place(str(self._artifacts / usual), None)
        return place_of(uri, self._database.folder, usual)

    # -- models ---------------------------------------------------------------------------------

    @cached_property
    def _model_places(self) -> dict[str, list[tuple[str, str, str | None]]]:
        return self._models.model_places()

    def logged_models(self) -> Iterator[SourceLoggedModel]:
        return self._models.logged_models(self._experiments)

    def model_files(self, model: SourceLoggedModel) -> Place:
        return self._place_of(model.artifact_uri, f"{model.experiment.number}/{MODELS_PATH}/{model.model_id}/artifacts")

    def registered_models(self) -> Iterator[SourceRegisteredModel]:
        return self._models.registered_models()


def place_of(uri: str | None, folder: Path, usual: str) -> Place:
    """Where files are, by their artifact URI: relative ones count from `folder`, and so do those that a server kept for its clients
    (mlflow-artifacts:), in the folders that MLflow makes when it is told nothing, where they lie as `usual`."""
    if not uri:
        return Place(None, None)
    parts = urlsplit(uri)
    if parts.scheme in ("", "file"):
        path = Path(unquote(parts.path) if parts.scheme else uri)
        found = path if path.is_absolute() else folder / path
        for place in (found, folder / "mlruns" / usual):
            if place.is_dir():
                return Place(str(place), None)
        return Place(None, None)
    if parts.scheme == "mlflow-artifacts" and (folder / "mlartifacts" / usual).is_dir():
        return Place(str(folder / "mlartifacts" / usual), None)
    return Place(None, uri)


def _point_of(row: tuple[int, int, str, Any, float]) -> SourcePoint:
    step, time_ms, name, is_nan, value = row
    if is_nan:
        return SourcePoint(step, time_ms, name, False, math.nan)
    return SourcePoint(step, time_ms, name, True, unclamped(value))


def _model_point(row: tuple[Any, ...]) -> SourcePoint:
    step, time_ms, name, value, model_id, dataset_name, dataset_digest = row
    labels = of_model(model_id, dataset_name, dataset_digest)
    if value is None or value != value:
        return SourcePoint(step, time_ms, name, False, math.nan, labels)
    return SourcePoint(step, time_ms, name, True, unclamped(value), labels)


def unclamped(value: float) -> float:
    """MLflow's SQL store keeps an infinity as the largest number that there is."""
    if value >= _LARGEST:
        return math.inf
    return -math.inf if value <= -_LARGEST else float(value)


def of_model(*values: str | None) -> Labels:
    """The labels of a logged model's points: its id, and the dataset that they were measured on."""
    return tuple(sorted((name, value) for name, value in zip(_OF_MODEL, values, strict=True) if value))
