"""How people name a version: NAME@ALIAS, NAME/3, NAME/production, the id of a version or of the run that made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lineal.model.errors import InvalidInput, NotFound
from lineal.model.registry import STAGES, ModelVersion, RegisteredModel, is_model_name, is_version_id
from lineal.registry.unmade import find_unmade
from lineal.store.registry import By, RegistryReader, Term, VersionsQuery

if TYPE_CHECKING:
    from lineal.local import LocalStore

_MLFLOW = "models:/"
_ALIASES_SHOWN = 5
_WORDS = '"NAME@ALIAS", "NAME/3", "NAME/production", the id of a version or of a run'


class Found(NamedTuple):
    """`alias`: by which it was asked for."""

    version: ModelVersion
    alias: str | None = None


def find_version(store: LocalStore, ref: object) -> Found:
    """NotFound, InvalidInput for what names no version, or several. Deleted versions are found by number and id."""
    if not isinstance(ref, str) or not ref.strip():
        raise InvalidInput(f"{ref!r:.80} names no model version: say {_WORDS}", field="version")
    store.refresh()
    unmade = find_unmade(ref)
    if unmade is not None:
        return Found(unmade)
    registry = store.reader().registry()
    name = ref.removeprefix(_MLFLOW)
    if "/" in name:
        model, _, which = name.partition("/")
        return Found(_numbered(store, registry, model, which))
    model, _, alias = name.rpartition("@")
    if model:
        found = registry.find_alias(model, alias)
        if found is not None:
            return Found(found, alias)
        if registry.find_model(name) is None:
            raise NotFound(
                f"model {model!r} has no alias {alias!r}: {_aliases(registry.get_model(model))}", field="version"
            )
    return Found(_by_id(store, registry, name))


def _aliases(model: RegisteredModel) -> str:
    names = sorted(model.aliases)
    shown = ", ".join(f"@{name}" for name in names[:_ALIASES_SHOWN])
    return f"it has {shown}{' ...' if len(names) > _ALIASES_SHOWN else ''}" if names else "it has none yet"


def _numbered(store: LocalStore, registry: RegistryReader, model: str, which: str) -> ModelVersion:
    if not is_model_name(model):
        raise InvalidInput(f"{model!r:.80} is no name of a model: say {_WORDS}", field="version")
    if which.isdecimal():
        return registry.get_version(model, int(which))
    stage = which.lower()
    if stage not in STAGES:
        raise InvalidInput(f"{which!r:.80} is neither a version's number nor a stage: say {_WORDS}", field="version")
    registry.get_model(model)
    found = [one for one in registry.list_latest([model]).get(model, []) if one.stage == stage]
    if not found:
        raise NotFound(f"model {model!r} has no version in stage {stage}", field="version")
    return found[0]


def _by_id(store: LocalStore, registry: RegistryReader, name: str) -> ModelVersion:
    if is_version_id(name):
        found = registry.find_version(name)
        if found is not None:
            return found
    model = registry.find_model(name)
    if model is not None:
        last = f"{name}/{model.last_version}" if model.last_version else "none yet"
        said = [*(f"{name}@{alias}" for alias in sorted(model.aliases)), last]
        raise InvalidInput(
            f"{name!r:.80} names a model, and it has versions: say which ({', '.join(said[:6])})", field="version"
        )
    run_ids = store.reader().find_run_ids(name, limit=2)
    if len(run_ids) > 1:
        raise InvalidInput(f"run {name!r:.80} is ambiguous: give more characters", field="version")
    if not run_ids:
        _refuse_former(registry, name)
        raise NotFound(
            f"no model, version or run {name!r:.80} in {store.place} (tenant {store.tenant!r})", field="version"
        )
    return _of_run(registry, run_ids[0])


def _refuse_former(registry: RegistryReader, name: str) -> None:
    """NotFound with its name of today, if it is a former name of a model."""
    if is_model_name(name):
        try:
            registry.get_model(name)
        except NotFound as error:
            if error.renamed_to is not None:
                raise


def _of_run(registry: RegistryReader, run_id: str) -> ModelVersion:
    query = VersionsQuery((Term("run_id", "=", run_id),), (By("created", True),), limit=20)
    found = sorted(registry.list_versions(query).versions, key=lambda one: (one.name, one.version))
    if not found:
        raise NotFound(f"run {run_id} made no version of a model", field="version")
    if len(found) > 1:
        names = ", ".join(f"{one.name}/{one.version}" for one in found)
        raise InvalidInput(f"run {run_id} made {len(found)} versions: say which ({names})", field="version")
    return found[0]
