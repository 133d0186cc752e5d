"""Answers about registered models and their versions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from lineal.model.errors import NotFound
from lineal.model.limits import REGISTRY_CHUNK_ROWS
from lineal.model.registry import (
    STAGES,
    ModelVersion,
    RegisteredModel,
    Transition,
    VersionContent,
    VersionFile,
)
from lineal.model.values import from_json, to_json
from lineal.store.place_tokens import Key
from lineal.store.registry import ModelsPage, ModelsQuery, Term, TransitionsQuery, VersionsPage, VersionsQuery, no_model
from lineal.store.registry_pages import PATTERNS, Query, check, keys_of, make_token, read_token, tester
from lineal.store.sql.database import Connection, Row, list_text

_MODEL = "m.pk, m.name, m.description, m.lifecycle, m.created_ms, m.updated_ms, m.last_version"
_VERSION = (
    "v.pk, v.model, v.version_id, m.name, v.number, v.run_id, v.model_id, v.source, v.path, v.location, v.run_link, v.format,"
    " v.description, v.stage, v.status, CASE WHEN m.lifecycle = 'deleted' THEN 'deleted' ELSE v.lifecycle END,"
    " v.created_ms, v.updated_ms"
)
_MODELS = "FROM registered_model m WHERE m.tenant = ?"
_VERSIONS = "FROM model_version v JOIN registered_model m ON m.pk = v.model WHERE v.tenant = ?"
_CALLED = "m.name = ? AND m.pk = (SELECT n.model FROM model_name n WHERE n.tenant = m.tenant AND n.name = m.name)"
_COLUMNS = {  # field of a term or an order -> column, for models and for versions
    ModelsQuery: {"name": "m.name", "made": "m.pk", "created": "m.created_ms", "updated": "m.updated_ms"},
    VersionsQuery: {
        "name": "m.name",
        "version": "v.number",
        "version_id": "v.version_id",
        "run_id": "v.run_id",
        "model_id": "v.model_id",
        "source": "v.source",
        "stage": "v.stage",
        "format": "v.format",
        "created": "v.created_ms",
        "updated": "v.updated_ms",
    },
}
_TAG = {
    ModelsQuery: "(SELECT t.value FROM model_setting t WHERE t.model = m.pk AND t.kind = 'tag' AND t.name = ?)",
    VersionsQuery: "(SELECT t.value FROM model_version_setting t WHERE t.version = v.pk AND t.kind = 'tag' AND t.name = ?)",
}
_LIFECYCLE = {
    ModelsQuery: {"active": "m.lifecycle = 'active'", "deleted": "m.lifecycle = 'deleted'"},
    VersionsQuery: {
        "active": "m.lifecycle = 'active' AND v.lifecycle = 'active'",
        "deleted": "(m.lifecycle = 'deleted' OR v.lifecycle = 'deleted')",
    },
}

Snapshot = Callable[[], AbstractContextManager[tuple[Connection, int]]]
"""A connection within one moment, and the tenant's number."""


