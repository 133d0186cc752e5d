"""artifacts/list, and what MLflow's page asks for: get-artifact, upload-artifact."""

from __future__ import annotations

from typing import Any

from lineal.server.answers import BlobFile, Content, Submitted
from lineal.server.compat.mlflow.answers import answer
from lineal.server.compat.mlflow.errors import MlflowError
from lineal.server.compat.mlflow.files import entries_of, file_of, files_of, keeping
from lineal.server.compat.mlflow.given import Param, given
from lineal.server.compat.mlflow.names import safe_path
from lineal.server.compat.mlflow.run_view import artifact_uri
from lineal.server.compat.mlflow.runs import RUN_ID
from lineal.server.context import Context
from lineal.server.endpoint import Asked

UPLOAD_MAX_BYTES = 10 * 1024 * 1024


def list_artifacts(context: Context, asked: Asked[Any, None]) -> Content:
    values = given(asked, RUN_ID, Param("path"), Param("page_token"))
    run_id, reader = values["run_id"], context.reader
    folder = safe_path(values.get("path", ""))
    files = files_of(reader, run_id)
    experiment = reader.get_experiment(reader.get_run(run_id).experiment_id)
    return answer(root_uri=artifact_uri(experiment, run_id), files=entries_of(files, folder, whole=True))


def get_artifact(context: Context, asked: Asked[Any, None]) -> BlobFile:
    values = given(asked, RUN_ID, Param("path", required=True))
    return file_of(context, values["run_id"], values["path"])


def upload_artifact(context: Context, asked: Asked[Any, None]) -> Submitted:
    """A file of at most 10 MB."""
    query = dict(asked.pairs)
    run_id, path = query.get("run_uuid"), query.get("path")
    if not run_id:
        raise MlflowError("Request must specify run_uuid.")
    if not path:
        raise MlflowError("Request must specify path.")
    path = safe_path(path)
    blob = asked.blob
    if blob is None or not blob.size_bytes:
        raise MlflowError("Request must specify data.")
    return context.submit(keeping(run_id, path, blob))
