"""Registered models and their versions, changed: in the transaction that looks whether it may be, or, in the dashboard of a
folder, by the folder's own journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any

import msgspec

from lineal.ingest import registry_work
from lineal.ingest.desk import Desk, Said
from lineal.model.errors import Conflict, OverLimit
from lineal.model.limits import DOCUMENT_MAX_BYTES, DOCUMENT_MAX_DEPTH, MODEL_TAG_VALUE_MAX_BYTES
from lineal.model.registry import check_model_name, new_version_id
from lineal.model.values import clean_text, is_deeper, to_json
from lineal.record.records import ModelVersionCreated, Record
from lineal.server.answers import Submitted, Told
from lineal.server.context import Context
from lineal.server.endpoint import Asked, Endpoint
from lineal.server.errors import Refused
from lineal.server.given import artifact_path, first_tags, given_tags
from lineal.server.model_views import detail_of, model_of
from lineal.server.shapes import models as shapes
from lineal.server.source import Saying
from lineal.store.registry import RegistryReader

Decide = Callable[[RegistryReader], Sequence[Record]]
Answer = Callable[[RegistryReader], object]
_to_json = msgspec.json.Encoder().encode


def _change(context: Context, decide: Decide, answer: Answer, status: int = 200) -> Submitted:
    """`status`: of something that was made; where nothing had to be, 200."""

    def work(desk: Desk) -> Said:
        registry = desk.writer.registry()
        said = decide(registry)
        if said:
            desk.say_of_tenant(said)
        return Said(status if said else 200, _to_json(answer(registry)))

    try:
        return context.submit(work)
    except Refused as refused:
        if refused.code != "local":
            raise
    said = decide(context.reader.registry())
    if said:
        sayings = [Saying(None, record) for record in said]
        context.source.say(context.tenant, sayings, Said(200, b""), context.once, context.actor)
    done: Future[Said] = Future()
    done.set_result(Said(200, b""))
    return Submitted(done, lambda after: Told(answer(after.reader.registry()), status=status if said else 200))


# -- models ----------------------------------------------------------------------------------------------------


def create_model(context: Context, asked: Asked[Any, shapes.CreateRegistered]) -> Submitted:
    """A name in use is refused; that of a deleted model is free, and the numbers of versions go on behind its own."""
    body = asked.body
    name = check_model_name(body.name)
    tags = first_tags(body.tags or {}, max_bytes=MODEL_TAG_VALUE_MAX_BYTES)
    return _change(
        context,
        lambda registry: registry_work.new_model(registry, name, _text(body.description), tags),
        lambda registry: model_of(registry, name),
        201,
    )


def change_model(context: Context, asked: Asked[Any, shapes.EditRegistered]) -> Submitted:
    """Sets what is given. A name in use is refused."""
    body, name = asked.body, asked.path["name"]
    new_name = None if body.name is None else check_model_name(body.name)
    tags = given_tags(body.tags or {}, max_bytes=MODEL_TAG_VALUE_MAX_BYTES)
    return _change(
        context,
        lambda registry: registry_work.changed_model(registry, name, new_name, _text(body.description), tags),
        lambda registry: model_of(registry, new_name or name),
    )


def delete_model(context: Context, asked: Asked[Any, None]) -> Submitted:
    """Puts it away with its versions: lists leave it out, `restore` brings it back while no other model has taken its name."""
    name = asked.path["name"]
    return _change(
        context,
        lambda registry: registry_work.deleted_model(registry, name),
        lambda registry: model_of(registry, name),
    )


def restore_model(context: Context, asked: Asked[Any, None]) -> Submitted:
    """The opposite of deleting."""
    name = asked.path["name"]
    return _change(
        context,
        lambda registry: registry_work.restored_model(registry, name),
        lambda registry: model_of(registry, name),
    )


# -- versions --------------------------------------------------------------------------------------------------


def create_model_version(context: Context, asked: Asked[Any, shapes.CreateVersion]) -> Submitted:
    """Gives it the next number. The model is made if there is none of the name. The same version_id again: 200, the same version."""
    made = _version_of(context, check_model_name(asked.path["name"]), asked.body)
    return _change(
        context,
        lambda registry: registry_work.new_version(registry, made),
        lambda registry: detail_of(registry, made.version_id),
        201,
    )


def _version_of(context: Context, name: str, body: shapes.CreateVersion) -> ModelVersionCreated:
    path = None if body.path is None else artifact_path("", body.path)
    if body.files is not None:
        files: list[list[Any]] = [[artifact_path("", one.path), one.size_bytes, one.digest] for one in body.files]
    elif body.run_id is not None and path is not None:
        files = registry_work.files_under(context.reader.get_details(body.run_id).artifacts, path)
    else:
        files = []
    if body.run_id is not None and context.reader.get_run(body.run_id).lifecycle == "deleted":
        raise Conflict(f"run {body.run_id!r:.80} is deleted: restore it first", field="run_id")
    return ModelVersionCreated(
        body.version_id or new_version_id(),
        name,
        body.run_id,
        _text(body.model_id),
        _text(body.source),
        path,
        _text(body.location),
        _text(body.run_link),
        _text(body.format),
        files,
        _document(body.signature, "signature"),
        _document(body.input_example, "input_example"),
        _text(body.description),
        first_tags(body.tags or {}, max_bytes=MODEL_TAG_VALUE_MAX_BYTES) or None,
        body.status,
    )


def change_model_version(context: Context, asked: Asked[Any, shapes.EditVersion]) -> Submitted:
    """Sets what is given."""
    body = asked.body
    tags = given_tags(body.tags or {}, max_bytes=MODEL_TAG_VALUE_MAX_BYTES)
    name, version = asked.path["name"], asked.path["version"]
    return _change_version(
        context,
        asked,
        lambda registry: registry_work.changed_version(
            registry, name, version, _text(body.description), tags, body.status
        ),
    )


def delete_model_version(context: Context, asked: Asked[shapes.SayWhy, None]) -> Submitted:
    """Puts it away, and takes its aliases from it. Its number is never given again."""
    name, version = asked.path["name"], asked.path["version"]
    return _change_version(
        context,
        asked,
        lambda registry: registry_work.deleted_version(registry, name, version, _text(asked.query.why)),
    )


def restore_model_version(context: Context, asked: Asked[Any, None]) -> Submitted:
    """The opposite of deleting; aliases do not come back."""
    name, version = asked.path["name"], asked.path["version"]
    return _change_version(context, asked, lambda registry: registry_work.restored_version(registry, name, version))


def set_stage(context: Context, asked: Asked[Any, shapes.SetStage]) -> Submitted:
    """Each version that comes to another stage by it is a transition of its own, with who, when and why."""
    body, name, version = asked.body, asked.path["name"], asked.path["version"]
    return _change_version(
        context,
        asked,
        lambda registry: registry_work.staged(
            registry, name, version, body.stage, archive_existing=body.archive_existing, why=_text(body.why)
        ),
    )


def _change_version(context: Context, asked: Asked[Any, Any], decide: Decide) -> Submitted:
    """The version is the one that was meant before the change: an alias may mean none after it."""
    meant: list[str] = []

    def decided(registry: RegistryReader) -> Sequence[Record]:
        found = registry_work.find_version(registry, asked.path["name"], asked.path["version"])
        meant[:] = [found.version_id]
        return decide(registry)

    return _change(context, decided, lambda registry: detail_of(registry, meant[0]))


# -- aliases ---------------------------------------------------------------------------------------------------


def set_alias(context: Context, asked: Asked[Any, shapes.SetAlias]) -> Submitted:
    """Makes it, or moves it."""
    body, name, alias = asked.body, asked.path["name"], asked.path["alias"]
    return _change(
        context,
        lambda registry: registry_work.aliased(registry, name, alias, str(body.version), _text(body.why)),
        lambda registry: detail_of(registry, registry_work.find_version(registry, name, f"@{alias}").version_id),
    )


def delete_alias(context: Context, asked: Asked[shapes.SayWhy, None]) -> Submitted:
    name, alias = asked.path["name"], asked.path["alias"]
    return _change(
        context,
        lambda registry: registry_work.unaliased(registry, name, alias, _text(asked.query.why)),
        lambda registry: shapes.AliasesList(registry.get_model(name).aliases),
    )


# -- what is given ---------------------------------------------------------------------------------------------


def _text(text: str | None) -> str | None:
    return None if text is None else clean_text(text)


def _document(document: Any, field: str) -> Any:
    if is_deeper(document, DOCUMENT_MAX_DEPTH):
        raise OverLimit(f"{field} is nested more than {DOCUMENT_MAX_DEPTH} levels", field=field)
    if len(to_json(document)) > DOCUMENT_MAX_BYTES:
        raise OverLimit(f"{field} has more than {DOCUMENT_MAX_BYTES:,} bytes", field=field)
    return document


_ONE = "/api/v1/models/{name}"
_VERSION = f"{_ONE}/versions/{{version}}"
_ALIAS = f"{_ONE}/aliases/{{alias}}"
ENDPOINTS = (
    Endpoint(
        "POST",
        "/api/v1/models",
        create_model,
        "Make a registered model",
        shapes.Registered,
        body=shapes.CreateRegistered,
        made=True,
        refusals=(409,),
        access="writer",
    ),
    Endpoint(
        "PATCH",
        _ONE,
        change_model,
        "Change a registered model",
        shapes.Registered,
        body=shapes.EditRegistered,
        refusals=(404, 409),
        access="writer",
    ),
    Endpoint("DELETE", _ONE, delete_model, "Put a model away", shapes.Registered, refusals=(404,), access="approver"),
    Endpoint(
        "POST",
        f"{_ONE}/restore",
        restore_model,
        "Bring a model back",
        shapes.Registered,
        refusals=(404,),
        access="approver",
    ),
    Endpoint(
        "POST",
        f"{_ONE}/versions",
        create_model_version,
        "Register a model version",
        shapes.VersionDetail,
        body=shapes.CreateVersion,
        made=True,
        also=(200,),
        refusals=(404, 409),
        access="writer",
    ),
    Endpoint(
        "PATCH",
        _VERSION,
        change_model_version,
        "Change a model version",
        shapes.VersionDetail,
        body=shapes.EditVersion,
        refusals=(404, 409),
        access="writer",
    ),
    Endpoint(
        "DELETE",
        _VERSION,
        delete_model_version,
        "Put a model version away",
        shapes.VersionDetail,
        shapes.SayWhy,
        refusals=(404,),
        access="approver",
    ),
    Endpoint(
        "POST",
        f"{_VERSION}/restore",
        restore_model_version,
        "Bring a model version back",
        shapes.VersionDetail,
        refusals=(404, 409),
        access="approver",
    ),
    Endpoint(
        "POST",
        f"{_VERSION}/stage",
        set_stage,
        "Put a model version into a stage",
        shapes.VersionDetail,
        body=shapes.SetStage,
        refusals=(404, 409),
        access="approver",
    ),
    Endpoint(
        "PUT",
        _ALIAS,
        set_alias,
        "Set an alias",
        shapes.VersionDetail,
        body=shapes.SetAlias,
        refusals=(404, 409),
        access="approver",
    ),
    Endpoint(
        "DELETE",
        _ALIAS,
        delete_alias,
        "Remove an alias",
        shapes.AliasesList,
        shapes.SayWhy,
        refusals=(404,),
        access="approver",
    ),
)
