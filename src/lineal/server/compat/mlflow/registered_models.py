"""registered-models/...: but for the searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lineal.ingest.desk import Desk, Said
from lineal.model.registry import ModelVersion, RegisteredModel, is_alias
from lineal.record.records import AliasSet, ModelRenamed, ModelSet, Record
from lineal.server.answers import Content, Submitted
from lineal.server.compat.mlflow.answers import answer, filled, pairs_of, said
from lineal.server.compat.mlflow.errors import EXISTS, INVALID, MISSING, Json, MlflowError, missing_value
from lineal.server.compat.mlflow.given import Param, given
from lineal.server.compat.mlflow.names import KEY_MAX_CHARS, check_key, check_plain, too_long
from lineal.server.compat.mlflow.version_view import get_version, stages_of, version_json, version_number
from lineal.server.context import Context
from lineal.server.endpoint import Asked
from lineal.store.contracts import TenantReader
from lineal.store.registry import RegistryReader, RegistryWriter

NAME = Param("name", required=True)
NAME_MAX_CHARS = 256
TAG_MAX_CHARS = 100_000
PROMPT_TAG = "mlflow.prompt.is_prompt"


def no_model(name: str) -> MlflowError:
    return MlflowError(f"Registered Model with name={name} not found", MISSING)


def checked_name(name: str, place: str = "name") -> str:
    if not name.strip():
        raise missing_value(place)
    if "/" in name or ":" in name:
        raise MlflowError(f"Invalid model name '{name}'. Names cannot contain '/' or ':'.")
    check_plain(name, "name")
    if len(name) > NAME_MAX_CHARS:
        raise too_long(place, NAME_MAX_CHARS)
    return name


def model_tags(entries: Sequence[dict[str, Any]]) -> dict[str, str | None]:
    return {_tag_key(entry.get("key")): checked_value(entry.get("value")) for entry in entries}


def _tag_key(key: Any) -> str:
    return check_key(key if isinstance(key, str) else None, "key", "key", KEY_MAX_CHARS)


def checked_value(value: Any) -> str:
    text = "" if value is None else str(value)
    if len(text) > TAG_MAX_CHARS:
        raise too_long("value", TAG_MAX_CHARS)
    return text


def get_model(registry: RegistryReader, name: str) -> RegisteredModel:
    """One that is not deleted. MlflowError."""
    found = registry.find_model(name)
    if found is None or found.lifecycle != "active":
        raise no_model(name)
    return found


def writer_of(desk: Desk, name: str) -> RegistryWriter:
    """Of a tenant that there is: to ask one's writer would make it."""
    if not desk.is_known:
        raise no_model(name)
    return desk.writer.registry()


def model_json(one: RegisteredModel, latest: Sequence[ModelVersion]) -> Json:
    return filled(
        name=one.name,
        creation_timestamp=one.created_ms,
        last_updated_timestamp=one.updated_ms,
        description=one.description or None,
        latest_versions=[version_json(version) for version in latest],
        tags=pairs_of(one.tags),
        aliases=[{"alias": alias, "version": str(number)} for alias, number in one.aliases.items()],
    )


def _read(reader: TenantReader, name: str) -> Json:
    registry = reader.registry()
    found = get_model(registry, name)
    return model_json(found, registry.list_latest([found.name]).get(found.name, ()))


def create_model(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, NAME, Param("tags", "list"), Param("description"))
    name = checked_name(values["name"])
    tags = model_tags(values.get("tags", []))

    def work(desk: Desk) -> Said:
        known = desk.writer.registry().find_model(name) if desk.is_known else None
        if known is not None and known.lifecycle == "active":
            raise _taken(known, tags.get(PROMPT_TAG))
        desk.say_of_tenant([ModelSet(name, values.get("description"), tags or None, is_new=True)])
        return said()

    return context.submit(work, lambda after: answer(registered_model=_read(after.reader, name)))


def _taken(known: RegisteredModel, prompt: str | None) -> MlflowError:
    old = "Prompt" if known.tags.get(PROMPT_TAG, "").lower() == "true" else "Registered Model"
    new = "Prompt" if (prompt or "").lower() == "true" else "Registered Model"
    if old == new:
        return MlflowError(f"{new} (name={known.name}) already exists.", EXISTS)
    return MlflowError(
        f"Tried to create a {new.lower()} with name {known.name!r}, but the name is already taken by a {old.lower()}. MLflow"
        " does not allow creating a model and a prompt with the same name.",
        EXISTS,
    )


def read_model(context: Context, asked: Asked[Any, None]) -> Content:
    return answer(registered_model=_read(context.reader, given(asked, NAME)["name"]))


