"""mlflow-artifacts/artifacts: the store that a stock server has for files. Its paths are .../RUN/artifacts/PATH, which here is
the file PATH of RUN, and .../models/MODEL/artifacts/PATH, which is one in a folder of the run that made MODEL; no folder stands
behind them."""

from __future__ import annotations

from typing import Any, NamedTuple

from lineal.model.entities import Artifact
from lineal.model.errors import NotFound
from lineal.model.ids import is_run_id
from lineal.server.answers import BlobFile, Content, Submitted
from lineal.server.compat.mlflow.answers import answer
from lineal.server.compat.mlflow.errors import MISSING, MlflowError
from lineal.server.compat.mlflow.files import all_files_of, entries_of, file_of, files_of, keeping, removing
from lineal.server.compat.mlflow.given import Param, given
from lineal.server.compat.mlflow.model_files import ROOT, has_files
from lineal.server.compat.mlflow.names import safe_path
from lineal.server.context import Context
from lineal.server.endpoint import Asked
from lineal.store.contracts import TenantReader

_MULTIPART = "Multipart uploads are not served here; send the file whole"


class Place(NamedTuple):
    """`of_model`: it is a logged model's file."""

    run_id: str
    path: str
    of_model: bool = False

    def files(self, reader: TenantReader) -> dict[str, Artifact]:
        """Among which it is."""
        return all_files_of(reader, self.run_id) if self.of_model else files_of(reader, self.run_id)


def find_place(reader: TenantReader, path: str) -> Place | None:
    """Whose file a path names: behind the first "artifacts" that stands behind a run or a logged model."""
    parts = safe_path(path).split("/")
    for at in range(1, len(parts)):
        run_id = parts[at - 1]
        if parts[at] == "artifacts" and is_run_id(run_id) and reader.find_run_ids(run_id, limit=1) == [run_id]:
            return Place(run_id, safe_path("/".join(parts[at + 1 :])))
        if parts[at] == "artifacts" and at > 1 and parts[at - 2] == ROOT:
            return _place_of_model(reader, run_id, safe_path("/".join(parts[at + 1 :])))
    return None


def _place_of_model(reader: TenantReader, model_id: str, path: str) -> Place | None:
    try:
        model = reader.get_logged_model(model_id)
    except NotFound:
        return None
    run_id = model.source_run_id
    if run_id is None or not has_files(model) or reader.find_run_ids(run_id, limit=1) != [run_id]:
        return None
    return Place(run_id, f"{model.path}/{path}".rstrip("/"), of_model=True)


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
    return file_of(context, place.run_id, place.path)


def put_proxied(context: Context, asked: Asked[Any, None]) -> Submitted:
    found = find_place(context.reader, asked.path["path"])
    if found is None:
        raise MlflowError("Artifacts are kept with their run: EXPERIMENT/RUN/artifacts/PATH, of a run that there is")
    assert asked.blob is not None
    return context.submit(keeping(found.run_id, found.path, asked.blob))


def delete_proxied(context: Context, asked: Asked[Any, None]) -> Submitted:
    """The file, or the folder with all that is in it. What was there stays as an earlier version."""
    place = _place(context, asked)
    paths = [
        path
        for path in place.files(context.reader)
        if not place.path or path == place.path or path.startswith(f"{place.path}/")
    ]
    return context.submit(removing(place.run_id, paths))


def no_multipart(context: Context, asked: Asked[Any, None]) -> Content:
    raise MlflowError(_MULTIPART, "NOT_IMPLEMENTED")
