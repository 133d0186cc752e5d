"""The files of a run as folders of names: their paths are names, and their bytes are asked for by digest."""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lineal.ingest.desk import Desk, Said
from lineal.journal.blobs import Blob
from lineal.model.captures import OWN_FOLDER, is_own_path
from lineal.model.entities import Artifact
from lineal.model.limits import NAME_MAX_BYTES
from lineal.model.lineage import LoggedModel, ModelFile
from lineal.record.records import ArtifactLogged, LooseFileSet, ModelLogged
from lineal.server.answers import BlobFile
from lineal.server.compat.mlflow.answers import said
from lineal.server.compat.mlflow.errors import MISSING, MlflowError
from lineal.server.compat.mlflow.model_files import is_in_run, is_of_model
from lineal.server.compat.mlflow.model_view import no_model
from lineal.server.compat.mlflow.names import safe_path
from lineal.server.compat.mlflow.run_view import no_run
from lineal.server.compat.mlflow.runs import active_run
from lineal.server.context import Context
from lineal.store.contracts import TenantReader

CSP = "sandbox; default-src 'none'"
_TEXTS = re.compile(
    "txt|log|err|cfg|conf|cnf|cf|ini|properties|prop|hocon|toml|yaml|yml|xml|json|js|py|py3|csv|tsv|md|rst|ipynb|MLmodel|[Mm][Ll]project"
)


def files_of(reader: TenantReader, run_id: str) -> dict[str, Artifact]:
    """The run's own: without those of logged models, which are listed by their models."""
    return {path: one for path, one in all_files_of(reader, run_id).items() if not is_of_model(path)}


def model_files_of(reader: TenantReader, model: LoggedModel) -> dict[str, Artifact]:
    """By their paths within the model."""
    if not is_in_run(model) or model.source_run_id is None:
        return _artifacts(model.files, model.updated_ms)
    head = f"{model.path}/"
    found = all_files_of(reader, model.source_run_id)
    return {path.removeprefix(head): one for path, one in found.items() if path.startswith(head)}


def loose_files_of(reader: TenantReader, path: str) -> dict[str, Artifact]:
    """Those at a path or below it."""
    one = reader.find_loose_file(path)
    below = reader.list_loose_files(path)
    return _artifacts(below if one is None else {**below, path: one}, 0)


def _artifacts(files: Mapping[str, ModelFile], logged_ms: int) -> dict[str, Artifact]:
    return {
        path: Artifact(path, 1, one.size_bytes, one.digest, None, one.media_type, logged_ms)
        for path, one in files.items()
    }


def all_files_of(reader: TenantReader, run_id: str) -> dict[str, Artifact]:
    """Path -> its latest version, without what was removed, and without what Lineal keeps for itself."""
    if reader.find_run_ids(run_id, limit=1) != [run_id]:
        raise no_run(run_id)
    latest: dict[str, Artifact] = {}
    for artifact in reader.get_details(run_id).artifacts:
        known = latest.get(artifact.path)
        if known is None or artifact.version > known.version:
            latest[artifact.path] = artifact
    return {path: one for path, one in latest.items() if not is_removed(one) and not is_own_path(path)}


def is_removed(artifact: Artifact) -> bool:
    """A version with neither bytes nor a place is what a removal leaves."""
    return artifact.digest is None and artifact.uri is None


def entries_of(files: Mapping[str, Artifact], folder: str, *, whole: bool) -> list[dict[str, Any]]:
    """What lies in a folder, one level, sorted. `whole`: paths from the run's root on, else names."""
    prefix = f"{folder}/" if folder else ""
    found: dict[str, dict[str, Any]] = {}
    for path, artifact in files.items():
        if not path.startswith(prefix):
            continue
        name, slash, _ = path[len(prefix) :].partition("/")
        shown = prefix + name if whole else name
        if slash:
            found[name] = {"path": shown, "is_dir": True}
        elif name not in found:
            size = {} if artifact.size_bytes is None else {"file_size": artifact.size_bytes}
            found[name] = {"path": shown, "is_dir": False, **size}
    return [found[name] for name in sorted(found)]


