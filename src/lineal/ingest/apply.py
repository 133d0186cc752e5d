"""One function a kind of record. Each is idempotent because the store's verbs are: see `store/contracts.py`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from lineal.model.captures import canonical
from lineal.model.console import STREAM_OF_LETTER, ConsoleLines, with_short_lines
from lineal.model.entities import Artifact, Attempt, Layout, MetricDefinition, SeriesKey, Stamp
from lineal.model.errors import Damaged
from lineal.model.limits import (
    CAPTURE_MAX_BYTES,
    CAPTURE_PARTS_MAX_COUNT,
    LABELS_MAX_BYTES,
    MODEL_FILES_MAX_COUNT,
    NAME_MAX_BYTES,
)
from lineal.model.lineage import ArtifactUse, Dataset, DatasetUse, ModelFile, ModelUse, VersionUse
from lineal.model.registry import NewVersion, VersionContent, VersionFile, is_model_name
from lineal.model.values import INT64_MAX, INT64_MIN, to_json
from lineal.record.records import (
    AliasSet,
    ArtifactLogged,
    ArtifactUsed,
    AttemptEnded,
    AttemptStarted,
    CaptureSet,
    ConsoleAppended,
    DatasetUsed,
    DocumentSet,
    ExperimentRenamed,
    ExperimentSet,
    LayoutDefined,
    LooseFileSet,
    Lost,
    MetricDefined,
    ModelLogged,
    ModelRenamed,
    ModelSet,
    ModelUsed,
    ModelVersionCreated,
    ModelVersionSet,
    ModelVersionUsed,
    NameSet,
    NoteSet,
    ParamsSet,
    Record,
    RunLifecycleSet,
    RunLockSet,
    RunTagsSet,
    StageSet,
    TagsSet,
)
from lineal.store.contracts import RunStart, TenantWriter

_DIGEST = re.compile("[0-9a-f]{64}")
LOCKED = "locked"
"""The reason of losses: what was said of a run while it was locked."""
_VALUE_TYPES = {"d": "float64", "q": "int64"}


class Context(NamedTuple):
    """Into what a record is applied. `run_id` is None on a tenant's stream."""

    store: TenantWriter
    run_id: str | None


def apply(context: Context, record: Record, stamp: Stamp) -> None:
    """Makes the record part of the state. Raises Damaged if the record has no place on this stream."""
    function = _FUNCTIONS.get(type(record))
    if function is None:
        raise Damaged(f"{type(record).__name__} is not a statement")
    if context.run_id is None and type(record) not in _TENANT_KINDS:
        raise Damaged(f"{type(record).__name__} on a tenant's stream")
    function(context, record, stamp)


def layout_of(record: LayoutDefined) -> Layout:
    """Raises Damaged if the definition makes no sense."""
    try:
        keys = tuple(_series_key(*entry) for entry in record.series)
        return Layout(_VALUE_TYPES[record.step], keys)  # type: ignore[arg-type]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Damaged(f"layout {record.number} makes no sense: {error!r}") from None


def _series_key(name: str, code: str, labels: dict[str, str] | None = None) -> SeriesKey:
    if not isinstance(name, str):
        raise TypeError("a name is not text")
    pairs = tuple(sorted((str(key), str(value)) for key, value in (labels or {}).items()))
    if len(name.encode()) > NAME_MAX_BYTES or len(to_json(pairs).encode()) > LABELS_MAX_BYTES:
        raise ValueError("a name or labels over the limit")
    return SeriesKey(name, pairs, _VALUE_TYPES[code])  # type: ignore[arg-type]


def _attempt_started(context: Context, record: AttemptStarted, stamp: Stamp) -> None:
    attempt = Attempt(
        record.attempt,
        stamp.time_ms if record.started_ms is None else record.started_ms,
        user_id=record.user_id,
        host=record.host,
        pid=record.pid,
        resumed=record.resumed,
    )
    start = RunStart(
        record.experiment,
        record.name,
        record.description,
        record.user_id,
        record.parent_run_id,
        record.forked_from,
        record.fork_step,
        record.content_digest,
    )
    context.store.start_attempt(_run(context), attempt, start, stamp)


def _attempt_ended(context: Context, record: AttemptEnded, stamp: Stamp) -> None:
    context.store.end_attempt(_run(context), record.attempt, record.status, record.error, stamp, record.ended_ms)


def _params_set(context: Context, record: ParamsSet, stamp: Stamp) -> None:
    context.store.set_params(_run(context), record.attempt, record.params, stamp)


def _tags_set(context: Context, record: TagsSet, stamp: Stamp) -> None:
    context.store.set_tags(_run(context), record.tags, stamp)


def _note_set(context: Context, record: NoteSet, stamp: Stamp) -> None:
    context.store.set_note(_run(context), record.text, stamp)


def _name_set(context: Context, record: NameSet, stamp: Stamp) -> None:
    context.store.set_name(_run(context), record.name, stamp)


def _document_set(context: Context, record: DocumentSet, stamp: Stamp) -> None:
    context.store.set_document(_run(context), record.name, to_json(record.content), stamp)


