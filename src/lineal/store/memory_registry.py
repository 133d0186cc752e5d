"""The model registry in dicts: the reference of `store/registry.py`. Every answer is worked out anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cmp_to_key
from typing import Any, TypeVar

from lineal.model.entities import Stamp
from lineal.model.errors import NotFound
from lineal.model.registry import (
    STAGES,
    ModelVersion,
    NewVersion,
    RegisteredModel,
    Stage,
    Transition,
    VersionContent,
)
from lineal.model.vocabulary import Lifecycle, ModelStatus
from lineal.store.audit import Action
from lineal.store.memory_webhooks import MemoryOutbox
from lineal.store.place_tokens import Key
from lineal.store.registry import (
    MOVES,
    ModelsPage,
    ModelsQuery,
    Term,
    TransitionsQuery,
    VersionsPage,
    VersionsQuery,
    floor_name,
    no_model,
    version_values,
)
from lineal.store.registry_pages import Query, check, keys_of, make_token, read_token, tester
from lineal.store.webhook_events import (
    PROMPT_TAG,
    alias_set,
    is_prompt,
    model_created,
    model_tagged,
    version_created,
    version_tagged,
)

Settings = dict[tuple[str, str], tuple[Stamp, Any]]
Audit = Callable[[Action, str, Stamp, dict[str, Any]], None]
"""(action, subject, stamp, values): writes the row."""
Found = TypeVar("Found", RegisteredModel, ModelVersion)


def set_later(settings: Settings, kind: str, name: str, stamp: Stamp, value: Any) -> bool:
    known = settings.get((kind, name))
    if known is not None and known[0] >= stamp:
        return False
    settings[kind, name] = (stamp, value)
    return True


def _tags(settings: Settings) -> dict[str, str]:
    return {name: value for (kind, name), (_, value) in sorted(settings.items()) if kind == "tag" and value is not None}


def _value(settings: Settings, kind: str, default: Any) -> Any:
    return settings[kind, ""][1] if (kind, "") in settings else default


@dataclass(slots=True)
class ModelFacts:
    name: str
    born: Stamp
    named: Stamp
    created_ms: int
    last_version: int
    settings: Settings = field(default_factory=dict)

    @property
    def lifecycle(self) -> Lifecycle:
        return "deleted" if _value(self.settings, "lifecycle", "active") == "deleted" else "active"

    def copy(self) -> ModelFacts:
        return replace(self, settings=dict(self.settings))


@dataclass(slots=True)
class VersionFacts:
    """`model` and `number` are None while it is only spoken of."""

    model: int | None = None
    number: int | None = None
    said: NewVersion | None = None
    created_ms: int = 0
    settings: Settings = field(default_factory=dict)

    def copy(self) -> VersionFacts:
        return replace(self, settings=dict(self.settings))


@dataclass(slots=True)
class Change:
    """A transition as it is kept: versions by their ids."""

    transition: Transition
    model: int | None
    version_id: str | None

    def copy(self) -> Change:
        return replace(self)


@dataclass(slots=True)
class RegistryState:
    models: list[ModelFacts] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    versions: dict[str, VersionFacts] = field(default_factory=dict)
    changes: list[Change] = field(default_factory=list)

    def copy(self) -> RegistryState:
        return RegistryState(
            [facts.copy() for facts in self.models],
            dict(self.names),
            {version_id: facts.copy() for version_id, facts in self.versions.items()},
            [change.copy() for change in self.changes],
        )

    def list_contents(self) -> Iterator[tuple[ModelVersion, VersionContent]]:
        for version_id, facts in self.versions.items():
            if facts.said is not None:
                yield self.version(version_id, facts), facts.said.content

    def versions_of(self, model: int) -> list[tuple[str, VersionFacts]]:
        return [(version_id, facts) for version_id, facts in self.versions.items() if facts.model == model]

    def stage(self, facts: VersionFacts) -> tuple[Stage, int]:
        """And since when: what was said before others of that stage were archived, is archived, by the first who did that."""
        if ("stage", "") not in facts.settings:
            return "none", 0
        stamp, said = facts.settings["stage", ""]
        near = self.versions_of(facts.model) if facts.model is not None else []
        floors = [
            word
            for _, one in near
            for (kind, _), (word, stage) in one.settings.items()
            if kind == "floor" and stage == said
        ]
        floor = min((word for word in floors if word > stamp), default=None)
        return (said, stamp.time_ms) if floor is None else ("archived", floor.time_ms)

    def aliases(self, model: int) -> dict[str, VersionFacts]:
        found = {}
        for (kind, name), (_, version_id) in sorted(self.models[model].settings.items()):
            facts = self.versions.get(version_id) if kind == "alias" and version_id is not None else None
            if facts is not None and facts.model == model and _value(facts.settings, "lifecycle", "active") == "active":
                found[name] = facts
        return found if self.models[model].lifecycle == "active" else {}

    def model(self, model: int) -> RegisteredModel:
        facts = self.models[model]
        moved_ms = []
        for _, one in self.versions_of(model):
            moves = [stamp.time_ms for (kind, _), (stamp, _) in one.settings.items() if kind in MOVES]
            moved_ms.append(max(one.created_ms, self.stage(one)[1], *moves))
        said_ms = [stamp.time_ms for stamp, _ in facts.settings.values()]
        return RegisteredModel(
            facts.name,
            _value(facts.settings, "description", ""),
            _tags(facts.settings),
            facts.lifecycle,
            facts.created_ms,
            max([facts.born.time_ms, facts.named.time_ms, *said_ms, *moved_ms]),
            {name: one.number or 0 for name, one in self.aliases(model).items()},
            sum(_value(one.settings, "lifecycle", "active") == "active" for _, one in self.versions_of(model)),
            facts.last_version,
        )

    def version(self, version_id: str, facts: VersionFacts) -> ModelVersion:
        said = facts.said
        assert said is not None and facts.model is not None and facts.number is not None
        model = self.models[facts.model]
        stage, since_ms = self.stage(facts)
        times = [facts.created_ms, since_ms, *(stamp.time_ms for stamp, _ in facts.settings.values())]
        is_active = model.lifecycle == _value(facts.settings, "lifecycle", "active") == "active"
        return ModelVersion(
            version_id,
            model.name,
            facts.number,
            said.run_id,
            said.model_id,
            said.source,
            said.path,
            said.location,
            said.run_link,
            said.format,
            _value(facts.settings, "description", ""),
            _tags(facts.settings),
            stage,
            _value(facts.settings, "status", "ready"),
            "active" if is_active else "deleted",
            tuple(name for name, one in self.aliases(facts.model).items() if one is facts),
            facts.created_ms,
            max(times),
        )


class MemoryRegistryReader:
    """See `registry.RegistryReader`. `state` is asked for at each call."""

    def __init__(self, state: Callable[[], RegistryState]) -> None:
        self._state_now = state

    def find_model(self, name: str) -> RegisteredModel | None:
        model = self._called(name)
        return None if model is None else self._state_now().model(model)

    def get_model(self, name: str) -> RegisteredModel:
        return self._state_now().model(self._get(name))

    def list_models(self, query: ModelsQuery) -> ModelsPage:
        state = self._state_now()
        found = [state.model(model) for model in range(len(state.models))]
        places = {id(model): place for place, model in enumerate(found)}
        return ModelsPage(*_page(query, found, lambda model: places[id(model)]))

    def find_version(self, version_id: str) -> ModelVersion | None:
        facts = self._state_now().versions.get(version_id)
        return None if facts is None or facts.number is None else self._state_now().version(version_id, facts)

    def get_version(self, name: str, version: int) -> ModelVersion:
        for version_id, facts in self._state_now().versions_of(self._get(name)):
            if facts.number == version:
                return self._state_now().version(version_id, facts)
        raise NotFound(f"model {name!r:.80} has no version {version}", field="version")

    def find_alias(self, name: str, alias: str) -> ModelVersion | None:
        model, state = self._called(name), self._state_now()
        facts = None if model is None else state.aliases(model).get(alias)
        return None if facts is None or facts.said is None else state.version(facts.said.version_id, facts)

    def list_versions(self, query: VersionsQuery) -> VersionsPage:
        return VersionsPage(*_page(query, self._versions()))

    def list_latest(self, names: Sequence[str]) -> dict[str, list[ModelVersion]]:
        found: dict[str, list[ModelVersion]] = {}
        for name in names:
            if self._called(name) is not None:
                mine = [one for one in self._versions() if one.name == name and one.lifecycle == "active"]
                mine.sort(key=lambda one: one.version)
                latest = {one.stage: one for one in mine}
                found[name] = [latest[stage] for stage in STAGES if stage in latest]
        return found

    def get_content(self, version_id: str) -> VersionContent:
        facts = self._state_now().versions.get(version_id)
        if facts is None or facts.said is None:
            raise NotFound(f"no version has the id {version_id!r:.80}", field="version_id")
        return facts.said.content

    def list_transitions(self, query: TransitionsQuery) -> list[Transition]:
        model, state = self._get(query.name), self._state_now()
        found = []
        for change in reversed(state.changes):
            row = change.transition
            about = state.versions.get(change.version_id) if change.version_id is not None else None
            number = None if about is None else about.number
            asked = query.version is None or (row.kind == "stage" and number == query.version)
            if change.model == model and asked and (query.before is None or row.number < query.before):
                values = (row.before, row.after)
                if row.kind == "alias":
                    values = (self._number(row.before), self._number(row.after))
                found.append(
                    row._replace(name=state.models[model].name, version=number, before=values[0], after=values[1])
                )
        return found[: query.limit]

    def _number(self, version_id: str | None) -> str | None:
        """Of a version, as a text; the id itself while it is only spoken of."""
        facts = self._state_now().versions.get(version_id) if version_id is not None else None
        return version_id if facts is None or facts.number is None else str(facts.number)

    def _versions(self) -> list[ModelVersion]:
        state = self._state_now()
        return [state.version(key, facts) for key, facts in state.versions.items() if facts.number is not None]

    def _called(self, name: str) -> int | None:
        state = self._state_now()
        model = state.names.get(name)
        return model if model is not None and state.models[model].name == name else None

    def _get(self, name: str) -> int:
        state, model = self._state_now(), self._called(name)
        if model is None:
            raise no_model(name, state.models[state.names[name]].name if name in state.names else None)
        return model


class MemoryRegistryWriter(MemoryRegistryReader):
    """See `registry.RegistryWriter`. `state` is this transaction's own copy."""

    def __init__(
        self, state: RegistryState, audit: Audit, actor: Callable[[], str | None], outbox: MemoryOutbox
    ) -> None:
        super().__init__(lambda: state)
        self._outbox = outbox
        self._state = state
        self._audit = audit
        self._actor = actor

    def set_model(
        self,
        name: str,
        stamp: Stamp,
        *,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        lifecycle: Lifecycle | None = None,
        is_new: bool = False,
    ) -> None:
        known_count = len(self._state.models)
        model, changed = self._mention(name, stamp, is_new=is_new, tags=tags, description=description)
        settings = self._state.models[model].settings
        before = _tags(settings)
        changed |= _set_given(settings, {"description": description, "lifecycle": lifecycle}, tags, stamp)
        if len(self._state.models) == known_count and self._is_prompt(model):
            self._outbox.tell(model_tagged(self._state.models[model].name, _moved(before, settings, tags)), stamp)
        if changed:
            values = {"name": name, "description": description, "lifecycle": lifecycle, "tags": dict(tags or {})}
            self._audit("model.set", self._state.models[model].name, stamp, {**values, "is_new": is_new})

    def rename_model(self, name: str, new_name: str, stamp: Stamp) -> None:
        model, changed = self._mention(name, stamp)
        facts = self._state.models[model]
        holder = self._state.names.get(new_name)
        other = self._state.models[model if holder is None else holder]
        is_taken = other is not facts and other.name == new_name and other.lifecycle == "active"
        known = facts.name
        if not is_taken and stamp > facts.named:
            if holder is not None:
                facts.last_version = max(facts.last_version, self._state.models[holder].last_version)
            facts.name, facts.named, changed = new_name, stamp, True
            self._state.names[new_name] = model
        if changed:
            self._audit("model.rename", known, stamp, {"name": name, "new_name": new_name})

    def create_version(self, version: NewVersion, stamp: Stamp) -> int:
        facts = self._state.versions.setdefault(version.version_id, VersionFacts())
        if facts.number is not None:
            return facts.number
        model, _ = self._mention(version.name, stamp)
        before = self._stages(model, version.version_id)
        of_model = self._state.models[model]
        of_model.last_version += 1
        facts.model, facts.number, facts.said, facts.created_ms = model, of_model.last_version, version, stamp.time_ms
        given = {"description": version.description, "status": version.status}
        _set_given(facts.settings, given, version.tags, stamp)
        for change in self._state.changes:
            if change.version_id == version.version_id and change.model is None:
                change.model = model
        self._audit("version.create", version.version_id, stamp, version_values(version))
        self._outbox.tell([version_created(version, of_model.name, facts.number)], stamp)
        self._note_moved(before, version.version_id, model, stamp, "")
        return facts.number

    def set_version(
        self,
        version_id: str,
        stamp: Stamp,
        *,
        description: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        lifecycle: Lifecycle | None = None,
        status: ModelStatus | None = None,
    ) -> None:
        facts = self._state.versions.setdefault(version_id, VersionFacts())
        given = {"description": description, "lifecycle": lifecycle, "status": status}
        before = _tags(facts.settings)
        if _set_given(facts.settings, given, tags, stamp):
            if facts.model is not None and facts.number is not None:
                name, of_prompt = self._state.models[facts.model].name, self._is_prompt(facts.model)
                moved = _moved(before, facts.settings, tags)
                self._outbox.tell(version_tagged(name, facts.number, moved, of_prompt=of_prompt), stamp)
            self._audit("version.set", version_id, stamp, {"version_id": version_id, **given, "tags": dict(tags or {})})

    def set_stage(
        self, version_id: str, stage: Stage, stamp: Stamp, *, archive_existing: bool = False, why: str = ""
    ) -> None:
        facts = self._state.versions.setdefault(version_id, VersionFacts())
        before = self._stages(facts.model, version_id)
        changed = set_later(facts.settings, "stage", "", stamp, stage)
        if archive_existing:
            changed |= set_later(facts.settings, "floor", floor_name(stage, stamp), stamp, stage)
        if changed:
            values = {"stage": stage, "archive_existing": archive_existing, "why": why}
            self._audit("stage.set", version_id, stamp, {"version_id": version_id, **values})
            self._note_moved(before, version_id, facts.model, stamp, why)

    def set_alias(self, name: str, alias: str, version_id: str | None, stamp: Stamp, *, why: str = "") -> None:
        model, changed = self._mention(name, stamp)
        settings = self._state.models[model].settings
        before = settings["alias", alias][1] if ("alias", alias) in settings else None
        said = set_later(settings, "alias", alias, stamp, version_id)
        if said or changed:
            values = {"name": name, "alias": alias, "version_id": version_id, "why": why}
            self._audit("alias.set", self._state.models[model].name, stamp, values)
        if said and before != version_id:
            self._note("alias", stamp, model, version_id, alias, before, version_id, why)
            of_version = None if version_id is None else self._state.versions.get(version_id, VersionFacts())
            if of_version is None or (of_version.model == model and of_version.number is not None):
                number = None if of_version is None else of_version.number
                name, of_prompt = self._state.models[model].name, self._is_prompt(model)
                self._outbox.tell([alias_set(name, alias, number, of_prompt=of_prompt)], stamp)

    # -- inside --------------------------------------------------------------------------------------------

    def _stages(self, model: int | None, version_id: str) -> dict[str, Stage]:
        """Of the model's versions, and of that one."""
        near = dict(self._state.versions_of(model)) if model is not None else {}
        near[version_id] = self._state.versions[version_id]
        return {key: self._state.stage(facts)[0] for key, facts in near.items()}

    def _note_moved(
        self, before: Mapping[str, Stage], version_id: str, model: int | None, stamp: Stamp, why: str
    ) -> None:
        """The transition of a version that something was said of, then those that it brought about."""
        now = self._stages(model, version_id)
        if now[version_id] != before[version_id]:
            self._note("stage", stamp, model, version_id, None, before[version_id], now[version_id], why)
        others = [key for key in now if key != version_id and now[key] != before[key]]
        for key in sorted(others, key=lambda one: (before[one], self._state.versions[one].number or 0)):
            self._audit("stage.set", key, stamp, {"version_id": key, "stage": now[key], "by": version_id, "why": why})
            self._note("stage", stamp, model, key, None, before[key], now[key], why)

    def _note(
        self,
        kind: Any,
        stamp: Stamp,
        model: int | None,
        version_id: str | None,
        alias: str | None,
        before: str | None,
        after: str | None,
        why: str,
    ) -> None:
        number = len(self._state.changes) + 1
        row = Transition(number, *stamp, self._actor(), kind, "", None, alias, before, after, why)
        self._state.changes.append(Change(row, model, version_id))

    def _is_prompt(self, model: int) -> bool:
        return is_prompt({PROMPT_TAG: _tags(self._state.models[model].settings).get(PROMPT_TAG)})

    def _mention(
        self,
        name: str,
        stamp: Stamp,
        *,
        is_new: bool = False,
        tags: Mapping[str, str | None] | None = None,
        description: str | None = None,
    ) -> tuple[int, bool]:
        """The model that the name means, made if there is none, and whether that changed anything. `tags`, `description`: what is
        about to be said of it, too."""
        state = self._state
        known = state.names.get(name)
        if known is not None:
            facts = state.models[known]
            deleted = facts.settings.get(("lifecycle", ""))
            later = stamp > max(facts.born, facts.named) and (deleted is None or stamp > deleted[0])
            if not (is_new and later and (facts.name != name or facts.lifecycle == "deleted")):
                is_earlier = stamp.time_ms < facts.created_ms
                facts.created_ms = min(facts.created_ms, stamp.time_ms)
                return known, is_earlier
        last_version = 0 if known is None else state.models[known].last_version
        named = Stamp(0, "", 0) if known is None else stamp
        state.models.append(ModelFacts(name, stamp, named, stamp.time_ms, last_version))
        state.names[name] = len(state.models) - 1
        if known is not None:
            state.models[-1].settings["lifecycle", ""] = (stamp, "active")
        self._outbox.tell([model_created(name, tags, description)], stamp)
        return len(state.models) - 1, True


