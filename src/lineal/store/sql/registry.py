"""Changes of registered models and their versions. Each is written at once: they are few, and made by people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple, TypeAlias

from lineal.model.entities import Stamp
from lineal.model.registry import NewVersion, Stage
from lineal.model.vocabulary import Lifecycle, ModelStatus
from lineal.store.audit import Action
from lineal.store.registry import MOVES, floor_name, version_values
from lineal.store.sql.database import Connection
from lineal.store.sql.registry_reader import SqlRegistryReader, content_text
from lineal.store.sql.webhooks import SqlOutbox
from lineal.store.webhook_events import (
    PROMPT_TAG,
    alias_set,
    is_prompt,
    model_created,
    model_tagged,
    version_created,
    version_tagged,
)

Audit: TypeAlias = Callable[[Action, str, Stamp, dict[str, Any]], None]
"""(action, subject, stamp, values): writes the row."""
Owner: TypeAlias = Literal["model", "version"]
_SETTINGS: dict[Owner, str] = {"model": "model_setting", "version": "model_version_setting"}


class _Model(NamedTuple):
    pk: int
    name: str
    born: Stamp
    named: Stamp
    created_ms: int
    last_version: int
    lifecycle: str
    is_made: bool = False
    """By this very statement."""


class _Version(NamedTuple):
    pk: int
    model: int | None
    number: int | None
    created_ms: int | None
    stage: Stage


class SqlRegistryWriter(SqlRegistryReader):
    """See `registry.RegistryWriter`. Reads and writes through the transaction's connection."""

    def __init__(
        self,
        connection: Connection,
        tenant: int,
        audit: Audit,
        actor: Callable[[], str | None],
        outbox: SqlOutbox,
    ) -> None:
        @contextmanager
        def within() -> Iterator[tuple[Connection, int]]:
            yield connection, tenant

        super().__init__(within)
        self._connection = connection
        self._tenant = tenant
        self._audit = audit
        self._actor = actor
        self._outbox = outbox

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
        model, changed = self._mention(name, stamp, is_new=is_new, tags=tags, description=description)
        given = {"description": description, "lifecycle": lifecycle}
        fresh = self._fresh_tags("model", model.pk, tags)
        said = self._say_given("model", model.pk, given, tags, stamp)
        if fresh and not model.is_made and self._is_prompt(model.pk):
            self._outbox.tell(model_tagged(model.name, self._taken("model", model.pk, fresh, stamp)), stamp)
        for column in given.keys() & said:
            self._do(f"UPDATE registered_model SET {column} = ? WHERE pk = ?", given[column], model.pk)
        if said:
            self._touch(model.pk, stamp.time_ms)
        if said or changed:
            values = {"name": name, "description": description, "lifecycle": lifecycle, "tags": dict(tags or {})}
            self._audit("model.set", model.name, stamp, {**values, "is_new": is_new})

    def rename_model(self, name: str, new_name: str, stamp: Stamp) -> None:
        model, changed = self._mention(name, stamp)
        holder = self._find(new_name) or model
        is_taken = holder.pk != model.pk and holder.name == new_name and holder.lifecycle == "active"
        if not is_taken and stamp > model.named:
            self._rename(model, new_name, max(model.last_version, holder.last_version), stamp)
            changed = True
        if changed:
            self._audit("model.rename", model.name, stamp, {"name": name, "new_name": new_name})

    def _rename(self, model: _Model, new_name: str, last_version: int, stamp: Stamp) -> None:
        self._do(
            "UPDATE registered_model SET name = ?, named_ms = ?, named_writer = ?, named_seq = ?, last_version = ? WHERE pk = ?",
            *(new_name, *stamp, last_version, model.pk),
        )
        self._name(new_name, model.pk)
        self._touch(model.pk, stamp.time_ms)

    def create_version(self, version: NewVersion, stamp: Stamp) -> int:
        known = self._version(version.version_id)
        if known.number is not None:
            return known.number
        model, _ = self._mention(version.name, stamp)
        number = model.last_version + 1
        self._do("UPDATE registered_model SET last_version = ? WHERE pk = ?", number, model.pk)
        said = version
        self._do(
            "UPDATE model_version SET model = ?, number = ?, created_ms = ?, run_id = ?, model_id = ?, source = ?, path = ?,"
            " location = ?, run_link = ?, format = ?, content = ? WHERE pk = ?",
            *(model.pk, number, stamp.time_ms, said.run_id, said.model_id, said.source, said.path),
            *(said.location, said.run_link, said.format, content_text(said.content), known.pk),
        )
        given = {"description": version.description, "status": version.status}
        self._say_given("version", known.pk, given, version.tags, stamp)
        self._do("UPDATE model_transition SET model = ? WHERE version = ? AND model IS NULL", model.pk, known.pk)
        self._audit("version.create", version.version_id, stamp, version_values(version))
        self._outbox.tell([version_created(version, model.name, number)], stamp)
        now = self._derive(known.pk)
        if now != known.stage:
            self._note("stage", stamp, model.pk, known.pk, None, known.stage, now, "")
        for (stage,) in self._rows(
            "SELECT DISTINCT value FROM model_version_setting WHERE version = ? AND kind = 'floor' ORDER BY value",
            known.pk,
        ):
            self._archive(model.pk, stage, known.pk, version.version_id, stamp, "")
        return number

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
        version = self._version(version_id)
        given = {"description": description, "lifecycle": lifecycle, "status": status}
        fresh = self._fresh_tags("version", version.pk, tags)
        if self._say_given("version", version.pk, given, tags, stamp):
            self._derive(version.pk)
            if fresh and version.model is not None and version.number is not None:
                taken = self._taken("version", version.pk, fresh, stamp)
                name, of_prompt = self._called(version.model), self._is_prompt(version.model)
                self._outbox.tell(version_tagged(name, version.number, taken, of_prompt=of_prompt), stamp)
            self._audit("version.set", version_id, stamp, {"version_id": version_id, **given, "tags": dict(tags or {})})

    def set_stage(
        self, version_id: str, stage: Stage, stamp: Stamp, *, archive_existing: bool = False, why: str = ""
    ) -> None:
        version = self._version(version_id)
        changed = self._say("version", version.pk, "stage", "", stamp, stage)
        if archive_existing:
            changed |= self._say("version", version.pk, "floor", floor_name(stage, stamp), stamp, stage)
        if not changed:
            return
        now = self._derive(version.pk)
        values = {"stage": stage, "archive_existing": archive_existing, "why": why}
        self._audit("stage.set", version_id, stamp, {"version_id": version_id, **values})
        if now != version.stage:
            self._note("stage", stamp, version.model, version.pk, None, version.stage, now, why)
        if archive_existing and version.model is not None:
            self._archive(version.model, stage, version.pk, version_id, stamp, why)

    def _archive(self, model: int, stage: str, by: int, by_id: str, stamp: Stamp, why: str) -> None:
        """Of the model's other versions in that stage, those that are archived by what was said of one."""
        for other, other_id in self._rows(
            "SELECT pk, version_id FROM model_version WHERE model = ? AND stage = ? AND pk <> ? ORDER BY number",
            *(model, stage, by),
        ):
            moved = self._derive(other)
            if moved != stage:
                values = {"version_id": other_id, "stage": moved, "by": by_id, "why": why}
                self._audit("stage.set", other_id, stamp, values)
                self._note("stage", stamp, model, other, None, stage, moved, why)

    def set_alias(self, name: str, alias: str, version_id: str | None, stamp: Stamp, *, why: str = "") -> None:
        model, changed = self._mention(name, stamp)
        rows = self._rows(
            "SELECT value FROM model_setting WHERE model = ? AND kind = 'alias' AND name = ?", model.pk, alias
        )
        before = rows[0][0] if rows else None
        said = self._say("model", model.pk, "alias", alias, stamp, version_id)
        if said or changed:
            values = {"name": name, "alias": alias, "version_id": version_id, "why": why}
            self._audit("alias.set", model.name, stamp, values)
        if said:
            self._touch(model.pk, stamp.time_ms)
        if said and before != version_id:
            version = None if version_id is None else self._version(version_id)
            self._note("alias", stamp, model.pk, version and version.pk, alias, before, version_id, why)
            if version is None or (version.model == model.pk and version.number is not None):
                number = None if version is None else version.number
                self._outbox.tell([alias_set(model.name, alias, number, of_prompt=self._is_prompt(model.pk))], stamp)

    # -- inside --------------------------------------------------------------------------------------------

    def _do(self, sql: str, *values: object) -> None:
        self._connection.execute(sql, values)

    def _rows(self, sql: str, *values: object) -> list[Any]:
        return self._connection.execute(sql, values).fetchall()

    def _find(self, name: str) -> _Model | None:
        """The model that the name means."""
        rows = self._rows(
            "SELECT m.pk, m.name, m.born_ms, m.born_writer, m.born_seq, m.named_ms, m.named_writer, m.named_seq, m.created_ms,"
            " m.last_version, m.lifecycle FROM model_name n JOIN registered_model m ON m.pk = n.model"
            " WHERE n.tenant = ? AND n.name = ?",
            self._tenant,
            name,
        )
        if not rows:
            return None
        [(pk, called, *stamps, created_ms, last_version, lifecycle)] = rows
        return _Model(pk, called, Stamp(*stamps[:3]), Stamp(*stamps[3:]), created_ms, last_version, lifecycle)

    def _mention(
        self,
        name: str,
        stamp: Stamp,
        *,
        is_new: bool = False,
        tags: Mapping[str, str | None] | None = None,
        description: str | None = None,
    ) -> tuple[_Model, bool]:
        """The model that the name means, made if there is none, and whether that changed anything. `tags`, `description`: what is
        about to be said of it, too."""
        known = self._find(name)
        if known is not None and not (is_new and self._is_left(known, name, stamp)):
            if stamp.time_ms < known.created_ms:
                self._do("UPDATE registered_model SET created_ms = ? WHERE pk = ?", stamp.time_ms, known.pk)
                return known, True
            return known, False
        last_version = 0 if known is None else known.last_version
        named = Stamp(0, "", 0) if known is None else stamp
        [(pk,)] = self._rows(
            "INSERT INTO registered_model (tenant, name, born_ms, born_writer, born_seq, named_ms, named_writer, named_seq,"
            " created_ms, updated_ms, last_version, lifecycle, description)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'active', '') RETURNING pk",
            *(self._tenant, name, *stamp, *named, stamp.time_ms, stamp.time_ms, last_version),
        )
        self._name(name, pk)
        if known is not None:
            self._say("model", pk, "lifecycle", "", stamp, "active")
        self._outbox.tell([model_created(name, tags, description)], stamp)
        return _Model(pk, name, stamp, named, stamp.time_ms, last_version, "active", is_made=True), True

    def _is_left(self, model: _Model, name: str, stamp: Stamp) -> bool:
        """Whether another model may take the name: by then it had been deleted, or was called otherwise."""
        if model.name == name and model.lifecycle == "active":
            return False
        known = self._stamp("model", model.pk, "lifecycle", "")
        return stamp > max(model.born, model.named) and (known is None or stamp > known)

    def _name(self, name: str, model: int) -> None:
        self._do(
            "INSERT INTO model_name (tenant, name, model) VALUES (?, ?, ?)"
            " ON CONFLICT (tenant, name) DO UPDATE SET model = excluded.model",
            *(self._tenant, name, model),
        )

    def _touch(self, model: int, time_ms: int) -> None:
        self._do("UPDATE registered_model SET updated_ms = ? WHERE pk = ? AND updated_ms < ?", time_ms, model, time_ms)

    def _version(self, version_id: str) -> _Version:
        """Made by being spoken of."""
        rows = self._rows(
            "SELECT pk, model, number, created_ms, stage FROM model_version WHERE tenant = ? AND version_id = ?",
            *(self._tenant, version_id),
        )
        if rows:
            pk, model, number, created_ms, stage = rows[0]
            return _Version(pk, model, number, created_ms, stage or "none")
        [(pk,)] = self._rows(
            "INSERT INTO model_version (tenant, version_id, stage, status, lifecycle, description)"
            " VALUES (?, ?, 'none', 'ready', 'active', '') RETURNING pk",
            *(self._tenant, version_id),
        )
        return _Version(pk, None, None, None, "none")

    def _stamp(self, owner: Owner, pk: int, kind: str, name: str) -> Stamp | None:
        rows = self._rows(
            f"SELECT time_ms, writer, seq FROM {_SETTINGS[owner]} WHERE {owner} = ? AND kind = ? AND name = ?",
            *(pk, kind, name),
        )
        return Stamp(*rows[0]) if rows else None

    def _say(self, owner: Owner, pk: int, kind: str, name: str, stamp: Stamp, value: str | None) -> bool:
        """True if this is the latest word."""
        known = self._stamp(owner, pk, kind, name)
        if known is not None and known >= stamp:
            return False
        self._do(
            f"INSERT INTO {_SETTINGS[owner]} ({owner}, kind, name, tenant, time_ms, writer, seq, value)"
            f" VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT ({owner}, kind, name) DO UPDATE SET time_ms = excluded.time_ms,"
            " writer = excluded.writer, seq = excluded.seq, value = excluded.value",
            *(pk, kind, name, self._tenant, *stamp, value),
        )
        return True

    def _say_given(
        self,
        owner: Owner,
        pk: int,
        given: Mapping[str, str | None],
        tags: Mapping[str, str | None] | None,
        stamp: Stamp,
    ) -> set[str]:
        """What of it was the latest word; of tags, "tag"."""
        said = {
            kind for kind, value in given.items() if value is not None and self._say(owner, pk, kind, "", stamp, value)
        }
        for key, tag in (tags or {}).items():
            if self._say(owner, pk, "tag", key, stamp, tag):
                said.add("tag")
        return said

    def _fresh_tags(self, owner: Owner, pk: int, tags: Mapping[str, str | None] | None) -> dict[str, str | None]:
        """Those that would come to be others than they are, where anybody is to be told of it."""
        if not tags or not self._outbox.is_asked:
            return {}
        return {key: value for key, value in tags.items() if self._tag(owner, pk, key) != value}

    def _taken(self, owner: Owner, pk: int, tags: Mapping[str, str | None], stamp: Stamp) -> dict[str, str | None]:
        """Those of them that are what this statement said."""
        return {key: value for key, value in tags.items() if self._stamp(owner, pk, "tag", key) == stamp}

    def _tag(self, owner: Owner, pk: int, key: str) -> str | None:
        rows = self._rows(
            f"SELECT value FROM {_SETTINGS[owner]} WHERE {owner} = ? AND kind = 'tag' AND name = ?", pk, key
        )
        return rows[0][0] if rows else None

    def _is_prompt(self, model: int) -> bool:
        return self._outbox.is_asked and is_prompt({PROMPT_TAG: self._tag("model", model, PROMPT_TAG)})

    def _called(self, model: int) -> str:
        [(name,)] = self._rows("SELECT name FROM registered_model WHERE pk = ?", model)
        return str(name)

    def _derive(self, version: int) -> Stage:
        """Brings the version's row up to date with what was said of it, and its model's time; answers with its stage."""
        [(model, created_ms)] = self._rows("SELECT model, created_ms FROM model_version WHERE pk = ?", version)
        values, stamps = {"stage": "none", "status": "ready", "lifecycle": "active", "description": ""}, {}
        times, moves = [created_ms or 0], [created_ms or 0]
        for kind, time_ms, writer, seq, value in self._rows(
            "SELECT kind, time_ms, writer, seq, CASE WHEN kind <> 'tag' THEN value END FROM model_version_setting"
            " WHERE version = ?",
            version,
        ):
            times.append(time_ms)
            if kind in MOVES:
                moves.append(time_ms)
            if kind in values and value is not None:
                values[kind], stamps[kind] = value, Stamp(time_ms, writer, seq)
        if "stage" in stamps:
            said = stamps["stage"]
            floors = self._rows(
                "SELECT s.time_ms, s.writer, s.seq FROM model_version_setting s JOIN model_version v ON v.pk = s.version"
                " WHERE (v.model = ? OR v.pk = ?) AND s.kind = 'floor' AND s.value = ? AND s.time_ms >= ?",
                *(model, version, values["stage"], said.time_ms),
            )
            floor = min((Stamp(*row) for row in floors if Stamp(*row) > said), default=None)
            if floor is not None:
                values["stage"] = "archived"
                times.append(floor.time_ms)
                moves.append(floor.time_ms)
        self._do(
            "UPDATE model_version SET stage = ?, status = ?, lifecycle = ?, description = ?, updated_ms = ? WHERE pk = ?",
            *(values["stage"], values["status"], values["lifecycle"], values["description"], max(times), version),
        )
        if model is not None:
            self._touch(model, max(moves))
        stage: Stage = values["stage"]  # type: ignore[assignment]
        return stage

    def _note(
        self,
        kind: Literal["stage", "alias"],
        stamp: Stamp,
        model: int | None,
        version: int | None,
        alias: str | None,
        before: str | None,
        after: str | None,
        why: str,
    ) -> None:
        [(last,)] = self._rows("SELECT coalesce(max(number), 0) FROM model_transition WHERE tenant = ?", self._tenant)
        self._do(
            "INSERT INTO model_transition (tenant, number, time_ms, writer, seq, actor, kind, model, version, name,"
            " before_value, after_value, why) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            *(self._tenant, last + 1, *stamp, self._actor(), kind, model, version, alias, before, after, why),
        )
