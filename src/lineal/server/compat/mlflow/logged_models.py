"""logged-models/..., but for the search."""

from __future__ import annotations

import uuid
from typing import Any

from lineal.ingest.desk import Desk, Later, Said, check_unlocked
from lineal.ingest.reserve import Freeing
from lineal.model.errors import NotFound
from lineal.model.limits import NAME_MAX_BYTES
from lineal.model.lineage import LoggedModel
from lineal.model.values import check_name
from lineal.record.records import ModelLogged
from lineal.server.answers import BlobFile, Content, Submitted
from lineal.server.compat.mlflow.answers import answer, said
from lineal.server.compat.mlflow.errors import MISSING, MlflowError, invalid_value, missing_value
from lineal.server.compat.mlflow.experiment_ids import meant_experiment, number_of
from lineal.server.compat.mlflow.files import blob_of, entries_of, model_files_of, saying_of_model
from lineal.server.compat.mlflow.given import Param, given, typed
from lineal.server.compat.mlflow.model_files import folder_of
from lineal.server.compat.mlflow.model_view import (
    NUMBER_OF,
    STATUS_OF,
    experiment_of,
    location_of_model,
    model_json,
    no_model,
    read_model,
)
from lineal.server.compat.mlflow.names import TAG_MAX_CHARS, check_key, check_run_id, cut, safe_path
from lineal.server.compat.mlflow.run_names import invented_name
from lineal.server.context import Context
from lineal.server.endpoint import Asked

PARAM_MAX_CHARS = 6_000
_BAD_CHARACTERS = ("/", ":", ".", "%", '"', "'")
_PAIR = (Param("key"), Param("value"))


