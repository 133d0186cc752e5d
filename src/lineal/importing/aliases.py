"""The aliases of a registered model as they are here, beside what earlier imports said of them: what was said here since stands."""

from __future__ import annotations

from collections.abc import Iterator, Set
from functools import cached_property

from lineal.model.errors import NotFound
from lineal.model.limits import WHY_TRANSITIONS_MAX_COUNT
from lineal.model.registry import Transition
from lineal.store.registry import RegistryReader, TransitionsQuery

WHY = "imported from MLflow"
"""By these words an import knows what earlier ones said: they stay as they are."""


class ModelAliases:
    """Asks only where there is something to compare."""

    def __init__(self, registry: RegistryReader, name: str) -> None:
        self._registry = registry
        self._name = name

    def moved_since(self, alias: str, version_id: str) -> str | None:
        """Of an alias that an import said to mean that version: which later import said otherwise, if one did. None where it means
        the version, or the last word on it by an import was that."""
        last = next((one for one in self._transitions if one.alias == alias and one.why == WHY), None)
        if last is None or (last.version is not None and self._id_of(last.version) == version_id):
            return None
        return f"{last.writer} {last.seq}"

    def gone(self, known: Set[str], version_ids: Set[str]) -> Iterator[tuple[str, str]]:
        """Aliases that mean one of these versions, as an import said last, and are none of the `known`: with which one said it. One
        that was set here, or by an import from another store, is not among them."""
        model = self._registry.find_model(self._name)
        for alias, number in sorted(model.aliases.items() if model is not None else ()):
            if alias not in known and self._id_of(number) in version_ids:
                last = next((one for one in self._transitions if one.alias == alias), None)
                if last is not None and last.why == WHY:
                    yield alias, f"{last.writer} {last.seq}"

    @cached_property
    def _transitions(self) -> list[Transition]:
        """Of aliases, newest first."""
        try:
            found = self._registry.list_transitions(TransitionsQuery(self._name, limit=WHY_TRANSITIONS_MAX_COUNT))
        except NotFound:
            return []
        return [one for one in found if one.kind == "alias"]

    def _id_of(self, number: int) -> str | None:
        try:
            return self._registry.get_version(self._name, number).version_id
        except NotFound:
            return None
