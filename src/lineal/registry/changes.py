"""Changes of registered models from outside of a run: said to a local folder as statements, asked of a server as requests, so that
its roles count."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lineal.api import say_outside, set_lock
from lineal.client.given import check_note, check_tags
from lineal.model.errors import Conflict, InvalidInput, NotFound
from lineal.model.registry import STAGES, ModelVersion, Stage, check_alias, check_model_name
from lineal.record.records import AliasSet, ModelSet, ModelVersionSet, Record, StageSet

if TYPE_CHECKING:
    from lineal.local import LocalStore
    from lineal.remote.store import RemoteStore

Url = str | os.PathLike[str] | None


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
    """See `lineal.promote`."""
    if to is None and alias is None:
        raise InvalidInput("say where to: a stage, an alias, or both", field="to")
    if to is not None and to not in STAGES:
        raise InvalidInput(f"stage {to!r:.60} is not one of {', '.join(STAGES)}", field="to")
    if alias is not None:
        check_alias(alias)
    why = check_note(why)
    if version.lifecycle == "deleted":
        raise Conflict(f"model version {version.name}/{version.version} is deleted: restore it first", field="version")
    locks = _run_to_lock(store, version) if lock_run and to not in ("none", "archived") else None
    server = _server_of(store)
    if server is None:
        said: list[Record] = []
        if to is not None:
            said.append(StageSet(version.version_id, to, archive_existing, why or None))
        if alias is not None:
            said.append(AliasSet(version.name, alias, version.version_id, why or None))
        say_outside(None, said, url, tenant)
        if locks is not None:
            set_lock([locks], True, url=url, tenant=tenant)
        return
    path = ("models", version.name, "versions", str(version.version))
    if locks is not None:
        server.ask("POST", ("runs", "lock"), {"run_ids": [locks]})
    if to is not None:
        server.ask("POST", (*path, "stage"), {"stage": to, "archive_existing": archive_existing, "why": why})
    if alias is not None:
        server.ask("PUT", ("models", version.name, "aliases", alias), {"version": version.version, "why": why})


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


def delete_alias(store: LocalStore, name: str, alias: str, why: str, url: Url, tenant: str | None) -> None:
    store.refresh()
    registry = store.reader().registry()
    model = registry.get_model(name)
    if alias not in model.aliases:
        raise NotFound(f"model {name!r} has no alias {alias!r:.80}", field="alias")
    server = _server_of(store)
    if server is None:
        say_outside(None, AliasSet(name, alias, None, check_note(why) or None), url, tenant)
    else:
        server.ask("DELETE", ("models", name, "aliases", alias), None if not why else {"why": why})


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
    server = _server_of(store)
    if server is None:
        say_outside(None, ModelSet(name, text, checked), url, tenant)
        return
    if store.reader().registry().find_model(name) is None:
        server.ask("POST", ("models",), {"name": name})
    if text is not None or checked:
        server.ask("PATCH", ("models", name), _given(description=text, tags=checked))


def set_version(
    store: LocalStore,
    version: ModelVersion,
    note: str | None,
    tags: Mapping[str, Any] | None,
    url: Url,
    tenant: str | None,
) -> None:
    text = None if note is None else check_note(note)
    checked = check_tags(tags) if tags else None
    if text is None and not checked:
        return
    server = _server_of(store)
    if server is None:
        say_outside(None, ModelVersionSet(version.version_id, text, checked), url, tenant)
    else:
        path = ("models", version.name, "versions", str(version.version))
        server.ask("PATCH", path, _given(description=text, tags=checked))


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _server_of(store: LocalStore) -> RemoteStore | None:
    from lineal.remote.store import RemoteStore

    return store if isinstance(store, RemoteStore) else None