class SqlRegistryReader:
    """See `registry.RegistryReader`."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def find_model(self, name: str) -> RegisteredModel | None:
        with self._snapshot() as (connection, tenant):
            rows = _called(connection, tenant, name)
            return _models(connection, rows)[0] if rows else None

    def get_model(self, name: str) -> RegisteredModel:
        with self._snapshot() as (connection, tenant):
            return _models(connection, _get(connection, tenant, name))[0]

    def list_models(self, query: ModelsQuery) -> ModelsPage:
        with self._snapshot() as (connection, tenant):
            rows, token = _page(connection, tenant, query, _MODEL, _MODELS)
            return ModelsPage(_models(connection, rows), token)

    def find_version(self, version_id: str) -> ModelVersion | None:
        with self._snapshot() as (connection, tenant):
            rows = connection.execute(
                f"SELECT {_VERSION} {_VERSIONS} AND v.version_id = ?", (tenant, version_id)
            ).fetchall()
            return _versions(connection, rows)[0] if rows else None

    def get_version(self, name: str, version: int) -> ModelVersion:
        with self._snapshot() as (connection, tenant):
            [model] = _get(connection, tenant, name)
            rows = connection.execute(
                f"SELECT {_VERSION} {_VERSIONS} AND v.model = ? AND v.number = ?", (tenant, model[0], version)
            ).fetchall()
            if not rows:
                raise NotFound(f"model {name!r:.80} has no version {version}", field="version")
            return _versions(connection, rows)[0]

    def find_alias(self, name: str, alias: str) -> ModelVersion | None:
        with self._snapshot() as (connection, tenant):
            for model in _called(connection, tenant, name):
                number = _aliases(connection, [model[0]]).get(model[0], {}).get(alias)
                rows = connection.execute(
                    f"SELECT {_VERSION} {_VERSIONS} AND v.model = ? AND v.number = ?", (tenant, model[0], number)
                ).fetchall()
                return _versions(connection, rows)[0] if rows else None
            return None

    def list_versions(self, query: VersionsQuery) -> VersionsPage:
        with self._snapshot() as (connection, tenant):
            rows, token = _page(connection, tenant, query, _VERSION, _VERSIONS)
            return VersionsPage(_versions(connection, rows), token)

    def list_latest(self, names: Sequence[str]) -> dict[str, list[ModelVersion]]:
        with self._snapshot() as (connection, tenant):
            models = {name: rows[0][0] for name in names if (rows := _called(connection, tenant, name))}
            rows = connection.execute(
                f"SELECT {_VERSION} FROM model_version v JOIN registered_model m ON m.pk = v.model JOIN (SELECT model,"
                " max(number) AS number FROM model_version WHERE lifecycle = 'active' AND model IN (SELECT value FROM json_each(?))"
                " GROUP BY model, stage) latest ON latest.model = v.model AND latest.number = v.number"
                " WHERE v.tenant = ? AND m.lifecycle = 'active'",
                (list_text(list(models.values())), tenant),
            ).fetchall()
            found: dict[str, list[ModelVersion]] = {name: [] for name in models}
            for version in sorted(_versions(connection, rows), key=lambda one: STAGES.index(one.stage)):
                found[version.name].append(version)
            return found

    def get_content(self, version_id: str) -> VersionContent:
        with self._snapshot() as (connection, tenant):
            row = connection.execute(
                "SELECT content FROM model_version WHERE tenant = ? AND version_id = ? AND model IS NOT NULL",
                (tenant, version_id),
            ).fetchone()
        if row is None:
            raise NotFound(f"no version has the id {version_id!r:.80}", field="version_id")
        files, signature, example = from_json(row[0])
        return VersionContent(tuple(VersionFile(*file) for file in files), signature, example)

    def list_transitions(self, query: TransitionsQuery) -> list[Transition]:
        with self._snapshot() as (connection, tenant):
            [model] = _get(connection, tenant, query.name)
            sql, values = "t.tenant = ? AND t.model = ?", [tenant, model[0]]
            if query.version is not None:
                sql, values = f"{sql} AND t.kind = 'stage' AND v.number = ?", [*values, query.version]
            if query.before is not None:
                sql, values = f"{sql} AND t.number < ?", [*values, query.before]
            rows = connection.execute(
                "SELECT t.number, t.time_ms, t.writer, t.seq, t.actor, t.kind, v.number, t.name, t.before_value, t.after_value,"
                " t.why, b.number, a.number FROM model_transition t LEFT JOIN model_version v ON v.pk = t.version"
                " LEFT JOIN model_version b ON t.kind = 'alias' AND b.tenant = t.tenant AND b.version_id = t.before_value"
                " LEFT JOIN model_version a ON t.kind = 'alias' AND a.tenant = t.tenant AND a.version_id = t.after_value"
                f" WHERE {sql} ORDER BY t.number DESC LIMIT ?",
                (*values, query.limit),
            ).fetchall()
        return [_transition(model[1], row) for row in rows]


def _transition(name: str, row: Row) -> Transition:
    number, time_ms, writer, seq, actor, kind, version, alias, before, after, why, before_number, after_number = row
    if before_number is not None:
        before = str(before_number)
    if after_number is not None:
        after = str(after_number)
    return Transition(number, time_ms, writer, seq, actor, kind, name, version, alias, before, after, why)


# -- models and versions ---------------------------------------------------------------------------------------


def _called(connection: Connection, tenant: int, name: str) -> list[Row]:
    return connection.execute(f"SELECT {_MODEL} {_MODELS} AND {_CALLED}", (tenant, name)).fetchall()


def _get(connection: Connection, tenant: int, name: str) -> list[Row]:
    rows = _called(connection, tenant, name)
    if not rows:
        row = connection.execute(
            "SELECT m.name FROM model_name n JOIN registered_model m ON m.pk = n.model WHERE n.tenant = ? AND n.name = ?",
            (tenant, name),
        ).fetchone()
        raise no_model(name, None if row is None else row[0])
    return rows


def _models(connection: Connection, rows: Sequence[Row]) -> list[RegisteredModel]:
    pks = [row[0] for row in rows]
    tags, aliases = _tags(connection, "model", pks), _aliases(connection, pks)
    counts: dict[int, int] = dict(
        connection.execute(
            "SELECT model, count(*) FROM model_version WHERE lifecycle = 'active' AND model IN (SELECT value FROM json_each(?))"
            " GROUP BY model",
            (list_text(pks),),
        ).fetchall()
    )
    return [
        RegisteredModel(
            name,
            description,
            tags.get(pk, {}),
            lifecycle,
            created,
            updated,
            aliases.get(pk, {}),
            counts.get(pk, 0),
            last,
        )
        for pk, name, description, lifecycle, created, updated, last, *_ in rows
    ]


def _versions(connection: Connection, rows: Sequence[Row]) -> list[ModelVersion]:
    tags = _tags(connection, "model_version", [row[0] for row in rows])
    aliases = _aliases(connection, sorted({row[1] for row in rows}))
    found = []
    for row in rows:
        pk, model, version_id, name, number = row[:5]
        run_id, model_id, source, path, location, run_link, format = row[5:12]
        description, stage, status, lifecycle, created_ms, updated_ms = row[12:18]
        meant = tuple(alias for alias, version in aliases.get(model, {}).items() if version == number)
        found.append(
            ModelVersion(
                *(version_id, name, number, run_id, model_id, source, path, location, run_link, format, description),
                *(tags.get(pk, {}), stage, status, lifecycle, meant, created_ms, updated_ms),
            )
        )
    return found


def _tags(connection: Connection, table: str, pks: Sequence[int]) -> dict[int, dict[str, str]]:
    owner = table.rpartition("_")[2]
    found: dict[int, dict[str, str]] = {}
    for pk, name, value in connection.execute(
        f"SELECT {owner}, name, value FROM {table}_setting WHERE {owner} IN (SELECT value FROM json_each(?)) AND kind = 'tag'"
        f" AND value IS NOT NULL ORDER BY {owner}, name",
        (list_text(pks),),
    ).fetchall():
        found.setdefault(pk, {})[name] = value
    return found


def _aliases(connection: Connection, models: Sequence[int]) -> dict[int, dict[str, int]]:
    """Model -> alias -> number, without those that lead to what is deleted."""
    found: dict[int, dict[str, int]] = {}
    for model, name, number in connection.execute(
        "SELECT s.model, s.name, v.number FROM model_setting s JOIN model_version v ON v.tenant = s.tenant"
        " AND v.version_id = s.value AND v.model = s.model JOIN registered_model m ON m.pk = s.model"
        " WHERE s.model IN (SELECT value FROM json_each(?)) AND s.kind = 'alias' AND v.lifecycle = 'active'"
        " AND m.lifecycle = 'active' ORDER BY s.model, s.name",
        (list_text(models),),
    ).fetchall():
        found.setdefault(model, {})[name] = number
    return found


def read_version_digests(connection: Connection, tenant: int, beginning: str) -> list[tuple[str, int | None]]:
    """Of files of versions, those that begin so; with sizes."""
    rows = connection.execute(
        "SELECT content FROM model_version WHERE tenant = ? AND content LIKE ?", (tenant, f'%"{beginning}%')
    )
    files = (VersionFile(*file) for (text,) in rows for file in from_json(text)[0])
    return [(file.digest, file.size_bytes) for file in files if file.digest and file.digest.startswith(beginning)]


def content_text(content: VersionContent) -> str:
    return to_json([[list(file) for file in content.files], content.signature, content.input_example])


# -- pages -----------------------------------------------------------------------------------------------------


def _page(
    connection: Connection, tenant: int, query: Query, selected: str, origin: str
) -> tuple[list[Row], str | None]:
    """Patterns are tried here, on as many rows at a time as are kept; everything else is the database's."""
    check(query)
    columns = _COLUMNS[type(query)]
    orders = [(columns[by.field], by.descending) for by in keys_of(query)]
    place = read_token(query)
    conditions, values = _conditions(query)
    patterns = [term for term in query.terms if term.operator in PATTERNS]
    tests = [tester(term) for term in patterns]
    tried, tried_keys = _selected(query, patterns)
    selected = ", ".join([selected, *(column for column, _ in orders), *tried])
    order = ", ".join(column + (" DESC" if descending else "") for column, descending in orders)
    width = len(orders) + len(tried)
    chunk = REGISTRY_CHUNK_ROWS if patterns else query.limit + 1
    rows: list[Row] = []
    keys: list[list[Key]] = []
    while True:
        behind, placed = _behind(orders, place)
        found = connection.execute(
            f"SELECT {selected} {origin}{conditions}{behind} ORDER BY {order} LIMIT ?",
            (*tried_keys, tenant, *values, *placed, chunk),
        ).fetchall()
        for row in found:
            place = list(row[len(row) - width : len(row) - len(tried)])
            given = row[len(row) - len(tried) :] if tried else ()
            if all(test(value) for test, value in zip(tests, given, strict=True)):
                rows.append(row)
                keys.append(place)
                if len(rows) > query.limit:
                    return rows[:-1], make_token(query, keys[-2])
        if len(found) < chunk:
            return rows, None