def _capture_set(context: Context, record: CaptureSet, stamp: Stamp) -> None:
    text = canonical(record.content)
    if len(text) > CAPTURE_MAX_BYTES:  # it is ASCII
        raise Damaged(f"the capture {record.part!r:.80} has {len(text):,} bytes; the limit is {CAPTURE_MAX_BYTES:,}")
    if not context.store.set_capture(_run(context), record.attempt, record.part, text, stamp):
        raise Damaged(f"the attempt has {CAPTURE_PARTS_MAX_COUNT:,} captures already")


def _metric_defined(context: Context, record: MetricDefined, stamp: Stamp) -> None:
    definition = MetricDefinition(record.name, record.goal, record.step_metric, record.unit)
    context.store.define_metric(_run(context), definition, stamp)


def _artifact_logged(context: Context, record: ArtifactLogged, stamp: Stamp) -> None:
    artifact = Artifact(
        record.path, 0, record.size_bytes, record.digest, record.uri, record.media_type, logged_ms=stamp.time_ms
    )
    context.store.add_artifact(_run(context), artifact, stamp)


def _lost(context: Context, record: Lost, stamp: Stamp) -> None:
    context.store.add_loss(_run(context), record.reason, record.count, stamp)


def _console_appended(context: Context, record: ConsoleAppended, stamp: Stamp) -> None:
    texts = record.text.split("\n")
    if not len(record.streams) == len(record.times) == len(texts) or set(record.streams) - set(STREAM_OF_LETTER):
        raise Damaged("a console has a stream, a time and a text for each line, and a line at least")
    now, times_ms = 0, []
    for step in record.times:
        now += step
        if type(step) is not int or not INT64_MIN <= now <= INT64_MAX:
            raise Damaged(f"a line of a console has no time {step!r:.40}")
        times_ms.append(now)
    if not 0 <= (rank := record.rank or 0) <= INT64_MAX:
        raise Damaged(f"a console has no rank {rank!r:.40}")
    lines = ConsoleLines(record.streams, tuple(times_ms), tuple(texts), rank)
    context.store.append_console(_run(context), record.attempt, with_short_lines(lines), stamp)


def _dataset_used(context: Context, record: DatasetUsed, stamp: Stamp) -> None:
    dataset = Dataset(
        record.name,
        record.digest,
        record.version,
        record.source_type,
        record.source,
        record.schema,
        record.profile,
    )
    context.store.use_dataset(_run(context), DatasetUse(dataset, record.context or "", dict(record.tags)), stamp)


def _model_logged(context: Context, record: ModelLogged, stamp: Stamp) -> None:
    context.store.set_logged_model(
        record.model_id,
        stamp,
        name=record.name,
        experiment=record.experiment,
        run_id=record.run_id,
        model_type=record.model_type,
        path=record.path,
        params=record.params,
        tags=record.tags,
        status=record.status,
        lifecycle=record.lifecycle,
        files=None if record.files is None else {path: _file(one) for path, one in record.files.items()},
    )


def _file(said: list[Any] | None) -> ModelFile | None:
    if said is None:
        return None
    digest, size_bytes, media_type = said if len(said) == 3 else ("", 0, None)
    if (
        not isinstance(digest, str)
        or not _DIGEST.fullmatch(digest)
        or type(size_bytes) is not int
        or not 0 <= size_bytes <= INT64_MAX
        or not isinstance(media_type, str | None)
    ):
        raise Damaged(f"a file is not [digest, size, media type]: {said!r:.80}")
    return ModelFile(digest, size_bytes, media_type)


def _model_used(context: Context, record: ModelUsed, stamp: Stamp) -> None:
    context.store.use_model(_run(context), ModelUse(record.model_id, record.role, record.step), stamp)


def _artifact_used(context: Context, record: ArtifactUsed, stamp: Stamp) -> None:
    use = ArtifactUse(record.run_id, record.path, record.digest, record.version)
    context.store.use_artifact(_run(context), use, stamp)


def _model_version_used(context: Context, record: ModelVersionUsed, stamp: Stamp) -> None:
    context.store.use_version(_run(context), VersionUse(record.version_id, record.name), stamp)


def _experiment_set(context: Context, record: ExperimentSet, stamp: Stamp) -> None:
    context.store.set_experiment(
        record.name,
        stamp,
        description=record.description,
        artifact_location=record.artifact_location,
        tags=record.tags,
        lifecycle=record.lifecycle,
    )


def _experiment_renamed(context: Context, record: ExperimentRenamed, stamp: Stamp) -> None:
    context.store.rename_experiment(record.experiment, record.name, stamp)


def _run_lifecycle_set(context: Context, record: RunLifecycleSet, stamp: Stamp) -> None:
    if not _refused(context, record.run_id, stamp):
        context.store.set_lifecycle(record.run_id, record.lifecycle, stamp)


def _run_tags_set(context: Context, record: RunTagsSet, stamp: Stamp) -> None:
    if not _refused(context, record.run_id, stamp):
        context.store.set_tags(record.run_id, record.tags, stamp)


