"""A trained model becomes files of its run and a version of a registered model."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineal.client import reproducing
from lineal.client.given import artifact_path, check_note, check_tags
from lineal.formats.example import example_json, given_signature, signature_of
from lineal.formats.pack import Packed, pack_files, pack_object
from lineal.model.errors import OverLimit
from lineal.model.limits import MODEL_EXAMPLE_INLINE_BYTES, MODEL_FILES_MAX_COUNT
from lineal.model.registry import check_model_name, new_version_id
from lineal.record.records import ModelVersionCreated

if TYPE_CHECKING:
    from lineal.client.artifacts import ArtifactKeeping
    from lineal.journal.blobs import Blob

EXAMPLE_FILE = "input_example.json"


@dataclass(frozen=True, slots=True)
class LoggedVersion:
    """What `log_model` made. The version has this id at once, and gets its number when the journal is taken in:
    `lineal.get_model_version(version_id)` knows it then. In a program that `lineal reproduce` started no version is made: only that
    program knows the id, and the number is 0. `path` is the folder of its files within the run's artifacts."""

    name: str
    version_id: str
    run_id: str
    path: str
    format: str | None


def log_model(
    run: ArtifactKeeping,
    name: str,
    model: Any,
    *,
    path: str | None,
    format: str | None,
    signature: Any,
    input_example: Any,
    description: str | None,
    tags: Mapping[str, Any] | None,
) -> LoggedVersion:
    """See `Run.log_model`. Everything that can be refused is, before anything is kept."""
    name = check_model_name(name)
    folder = artifact_path(f"models/{name}" if path is None else path)
    description = None if description is None else check_note(description)
    checked_tags = check_tags(tags) if tags else {}
    example = None if input_example is None else example_json(input_example)
    takes = _signature(signature, input_example)
    version_id = new_version_id()
    files: list[list[Any]] = []
    with tempfile.TemporaryDirectory(prefix="lineal-model-") as place:
        if isinstance(model, (str, os.PathLike)):
            packed = pack_files(Path(model), format, own=Path(run.folder))
            kept = _keep(run, packed, folder, "copy", files)
        else:
            packed = pack_object(model, format, Path(place))
            kept = _keep(run, packed, folder, "move", files)
    if packed.warning is not None:
        run._guard.warn_once(f"model {name}", f"model {name!r}: {packed.warning}")
    if example is not None and len(json.dumps(example)) > MODEL_EXAMPLE_INLINE_BYTES:
        where = f"{folder}/{EXAMPLE_FILE}" if folder else EXAMPLE_FILE
        blob = run._keep_bytes(json.dumps(example, allow_nan=False).encode(), where)
        kept = kept and blob is not None
        _note_file(files, where, blob)
        example = {"artifact": where}
    if kept:
        created = ModelVersionCreated(
            version_id,
            name,
            source=f"runs:/{run.run_id}/{folder}" if folder else f"runs:/{run.run_id}",
            path=folder,
            format=packed.format,
            files=files,
            signature=takes,
            input_example=example,
            description=description,
            tags=checked_tags,
        )
        if reproducing.keeps_models():
            reproducing.unmade[version_id] = run.run_id, created
        else:
            run._say(created)
    else:
        run._refuse("model_not_kept", f"model {name!r} is no version: not all of its files could be kept", detail=name)
    return LoggedVersion(name, version_id, run.run_id, folder, packed.format)


def _signature(given: Any, example: Any) -> Any:
    if given is not None:
        return given_signature(given)
    return None if example is None else signature_of(example)


def _keep(run: ArtifactKeeping, packed: Packed, folder: str, mode: Any, files: list[list[Any]]) -> bool:
    """Whether the disk took all."""
    if len(packed.files) > MODEL_FILES_MAX_COUNT:
        raise OverLimit(
            f"the model has {len(packed.files):,} files; a version has at most {MODEL_FILES_MAX_COUNT:,}", field="model"
        )
    whole = True
    for inner, source in packed.files.items():
        place = "/".join(part for part in (folder, inner.rpartition("/")[0]) if part)
        blob = run._keep_file(source, place, mode)
        whole = whole and blob is not None
        _note_file(files, f"{place}/{source.name}" if place else source.name, blob)
    return whole


def _note_file(files: list[list[Any]], path: str, blob: Blob | None) -> None:
    if blob is not None:
        files.append([artifact_path(path), blob.size_bytes, blob.digest])