def _selected(query: Query, patterns: Iterable[Term]) -> tuple[list[str], list[str]]:
    """What patterns are tried on, and the keys of those that are tags."""
    tried, keys = [], []
    for term in patterns:
        if term.field == "tag":
            tried.append(_TAG[type(query)])
            keys.append(term.key)
        else:
            tried.append(_COLUMNS[type(query)][term.field])
    return tried, keys


def _conditions(query: Query) -> tuple[str, list[Any]]:
    sql, values = "", []
    if query.lifecycle is not None:
        sql += f" AND {_LIFECYCLE[type(query)][query.lifecycle]}"
    for term in query.terms:
        if term.operator in PATTERNS:
            continue
        column = _COLUMNS[type(query)].get(term.field, "")
        given: list[Any] = []
        if term.field == "tag":
            column, given = _TAG[type(query)], [term.key]
        if isinstance(term.value, tuple):
            marks = ", ".join("?" * len(term.value))
            sql += f" AND {column} IN ({marks})" if marks else " AND 1 = 0"
            values += [*given, *term.value] if marks else []
        elif term.operator == "isnt":
            sql += f" AND ({column} IS NULL OR {column} <> ?)"
            values += [*given, *given, term.value]
        else:
            sql += f" AND {column} {'<>' if term.operator == '!=' else term.operator} ?"
            values += [*given, term.value]
    return sql, values


def _behind(orders: Sequence[tuple[str, bool]], place: Sequence[Key] | None) -> tuple[str, list[Key]]:
    """Rows that come after that place."""
    if place is None:
        return "", []
    cases: list[str] = []
    values: list[Key] = []
    for number, (column, descending) in enumerate(orders):
        equal = [f"{before} = ?" for before, _ in orders[:number]]
        cases.append(" AND ".join([*equal, f"{column} {'<' if descending else '>'} ?"]))
        values += place[: number + 1]
    return f" AND ({' OR '.join(cases)})", values