def _run_lock_set(context: Context, record: RunLockSet, stamp: Stamp) -> None:
    context.store.set_lock(record.run_id, record.locked, stamp)


# -- registered models -----------------------------------------------------------------------------------------


def _model_version_created(context: Context, record: ModelVersionCreated, stamp: Stamp) -> None:
    content = VersionContent(
        _files(record.files),
        None if record.signature is None else to_json(record.signature),
        None if record.input_example is None else to_json(record.input_example),
    )
    version = NewVersion(
        record.version_id,
        _model_name(record.name),
        record.run_id if context.run_id is None else context.run_id,
        record.model_id,
        record.source or "",
        record.path,
        record.location,
        record.run_link,
        record.format,
        record.description,
        record.tags,
        record.status or "ready",
        content,
    )
    context.store.registry().create_version(version, stamp)


def _files(files: list[list[Any]]) -> tuple[VersionFile, ...]:
    found = []
    for file in files:
        path, size_bytes, digest = file if len(file) == 3 else (None, None, None)
        good = isinstance(path, str) and isinstance(size_bytes, int | None) and isinstance(digest, str | None)
        if not good or path is None or len(files) > MODEL_FILES_MAX_COUNT:
            raise Damaged("the files of a version are lists of a path, a size and a digest")
        found.append(VersionFile(path, size_bytes, digest))
    return tuple(found)


def _model_set(context: Context, record: ModelSet, stamp: Stamp) -> None:
    context.store.registry().set_model(
        _model_name(record.name),
        stamp,
        description=record.description,
        tags=record.tags,
        lifecycle=record.lifecycle,
        is_new=record.is_new,
    )


def _model_renamed(context: Context, record: ModelRenamed, stamp: Stamp) -> None:
    context.store.registry().rename_model(record.model, _model_name(record.name), stamp)


def _model_version_set(context: Context, record: ModelVersionSet, stamp: Stamp) -> None:
    context.store.registry().set_version(
        record.version_id,
        stamp,
        description=record.description,
        tags=record.tags,
        lifecycle=record.lifecycle,
        status=record.status,
    )


def _stage_set(context: Context, record: StageSet, stamp: Stamp) -> None:
    context.store.registry().set_stage(
        record.version_id, record.stage, stamp, archive_existing=record.archive_existing, why=record.why or ""
    )


def _alias_set(context: Context, record: AliasSet, stamp: Stamp) -> None:
    context.store.registry().set_alias(
        _model_name(record.name), record.alias, record.version_id, stamp, why=record.why or ""
    )


def _loose_file_set(context: Context, record: LooseFileSet, stamp: Stamp) -> None:
    said = None if record.digest is None else [record.digest, record.size_bytes, record.media_type]
    context.store.set_loose_file(record.path, _file(said), stamp)


def _model_name(name: str) -> str:
    """One that no address can name is damage."""
    if not is_model_name(name):
        raise Damaged(f"{name!r:.80} is no name for a model")
    return name


# -- inside ----------------------------------------------------------------------------------------------------


def _refused(context: Context, run_id: str, stamp: Stamp) -> bool:
    """A locked run takes no change: that one was said is counted (docs/adr/0020-locked-runs.md)."""
    if not context.store.is_locked(run_id):
        return False
    context.store.add_loss(run_id, LOCKED, 1, stamp)
    return True


def _run(context: Context) -> str:
    assert context.run_id is not None  # `apply` has checked
    return context.run_id


_FUNCTIONS: dict[type, Callable[[Context, Any, Stamp], None]] = {
    AttemptStarted: _attempt_started,
    AttemptEnded: _attempt_ended,
    ParamsSet: _params_set,
    TagsSet: _tags_set,
    NoteSet: _note_set,
    NameSet: _name_set,
    DocumentSet: _document_set,
    CaptureSet: _capture_set,
    MetricDefined: _metric_defined,
    ArtifactLogged: _artifact_logged,
    Lost: _lost,
    ConsoleAppended: _console_appended,
    DatasetUsed: _dataset_used,
    ModelLogged: _model_logged,
    ModelUsed: _model_used,
    ArtifactUsed: _artifact_used,
    ModelVersionUsed: _model_version_used,
    ExperimentSet: _experiment_set,
    ExperimentRenamed: _experiment_renamed,
    RunLifecycleSet: _run_lifecycle_set,
    RunTagsSet: _run_tags_set,
    RunLockSet: _run_lock_set,
    ModelVersionCreated: _model_version_created,
    ModelSet: _model_set,
    ModelRenamed: _model_renamed,
    ModelVersionSet: _model_version_set,
    StageSet: _stage_set,
    AliasSet: _alias_set,
    LooseFileSet: _loose_file_set,
}
_TENANT_KINDS = (
    ExperimentSet,
    ExperimentRenamed,
    RunLifecycleSet,
    RunTagsSet,
    RunLockSet,
    ModelLogged,
    ModelVersionCreated,
    ModelSet,
    ModelRenamed,
    ModelVersionSet,
    StageSet,
    AliasSet,
    LooseFileSet,
)
