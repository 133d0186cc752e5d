"""MLflow's file store: an `mlruns` folder.

One folder an experiment with `meta.yaml`, in it one a run; each param and tag a file, each metric a file with a line a point:
time in ms, value, step, and perhaps the name and digest of a dataset. Runs that were deleted say so in their `meta.yaml`,
experiments lie in `.trash`."""

from __future__ import annotations

import heapq
import math
import os
from array import array
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lineal.importing.mlflow_sql import place_of
from lineal.importing.nouns import Place, SourceExperiment, SourcePoint, SourceRun
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.vocabulary import Labels, Lifecycle

_META = "meta.yaml"
_OPEN_MAX_COUNT = 100  # files of metrics that are merged by their steps; of more, one after the other
_STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}
_PROVENANCE = ("source_name", "entry_point_name", "source_version")


class MlflowFiles:
    """`artifacts`: the folder in which the files of runs lie, where that is not beside them."""

    def __init__(self, folder: Path, *, artifacts: Path | None = None) -> None:
        if not folder.is_dir():
            raise NotFound(f"{folder} does not exist: an mlruns folder or a database URL was expected", field="source")
        self._folder = folder
        self._artifacts = artifacts
        if not self._metas:
            raise InvalidInput(
                f"{folder} is no mlruns folder: in it, folders of experiments with a {_META} were expected",
                field="source",
            )

    @property
    def place(self) -> str:
        return str(self._folder)

    def close(self) -> None:
        """Nothing is kept open."""

    # -- experiments ----------------------------------------------------------------------------

    @cached_property
    def _metas(self) -> dict[Path, SourceExperiment]:
        """By folder."""
        found = {}
        for place in (self._folder, self._folder / ".trash"):
            for folder in _folders(place):
                meta = folder / _META
                if not meta.is_file() or folder.name == "models":
                    continue
                said = _read_meta(meta)
                if "name" in said and "run_id" not in said and "run_uuid" not in said:
                    found[folder] = _experiment_of(folder, said)
        return found

    def list_experiments(self) -> list[SourceExperiment]:
        return list(self._metas.values())

    # -- runs -----------------------------------------------------------------------------------

    def _run_folders(self) -> Iterator[tuple[SourceExperiment, Path]]:
        for folder, experiment in self._metas.items():
            for below in _folders(folder):
                if (below / _META).is_file() and (below / "params").is_dir():
                    yield experiment, below

    def count_runs(self) -> int:
        return sum(1 for _ in self._run_folders())

    def chunks(self, size: int) -> Iterator[Sequence[SourceRun]]:
        chunk: list[SourceRun] = []
        for experiment, folder in self._run_folders():
            chunk.append(_run_of(experiment, folder))
            if len(chunk) == size:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    # -- points ---------------------------------------------------------------------------------

    def points(self, run: SourceRun) -> Iterator[SourcePoint]:
        names = _names(self._folder_of(run) / "metrics")
        if len(names) <= _OPEN_MAX_COUNT:
            return heapq.merge(*(self.points_of(run, name, ()) for name in names))
        return (point for name in names for point in self.points_of(run, name, ()))

    def series(self, run: SourceRun) -> list[tuple[str, Labels, int]]:
        metrics = self._folder_of(run) / "metrics"
        return [(name, (), _line_count(metrics / name)) for name in _names(metrics)]

    def points_of(self, run: SourceRun, name: str, labels: Labels) -> Iterator[SourcePoint]:
        """Streamed where they lie in order, as they do unless steps went back: then the one metric is sorted in memory."""
        path = self._folder_of(run) / "metrics" / name
        last: SourcePoint | None = None
        for point in _points_in(path, name):
            if last is not None and point[:5] < last[:5]:
                return iter(_sorted(path, name))
            last = point
        return _points_in(path, name)

    def _folder_of(self, run: SourceRun) -> Path:
        return self._folder_by_run[run.run_id]

    @cached_property
    def _folder_by_run(self) -> dict[str, Path]:
        return {folder.name: folder for _, folder in self._run_folders()}

    # -- artifacts ------------------------------------------------------------------------------

    def artifacts(self, run: SourceRun) -> Place:
        places = [self._folder_of(run) / "artifacts"]
        if self._artifacts is not None:
            places.insert(0, self._artifacts / run.experiment.number / run.run_id / "artifacts")
        for place in places:
            if place.is_dir() and any(place.iterdir()):
                return Place(str(place), None)
        return place_of(run.artifact_uri, self._folder.parent, run)


