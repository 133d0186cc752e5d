"""From the registry's nouns to the shapes of answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lineal.model import registry as nouns
from lineal.model.errors import NotFound
from lineal.model.values import from_json
from lineal.server.shapes import models as shapes
from lineal.server.shapes.numbers import plain
from lineal.store.registry import RegistryReader
from lineal.store.run_view import iso_time


def models_of(registry: RegistryReader, found: Sequence[nouns.RegisteredModel]) -> list[shapes.Registered]:
    """At a constant number of questions."""
    latest = registry.list_latest([model.name for model in found])
    return [
        shapes.Registered(
            model.name,
            model.description,
            model.tags,
            model.lifecycle,
            _time(model.created_ms),
            _time(model.updated_ms),
            model.version_count,
            model.last_version,
            model.aliases,
            {version.stage: version.version for version in latest.get(model.name, ())}
            if model.lifecycle == "active"
            else {},
        )
        for model in found
    ]


def model_of(registry: RegistryReader, name: str) -> shapes.Registered:
    return models_of(registry, [registry.get_model(name)])[0]


def version_of(version: nouns.ModelVersion) -> shapes.Version:
    return shapes.Version(**_members(version))


def detail_of(registry: RegistryReader, version_id: str) -> shapes.VersionDetail:
    version, content = registry.find_version(version_id), registry.get_content(version_id)
    if version is None:
        raise NotFound(f"no version has the id {version_id!r:.80}", field="version_id")
    files = [shapes.VersionFile(*file) for file in content.files]
    return shapes.VersionDetail(
        **_members(version),
        files=files,
        signature=_document(content.signature),
        input_example=_document(content.input_example),
    )


def transition_of(row: nouns.Transition) -> shapes.Transition:
    return shapes.Transition(
        row.number,
        _time(row.time_ms),
        row.time_ms,
        row.writer,
        row.seq,
        row.actor,
        row.kind,
        row.version,
        row.alias,
        row.before,
        row.after,
        row.why,
    )


def _members(version: nouns.ModelVersion) -> dict[str, Any]:
    return {
        "version_id": version.version_id,
        "name": version.name,
        "version": version.version,
        "run_id": version.run_id,
        "model_id": version.model_id,
        "source": version.source,
        "path": version.path,
        "location": version.location,
        "run_link": version.run_link,
        "format": version.format,
        "description": version.description,
        "tags": version.tags,
        "stage": version.stage,
        "status": version.status,
        "lifecycle_stage": version.lifecycle,
        "aliases": list(version.aliases),
        "created_at": _time(version.created_ms),
        "last_updated": _time(version.updated_ms),
    }


def _document(text: str | None) -> Any:
    return None if text is None else plain(from_json(text))


def _time(time_ms: int) -> str | None:
    try:
        return iso_time(time_ms)
    except (ValueError, OverflowError):  # a clock of nowhere
        return None
