"""From the JSON of a server to the store's nouns. Raises Unreachable for what no Lineal server says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import wraps
from typing import Any, TypeVar

from lineal.model.captures import Capture, canonical
from lineal.model.console import ConsoleLine
from lineal.model.datasets import DatasetRun, DatasetVersion, MadeVersion, UsedDataset
from lineal.model.entities import (
    Artifact,
    Attempt,
    Experiment,
    MetricDefinition,
    ParamConflict,
    Run,
    RunDetails,
    SeriesInfo,
    SeriesKey,
    Stamp,
    Summary,
)
from lineal.model.errors import Unreachable
from lineal.model.lineage import ArtifactUse, Dataset, DatasetUse, ModelUse, VersionUse
from lineal.model.lineage_graph import Edge, LineageGraph, Node
from lineal.model.registry import ModelVersion, RegisteredModel, Transition, VersionContent, VersionFile
from lineal.model.values import to_json
from lineal.store.console import ConsolePage
from lineal.store.contracts import RunGroup, Spread

Json = Mapping[str, Any]
T = TypeVar("T")
_NOT_FINITE = {"NaN": float("nan"), "Infinity": float("inf"), "-Infinity": float("-inf")}
_NOBODY = Stamp(0, "", 0)


def _at_the_door(read: Callable[..., T]) -> Callable[..., T]:
    @wraps(read)
    def checked(*arguments: Any) -> T:
        try:
            return read(*arguments)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Unreachable(
                f"the answer is not a Lineal server's of this release ({error!r:.80})", field="url"
            ) from None

    return checked


@_at_the_door
def details_of(said: Json) -> tuple[RunDetails, list[SeriesInfo]]:
    """A run whole, and its series."""
    details = RunDetails(
        run_of(said),
        {str(name): value for name, value in said["typed_params"].items()},
        dict(said["tags"]),
        said["note"],
        [_attempt(one) for one in said["attempts"]],
        [_artifact(one) for one in said["artifacts"]],
        {
            name: MetricDefinition(name, one["goal"], one["step_metric"], one["unit"])
            for name, one in said["metric_definitions"].items()
        },
        [
            ParamConflict(one["attempt_id"], one["name"], one["kept"], one["refused"], _NOBODY)
            for one in said["conflicts"]
        ],
        dict(said["losses"]),
        list(said["document_names"]),
        [_dataset(one) for one in said.get("datasets", ())],
        [_model_use(one) for one in said.get("models", ())],
        [
            ArtifactUse(one["run_id"], one["path"], one["digest"], one["version"], _ms(one["used_at"]) or 0)
            for one in said.get("artifact_uses", ())
        ],
        [VersionUse(one["version_id"], one["name"], _ms(one["used_at"]) or 0) for one in said.get("version_uses", ())],
        said.get("console_line_count", 0),
    )
    return details, [_series(one) for one in said["series"]]


@_at_the_door
def console_of(said: Json) -> ConsolePage:
    lines = [
        ConsoleLine(one["number"], one["time"], one["stream"], one["text"], one["attempt_id"], one.get("rank", 0))
        for one in said["lines"]
    ]
    return ConsolePage(lines, said["total"], said["next"])


@_at_the_door
def run_of(said: Json) -> Run:
    started_ms = _ms(said["start_time"])
    return Run(
        said["run_id"],
        said["experiment_id"],
        said["experiment_name"],
        said["name"],
        said["status"],
        said["lifecycle_stage"],
        started_ms or 0,
        _ms(said["end_time"]),
        said["description"],
        said["user_id"],
        said["parent_run_id"],
        said.get("forked_from"),
        said.get("fork_step"),
        said.get("content_digest"),
        bool(said.get("locked")),
    )


@_at_the_door
def experiment_of(said: Json) -> Experiment:
    return Experiment(
        said["id"],
        said["name"],
        said["description"],
        said["artifact_location"],
        said["lifecycle_stage"],
        _ms(said["created_at"]) or 0,
        _ms(said["last_updated"]) or 0,
        dict(said["tags"]),
    )


@_at_the_door
def group_of(said: Json, fields: Mapping[str, Any]) -> RunGroup:
    """`fields`: of the metrics asked for, by their text."""
    aggregates = {
        field: Spread(
            said["aggregates"][text]["count"],
            *(_optional(said["aggregates"][text][name]) for name in ("mean", "std", "min", "max")),
        )
        for text, field in fields.items()
    }
    return RunGroup(tuple(said["values"]), said["run_count"], aggregates, tuple(said["run_ids"]))


@_at_the_door
def lineage_of(said: Json) -> LineageGraph:
    nodes = [
        Node(
            one["kind"],
            one["id"],
            one["name"],
            one["is_known"],
            one["is_deleted"],
            one["run_id"],
            one["status"],
            one["experiment"],
            _ms(one["started_at"]),
            one["attempt_count"],
            one["digest"],
            None if one["names"] is None else tuple(one["names"]),
            one["version"],
            one["source"],
            one["size_bytes"],
            one["uri"],
            one["stage"],
        )
        for one in said["nodes"]
    ]
    known = {one["key"]: (one["kind"], one["id"]) for one in said["nodes"]}
    edges = [Edge(known[one["from"]], known[one["to"]], one["relation"], one["context"]) for one in said["edges"]]
    return LineageGraph(known[said["subject"]], nodes, edges, said["is_complete"])


def _dataset(said: Json) -> DatasetUse:
    dataset = Dataset(said["name"], said["digest"], said["version"], said["source_type"], said["source"])
    return DatasetUse(dataset, said["context"] or "", dict(said["tags"]), _ms(said["used_at"]) or 0)


@_at_the_door
def used_dataset_of(said: Json) -> UsedDataset:
    return UsedDataset(
        said["name"], said["version_count"], said["run_count"], _ms(said["last_used"]) or 0, _described(said)
    )


@_at_the_door
def dataset_version_of(said: Json) -> DatasetVersion:
    return DatasetVersion(
        _described(said), said["run_count"], _ms(said["first_used"]) or 0, _ms(said["last_used"]) or 0
    )


def _described(said: Json) -> Dataset:
    schema, profile = said.get("schema"), said.get("profile")
    if profile is None:
        counts = ("row_count", "column_count", "file_count", "size_bytes")
        profile = {name: said[name] for name in counts if said[name] is not None} or None
    texts = [None if one is None else to_json(one) for one in (schema, profile)]
    return Dataset(*(said[name] for name in ("name", "digest", "version", "source_type", "source")), *texts)


@_at_the_door
def dataset_run_of(said: Json) -> DatasetRun:
    return DatasetRun(
        _ms(said["used_at"]) or 0,
        said["digest"],
        said["run_id"],
        said["context"] or "",
        said["version"],
        said["run_name"],
        said["experiment"],
        said["status"],
        said["lifecycle_stage"],
    )


@_at_the_door
def made_version_of(said: Json) -> MadeVersion:
    return MadeVersion(
        _ms(said["created_at"]) or 0,
        said["version_id"],
        said["name"],
        said["version"],
        said["run_id"],
        said["stage"],
    )


def _model_use(said: Json) -> ModelUse:
    return ModelUse(said["model_id"], said["role"], said["step"], _ms(said["used_at"]) or 0)


@_at_the_door
def model_of(said: Json) -> RegisteredModel:
    return RegisteredModel(
        said["name"],
        said["description"],
        dict(said["tags"]),
        said["lifecycle_stage"],
        _ms(said["created_at"]) or 0,
        _ms(said["last_updated"]) or 0,
        {str(alias): int(number) for alias, number in said["aliases"].items()},
        said["version_count"],
        said["last_version"],
    )


@_at_the_door
def version_of(said: Json) -> ModelVersion:
    return ModelVersion(
        said["version_id"],
        said["name"],
        said["version"],
        said["run_id"],
        said["model_id"],
        said["source"],
        said["path"],
        said["location"],
        said["run_link"],
        said["format"],
        said["description"],
        dict(said["tags"]),
        said["stage"],
        said["status"],
        said["lifecycle_stage"],
        tuple(said["aliases"]),
        _ms(said["created_at"]) or 0,
        _ms(said["last_updated"]) or 0,
    )


@_at_the_door
def content_of(said: Json) -> VersionContent:
    """Of a version in detail."""
    return VersionContent(
        tuple(VersionFile(one["path"], one["size_bytes"], one["digest"]) for one in said["files"]),
        None if said["signature"] is None else to_json(said["signature"]),
        None if said["input_example"] is None else to_json(said["input_example"]),
    )


@_at_the_door
def transition_of(name: str, said: Json) -> Transition:
    return Transition(
        said["number"],
        said["time_ms"],
        said["writer"],
        said["seq"],
        said["actor"],
        said["kind"],
        name,
        said["version"],
        said["alias"],
        said["before"],
        said["after"],
        said["why"],
    )


def _attempt(said: Json) -> Attempt:
    return Attempt(
        said["attempt_id"],
        _ms(said["started_at"]) or 0,
        _ms(said["ended_at"]),
        said["status"],
        said["error"],
        said["user_id"],
        said["host"],
        said["pid"],
        said["resumed"],
    )


def _artifact(said: Json) -> Artifact:
    return Artifact(
        said["path"],
        said["version"],
        said["size_bytes"],
        said["digest"],
        said["uri"],
        said["media_type"],
        _ms(said["logged_at"]) or 0,
    )


def _series(said: Json) -> SeriesInfo:
    labels = tuple(sorted((str(key), str(value)) for key, value in said["labels"].items()))
    summary = Summary(
        said["count"],
        said["nan_count"],
        _number(said["first"]),
        _number(said["last"]),
        _number(said["last_step"]),
        _ms(said["last_at"]) or 0,
        _optional(said["min"]),
        _optional(said["max"]),
        _optional(said["mean"]),
    )
    return SeriesInfo(SeriesKey(said["name"], labels, said["value_type"]), summary)


def capture_of(said: Any) -> Capture:
    """Its text is of the content as it came: NaN and infinities are texts in it."""
    return Capture(said["attempt_id"], said["part"], canonical(said["content"]), said["digest"], _ms(said["time"]) or 0)


def _number(said: Any) -> int | float:
    """Of the three strings, the number that they stand for."""
    if isinstance(said, str):
        return _NOT_FINITE[said]
    if not isinstance(said, (int, float)):
        raise TypeError(f"{said!r:.40} is no number")
    return said


def _optional(said: Any) -> Any:
    return None if said is None else _number(said)


def _ms(said: str | None) -> int | None:
    """ISO 8601 in UTC, with milliseconds."""
    if said is None:
        return None
    return round(datetime.fromisoformat(said.replace("Z", "+00:00")).timestamp() * 1000)
