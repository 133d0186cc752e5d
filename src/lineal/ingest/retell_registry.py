"""What is said again of registered models: their versions, under the ids that they have here, and how those came to their stages and
aliases. Numbers are the server's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from lineal.model.limits import LIST_PAGE_MAX_COUNT
from lineal.model.registry import ModelVersion, RegisteredModel, Transition
from lineal.model.values import from_json
from lineal.record.records import (
    AliasSet,
    ModelRenamed,
    ModelSet,
    ModelVersionCreated,
    ModelVersionSet,
    Record,
    StageSet,
)
from lineal.store.registry import By, ModelsQuery, RegistryReader, Term, TransitionsQuery, VersionsQuery

IsNews = Callable[[str, str, str], bool]
"""(kind, name, text): whether that was not told before. It is known then."""
ToldNames = Callable[[str], list[str]]
_SEPARATOR = "\0"


def model_statements(registry: RegistryReader, is_news: IsNews, told_names: ToldNames) -> Iterator[tuple[Record, int]]:
    """What is news of models and versions that are not deleted, with its times."""
    models_told, versions_told = set(told_names("model")), set(told_names("version"))
    for model in _models(registry):
        versions = list(_versions(registry, model.name))
        yield from _renamings(model, versions, is_news, told_names)
        if is_news("model", model.name, repr((model.description, sorted(model.tags.items())))):
            tags = _tags(f"model-tag{_SEPARATOR}{model.name}", model.tags, is_news, told_names)
            description = model.description or ("" if model.name in models_told else None)
            yield ModelSet(model.name, description, tags), model.updated_ms
        for version in versions:
            if is_news("version", version.version_id, ""):
                yield _made(registry, version), version.created_ms
            if is_news("version-set", version.version_id, repr((version.description, version.tags, version.status))):
                tags = _tags(f"version-tag{_SEPARATOR}{version.version_id}", version.tags, is_news, told_names)
                description = version.description or ("" if version.version_id in versions_told else None)
                yield (
                    ModelVersionSet(version.version_id, description, tags, status=version.status),
                    version.updated_ms,
                )


def transition_statements(registry: RegistryReader, is_news: IsNews) -> Iterator[tuple[Record, int]]:
    """How versions came to their stages, and aliases to their versions: only an approver may say so."""
    for model in _models(registry):
        ids = {str(version.version): version.version_id for version in _versions(registry, model.name)}
        for row in _transitions(registry, model.name):
            record: Record | None = None
            if row.kind == "stage" and str(row.version) in ids:
                record = StageSet(ids[str(row.version)], row.after, why=row.why or None)  # type: ignore[arg-type]
            elif row.kind == "alias" and (row.after is None or row.after in ids):
                version_id = None if row.after is None else ids[row.after]
                record = AliasSet(model.name, row.alias or "", version_id, row.why or None)
            if record is not None and is_news("transition", str(row.number), repr(row[1:4])):
                yield record, row.time_ms


def _renamings(
    model: RegisteredModel, versions: list[ModelVersion], is_news: IsNews, told_names: ToldNames
) -> Iterator[tuple[Record, int]]:
    """Versions that were told under another name: the model was called so."""
    renamed: set[str] = set()
    for version in versions:
        kind = f"version-of{_SEPARATOR}{version.version_id}"
        for name in told_names(kind):
            if name != model.name and name not in renamed and is_news(f"renamed{_SEPARATOR}{model.name}", name, ""):
                renamed.add(name)
                yield ModelRenamed(name, model.name), model.updated_ms
        is_news(kind, model.name, "")


def _made(registry: RegistryReader, version: ModelVersion) -> ModelVersionCreated:
    content = registry.get_content(version.version_id)
    return ModelVersionCreated(
        version.version_id,
        version.name,
        version.run_id,
        version.model_id,
        version.source or None,
        version.path,
        version.location,
        version.run_link,
        version.format,
        [list(file) for file in content.files],
        None if content.signature is None else from_json(content.signature),
        None if content.input_example is None else from_json(content.input_example),
    )


def _tags(kind: str, tags: dict[str, str], is_news: IsNews, told_names: ToldNames) -> dict[str, str | None] | None:
    """With those that were told and are gone."""
    said: dict[str, str | None] = dict(tags)
    said |= {name: None for name in told_names(kind) if name not in tags}
    for name, value in tags.items():
        is_news(kind, name, value)
    return said or None


def _models(registry: RegistryReader) -> Iterator[RegisteredModel]:
    query = ModelsQuery(limit=LIST_PAGE_MAX_COUNT)
    while True:
        page = registry.list_models(query)
        yield from page.models
        if page.next_token is None:
            return
        query = replace(query, after=page.next_token)


def _versions(registry: RegistryReader, name: str) -> Iterator[ModelVersion]:
    query = VersionsQuery((Term("name", "=", name),), (By("version"),), limit=LIST_PAGE_MAX_COUNT)
    while True:
        page = registry.list_versions(query)
        yield from page.versions
        if page.next_token is None:
            return
        query = replace(query, after=page.next_token)


def _transitions(registry: RegistryReader, name: str) -> list[Transition]:
    """Oldest first."""
    found: list[Transition] = []
    query = TransitionsQuery(name, limit=LIST_PAGE_MAX_COUNT)
    while page := registry.list_transitions(query):
        found += page
        query = replace(query, before=page[-1].number)
    return found[::-1]
