"""MLflow's file store: an `mlruns` folder.

One folder an experiment with `meta.yaml`, in it one a run; each param and tag a file, each metric a file with a line a point:
time in ms, value, step. Metrics of logged models lie with these, a line having also the run, and perhaps a dataset's name and
digest. Runs that were deleted say so in their `meta.yaml`, experiments lie in `.trash`."""

from __future__ import annotations

import heapq
import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from lineal.importing.files import folders, line_count, names, read_meta, read_texts
from lineal.importing.mlflow_files_models import (
    META,
    datasets_of,
    logged_models_of,
    model_uses_of,
    registered_models_in,
)
from lineal.importing.mlflow_sql import of_model, place_of
from lineal.importing.mlflow_words import RUN_STATUSES, lifecycle_of
from lineal.importing.nouns import (
    MODELS_PATH,
    Place,
    SourceExperiment,
    SourceLoggedModel,
    SourcePoint,
    SourceRegisteredModel,
    SourceRun,
)
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.vocabulary import Labels

_OPEN_MAX_COUNT = 100  # files of metrics that are merged by their steps; of more, one after the other
_PROVENANCE = ("source_name", "entry_point_name", "source_version")


class _ModelMetric(NamedTuple):
    """What a run logged of a model on a dataset, or on none: points of a file that it may share with others."""

    path: Path
    name: str
    labels: Labels
    point_count: int


class MlflowFiles:
    """`artifacts`: the folder in which the files of runs lie, where that is not beside them."""

    def __init__(self, folder: Path, *, artifacts: Path | None = None) -> None:
        if not folder.is_dir():
            raise NotFound(f"{folder} does not exist: an mlruns folder or a database URL was expected", field="source")
        self._folder = folder
        self._artifacts = artifacts
        self.problems: list[tuple[str | None, str]] = []
        if not self._experiments:
            raise InvalidInput(
                f"{folder} is no mlruns folder: in it, folders of experiments with a {META} were expected",
                field="source",
            )

    @property
    def place(self) -> str:
        return str(self._folder)

    def close(self) -> None:
        """Nothing is kept open."""

    # -- experiments ----------------------------------------------------------------------------

    @cached_property
    def _experiments(self) -> dict[Path, SourceExperiment]:
        """By folder."""
        found = {}
        for place in (self._folder, self._folder / ".trash"):
            for folder in folders(place):
                if not (folder / META).is_file() or folder.name == "models":
                    continue
                said = read_meta(folder / META)
                if "name" in said and "run_id" not in said and "run_uuid" not in said:
                    found[folder] = _experiment_of(folder, said)
        return found

    def list_experiments(self) -> list[SourceExperiment]:
        return list(self._experiments.values())

    # -- runs -----------------------------------------------------------------------------------

    @cached_property
    def _runs(self) -> dict[str, tuple[SourceExperiment, Path]]:
        return {
            below.name: (experiment, below)
            for folder, experiment in self._experiments.items()
            for below in folders(folder)
            if (below / META).is_file() and (below / "params").is_dir()
        }

    def count_runs(self) -> int:
        return len(self._runs)

    def chunks(self, size: int) -> Iterator[Sequence[SourceRun]]:
        found = list(self._runs.values())
        for start in range(0, len(found), size):
            chunk = []
            for experiment, folder in found[start : start + size]:
                try:
                    chunk.append(self._run_of(experiment, folder))
                except (InvalidInput, KeyError, TypeError, ValueError, OSError) as error:
                    self.problems.append((folder.name, f"it cannot be read: {error}"))
            yield chunk

    def _run_of(self, experiment: SourceExperiment, folder: Path) -> SourceRun:
        said = read_meta(folder / META)
        status = said.get("status", 1)
        tags = read_texts(folder / "tags")
        run = SourceRun(
            folder.name,
            experiment,
            str(said.get("run_name") or said.get("name") or tags.get("mlflow.runName") or "") or None,
            RUN_STATUSES.get(status, "RUNNING") if isinstance(status, int) else str(status),
            lifecycle_of(said.get("lifecycle_stage")),
            int(said.get("start_time") or 0),
            None if said.get("end_time") is None else int(said["end_time"]),
            said.get("user_id") or tags.get("mlflow.user") or None,
            said.get("artifact_uri"),
            0,
            read_texts(folder / "params"),
            tags,
            datasets_of(folder),
            model_uses_of(folder),
            {name: str(said[name]) for name in _PROVENANCE if said.get(name)},
        )
        return replace(run, point_count=sum(count for _, _, count in self.series(run)))

    # -- points ---------------------------------------------------------------------------------

    def points(self, run: SourceRun) -> Iterator[SourcePoint]:
        found = self.series(run)
        plain = [self.points_of(run, name, labels) for name, labels, _ in found if not labels]
        if len(plain) <= _OPEN_MAX_COUNT:
            yield from heapq.merge(*plain)
        else:
            for points in plain:
                yield from points
        for name, labels, _ in found:
            if labels:
                yield from self.points_of(run, name, labels)

    def series(self, run: SourceRun) -> list[tuple[str, Labels, int]]:
        metrics = self._folder_of(run) / "metrics"
        found: list[tuple[str, Labels, int]] = [(name, (), line_count(metrics / name)) for name in names(metrics)]
        return found + [(one.name, one.labels, one.point_count) for one in self._model_metrics.get(run.run_id, ())]

    def points_of(self, run: SourceRun, name: str, labels: Labels) -> Iterator[SourcePoint]:
        """Streamed where they lie in order, as they do unless steps went back: then the one metric is sorted in memory."""
        path = self._folder_of(run) / "metrics" / name
        if labels:
            path = next(one.path for one in self._model_metrics[run.run_id] if (one.name, one.labels) == (name, labels))
        last: SourcePoint | None = None
        for point in _points_in(path, name, run.run_id, labels):
            if last is not None and point[:5] < last[:5]:
                return iter(_sorted(path, name, run.run_id, labels))
            last = point
        return _points_in(path, name, run.run_id, labels)

    @cached_property
    def _model_metrics(self) -> dict[str, list[_ModelMetric]]:
        """By run."""
        found: dict[str, list[_ModelMetric]] = {}
        for folder, model in self._models:
            for name in names(folder / "metrics"):
                path = folder / "metrics" / name
                counts: dict[tuple[str, Labels], int] = {}
                try:
                    for parts in _lines(path, 4):
                        key = parts[3], of_model(model.model_id, *(parts[4:6] or (None, None)))
                        counts[key] = counts.get(key, 0) + 1
                except InvalidInput as error:
                    self.problems.append((model.run_id, error.message))
                    continue
                for (run_id, labels), count in counts.items():
                    found.setdefault(run_id, []).append(_ModelMetric(path, name, labels, count))
        return found

    def _folder_of(self, run: SourceRun) -> Path:
        return self._runs[run.run_id][1]

    # -- artifacts and models -------------------------------------------------------------------

    def artifacts(self, run: SourceRun) -> list[Place]:
        usual = f"{run.experiment.number}/{run.run_id}/artifacts"
        found = [self._place_of(self._folder_of(run) / "artifacts", run.artifact_uri, usual)]
        for model in self._models_by_run.get(run.run_id, []):
            found.append(self.model_files(model)._replace(below=f"{MODELS_PATH}/{model.model_id}"))
        return found

    def _place_of(self, beside: Path, uri: str | None, usual: str) -> Place:
        given = [] if self._artifacts is None else [self._artifacts / usual]
        for place in (*given, beside):
            if place.is_dir() and any(place.iterdir()):
                return Place(str(place), None)
        return place_of(uri, self._folder.parent, usual)

    @cached_property
    def _models(self) -> list[tuple[Path, SourceLoggedModel]]:
        return list(logged_models_of(self._experiments))

    @cached_property
    def _folders_of_models(self) -> dict[str, Path]:
        return {model.model_id: folder for folder, model in self._models}

    @cached_property
    def _models_by_run(self) -> dict[str, list[SourceLoggedModel]]:
        found: dict[str, list[SourceLoggedModel]] = {}
        for _, model in self._models:
            if model.run_id is not None:
                found.setdefault(model.run_id, []).append(model)
        return found

    def logged_models(self) -> Iterator[SourceLoggedModel]:
        return (model for _, model in self._models)

    def model_files(self, model: SourceLoggedModel) -> Place:
        usual = f"{model.experiment.number}/{MODELS_PATH}/{model.model_id}/artifacts"
        return self._place_of(self._folders_of_models[model.model_id] / "artifacts", model.artifact_uri, usual)

    def registered_models(self) -> Iterator[SourceRegisteredModel]:
        return registered_models_in(self._folder)