def create_logged_model(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(
        asked,
        Param("experiment_id", required=True),
        Param("name"),
        Param("model_type"),
        Param("source_run_id"),
        Param("params", "list"),
        Param("tags", "list"),
    )
    name = _checked_name(values.get("name") or invented_name())
    params, tags = _pairs(values.get("params", []), "params"), _pairs(values.get("tags", []), "tags")
    run_id = values.get("source_run_id") or None
    model_id = f"m-{uuid.uuid4().hex}"
    if run_id is not None:
        check_run_id(run_id)
    if model_type := values.get("model_type") or None:
        check_name(model_type, field="model_type", max_bytes=NAME_MAX_BYTES)

    def work(desk: Desk) -> Said:
        experiment = meant_experiment(desk, values["experiment_id"])
        if experiment.lifecycle != "active":
            raise MlflowError(
                f"The experiment {number_of(experiment)} must be in the 'active' state. Current state is deleted."
            )
        run = desk.find_run(run_id) if run_id is not None else None
        if run is not None:
            check_unlocked(run)
        made = ModelLogged(
            model_id,
            name,
            experiment.first_name,
            run_id,
            model_type,
            folder_of(model_id) if run is not None else None,
            {key: cut(value, PARAM_MAX_CHARS) for key, value in params.items()},
            {key: cut(value, TAG_MAX_CHARS) for key, value in tags.items()},
            "pending",
        )
        desk.say_of_tenant([made])
        return said()

    return context.submit(work, lambda after: _shown(after, model_id))


def _checked_name(name: str) -> str:
    if any(character in name for character in _BAD_CHARACTERS):
        raise MlflowError(
            f"Invalid model name ({name!r}) provided. Model name must be a non-empty string and cannot contain the following"
            f" characters: {_BAD_CHARACTERS}"
        )
    return check_name(name, field="name", max_bytes=NAME_MAX_BYTES)


def _pairs(entries: list[dict[str, Any]], place: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for at, entry in enumerate(entries):
        values = typed(entry, _PAIR)
        if not values.get("key"):
            raise missing_value(f"{place}[{at}].key")
        found[check_key(values["key"], f"{place}[{at}].key", "key")] = values.get("value", "")
    return found


def _shown(context: Context, model_id: str) -> Content:
    model = read_model(context.reader, model_id)
    return answer(model=model_json(model, experiment_of(context.reader, context.tenant, model)))


def get_logged_model(context: Context, asked: Asked[Any, None]) -> Content:
    deleted = given(asked, Param("allow_deleted", "bool")).get("allow_deleted", False)
    model = read_model(context.reader, asked.path["model_id"], deleted=deleted)
    return answer(model=model_json(model, experiment_of(context.reader, context.tenant, model)))


def finalize_logged_model(context: Context, asked: Asked[Any, None]) -> Submitted:
    status = given(asked, Param("status", "any", required=True))["status"]
    of_name = {name: known for known, name in STATUS_OF.items()}
    known = NUMBER_OF.get(status) if isinstance(status, int) else of_name.get(str(status))
    if known is None:
        raise invalid_value("status", status)
    model_id = asked.path["model_id"]
    return context.submit(saying_of_model(ModelLogged(model_id, status=known)), lambda after: _shown(after, model_id))


def delete_logged_model(context: Context, asked: Asked[Any, None]) -> Submitted:
    return context.submit(Freeing(saying_of_model(ModelLogged(asked.path["model_id"], lifecycle="deleted"))))


def set_logged_model_tags(context: Context, asked: Asked[Any, None]) -> Submitted:
    tags = _pairs(given(asked, Param("tags", "list")).get("tags", []), "tags")
    said_tags: dict[str, str | None] = {key: cut(value, TAG_MAX_CHARS) for key, value in tags.items()}
    return context.submit(saying_of_model(ModelLogged(asked.path["model_id"], tags=said_tags)))


def log_logged_model_params(context: Context, asked: Asked[Any, None]) -> Submitted:
    """A value that it has already is accepted: the request may have come before."""
    params = _pairs(given(asked, Param("params", "list")).get("params", []), "params")
    said_params = {key: cut(value, PARAM_MAX_CHARS) for key, value in params.items()}
    model_id = asked.path["model_id"]

    def work(desk: Desk) -> Said:
        known = _known_model(desk, model_id).params
        for key, value in said_params.items():
            if known.get(key, value) != value:
                raise MlflowError(
                    f"Changing param values is not allowed. Param with key='{key}' was already logged with"
                    f" value='{known[key]}' for model ID='{model_id}'.",
                    "BAD_REQUEST",
                )
        desk.say_of_tenant([ModelLogged(model_id, params=said_params)])
        return said()

    return context.submit(work)


def delete_logged_model_tag(context: Context, asked: Asked[Any, None]) -> Submitted:
    model_id, key = asked.path["model_id"], asked.path["tag_key"]

    def work(desk: Desk) -> Said:
        if key not in _known_model(desk, model_id).tags:
            raise MlflowError(f"No tag with key {key!r} found for model with ID {model_id!r}.", MISSING)
        desk.say_of_tenant([ModelLogged(model_id, tags={key: None})])
        return said()

    return context.submit(work)


def _known_model(desk: Desk, model_id: str) -> LoggedModel:
    """As of the last commit."""
    if not desk.is_known or desk.writer.find_logged_model(model_id) is None:
        raise no_model(model_id)
    try:
        return desk.reader.get_logged_model(model_id)
    except NotFound:  # this transaction made it
        raise Later from None


# -- files -----------------------------------------------------------------------------------------


def list_model_files(context: Context, asked: Asked[Any, None]) -> Content:
    values = given(asked, Param("artifact_directory_path"), Param("page_token"))
    model = read_model(context.reader, asked.path["model_id"], deleted=False)
    folder = safe_path(values.get("artifact_directory_path", ""))
    experiment = experiment_of(context.reader, context.tenant, model)
    return answer(
        root_uri=location_of_model(experiment, model.model_id),
        files=entries_of(model_files_of(context.reader, model), folder, whole=True),
    )


def get_model_file(context: Context, asked: Asked[Any, None]) -> BlobFile:
    path = given(asked, Param("artifact_file_path", required=True))["artifact_file_path"]
    model = read_model(context.reader, asked.path["model_id"], deleted=False)
    return blob_of(context, model_files_of(context.reader, model).get(safe_path(path)), path)