def _set_given(
    settings: Settings, given: Mapping[str, str | None], tags: Mapping[str, str | None] | None, stamp: Stamp
) -> bool:
    changed = False
    for kind, value in given.items():
        if value is not None:
            changed |= set_later(settings, kind, "", stamp, value)
    for key, tag in (tags or {}).items():
        changed |= set_later(settings, "tag", key, stamp, tag)
    return changed


def _moved(
    before: Mapping[str, str], settings: Settings, tags: Mapping[str, str | None] | None
) -> dict[str, str | None]:
    """Of those that were said, those that came to be others by it."""
    now = _tags(settings)
    return {key: value for key, value in (tags or {}).items() if before.get(key) != value == now.get(key)}


# -- lists -----------------------------------------------------------------------------------------------------


def _page(query: Query, found: Iterable[Found], made: Callable[[Found], int] = id) -> tuple[list[Found], str | None]:
    check(query)
    orders, place = keys_of(query), read_token(query)
    tests = [(term, tester(term)) for term in query.terms]
    kept: list[tuple[list[Key], Found]] = []
    for one in found:
        keys = [made(one) if by.field == "made" else _key(one, by.field) for by in orders]
        if query.lifecycle not in (None, one.lifecycle) or not all(test(_field(one, term)) for term, test in tests):
            continue
        kept.append((keys, one))

    def compare(a: list[Key], b: list[Key]) -> int:
        for mine, other, by in zip(a, b, orders, strict=True):
            if mine != other:
                return -1 if (mine < other) != by.descending else 1  # type: ignore[operator]
        return 0

    key = cmp_to_key(compare)
    kept.sort(key=lambda entry: key(entry[0]))
    if place is not None:
        kept = [entry for entry in kept if compare(entry[0], place) > 0]
    page = kept[: query.limit]
    more = make_token(query, page[-1][0]) if page and len(kept) > query.limit else None
    return [one for _, one in page], more


def _key(one: RegisteredModel | ModelVersion, field: str) -> Key:
    key: Key = getattr(one, {"created": "created_ms", "updated": "updated_ms"}.get(field, field))
    return key


def _field(one: RegisteredModel | ModelVersion, term: Term) -> Key | None:
    value: Key | None = one.tags.get(term.key) if term.field == "tag" else getattr(one, term.field)
    return value
