"""A run of another tracker's as records: the first time that it is imported."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from lineal.client.given import media_type, split
from lineal.formats.mlflow_tags import captures_of
from lineal.importing.nouns import SourceDataset, SourceExperiment, SourcePoint, SourceRun
from lineal.importing.segments import Segments
from lineal.journal.blobs import Blob
from lineal.model.captures import canonical
from lineal.model.ids import is_run_id
from lineal.model.limits import DESCRIPTION_MAX_CHARS, DOCUMENT_MAX_BYTES
from lineal.model.vocabulary import EndStatus
from lineal.record.records import (
    ArtifactLogged,
    AttemptEnded,
    AttemptStarted,
    CaptureSet,
    DatasetUsed,
    DocumentSet,
    ExperimentSet,
    ModelUsed,
    NoteSet,
    ParamsSet,
    TagsSet,
)

NAME_TAG, NOTE_TAG, PARENT_TAG = "mlflow.runName", "mlflow.note.content", "mlflow.parentRunId"
NUMBER_TAG, LOCATION_TAG = "mlflow.experimentId", "mlflow.artifactLocation"
REFERENCE_PATH = "artifacts"
_ENDS: dict[str, EndStatus] = {"FINISHED": "finished", "FAILED": "failed", "KILLED": "killed"}
_DIGEST_CHARS = 12


def end_of(run: SourceRun) -> EndStatus | None:
    """None while it runs (or waits to run)."""
    return _ENDS.get(run.status)


def ended_ms(run: SourceRun) -> int:
    return run.started_ms if run.ended_ms is None else run.ended_ms


def tags_of(run: SourceRun) -> dict[str, str]:
    """Without the name, which is the run's own here."""
    return {key: value for key, value in run.tags.items() if key != NAME_TAG}


def parent_of(run: SourceRun) -> str | None:
    parent = run.tags.get(PARENT_TAG)
    return parent if parent and is_run_id(parent) else None


def experiment_record(experiment: SourceExperiment) -> ExperimentSet:
    """Its number and its artifact location stay as tags: new runs of it put their artifacts into Lineal."""
    tags: dict[str, str | None] = dict(experiment.tags)
    if experiment.number:
        tags[NUMBER_TAG] = experiment.number
    if experiment.artifact_location:
        tags[LOCATION_TAG] = experiment.artifact_location
    note = experiment.tags.get(NOTE_TAG)
    description = note[:DESCRIPTION_MAX_CHARS] if note else None
    return ExperimentSet(experiment.name, description, None, tags, experiment.lifecycle)


def start_record(run: SourceRun, attempt: str) -> AttemptStarted:
    return AttemptStarted(
        attempt,
        run.experiment.name,
        run.name,
        user_id=run.user_id,
        parent_run_id=parent_of(run),
    )


def say_whole(
    out: Segments,
    run: SourceRun,
    attempt: str,
    points: Iterable[SourcePoint],
    artifacts: list[tuple[ArtifactLogged, int]],
) -> int:
    """All of the run, in an order that is the same each time. Returns how many points it had."""
    out.say(start_record(run, attempt), run.started_ms)
    if run.params:
        for part in split(dict(run.params)):
            out.say(ParamsSet(attempt, dict(part)), run.started_ms)
    if tags_of(run):
        for some in split(tags_of(run)):
            out.say(TagsSet(dict(some)), run.started_ms)
    if run.tags.get(NOTE_TAG):
        out.say(NoteSet(run.tags[NOTE_TAG]), run.started_ms)
    for told in (*capture_records(run, attempt), *lineage_records(run)):
        out.say(told, run.started_ms)
    count = say_points(out, points)
    for record, time_ms in artifacts:
        out.say(record, time_ms)
    status = end_of(run)
    if status is not None:
        out.say(AttemptEnded(attempt, status), ended_ms(run))
    # What was taken over, so that the next import knows what is new.
    out.say(DocumentSet(run.document, document_of(run, count)), ended_ms(run))
    return count


