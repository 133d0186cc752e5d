"""Record <-> JSON payload. Decoding is the door: what passes it has the types that `records` promises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lineal.model.errors import Damaged
from lineal.model.frozen import MISSING, fields
from lineal.model.ids import is_run_id
from lineal.model.limits import DOCUMENT_MAX_DEPTH, NAME_MAX_BYTES, SHORT_NAME_MAX_LENGTH
from lineal.model.registry import STAGES, is_alias, is_model_name, is_version_id
from lineal.model.values import INT64_MAX, INT64_MIN, Written, clean_text, from_json, is_deeper, to_json
from lineal.model.vocabulary import END_STATUSES
from lineal.record import kinds
from lineal.record.frame import frame
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
    SegmentOpened,
    SegmentSealed,
    StageSet,
    TagsSet,
)

_CLASSES: dict[int, type[Record]] = {
    kinds.SEGMENT_OPENED: SegmentOpened,
    kinds.LAYOUT_DEFINED: LayoutDefined,
    kinds.SEGMENT_SEALED: SegmentSealed,
    kinds.ATTEMPT_STARTED: AttemptStarted,
    kinds.ATTEMPT_ENDED: AttemptEnded,
    kinds.PARAMS_SET: ParamsSet,
    kinds.TAGS_SET: TagsSet,
    kinds.NOTE_SET: NoteSet,
    kinds.NAME_SET: NameSet,
    kinds.DOCUMENT_SET: DocumentSet,
    kinds.METRIC_DEFINED: MetricDefined,
    kinds.ARTIFACT_LOGGED: ArtifactLogged,
    kinds.LOST: Lost,
    kinds.DATASET_USED: DatasetUsed,
    kinds.MODEL_LOGGED: ModelLogged,
    kinds.MODEL_USED: ModelUsed,
    kinds.CAPTURE_SET: CaptureSet,
    kinds.ARTIFACT_USED: ArtifactUsed,
    kinds.MODEL_VERSION_USED: ModelVersionUsed,
    kinds.CONSOLE_APPENDED: ConsoleAppended,
    kinds.EXPERIMENT_SET: ExperimentSet,
    kinds.RUN_LIFECYCLE_SET: RunLifecycleSet,
    kinds.RUN_TAGS_SET: RunTagsSet,
    kinds.EXPERIMENT_RENAMED: ExperimentRenamed,
    kinds.RUN_LOCK_SET: RunLockSet,
    kinds.MODEL_VERSION_CREATED: ModelVersionCreated,
    kinds.MODEL_SET: ModelSet,
    kinds.MODEL_RENAMED: ModelRenamed,
    kinds.MODEL_VERSION_SET: ModelVersionSet,
    kinds.STAGE_SET: StageSet,
    kinds.ALIAS_SET: AliasSet,
    kinds.LOOSE_FILE_SET: LooseFileSet,
}
_KINDS = {record_class: kind for kind, record_class in _CLASSES.items()}
_FIELDS = {record_class: fields(record_class) for record_class in _KINDS}

# Annotation text -> the JSON types that may stand there. bool is an int in Python but not here.
_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "str | None": (str, type(None)),
    "int": (int,),
    "int | None": (int, type(None)),
    "bool": (bool,),
    "dict[str, Any]": (dict,),
    "dict[str, str]": (dict,),
    "dict[str, str] | None": (dict, type(None)),
    "dict[str, str | None]": (dict,),
    "dict[str, str | None] | None": (dict, type(None)),
    "dict[str, ParamValue]": (dict,),
    "dict[str, list[Any] | None] | None": (dict, type(None)),
    "list[int]": (list,),
    "list[list[Any]]": (list,),
    "EndStatus": (str,),
    "Goal | None": (str, type(None)),
    "Lifecycle": (str,),
    "Lifecycle | None": (str, type(None)),
    "ModelRole": (str,),
    "Stage": (str,),
    "ModelStatus | None": (str, type(None)),
}
_CHOICES = {
    "EndStatus": END_STATUSES,
    "Goal | None": (None, "min", "max"),
    "Lifecycle": ("active", "deleted"),
    "Lifecycle | None": (None, "active", "deleted"),
    "ModelRole": ("input", "output"),
    "ModelStatus | None": (None, "pending", "ready", "failed"),
    "Stage": STAGES,
}
_ITEMS: dict[str, tuple[type, ...]] = {
    "dict[str, str]": (str,),
    "dict[str, str] | None": (str,),
    "dict[str, str | None]": (str, type(None)),
    "dict[str, str | None] | None": (str, type(None)),
    "dict[str, ParamValue]": (str, int, float, bool, type(None)),
    "dict[str, list[Any] | None] | None": (list, type(None)),
    "list[int]": (int,),
    "list[list[Any]]": (list,),
}


_COUNTS = frozenset(
    ("count", "ended_ms", "last_seq", "number", "pid", "segment", "size_bytes", "started_ms", "version")
)


# Texts that stores keep in indexes. A record with a longer one, which no release of ours wrote, is damage.
_NAMES = {
    **dict.fromkeys(
        ("attempt", "experiment", "format", "model_type", "name", "path", "reason", "version", "writer"), NAME_MAX_BYTES
    ),
    **dict.fromkeys(("context", "digest", "model_id", "part"), SHORT_NAME_MAX_LENGTH),
}
_JSON = frozenset(("content", "signature", "input_example"))
_SHAPES: dict[str, Callable[[str], bool]] = {
    "run_id": is_run_id,
    "version_id": is_version_id,
    "alias": is_alias,
    "model": is_model_name,
}


def kind_of(record: Record) -> int:
    return _KINDS[type(record)]


def encode(record: Record) -> bytes:
    """The JSON payload: members that hold their default are left out."""
    members = {}
    written = ""
    for item in _FIELDS[type(record)]:
        value = getattr(record, item.name)
        if value is None or (value is False and item.default is False):
            continue
        if value == {} and item.name not in _JSON:
            continue
        if value == [] and item.default_factory is list:
            continue
        if type(value) is Written:
            written += f",{to_json(item.name)}:{value.text}"
        else:
            members[item.name] = value
    text = to_json(members)
    if written:  # behind the other members: no record consists of a content alone
        text = f"{text[:-1]}{written}}}"
    return text.encode()


def encode_frame(record: Record, seq: int, time_ns: int) -> bytes:
    return frame(kind_of(record), seq, time_ns, encode(record))


def decode(kind: int, payload: bytes | memoryview) -> Record:
    """The record of a kind in `kinds.KNOWN` that has a JSON payload. Raises Damaged if the payload is not of that kind."""
    record_class = _CLASSES[kind]
    try:
        text = bytes(payload)
        members = from_json(text)
        if b"\\u" in text or not text.isascii():
            members = _clean(members)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:  # also what a "$float" of nonsense raises
        raise Damaged(f"{record_class.__name__} is not JSON: {error}") from None
    if not isinstance(members, dict):
        raise Damaged(f"{record_class.__name__} is not a JSON object")
    values: dict[str, Any] = {}
    for item in _FIELDS[record_class]:
        if item.name in members:
            values[item.name] = _checked(record_class, item.name, str(item.type), members[item.name])
        elif item.default is MISSING and item.default_factory is MISSING:
            values[item.name] = _absent(record_class, item.name, str(item.type))
    return record_class(**values)


def _checked(record_class: type[Record], name: str, annotation: str, value: Any) -> Any:
    if annotation in ("Any", "dict[str, Any]"):
        if is_deeper(value, DOCUMENT_MAX_DEPTH):
            raise Damaged(f"{record_class.__name__}.{name} is nested more than {DOCUMENT_MAX_DEPTH} levels")
        if annotation == "Any":
            return value
    good = isinstance(value, _TYPES[annotation])
    if isinstance(value, bool) and bool not in _TYPES[annotation]:
        good = False
    if good and type(value) is int:
        good = (0 if name in _COUNTS else INT64_MIN) <= value <= INT64_MAX
    if good and isinstance(value, str):
        good = _fits(value, _NAMES[name]) if name in _NAMES else _SHAPES.get(name, _any)(value)
    if good and annotation in _CHOICES:
        good = value in _CHOICES[annotation]
    if good and annotation in _ITEMS and value is not None:
        items = value.values() if isinstance(value, dict) else value
        good = all(isinstance(item, _ITEMS[annotation]) for item in items)
        good = good and (isinstance(value, list) or all(map(_fits, value)))
    if not good:
        raise Damaged(f"{record_class.__name__}.{name} is not {annotation}: {value!r:.60}")
    return value


def _any(text: str) -> bool:
    return True


def _fits(name: str, max_bytes: int = NAME_MAX_BYTES) -> bool:
    return len(name) * 4 <= max_bytes or len(name.encode()) <= max_bytes


def _clean(value: Any) -> Any:
    """The same without lone surrogates, which JSON can say and no database takes."""
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, dict):
        return {clean_text(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_clean(item) for item in value]
    return value


def _absent(record_class: type[Record], name: str, annotation: str) -> Any:
    """A member that `encode` leaves out because it is null or empty."""
    if annotation.endswith("| None") or annotation == "Any":
        return None
    if annotation.startswith("dict"):
        return {}
    raise Damaged(f"{record_class.__name__} lacks {name}")