def update_model(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, NAME, Param("description"))
    return _saying(context, values["name"], ModelSet(values["name"], values.get("description", "")), shows=True)


def rename_model(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, NAME, Param("new_name", required=True))
    name, new = values["name"], checked_name(values["new_name"], "new_name")

    def work(desk: Desk) -> Said:
        registry = writer_of(desk, name)
        known = get_model(registry, name)
        other = registry.find_model(new)
        if other is not None and other.lifecycle == "active" and other.name != known.name:
            raise MlflowError(f"Registered Model (name={new}) already exists.", EXISTS)
        if new != known.name:
            desk.say_of_tenant([ModelRenamed(known.name, new)])
        return said()

    return context.submit(work, lambda after: answer(registered_model=_read(after.reader, new)))


def delete_model(context: Context, asked: Asked[Any, None]) -> Submitted:
    name = given(asked, NAME)["name"]
    return _saying(context, name, ModelSet(name, lifecycle="deleted"))


def set_model_tag(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, NAME, Param("key", required=True), Param("value"))
    checked_name(values["name"])
    tags = model_tags([{"key": values["key"], "value": values.get("value")}])
    return _saying(context, values["name"], ModelSet(values["name"], tags=tags))


def delete_model_tag(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, NAME, Param("key", required=True))
    checked_name(values["name"])
    return _saying(context, values["name"], ModelSet(values["name"], tags={_tag_key(values["key"]): None}))


def _saying(context: Context, name: str, record: Record, *, shows: bool = False) -> Submitted:
    """Of a model that there is."""

    def work(desk: Desk) -> Said:
        get_model(writer_of(desk, name), name)
        desk.say_of_tenant([record])
        return said()

    return context.submit(work, (lambda after: answer(registered_model=_read(after.reader, name))) if shows else None)


def get_latest_versions(context: Context, asked: Asked[Any, None]) -> Content:
    values = given(asked, NAME, Param("stages", "texts"))
    registry = context.reader.registry()
    name = get_model(registry, values["name"]).name
    stages = stages_of(values.get("stages", []))
    latest = registry.list_latest([name]).get(name, [])
    return answer(model_versions=[version_json(one) for one in latest if one.stage in stages])


# -- aliases -------------------------------------------------------------------------------------


def set_alias(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, NAME, Param("alias", required=True), Param("version", required=True))
    name, alias = checked_name(values["name"]), _checked_alias(values["alias"])
    if alias.lower() == "latest":
        raise MlflowError("'latest' alias name (case insensitive) is reserved.")
    if not is_alias(alias):
        raise MlflowError(f"Version alias name '{alias}' is reserved.")
    number = version_number(values["version"])

    def work(desk: Desk) -> Said:
        registry = writer_of(desk, name)
        get_model(registry, name)
        version = get_version(registry, name, number)
        desk.say_of_tenant([AliasSet(name, alias, version.version_id)])
        return said()

    return context.submit(work)


def _checked_alias(alias: str) -> str:
    if not alias:
        raise MlflowError("Registered model alias name cannot be empty.")
    if not all(one.isalnum() or one in "_-" for one in alias):
        raise MlflowError(
            f"Invalid alias name: '{alias}'. Names may only contain alphanumerics, underscores (_), and dashes (-)."
        )
    if len(alias) > 255:
        raise too_long("Registered model alias name", 255)
    return alias


def delete_alias(context: Context, asked: Asked[Any, None]) -> Submitted:
    values = given(asked, NAME, Param("alias", required=True))
    name, alias = checked_name(values["name"]), _checked_alias(values["alias"])

    def work(desk: Desk) -> Said:
        if alias in get_model(writer_of(desk, name), name).aliases:
            desk.say_of_tenant([AliasSet(name, alias, None)])
        return said()

    return context.submit(work)


def get_by_alias(context: Context, asked: Asked[Any, None]) -> Content:
    values = given(asked, NAME, Param("alias", required=True))
    name, alias = checked_name(values["name"]), _checked_alias(values["alias"])
    registry = context.reader.registry()
    get_model(registry, name)
    if alias.lower() == "latest":
        latest = registry.list_latest([name]).get(name, [])
        if not latest:
            raise MlflowError(f"Latest version not found for model {name}.", MISSING)
        found: ModelVersion | None = max(latest, key=lambda one: one.version)
    else:
        found = registry.find_alias(name, alias)
    if found is None:
        raise MlflowError(f"Registered model alias {alias} not found.", INVALID)
    return answer(model_version=version_json(found))
