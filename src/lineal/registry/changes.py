"""Changes of registered models from outside of a run: said to a local folder as statements, asked of a server as requests, so that
its roles count. In a program that makes a run again there are none: people serve from what is registered."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

from lineal.api import say_outside, set_lock
from lineal.client.given import check_note, check_tags
from lineal.client.reproducing import keeps_models
from lineal.client.session import check_description
from lineal.ingest import registry_work
from lineal.model.errors import Conflict, InvalidInput, NotFound
from lineal.model.registry import STAGES, ModelVersion, Stage, check_alias, check_model_name
from lineal.model.vocabulary import Lifecycle
from lineal.record.records import Record
from lineal.remote.store import RemoteStore

if TYPE_CHECKING:
    from lineal.local import LocalStore

Url = str | os.PathLike[str] | None
P = ParamSpec("P")


def _not_in_a_reproduction(change: Callable[P, None]) -> Callable[P, None]:
    @wraps(change)
    def unless(*given: P.args, **named: P.kwargs) -> None:
        if not keeps_models():
            change(*given, **named)

    return unless


@_not_in_a_reproduction
def promote(
    store: LocalStore,
    version: ModelVersion,
    *,
    to: Stage | None,
    alias: str | None,
    why: str,
    archive_existing: bool,
    lock_run: bool,
    url: Url,
    tenant: str | None,
) -> None:
    """See `lineal.promote`. The run is locked first: what cannot be locked is not promoted."""
    if to is None and alias is None:
        raise InvalidInput("say where to: a stage, an alias, or both", field="to")
    if to is not None and to not in STAGES:
        raise InvalidInput(f"stage {to!r:.60} is not one of {', '.join(STAGES)}", field="to")
    if alias is not None:
        check_alias(alias)
    reason = _reason(why)
    number = str(version.version)
    registry = store.reader().registry()
    said: list[Record] = []
    if to is not None:
        said += registry_work.staged(registry, version.name, number, to, archive_existing=archive_existing, why=reason)
    if alias is not None:
        said += registry_work.aliased(registry, version.name, alias, number, reason)
    locks = _run_to_lock(store, version) if lock_run and to not in ("none", "archived") else None
    if not isinstance(store, RemoteStore):
        if locks is not None:
            set_lock([locks], True, url=url, tenant=tenant)
        if said:
            say_outside(None, said, url, tenant)
        return
    path = ("models", version.name, "versions", number)
    if locks is not None:
        store.ask("POST", ("runs", "lock"), {"run_ids": [locks]})
    if to is not None:
        store.ask("POST", (*path, "stage"), {"stage": to, "archive_existing": archive_existing, "why": reason})
    if alias is not None:
        store.ask("PUT", ("models", version.name, "aliases", alias), {"version": version.version, "why": reason})


def _run_to_lock(store: LocalStore, version: ModelVersion) -> str | None:
    """Conflict while it runs."""
    if version.run_id is None:
        return None
    try:
        run = store.reader().get_run(version.run_id)
    except NotFound:
        return None
    if run.status == "running":
        raise Conflict(
            f"run {run.run_id!r} is still running: end it first, or promote without locking it (lock_run=False, --no-lock)",
            field="run_id",
        )
    return None if run.is_locked else run.run_id


@_not_in_a_reproduction
def delete_alias(store: LocalStore, name: str, alias: str, why: str, url: Url, tenant: str | None) -> None:
    store.refresh()
    said = registry_work.unaliased(store.reader().registry(), name, alias, _reason(why))
    if isinstance(store, RemoteStore):
        store.ask("DELETE", ("models", name, "aliases", alias), query={"why": why} if why else None)
    else:
        say_outside(None, said, url, tenant)


@_not_in_a_reproduction
def set_model(
    store: LocalStore,
    name: str,
    description: str | None,
    tags: Mapping[str, Any] | None,
    url: Url,
    tenant: str | None,
) -> None:
    name = check_model_name(name)
    text = None if description is None else check_note(description)
    checked = check_tags(tags) if tags else None
    store.refresh()
    registry = store.reader().registry()
    if registry.find_model(name) is None:
        first = {key: value for key, value in (checked or {}).items() if value is not None}
        if isinstance(store, RemoteStore):
            store.ask("POST", ("models",), _given(name=name, description=text, tags=first))
        else:
            say_outside(None, registry_work.new_model(registry, name, text, first), url, tenant)
        return
    said = registry_work.changed_model(registry, name, None, text, checked)
    if not said:
        return
    if isinstance(store, RemoteStore):
        store.ask("PATCH", ("models", name), _given(description=text, tags=checked))
    else:
        say_outside(None, said, url, tenant)


@_not_in_a_reproduction
def rename_model(store: LocalStore, name: str, new_name: str, url: Url, tenant: str | None) -> None:
    new_name = check_model_name(new_name, field="new_name")
    store.refresh()
    said = registry_work.changed_model(store.reader().registry(), name, new_name)
    _say(store, said, url, tenant, "PATCH", ("models", name), {"name": new_name})


@_not_in_a_reproduction
def set_model_lifecycle(store: LocalStore, name: str, lifecycle: Lifecycle, url: Url, tenant: str | None) -> None:
    store.refresh()
    registry = store.reader().registry()
    if lifecycle == "deleted":
        _say(store, registry_work.deleted_model(registry, name), url, tenant, "DELETE", ("models", name))
    else:
        _say(store, registry_work.restored_model(registry, name), url, tenant, "POST", ("models", name, "restore"), {})


@_not_in_a_reproduction
def delete_version(store: LocalStore, version: ModelVersion, why: str, url: Url, tenant: str | None) -> None:
    reason, number = _reason(why), str(version.version)
    said = registry_work.deleted_version(store.reader().registry(), version.name, number, reason)
    path = ("models", version.name, "versions", number)
    _say(store, said, url, tenant, "DELETE", path, query={"why": reason} if reason else None)


@_not_in_a_reproduction
def restore_version(store: LocalStore, version: ModelVersion, url: Url, tenant: str | None) -> None:
    number = str(version.version)
    said = registry_work.restored_version(store.reader().registry(), version.name, number)
    _say(store, said, url, tenant, "POST", ("models", version.name, "versions", number, "restore"), {})


@_not_in_a_reproduction
def set_version(
    store: LocalStore,
    version: ModelVersion,
    description: str | None,
    tags: Mapping[str, Any] | None,
    url: Url,
    tenant: str | None,
) -> None:
    text = None if description is None else check_note(description)
    checked = check_tags(tags) if tags else None
    number = str(version.version)
    said = registry_work.changed_version(store.reader().registry(), version.name, number, text, checked)
    if not said:
        return
    if isinstance(store, RemoteStore):
        path = ("models", version.name, "versions", number)
        store.ask("PATCH", path, _given(description=text, tags=checked))
    else:
        say_outside(None, said, url, tenant)


def _say(
    store: LocalStore,
    said: Sequence[Record],
    url: Url,
    tenant: str | None,
    method: str,
    parts: Sequence[str],
    body: Mapping[str, Any] | None = None,
    *,
    query: Mapping[str, Any] | None = None,
) -> None:
    """The statements, or the request that is the same. Nothing where nothing is to be said."""
    if not said:
        return
    if isinstance(store, RemoteStore):
        store.ask(method, parts, body, query=query)
    else:
        say_outside(None, said, url, tenant)


def _reason(why: str) -> str | None:
    return check_description(why) or None


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