def _points_in(path: Path, name: str) -> Iterator[SourcePoint]:
    """As they lie there."""
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            parts = line.split()
            if not parts:
                continue
            try:
                time_ms, value = int(parts[0]), float(parts[1])
                step = int(parts[2]) if len(parts) > 2 else 0
            except (ValueError, IndexError):
                raise InvalidInput(
                    f"{path}, line {number}: {line.strip()!r:.80} is no point: time, value and step were expected"
                ) from None
            is_number = not math.isnan(value)
            yield SourcePoint(step, time_ms, name, is_number, value if is_number else math.nan)


def _sorted(path: Path, name: str) -> Iterator[SourcePoint]:
    steps, times, values = array("q"), array("q"), array("d")
    for point in _points_in(path, name):
        steps.append(point.step)
        times.append(point.time_ms)
        values.append(point.value)
    is_number = ~np.isnan(np.frombuffer(values))
    order = np.lexsort(
        (np.frombuffer(values), is_number, np.frombuffer(times, np.int64), np.frombuffer(steps, np.int64))
    )
    for at in order.tolist():
        yield SourcePoint(steps[at], times[at], name, bool(is_number[at]), values[at])


def _experiment_of(folder: Path, said: Mapping[str, Any]) -> SourceExperiment:
    tags = folder / "tags"
    return SourceExperiment(
        str(said.get("experiment_id", folder.name)),
        str(said["name"]),
        said.get("artifact_location"),
        _lifecycle(said.get("lifecycle_stage")),
        int(said.get("creation_time") or 0),
        int(said.get("last_update_time") or said.get("creation_time") or 0),
        {name: _text(tags / name) for name in _names(tags)},
    )


def _run_of(experiment: SourceExperiment, folder: Path) -> SourceRun:
    said = _read_meta(folder / _META)
    status = said.get("status", 1)
    tags = {name: _text(folder / "tags" / name) for name in _names(folder / "tags")}
    metrics = folder / "metrics"
    return SourceRun(
        folder.name,
        experiment,
        str(said.get("run_name") or said.get("name") or tags.get("mlflow.runName") or "") or None,
        _STATUSES.get(status, "RUNNING") if isinstance(status, int) else str(status),
        _lifecycle(said.get("lifecycle_stage")),
        int(said.get("start_time") or 0),
        None if said.get("end_time") is None else int(said["end_time"]),
        said.get("user_id") or tags.get("mlflow.user") or None,
        said.get("artifact_uri"),
        sum(_line_count(metrics / name) for name in _names(metrics)),
        {name: _text(folder / "params" / name) for name in _names(folder / "params")},
        tags,
        {name: str(said[name]) for name in _PROVENANCE if said.get(name)},
    )


def _read_meta(path: Path) -> dict[str, Any]:
    try:
        import yaml
    except ImportError as error:
        raise InvalidInput("an mlruns folder needs one more package: pip install PyYAML", field="source") from error
    try:
        said = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError) as error:
        raise InvalidInput(f"{path} cannot be read: {error}", field="source") from None
    if not isinstance(said, dict):
        raise InvalidInput(f"{path} is not MLflow's: it says nothing by name", field="source")
    return said


def _folders(place: Path) -> list[Path]:
    try:
        return sorted(entry for entry in place.iterdir() if entry.is_dir())
    except FileNotFoundError:
        return []


def _names(folder: Path) -> list[str]:
    """Of the files below, which are names of params, tags or metrics; a "/" in one is a folder there."""
    found = []
    for place, _, files in os.walk(folder):
        found += [Path(place, file).relative_to(folder).as_posix() for file in files]
    return sorted(found)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _line_count(path: Path) -> int:
    with path.open("rb") as lines:
        return sum(1 for line in lines if line.strip())


def _lifecycle(stage: object) -> Lifecycle:
    return "deleted" if stage == "deleted" else "active"
