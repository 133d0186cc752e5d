"""What is to be said for a change of the registry, and when it is refused: for whoever has a reader of it, best within the
transaction that then says it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from lineal.model.entities import Artifact
from lineal.model.errors import Conflict, InvalidInput, NotFound
from lineal.model.registry import ModelVersion, RegisteredModel, Stage, check_alias, check_model_name
from lineal.model.vocabulary import ModelStatus
from lineal.record.records import (
    AliasSet,
    ModelRenamed,
    ModelSet,
    ModelVersionCreated,
    ModelVersionSet,
    Record,
    StageSet,
)
from lineal.store.registry import RegistryReader

Tags = Mapping[str, str | None]


def get_model(registry: RegistryReader, name: str) -> RegisteredModel:
    """One that may be changed. NotFound, Conflict if it is deleted."""
    model = registry.get_model(name)
    if model.lifecycle == "deleted":
        raise Conflict(f"registered model {name!r:.80} is deleted: restore it first", field="name")
    return model


def find_version(registry: RegistryReader, name: str, version: str) -> ModelVersion:
    """By its number, or "@" and an alias; deleted or not. NotFound."""
    if version.startswith("@"):
        found = registry.find_alias(name, version[1:])
        if found is None:
            registry.get_model(name)
            raise NotFound(f"model {name!r:.80} has no alias {version[1:]!r:.80}", field="version")
        return found
    if not (version.isascii() and version.isdigit() and len(version) < 19):
        raise NotFound(
            f"model {name!r:.80} has no version {version!r:.40}: a number, or '@' and an alias", field="version"
        )
    return registry.get_version(name, int(version))


def get_version(registry: RegistryReader, name: str, version: str) -> ModelVersion:
    """One that may be changed."""
    found = find_version(registry, name, version)
    if found.lifecycle == "deleted":
        raise Conflict(f"version {found.version} of {name!r:.80} is deleted: restore it first", field="version")
    return found


# -- models ----------------------------------------------------------------------------------------------------


def new_model(
    registry: RegistryReader, name: str, description: str | None = None, tags: Tags | None = None
) -> list[Record]:
    """Conflict for a name in use. That of a deleted model, or a former one, is free."""
    known = registry.find_model(check_model_name(name))
    if known is not None and known.lifecycle == "active":
        raise Conflict(f"there is a registered model {name!r:.80} already", field="name")
    return [ModelSet(name, description or None, dict(tags) if tags else None, is_new=True)]


def changed_model(
    registry: RegistryReader,
    name: str,
    new_name: str | None = None,
    description: str | None = None,
    tags: Tags | None = None,
) -> list[Record]:
    get_model(registry, name)
    said: list[Record] = []
    if description is not None or tags:
        said.append(ModelSet(name, description, dict(tags) if tags else None))
    if new_name is not None and new_name != name:
        known = registry.find_model(check_model_name(new_name, field="new_name"))
        if known is not None and known.lifecycle == "active":
            raise Conflict(f"there is a registered model {new_name!r:.80} already", field="name")
        said.append(ModelRenamed(name, new_name))
    return said


def deleted_model(registry: RegistryReader, name: str) -> list[Record]:
    return [ModelSet(name, lifecycle="deleted")] if registry.get_model(name).lifecycle == "active" else []


def restored_model(registry: RegistryReader, name: str) -> list[Record]:
    return [ModelSet(name, lifecycle="active")] if registry.get_model(name).lifecycle == "deleted" else []


# -- versions --------------------------------------------------------------------------------------------------


def new_version(registry: RegistryReader, version: ModelVersionCreated) -> list[Record]:
    """Nothing, if there is one of that id already. The model is made if there is none of the name."""
    known = registry.find_version(version.version_id)
    if known is not None:
        if known.name != version.name:
            raise Conflict(f"there is a version of this id, of the model {known.name!r:.80}", field="version_id")
        return []
    model = registry.find_model(check_model_name(version.name))
    if model is not None:
        get_model(registry, version.name)
    return [version]


def files_under(artifacts: Iterable[Artifact], path: str) -> list[list[str | int | None]]:
    """Of a run's artifacts, the file or folder of that path as it is now."""
    latest = {artifact.path: artifact for artifact in artifacts}  # by path, then version
    return [
        [one.path, one.size_bytes, one.digest]
        for one in latest.values()
        if one.path == path or one.path.startswith(f"{path}/")
    ]


def changed_version(
    registry: RegistryReader,
    name: str,
    version: str,
    description: str | None = None,
    tags: Tags | None = None,
    status: ModelStatus | None = None,
) -> list[Record]:
    found = get_version(registry, name, version)
    if description is None and not tags and status is None:
        return []
    return [ModelVersionSet(found.version_id, description, dict(tags) if tags else None, status=status)]


def deleted_version(registry: RegistryReader, name: str, version: str, why: str | None = None) -> list[Record]:
    """Its aliases are taken from it: nobody finds it by one when it is brought back."""
    found = find_version(registry, name, version)
    if found.lifecycle == "deleted":
        return []
    aliases: list[Record] = [AliasSet(found.name, alias, None, why) for alias in found.aliases]
    return [*aliases, ModelVersionSet(found.version_id, lifecycle="deleted")]


def restored_version(registry: RegistryReader, name: str, version: str) -> list[Record]:
    get_model(registry, name)
    found = find_version(registry, name, version)
    return [ModelVersionSet(found.version_id, lifecycle="active")] if found.lifecycle == "deleted" else []


# -- stages and aliases ----------------------------------------------------------------------------------------


def staged(
    registry: RegistryReader, name: str, version: str, stage: Stage, *, archive_existing: bool, why: str | None
) -> list[Record]:
    if archive_existing and stage not in ("staging", "production"):
        raise InvalidInput(f"what is in stage {stage} cannot be archived by this", field="archive_existing")
    return [StageSet(get_version(registry, name, version).version_id, stage, archive_existing, why or None)]


def aliased(registry: RegistryReader, name: str, alias: str, version: str, why: str | None) -> list[Record]:
    check_alias(alias)
    found = get_version(registry, name, version)
    return [] if alias in found.aliases else [AliasSet(found.name, alias, found.version_id, why or None)]


def unaliased(registry: RegistryReader, name: str, alias: str, why: str | None) -> list[Record]:
    """NotFound if there is none."""
    find_version(registry, name, f"@{alias}")
    return [AliasSet(name, alias, None, why or None)]
