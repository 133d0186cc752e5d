"""mlflow-artifacts/artifacts: the store that a stock server has for files. Its paths are .../RUN/artifacts/PATH, which here is
the file PATH of RUN, and .../models/MODEL/artifacts/PATH, which is one in a folder of the run that made MODEL, or MODEL's own if
no run did. Any other path is a loose file, which belongs to the tenant. No folder stands behind them."""

from __future__ import annotations

from typing import Any, NamedTuple

from lineal.journal.blobs import Blob
from lineal.model.entities import Artifact
from lineal.model.errors import NotFound
from lineal.model.ids import is_run_id
from lineal.model.lineage import LoggedModel
from lineal.record.records import ModelLogged
from lineal.server.answers import BlobFile, Content, Submitted
from lineal.server.compat.mlflow.answers import answer
from lineal.server.compat.mlflow.errors import MISSING, MlflowError
from lineal.server.compat.mlflow.files import (
    all_files_of,
    blob_of,
    entries_of,
    files_of,
    keeping,
    keeping_loose,
    keeping_of_model,
    loose_files_of,
    model_files_of,
    removing,
    removing_loose,
    saying_of_model,
)
from lineal.server.compat.mlflow.given import Param, given
from lineal.server.compat.mlflow.model_files import ROOT, is_in_run
from lineal.server.compat.mlflow.names import safe_path
from lineal.server.context import Context
from lineal.server.endpoint import Asked
from lineal.store.contracts import TenantReader

_MULTIPART = "Multipart uploads are not served here; send the file whole"


class Place(NamedTuple):
    """A path among the files of a run, of a logged model that keeps its own, or among those of neither. `run_id` is "" for the last
    two, `model` is set for each of a logged model."""

    run_id: str
    path: str
    model: LoggedModel | None = None

    def files(self, reader: TenantReader) -> dict[str, Artifact]:
        """Among which it is."""
        if self.model is None:
            return files_of(reader, self.run_id) if self.run_id else loose_files_of(reader, self.path)
        return all_files_of(reader, self.run_id) if self.run_id else model_files_of(reader, self.model)

    def keep(self, blob: Blob) -> Any:
        """A work that logs the file."""
        if self.run_id:
            return keeping(self.run_id, self.path, blob)
        if self.model is None:
            return keeping_loose(self.path, blob)
        return keeping_of_model(self.model.model_id, self.path, blob)

    def remove(self, paths: list[str]) -> Any:
        """A work that removes them."""
        if self.run_id:
            return removing(self.run_id, paths)
        if self.model is None:
            return removing_loose(paths)
        return saying_of_model(ModelLogged(self.model.model_id, files=dict.fromkeys(paths)))


def find_place(reader: TenantReader, path: str) -> Place | None:
    """Whose file a path names: behind the first "artifacts" that stands behind a run or a logged model. None for one of a run or a
    model that there is not."""
    path = safe_path(path)
    parts = path.split("/")
    for at in range(1, len(parts)):
        run_id = parts[at - 1]
        if parts[at] == "artifacts" and is_run_id(run_id) and reader.find_run_ids(run_id, limit=1) == [run_id]:
            return Place(run_id, safe_path("/".join(parts[at + 1 :])))
        if parts[at] == "artifacts" and at > 1 and parts[at - 2] == ROOT:
            return _place_of_model(reader, run_id, safe_path("/".join(parts[at + 1 :])))
    return None if "artifacts" in parts[2:] else Place("", path)


def _place_of_model(reader: TenantReader, model_id: str, path: str) -> Place | None:
    try:
        model = reader.get_logged_model(model_id)
    except NotFound:
        return None
    if not is_in_run(model) or model.source_run_id is None:
        return Place("", path, model)
    return Place(model.source_run_id, f"{model.path}/{path}".rstrip("/"), model)


def _place(context: Context, asked: Asked[Any, None]) -> Place:
    found = find_place(context.reader, asked.path["path"])
    if found is None:
        raise MlflowError(f"No such artifact: '{asked.path['path'][:300]}'", MISSING)
    return found


def list_proxied(context: Context, asked: Asked[Any, None]) -> Content:
    found = find_place(context.reader, given(asked, Param("path")).get("path", ""))
    if found is None:
        return answer()
    return answer(files=entries_of(found.files(context.reader), found.path, whole=False))


def get_proxied(context: Context, asked: Asked[Any, None]) -> BlobFile:
    place = _place(context, asked)
    path = safe_path(place.path)
    return blob_of(context, place.files(context.reader).get(path), path)


def put_proxied(context: Context, asked: Asked[Any, None]) -> Submitted:
    found = find_place(context.reader, asked.path["path"])
    if found is None:
        raise MlflowError("No run or model is there of which this path (EXPERIMENT/RUN/artifacts/PATH) would be a file")
    assert asked.blob is not None
    return context.submit(found.keep(asked.blob))


def delete_proxied(context: Context, asked: Asked[Any, None]) -> Submitted:
    """The file, or the folder with all that is in it. What was there stays as an earlier version."""
    place = _place(context, asked)
    if place == Place("", ""):
        raise MlflowError("Invalid path")  # all that belongs to nobody, at once
    paths = [
        path
        for path in place.files(context.reader)
        if not place.path or path == place.path or path.startswith(f"{place.path}/")
    ]
    return context.submit(place.remove(paths))


def no_multipart(context: Context, asked: Asked[Any, None]) -> Content:
    raise MlflowError(_MULTIPART, "NOT_IMPLEMENTED")