def file_of(context: Context, run_id: str, path: str) -> BlobFile:
    return blob_of(context, all_files_of(context.reader, run_id).get(safe_path(path)), path)


def blob_of(context: Context, artifact: Artifact | None, path: str) -> BlobFile:
    """To be saved, never shown: it is a stranger's, and would be of our origin."""
    blob = context.source.find_blob(context.tenant, artifact.digest) if artifact and artifact.digest else None
    if artifact is None or blob is None or artifact.digest is None or artifact.size_bytes is None:
        raise MlflowError(f"No such artifact: '{path[:300]}'", MISSING)
    name = artifact.path.rpartition("/")[2]
    headers = {
        "content-type": media_type_of(name),  # as it is: without a charset that nobody knows
        "content-disposition": disposition_of(name),
        "content-security-policy": CSP,
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "private, no-cache",
    }
    return BlobFile(blob, artifact.size_bytes, artifact.digest, media_type_of(name), headers)


def disposition_of(name: str) -> str:
    """As it is where nothing of it could be read otherwise, else as RFC 6266 has it."""
    is_plain = re.fullmatch(r"[A-Za-z0-9._+-]+", name) is not None
    return f"attachment; filename={name}" if is_plain else f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def media_type_of(name: str) -> str:
    if _TEXTS.fullmatch(name.rpartition(".")[2]):
        return "text/plain"
    return mimetypes.guess_type(name)[0] or "application/octet-stream"


def keeping(run_id: str, path: str, blob: Blob) -> Any:
    """A work that logs the file; the same bytes again change nothing."""
    path = checked_path(path)
    if is_own_path(path):
        raise MlflowError(f"Invalid path: {OWN_FOLDER}/ is where Lineal keeps what it recorded of a run by itself")

    def work(desk: Desk) -> Said:
        run = active_run(desk, run_id)
        desk.say(
            run, [ArtifactLogged(path, blob.size_bytes, blob.digest, None, media_type_of(path.rpartition("/")[2]))]
        )
        return said()

    return work


def removing(run_id: str, paths: list[str]) -> Any:
    def work(desk: Desk) -> Said:
        if paths:
            desk.say(active_run(desk, run_id), [ArtifactLogged(path) for path in paths])
        return said()

    return work


def keeping_of_model(model_id: str, path: str, blob: Blob) -> Any:
    """The same for a model that no run made."""
    path = checked_path(path)
    file = [blob.digest, blob.size_bytes, media_type_of(path.rpartition("/")[2])]
    return saying_of_model(ModelLogged(model_id, files={path: file}))


def saying_of_model(record: ModelLogged) -> Any:
    """A work that says something of a model that there is."""

    def work(desk: Desk) -> Said:
        if not desk.is_known or desk.writer.find_logged_model(record.model_id) is None:
            raise no_model(record.model_id)
        desk.say_of_tenant([record])
        return said()

    return work


def keeping_loose(path: str, blob: Blob) -> Any:
    """The same for a file of neither."""
    path = checked_path(path)
    said_of_it = LooseFileSet(path, blob.digest, blob.size_bytes, media_type_of(path.rpartition("/")[2]))

    def work(desk: Desk) -> Said:
        desk.say_of_tenant([said_of_it])
        return said()

    return work


def removing_loose(paths: list[str]) -> Any:
    def work(desk: Desk) -> Said:
        if paths:
            desk.say_of_tenant([LooseFileSet(path) for path in paths])
        return said()

    return work


def checked_path(path: str) -> str:
    path = safe_path(path)
    if not path or len(path.encode()) > NAME_MAX_BYTES:
        raise MlflowError("Invalid path")
    return path
