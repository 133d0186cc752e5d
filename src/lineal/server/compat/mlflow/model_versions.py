"""model-versions/...: but for the search."""

from __future__ import annotations

import json
from typing import Any

from lineal.formats.tell import tell_together
from lineal.ingest.desk import Desk, Said
from lineal.model.ids import check_run_id
from lineal.model.lineage import LoggedModel
from lineal.model.registry import new_version_id
from lineal.record.records import AliasSet, ModelLogged, ModelVersionCreated, ModelVersionSet, Record, StageSet
from lineal.server.answers import BlobFile, Content, Submitted
from lineal.server.compat.mlflow.answers import answer, said
from lineal.server.compat.mlflow.errors import MISSING, MlflowError
from lineal.server.compat.mlflow.files import blob_of
from lineal.server.compat.mlflow.given import Param, given
from lineal.server.compat.mlflow.names import safe_path
from lineal.server.compat.mlflow.registered_models import (
    NAME,
    PROMPT_TAG,
    checked_name,
    get_model,
    model_tags,
    writer_of,
)
from lineal.server.compat.mlflow.sources import check_source, place_of, resolved
from lineal.server.compat.mlflow.version_view import get_version, stage_of, version_json, version_number
from lineal.server.context import Context
from lineal.server.endpoint import Asked
from lineal.store.contracts import TenantReader

VERSIONS_TAG = "mlflow.modelVersions"
_VERSION = Param("version", required=True)
_KEY = Param("key", required=True)


def create_version(context: Context, asked: Asked[Any, None]) -> Submitted:
    """The next one. What files its source names here is kept with it, by digest."""
    values = given(
        asked,
        NAME,
        Param("source", required=True),
        Param("run_id"),
        Param("tags", "list"),
        Param("run_link"),
        Param("description"),
        Param("model_id"),
    )
    name, source = checked_name(values["name"]), values["source"]
    tags = model_tags(values.get("tags", []))
    run_id = check_run_id(values["run_id"]) if values.get("run_id") else None
    model_id = values.get("model_id") or None
    reader = context.reader
    check_source(reader, source, run_id, is_prompt=PROMPT_TAG in tags)
    known = resolved(reader, source, run_id, model_id)
    version_id = new_version_id()
    record = ModelVersionCreated(
        version_id,
        name,
        run_id=known.run_id,
        model_id=model_id,
        source=source,
        path=known.path,
        location=known.location,
        run_link=values.get("run_link") or None,
        files=[list(one) for one in known.files],
        format=tell_together((one.path, None) for one in known.files),
        description=values.get("description") or None,
        tags=tags or None,
    )

    def work(desk: Desk) -> Said:
        registry = writer_of(desk, name)
        get_model(registry, name)
        desk.say_of_tenant([record])
        made = registry.find_version(version_id)
        if model_id is not None and made is not None and desk.writer.find_logged_model(model_id) is not None:
            desk.say_of_tenant([_registered(reader, model_id, name, made.version)])
        return said()

    def shown(after: Context) -> Content:
        found = after.reader.registry().find_version(version_id)
        assert found is not None, "it was committed"
        return answer(model_version=version_json(found))

    return context.submit(work, shown)


def _registered(reader: TenantReader, model_id: str, name: str, version: int) -> Record:
    """A logged model says by a tag as which versions it is registered."""
    model: LoggedModel = reader.get_logged_model(model_id)
    try:
        known = json.loads(model.tags.get(VERSIONS_TAG, "[]"))
    except ValueError:
        known = []
    return ModelLogged(model_id, tags={VERSIONS_TAG: json.dumps([*known, {"name": name, "version": version}])})


def _asked(asked: Asked[Any, None], *more: Param) -> tuple[str, int, dict[str, Any]]:
    values = given(asked, NAME, _VERSION, *more)
    return checked_name(values["name"]), version_number(values["version"]), values


def read_version(context: Context, asked: Asked[Any, None]) -> Content:
    name, number, _ = _asked(asked)
    return answer(model_version=version_json(get_version(context.reader.registry(), name, number)))


def update_version(context: Context, asked: Asked[Any, None]) -> Submitted:
    name, number, values = _asked(asked, Param("description"))
    return _saying(
        context, name, number, lambda version_id: ModelVersionSet(version_id, values.get("description", "")), shows=True
    )


def transition_stage(context: Context, asked: Asked[Any, None]) -> Submitted:
    name, number, values = _asked(asked, Param("stage", required=True), Param("archive_existing_versions", "bool"))
    stage, archives = stage_of(values["stage"]), values.get("archive_existing_versions", False)
    if archives and stage not in ("staging", "production"):
        raise MlflowError(
            f"Model version transition cannot archive existing model versions because '{values['stage']}' is not an Active"
            " stage. Valid stages are ['Staging', 'Production']"
        )
    return _saying(context, name, number, lambda version_id: StageSet(version_id, stage, archives), shows=True)


def delete_version(context: Context, asked: Asked[Any, None]) -> Submitted:
    """Its aliases go, too; its number does not come back."""
    name, number, _ = _asked(asked)

    def work(desk: Desk) -> Said:
        version = get_version(writer_of(desk, name), name, number)
        gone: list[Record] = [AliasSet(name, alias, None) for alias in version.aliases]
        desk.say_of_tenant([*gone, ModelVersionSet(version.version_id, lifecycle="deleted")])
        return said()

    return context.submit(work)


def set_version_tag(context: Context, asked: Asked[Any, None]) -> Submitted:
    name, number, values = _asked(asked, _KEY, Param("value"))
    tags = model_tags([{"key": values["key"], "value": values.get("value")}])
    return _saying(context, name, number, lambda version_id: ModelVersionSet(version_id, tags=tags))


def delete_version_tag(context: Context, asked: Asked[Any, None]) -> Submitted:
    name, number, values = _asked(asked, _KEY)
    tags = dict.fromkeys(model_tags([{"key": values["key"]}]))
    return _saying(context, name, number, lambda version_id: ModelVersionSet(version_id, tags=tags))


def _saying(context: Context, name: str, number: int, record_of: Any, *, shows: bool = False) -> Submitted:
    """Of a version that there is."""

    def work(desk: Desk) -> Said:
        version = get_version(writer_of(desk, name), name, number)
        desk.say_of_tenant([record_of(version.version_id)])
        return said()

    def shown(after: Context) -> Content:
        return answer(model_version=version_json(get_version(after.reader.registry(), name, number)))

    return context.submit(work, shown if shows else None)


def get_download_uri(context: Context, asked: Asked[Any, None]) -> Content:
    name, number, _ = _asked(asked)
    found = get_version(context.reader.registry(), name, number)
    return answer(artifact_uri=found.location or found.source)


def get_version_artifact(context: Context, asked: Asked[Any, None]) -> BlobFile:
    """A file of a version whose files are a run's here."""
    path = safe_path(dict(asked.pairs).get("path", ""))
    name, number, _ = _asked(asked, Param("path", required=True))
    found = get_version(context.reader.registry(), name, number)
    place = place_of(context.reader, found.location or found.source)
    if place is None:
        raise MlflowError(f"No such artifact: '{path[:300]}'", MISSING)
    whole = f"{place.path}/{path}" if place.path else path
    return blob_of(context, place.files(context.reader).get(whole), whole)
