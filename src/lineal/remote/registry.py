"""The registry's reading contract over HTTP, as far as programs and commands ask it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lineal.client.transport import Transport
from lineal.model.errors import InvalidInput, NotFound
from lineal.model.limits import LIST_PAGE_MAX_COUNT
from lineal.model.registry import ModelVersion, RegisteredModel, Transition, VersionContent, is_alias, is_model_name
from lineal.remote import nouns
from lineal.store.registry import ModelsPage, ModelsQuery, TransitionsQuery, VersionsPage, VersionsQuery


class RestRegistry:
    """See `lineal.store.registry.RegistryReader`: each method here is that of the same name. Raises Unreachable, NotAllowed."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def find_model(self, name: str) -> RegisteredModel | None:
        try:
            return self.get_model(name)
        except NotFound:
            return None

    def get_model(self, name: str) -> RegisteredModel:
        return nouns.model_of(self._model(name))

    def list_models(self, query: ModelsQuery) -> ModelsPage:
        search = next((term.value for term in query.terms if (term.field, term.operator) == ("name", "contains")), None)
        if len(query.terms) > (search is not None) or query.order or query.lifecycle is None:
            raise InvalidInput("a server lists models by a part of their name only", field="filter")
        asked = {"lifecycle_stage": query.lifecycle, "limit": min(query.limit, LIST_PAGE_MAX_COUNT)}
        page = self._ask(("models",), {**asked, **_given(search=search, page_token=query.after)})
        return ModelsPage([nouns.model_of(one) for one in page["models"]], page["next_page_token"])

    def find_version(self, version_id: str) -> ModelVersion | None:
        try:
            page = self._ask(("model-versions", "find"), {"version_id": version_id})
        except NotFound:
            return None
        return nouns.version_of(page["versions"][0])

    def get_version(self, name: str, version: int) -> ModelVersion:
        return nouns.version_of(self._version(name, str(version)))

    def find_alias(self, name: str, alias: str) -> ModelVersion | None:
        if not is_model_name(name) or not is_alias(alias):
            return None
        try:
            return nouns.version_of(self._version(name, f"@{alias}"))
        except NotFound:
            return None

    def list_versions(self, query: VersionsQuery) -> VersionsPage:
        """Of a run, or of a model the highest number first, below one or in a stage if that is asked."""
        terms = {(term.field, term.operator): term.value for term in query.terms}
        run_id, name = terms.pop(("run_id", "="), None), terms.pop(("name", "="), None)
        below, stage = terms.pop(("version", "<"), None), terms.pop(("stage", "="), None)
        if terms or (run_id is None) == (name is None) or query.after is not None:
            raise InvalidInput("a server lists the versions of a model, or of a run", field="filter")
        if run_id is not None:
            page = self._ask(("model-versions", "find"), {"run_id": run_id})
            return VersionsPage([nouns.version_of(one) for one in page["versions"]][: query.limit])
        asked = {"lifecycle_stage": query.lifecycle or "active", **_given(stage=stage)}
        found: list[ModelVersion] = []
        token: str | None = None
        while True:
            page = self._ask(
                ("models", str(name), "versions"), {**asked, "limit": LIST_PAGE_MAX_COUNT, **_given(page_token=token)}
            )
            read = [nouns.version_of(one) for one in page["versions"]]
            found += [one for one in read if not isinstance(below, int) or one.version < below]
            token = page["next_page_token"]
            if token is None or len(found) >= query.limit:
                return VersionsPage(found[: query.limit])

    def list_latest(self, names: Sequence[str]) -> dict[str, list[ModelVersion]]:
        found: dict[str, list[ModelVersion]] = {}
        for name in names:
            try:
                stages = self._model(name)["stages"]
            except NotFound:
                continue
            found[name] = [self.get_version(name, number) for number in stages.values()]
        return found

    def get_content(self, version_id: str) -> VersionContent:
        version = self.find_version(version_id)
        if version is None:
            raise NotFound(f"no version has the id {version_id!r:.80}", field="version_id")
        return nouns.content_of(self._version(version.name, str(version.version)))

    def list_transitions(self, query: TransitionsQuery) -> list[Transition]:
        found: list[Transition] = []
        before = query.before
        while True:
            asked = {"limit": min(LIST_PAGE_MAX_COUNT, query.limit - len(found))}
            asked |= _given(version=query.version, before=before)
            page = self._ask(("models", query.name, "transitions"), asked)
            found += [nouns.transition_of(query.name, one) for one in page["transitions"]]
            before = page["next"]
            if before is None or len(found) >= query.limit:
                return found

    def _model(self, name: str) -> Mapping[str, Any]:
        if not is_model_name(name):  # it would be another address
            raise NotFound(f"no registered model {name!r:.80}", field="name")
        said: Mapping[str, Any] = self._ask(("models", name))
        return said

    def _version(self, name: str, which: str) -> Mapping[str, Any]:
        said: Mapping[str, Any] = self._ask(("models", name, "versions", which))
        return said

    def _ask(self, parts: Sequence[str], query: Mapping[str, Any] | None = None) -> Any:
        return self._transport.ask("GET", parts, query=query)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