def _experiment_of(folder: Path, said: Mapping[str, Any]) -> SourceExperiment:
    return SourceExperiment(
        str(said.get("experiment_id", folder.name)),
        str(said["name"]),
        said.get("artifact_location"),
        lifecycle_of(said.get("lifecycle_stage")),
        int(said.get("creation_time") or 0),
        int(said.get("last_update_time") or said.get("creation_time") or 0),
        read_texts(folder / "tags"),
    )


def _lines(path: Path, least: int) -> Iterator[list[str]]:
    """Of a metric, in parts. Raises InvalidInput for one that is none."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            parts = line.split()
            if not parts:
                continue
            if not _is_point(parts, least):
                raise InvalidInput(
                    f"{path}, line {number}: {line.strip()!r:.80} is no point: time, value and step were expected"
                )
            yield parts


def _is_point(parts: Sequence[str], least: int) -> bool:
    try:
        int(parts[0]), float(parts[1]), [int(step) for step in parts[2:3]]
    except (ValueError, IndexError):
        return False
    return len(parts) >= least


def _points_in(path: Path, name: str, run_id: str, labels: Labels) -> Iterator[SourcePoint]:
    """As they lie there; of a model's metric, those of the run and the labels."""
    model_id = dict(labels).get("model_id")
    for parts in _lines(path, 4 if labels else 2):
        if model_id and (parts[3] != run_id or of_model(model_id, *(parts[4:6] or (None, None))) != labels):
            continue
        value = float(parts[1])
        is_number = not math.isnan(value)
        step = int(parts[2]) if len(parts) > 2 else 0
        yield SourcePoint(step, int(parts[0]), name, is_number, value if is_number else math.nan, labels)


def _sorted(path: Path, name: str, run_id: str, labels: Labels) -> Iterator[SourcePoint]:
    steps, times, values = array("q"), array("q"), array("d")
    for point in _points_in(path, name, run_id, labels):
        steps.append(point.step)
        times.append(point.time_ms)
        values.append(point.value)
    is_number = ~np.isnan(np.frombuffer(values))
    order = np.lexsort(
        (np.frombuffer(values), is_number, np.frombuffer(times, np.int64), np.frombuffer(steps, np.int64))
    )
    for at in order.tolist():
        yield SourcePoint(steps[at], times[at], name, bool(is_number[at]), values[at], labels)
