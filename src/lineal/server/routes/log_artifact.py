"""Files of a run arrive."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from lineal.ingest.desk import Desk, Later, Said
from lineal.journal.blobs import Blob
from lineal.model.captures import OWN_FOLDER, is_own_path
from lineal.model.errors import InvalidInput, NotFound
from lineal.record.records import ArtifactLogged
from lineal.server.answers import Submitted
from lineal.server.blob_body import checked
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.given import artifact_path
from lineal.server.shapes.runs import Artifact
from lineal.server.shapes.writes import ArtifactAnswer, ArtifactForm
from lineal.store.run_view import iso_time

_MEDIA_TYPE_MAX_CHARS = 255


def log_artifact(context: Context, asked: Asked[Any, None]) -> Submitted:
    """Keeps the file under `artifact_path`/its name. Other bytes under a known path are its next version."""
    form = asked.form
    assert form is not None
    blob, folder = form.blob, form.fields.get("artifact_path", "")
    if blob is None:
        blob = _kept(context, form.fields["digest"])
        folder, _, name = folder.rpartition("/")
    else:
        name = form.file_name.replace("\\", "/").rpartition("/")[2]
    path = artifact_path(folder, name)
    if is_own_path(path):
        raise InvalidInput(
            f"{OWN_FOLDER}/ is where Lineal keeps what it recorded of a run by itself", field="artifact_path"
        )
    media_type = form.media_type if form.media_type and len(form.media_type) <= _MEDIA_TYPE_MAX_CHARS else None

    def work(desk: Desk) -> Said:
        run = desk.get_run(asked.path["run_id"])
        if desk.has_artifact(run, path) or desk.reader.find_run_ids(run.run_id, limit=1) != [run.run_id]:
            raise Later  # its version can be told when the one before it can be read
        before = [one for one in desk.reader.get_details(run.run_id).artifacts if one.path == path]
        latest = max(before, key=lambda one: one.version, default=None)
        version = 1 if latest is None else latest.version + (latest.digest != blob.digest)
        record = ArtifactLogged(path, blob.size_bytes, blob.digest, None, media_type)
        desk.say(run, [record])
        desk.mark_artifact(run, path)
        artifact = Artifact(path, version, blob.size_bytes, blob.digest, None, media_type, iso_time(desk.time_ms))
        return Said(200, msgspec.json.encode(ArtifactAnswer("Artifact logged", run.run_id, artifact)))

    return context.submit(work)


def _kept(context: Context, digest: str) -> Blob:
    path = context.source.keep_blob(context.tenant, checked(digest))
    if path is None:
        raise NotFound("no bytes of that digest are here: PUT them first", field="digest")
    return Blob(digest, Path(path).stat().st_size)


ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/experiments/runs/{run_id}/log-artifact",
        log_artifact,
        "Log a file",
        ArtifactAnswer,
        body=ArtifactForm,
        receives="form",
        refusals=(404, 409),
        access="writer",
    ),
)