def say_points(out: Segments, points: Iterable[SourcePoint]) -> int:
    """Those of one step and time that follow one another are a row."""
    count = 0
    names: list[str] = []
    values: list[float] = []
    step = time_ms = 0
    labels: tuple[tuple[str, str], ...] = ()
    for point in points:
        count += 1
        at_step, at_ms, name, _, value, of_labels = point
        if at_step != step or at_ms != time_ms or of_labels != labels or (names and name <= names[-1]):
            if names:
                out.say_points(tuple(names), labels, step, time_ms, values)
            names, values, step, time_ms, labels = [], [], at_step, at_ms, of_labels
        names.append(name)
        values.append(value)
    if names:
        out.say_points(tuple(names), labels, step, time_ms, values)
    return count


def artifact_record(path: str, blob: Blob) -> ArtifactLogged:
    return ArtifactLogged(path, blob.size_bytes, blob.digest, None, media_type(path))


def reference_record(path: str, uri: str) -> ArtifactLogged:
    """Where the files of a run are that no program here can list."""
    return ArtifactLogged(path, None, None, uri)


def lineage_records(run: SourceRun) -> list[DatasetUsed | ModelUsed]:
    """What the run used and put out."""
    found: list[DatasetUsed | ModelUsed] = [dataset_record(one) for one in run.datasets]
    return found + [ModelUsed(one.model_id, one.role, one.step) for one in run.models]


def capture_records(run: SourceRun, attempt: str) -> list[CaptureSet]:
    """What its tags tell of its code, and of how it was started."""
    return [CaptureSet(attempt, part, content) for part, content in captured_of(run).items()]


def captured_of(run: SourceRun) -> dict[str, dict[str, Any]]:
    """By part. Old stores have columns for what are tags in new ones."""
    columns = {
        "mlflow.source.name": run.provenance.get("source_name"),
        "mlflow.source.type": run.provenance.get("source_type"),
        "mlflow.source.git.commit": run.provenance.get("source_version"),
        "mlflow.project.entryPoint": run.provenance.get("entry_point_name"),
        "mlflow.user": run.user_id,
    }
    return captures_of({key: value for key, value in columns.items() if value} | run.tags)


def dataset_record(one: SourceDataset) -> DatasetUsed:
    """Without a profile that no frame could hold."""
    profile = one.profile if one.profile is None or len(one.profile) <= DOCUMENT_MAX_BYTES // 2 else None
    return DatasetUsed(
        one.name,
        one.digest,
        source_type=one.source_type,
        source=one.source,
        schema=one.schema,
        profile=profile,
        context=one.context or None,
        tags=one.tags,
    )


# -- what the next import compares with ------------------------------------------------------------


def document_of(run: SourceRun, point_count: int) -> dict[str, Any]:
    """`taken`: one text, so that the names of tags become no fields of the document."""
    came_from = {
        "run_id": run.run_id,
        "experiment_id": run.experiment.number,
        "status": run.status,
        "artifact_uri": run.artifact_uri,
        **run.provenance,
    }
    taken = json.dumps(taken_of(run), sort_keys=True, separators=(",", ":"))
    return {**{key: value for key, value in came_from.items() if value}, "points": point_count, "taken": taken}


def taken_of(run: SourceRun) -> dict[str, Any]:
    """What may change in MLflow, by a digest where it may be long."""
    return {
        "name": run.name or "",
        "lifecycle": run.lifecycle,
        "end": f"{run.status} {ended_ms(run)}" if end_of(run) else "",
        "tags": {key: short_digest(value) for key, value in tags_of(run).items()},
    } | ({"captures": captured} if (captured := captured_digests(run)) else {})


def captured_digests(run: SourceRun) -> dict[str, str]:
    return {part: short_digest(canonical(content)) for part, content in captured_of(run).items()}


def short_digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]


def taken_from(document: Any) -> tuple[int, Mapping[str, Any]] | None:
    """Count of points, and the rest, of a run that an import took over whole; None where the document says no such thing."""
    try:
        taken = json.loads(document["taken"])
        return int(document["points"]), {
            "name": str(taken["name"]),
            "lifecycle": str(taken["lifecycle"]),
            "end": str(taken["end"]),
            "tags": {str(key): str(value) for key, value in taken["tags"].items()},
            "captures": {str(key): str(value) for key, value in taken.get("captures", {}).items()},
        }
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
