"""The functions of `lineal` that are about registered models."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from lineal.api import shared_store
from lineal.client.model_log import LoggedVersion
from lineal.formats.unpack import Trust
from lineal.model import registry as nouns
from lineal.model.errors import InvalidInput
from lineal.model.limits import MODELS_PAGE_MAX_COUNT
from lineal.model.registry import Stage
from lineal.registry import changes
from lineal.registry.handles import ModelVersion, RegisteredModel, version_tags
from lineal.registry.refs import find_version
from lineal.registry.traced import tags_of
from lineal.store.registry import ModelsQuery, RegistryReader, Term

Url = str | os.PathLike[str] | None


def models(
    search: str = "", *, limit: int = 100, deleted: bool = False, url: Url = None, tenant: str | None = None
) -> list[RegisteredModel]:
    """Registered models whose name contains `search` (in any case), by name."""
    if type(limit) is not int or not 1 <= limit <= MODELS_PAGE_MAX_COUNT:
        raise InvalidInput(f"limit is a whole number of 1 to {MODELS_PAGE_MAX_COUNT:,}", field="limit")
    store = shared_store(url, tenant)
    store.refresh()
    found = _found(store.reader().registry(), search, limit, deleted=deleted)
    return [RegisteredModel(store, one) for one in islice(found, limit)]


def count_models(search: str = "", *, deleted: bool = False, url: Url = None, tenant: str | None = None) -> int:
    """How many `models` would find without its limit."""
    registry = shared_store(url, tenant).reader().registry()
    return sum(1 for _ in _found(registry, search, MODELS_PAGE_MAX_COUNT, deleted=deleted))


def _found(registry: RegistryReader, search: str, limit: int, *, deleted: bool) -> Iterator[nouns.RegisteredModel]:
    terms = (Term("name", "contains", search),) if search else ()
    query = ModelsQuery(terms, lifecycle="deleted" if deleted else "active", limit=limit)
    while True:
        page = registry.list_models(query)
        yield from page.models
        if page.next_token is None:
            return
        query = replace(query, after=page.next_token)


def get_model(name: str, *, url: Url = None, tenant: str | None = None) -> RegisteredModel:
    """NotFound if there is none of that name."""
    store = shared_store(url, tenant)
    store.refresh()
    return RegisteredModel(store, store.reader().registry().get_model(name))


def get_model_version(ref: str, *, url: Url = None, tenant: str | None = None) -> ModelVersion:
    """A version by "NAME@ALIAS", "NAME/3", "NAME/production" (the highest number in that stage), its id, or the id of the run that
    made it. NotFound; InvalidInput for what names no version, or several."""
    store = shared_store(url, tenant)
    found = find_version(store, ref)
    return ModelVersion(store, found.version, found.alias)


def load_model(ref: str, *, trust: Trust = False, url: Url = None, tenant: str | None = None) -> Any:
    """The model itself: arrays by name (torch tensors if it came from torch), an `onnx.ModelProto`, or the object that was logged.

    ref    as for `get_model_version`
    trust  True allows what runs code when it is read: pickles, joblib's files, those of torch.save. A list of names allows these
           types in a skops file besides those that are known to be harmless

    The digest of every file is compared before anything is made of it. Raises NotTrusted, which names what would have to be trusted;
    NotFound; Damaged for bytes that are not those that were logged; InvalidInput where a package is missing."""
    return get_model_version(ref, url=url, tenant=tenant).load(trust=trust)


def serving_tags(model: Any, *, url: Url = None, tenant: str | None = None) -> dict[str, str]:
    """The ids to stamp on a prediction, so that `lineal models why ID` leads from it to the run that made its model: "lineal.model",
    "lineal.model_version", "lineal.version_id", "lineal.run_id". `model` is what `load_model` returned, a `ModelVersion`,
    what `log_model` returned, or a name as for `get_model_version`. InvalidInput for anything else."""
    if isinstance(model, ModelVersion):
        return model.serving_tags()
    if isinstance(model, LoggedVersion):
        return version_tags(model.name, model.version_id, model.run_id, None)
    if isinstance(model, str):
        return get_model_version(model, url=url, tenant=tenant).serving_tags()
    tags = tags_of(model)
    if tags is None:
        raise InvalidInput(
            f"this {type(model).__name__} was not loaded by lineal.load_model (or long ago): give what that returned, or "
            "lineal.get_model_version(...)",
            field="model",
        )
    return tags


def why(ref: str, metric: str | None = None, *, url: Url = None, tenant: str | None = None) -> dict[str, Any]:
    """Why this version: the run that made it with its params, code and data, the runs of the same experiment that it was chosen over
    and by which metric, the version before it side by side, and how it came to its stage and aliases. `lineal models why` prints
    the same. NotFound also for a metric that no run has."""
    return get_model_version(ref, url=url, tenant=tenant).why(metric)


def promote(
    ref: str,
    *,
    to: Stage | None = None,
    alias: str | None = None,
    why: str = "",
    archive_existing: bool = False,
    lock_run: bool = True,
    url: Url = None,
    tenant: str | None = None,
) -> ModelVersion:
    """Moves a version into a stage (`to`), gives it an alias, or both, and locks the run that made it, so that what the version rests
    on stays as it is.

    why               kept with the transition, and shown by `lineal models why`
    archive_existing  the other versions of that stage are archived
    lock_run          False leaves the run as it is

    Raises NotFound, InvalidInput; Conflict while the run still runs, or for a deleted version; NotAllowed where a server asks for the
    role approver."""
    store = shared_store(url, tenant)
    version = find_version(store, ref).version
    changes.promote(
        store,
        version,
        to=to,
        alias=alias,
        why=why,
        archive_existing=archive_existing,
        lock_run=lock_run,
        url=url,
        tenant=tenant,
    )
    return get_model_version(version.version_id, url=url, tenant=tenant)


def delete_alias(name: str, alias: str, *, why: str = "", url: Url = None, tenant: str | None = None) -> None:
    """The alias means nothing from now on. NotFound if it means nothing now."""
    changes.delete_alias(shared_store(url, tenant), name, alias, why, url, tenant)


def set_model(
    name: str,
    *,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    url: Url = None,
    tenant: str | None = None,
) -> RegisteredModel:
    """Makes the registered model if it is new, and sets what is given; a tag of None is removed."""
    changes.set_model(shared_store(url, tenant), name, description, tags, url, tenant)
    return get_model(name, url=url, tenant=tenant)


def set_model_version(
    ref: str,
    *,
    description: str | None = None,
    tags: Mapping[str, Any] | None = None,
    url: Url = None,
    tenant: str | None = None,
) -> ModelVersion:
    """Sets what is given of a version; a tag of None is removed."""
    store = shared_store(url, tenant)
    version = find_version(store, ref).version
    changes.set_version(store, version, description, tags, url, tenant)
    return get_model_version(version.version_id, url=url, tenant=tenant)


def rename_model(name: str, new_name: str, *, url: Url = None, tenant: str | None = None) -> RegisteredModel:
    """Calls the registered model by another name; its versions, aliases and transitions stay. What programs go on logging to its
    former name reaches it, until another model takes that. Conflict for a name in use, or a deleted model."""
    changes.rename_model(shared_store(url, tenant), name, new_name, url, tenant)
    return get_model(new_name, url=url, tenant=tenant)


def delete_model(name: str, *, url: Url = None, tenant: str | None = None) -> RegisteredModel:
    """Puts the registered model away with its versions: lists leave it out, its name is free. Nothing is erased."""
    changes.set_model_lifecycle(shared_store(url, tenant), name, "deleted", url, tenant)
    return get_model(name, url=url, tenant=tenant)


def restore_model(name: str, *, url: Url = None, tenant: str | None = None) -> RegisteredModel:
    """The opposite of `delete_model`, while no other model has taken the name."""
    changes.set_model_lifecycle(shared_store(url, tenant), name, "active", url, tenant)
    return get_model(name, url=url, tenant=tenant)


def delete_model_version(ref: str, *, why: str = "", url: Url = None, tenant: str | None = None) -> ModelVersion:
    """Puts a version away, and takes its aliases from it: `why` is kept with that. Its number is never given again; nothing is
    erased."""
    store = shared_store(url, tenant)
    version = find_version(store, ref).version
    changes.delete_version(store, version, why, url, tenant)
    return get_model_version(version.version_id, url=url, tenant=tenant)


def restore_model_version(ref: str, *, url: Url = None, tenant: str | None = None) -> ModelVersion:
    """Brings a deleted version back; its aliases stay away. Conflict where its model is deleted."""
    store = shared_store(url, tenant)
    version = find_version(store, ref).version
    changes.restore_version(store, version, url, tenant)
    return get_model_version(version.version_id, url=url, tenant=tenant)
