"""Names become numbers once: tenants, writers, experiments, attribute keys, series keys and layouts.

The caches belong to the writing connection and hold what its transaction sees, so they are dropped when one is undone."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Hashable, Iterable, Sequence
from sys import byteorder
from typing import NamedTuple

from lineal.model import ids
from lineal.model.entities import Layout, SeriesKey
from lineal.model.values import from_json, to_json
from lineal.model.vocabulary import MODEL_LABEL, Labels, StepType
from lineal.store.sql.database import Connection, list_text

CACHE_MAX_COUNT = 500_000  # about 100 MB of names, then start over
NAMES_OF_STATEMENT = 1_000  # that are looked for together
KEYS_OF_STATEMENT = 10_000
LAYOUT_OBJECTS_MAX_COUNT = 10_000  # kept alive by being known
LAYOUT_NAMES_MAX_COUNT = 1_000_000  # of all known layouts together, 100 MB: a run may log other names at every call


_NO_LABELS = "[]"  # labels_text(())


def labels_text(labels: Labels) -> str:
    return to_json([list(pair) for pair in labels])


def labels_of(text: str) -> Labels:
    return tuple((key, value) for key, value in from_json(text))


def pack_series(pks: list[int]) -> bytes:
    packed = array("I", pks)
    if byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def unpack_series(data: bytes) -> list[int]:
    packed = array("I")
    packed.frombytes(data)
    if byteorder == "big":
        packed.byteswap()
    return packed.tolist()


class KnownLayout(NamedTuple):
    """A layout and the numbers of its series keys; `places`: such a number -> its place in the layout;
    `models`: of which logged models it holds metrics."""

    layout: Layout
    series: list[int]
    places: dict[int, int]
    models: tuple[str, ...]


class KnownLayouts:
    """Layouts by their numbers. Bounded by the names that they hold: a layout may have one, or 100,000."""

    def __init__(self) -> None:
        self._layouts: dict[int, KnownLayout] = {}
        self._name_count = 0

    def get(self, pk: int) -> KnownLayout | None:
        return self._layouts.get(pk)

    def keep(self, pk: int, layout: Layout, series: list[int]) -> KnownLayout:
        if self._name_count + len(series) > LAYOUT_NAMES_MAX_COUNT:
            self.clear()
        self._name_count += len(series)
        labels = {key.labels for key in layout.series if key.labels}
        models = {value for pairs in labels for label, value in pairs if label == MODEL_LABEL}
        places = {number: place for place, number in enumerate(series)}
        known = KnownLayout(layout, series, places, tuple(models))
        self._layouts[pk] = known
        return known

    def clear(self) -> None:
        self._layouts.clear()
        self._name_count = 0


class Names:
    """Finds or makes the number of a name, within the transaction of its connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cache: dict[Hashable, int] = {}
        self._layouts = KnownLayouts()
        self._layout_objects: dict[tuple[int, int], tuple[Layout, int]] = {}
        self._object_names = 0
        self._series_keys: dict[int, SeriesKey] = {}
        self._writers: dict[int, str] = {}
        self._absent_writers: set[tuple[int, str]] = set()
        self.last_run = 0

    def forget(self) -> None:
        """After a rollback the numbers may be given to others."""
        self._cache.clear()
        self._layouts.clear()
        self._layout_objects.clear()
        self._object_names = 0
        self._series_keys.clear()
        self._writers.clear()

    def begin(self, last_run: int) -> None:
        """A transaction begins; another process may have written since the last one."""
        self.last_run = last_run
        self._absent_writers.clear()

    def next_run(self) -> int:
        """The number of a run whose row will be written when the transaction ends."""
        self.last_run += 1
        return self.last_run

    def find_tenant(self, name: str) -> int | None:
        return self._find("SELECT pk FROM tenant WHERE name = ?", (name,))

    def tenant(self, name: str) -> int:
        return self._number(
            ("tenant", name),
            "SELECT pk FROM tenant WHERE name = ?",
            "INSERT INTO tenant (name) VALUES (?) RETURNING pk",
            (name,),
        )

    def find_writer(self, tenant: int, name: str) -> int | None:
        known = self._cache.get(("writer", tenant, name))
        return known or self._find("SELECT pk FROM writer WHERE tenant = ? AND name = ?", (tenant, name))

    def keep_writer(self, tenant: int, name: str, pk: int | None) -> None:
        """It was looked for; None: there is none of that name yet."""
        if pk is None:
            self._absent_writers.add((tenant, name))
        else:
            self._keep(("writer", tenant, name), pk)

    def writer(self, tenant: int, name: str) -> int:
        pk = self._number(
            ("writer", tenant, name),
            "SELECT pk FROM writer WHERE tenant = ? AND name = ?",
            "INSERT INTO writer (tenant, name) VALUES (?, ?) RETURNING pk",
            (tenant, name),
            is_new=(tenant, name) in self._absent_writers,
        )
        self._absent_writers.discard((tenant, name))
        if len(self._writers) >= CACHE_MAX_COUNT:
            self._writers.clear()
        self._writers[pk] = name
        return pk

    def experiment(self, tenant: int, tenant_name: str, name: str) -> int:
        cached = self._cache.get(("experiment", tenant, name))
        if cached is not None:
            return cached
        pk = self._find("SELECT pk FROM experiment WHERE tenant = ? AND name = ?", (tenant, name))
        if pk is None:
            sql = "INSERT INTO experiment (tenant, name, experiment_id) VALUES (?, ?, ?) RETURNING pk"
            pk = self._insert(sql, (tenant, name, self._free_experiment_id(tenant, tenant_name, name)))
        return self._keep(("experiment", tenant, name), pk)

    def _free_experiment_id(self, tenant: int, tenant_name: str, name: str) -> str:
        """The id of that name, or the next derivation if a renamed experiment has it."""
        taken = "SELECT pk FROM experiment WHERE tenant = ? AND experiment_id = ?"
        experiment_id, n = ids.experiment_id(tenant_name, name), 1
        while self._find(taken, (tenant, experiment_id)) is not None:
            n += 1
            experiment_id = ids.experiment_id(tenant_name, f"{name}\0{n}")
        return experiment_id

    def attribute_key(self, tenant: int, kind: str, name: str) -> int:
        return self._number(
            (kind, tenant, name),
            "SELECT pk FROM attribute_key WHERE tenant = ? AND kind = ? AND name = ?",
            "INSERT INTO attribute_key (tenant, kind, name) VALUES (?, ?, ?) RETURNING pk",
            (tenant, kind, name),
        )

    def dataset(self, tenant: int, name: str, used_ms: int) -> int:
        """Of a new one, `used_ms` is when it was used last, and no run is counted yet."""
        return self._number(
            ("dataset", tenant, name),
            "SELECT pk FROM dataset_name WHERE tenant = ? AND name = ?",
            "INSERT INTO dataset_name (tenant, name, run_count, last_ms) VALUES (?, ?, 0, ?) RETURNING pk",
            (tenant, name, used_ms),
            found_by=2,
        )

    def keep_attribute_keys(self, tenant: int, kind: str, names: Sequence[str]) -> None:
        """Finds or makes all of them, so that `attribute_key` asks nothing: a run may have 100,000 metrics."""
        cached = {name for name in names if (kind, tenant, name) in self._cache}
        missing = [name for name in dict.fromkeys(names) if name not in cached]
        for at in range(0, len(missing), NAMES_OF_STATEMENT):
            some = missing[at : at + NAMES_OF_STATEMENT]
            found = self._attribute_keys(tenant, kind, some)
            new = [name for name in some if name not in found]
            if new:
                self._connection.executemany(
                    "INSERT INTO attribute_key (tenant, kind, name) VALUES (?, ?, ?)",
                    [(tenant, kind, name) for name in new],
                )
                found |= self._attribute_keys(tenant, kind, new)
            for name, pk in found.items():
                self._keep((kind, tenant, name), pk)

    def _attribute_keys(self, tenant: int, kind: str, names: Sequence[str]) -> dict[str, int]:
        marks = ", ".join("?" * len(names))
        return dict(
            self._connection.execute(
                f"SELECT name, pk FROM attribute_key WHERE tenant = ? AND kind = ? AND name IN ({marks})",
                (tenant, kind, *names),
            ).fetchall()
        )

    def series(self, tenant: int, key: SeriesKey) -> int:
        cached = self._cache.get((tenant, key))
        if cached is not None:
            return cached
        return self._number(
            (tenant, key),
            "SELECT pk FROM series_key WHERE tenant = ? AND name = ? AND labels = ? AND value_type = ?",
            "INSERT INTO series_key (tenant, name, labels, value_type) VALUES (?, ?, ?, ?) RETURNING pk",
            (tenant, key.name, labels_text(key.labels), key.value_type),
        )

    def layout(self, tenant: int, layout: Layout) -> int:
        # The same object comes again and again, and the hash of 10,000 names costs milliseconds.
        known = self._layout_objects.get((tenant, id(layout)))
        if known is not None and known[0] is layout:
            return known[1]
        pk = self._layout(tenant, layout)
        self._object_names += len(layout.series)
        if len(self._layout_objects) >= LAYOUT_OBJECTS_MAX_COUNT or self._object_names > LAYOUT_NAMES_MAX_COUNT:
            self._layout_objects.clear()
            self._object_names = len(layout.series)
        self._layout_objects[tenant, id(layout)] = (layout, pk)
        return pk

    def _keep_series(self, tenant: int, keys: Sequence[SeriesKey]) -> None:
        """Finds or makes all of them, so that `series` asks nothing."""
        missing: dict[tuple[str, str], list[SeriesKey]] = {}
        for key in dict.fromkeys(keys):
            if (tenant, key) not in self._cache:
                missing.setdefault((labels_text(key.labels), key.value_type), []).append(key)
        for (labels, value_type), of_kind in missing.items():
            for at in range(0, len(of_kind), NAMES_OF_STATEMENT):
                some = {key.name: key for key in of_kind[at : at + NAMES_OF_STATEMENT]}
                found = self._series_pks(tenant, labels, value_type, list(some))
                new = [name for name in some if name not in found]
                if new:
                    self._connection.executemany(
                        "INSERT INTO series_key (tenant, name, labels, value_type) VALUES (?, ?, ?, ?)",
                        [(tenant, name, labels, value_type) for name in new],
                    )
                    found |= self._series_pks(tenant, labels, value_type, new)
                for name, pk in found.items():
                    self._keep((tenant, some[name]), pk)

    def _series_pks(self, tenant: int, labels: str, value_type: str, names: Sequence[str]) -> dict[str, int]:
        marks = ", ".join("?" * len(names))
        return dict(
            self._connection.execute(
                f"SELECT name, pk FROM series_key WHERE tenant = ? AND labels = ? AND value_type = ? AND name IN ({marks})",
                (tenant, labels, value_type, *names),
            ).fetchall()
        )

    def _layout(self, tenant: int, layout: Layout) -> int:
        if len(layout.series) > 1:
            self._keep_series(tenant, layout.series)
        series = [self.series(tenant, key) for key in layout.series]
        packed = pack_series(series)
        digest = hashlib.sha256(layout.step_type.encode() + packed).digest()[:16]
        pk = self._number(
            ("layout", tenant, digest),
            "SELECT pk FROM layout WHERE tenant = ? AND digest = ?",
            "INSERT INTO layout (tenant, digest, step_type, series) VALUES (?, ?, ?, ?) RETURNING pk",
            (tenant, digest, layout.step_type, packed),
            found_by=2,
        )
        if self._layouts.get(pk) is None:
            self._layouts.keep(pk, layout, series)
        return pk

    def layout_of(self, pk: int) -> Layout:
        return self.known_layout(pk).layout

    def known_layout(self, pk: int) -> KnownLayout:
        return self._layouts.get(pk) or self._layouts.keep(pk, *read_layout(self._connection, pk))

    def series_key(self, pk: int) -> SeriesKey:
        key = self._series_keys.get(pk)
        if key is None:
            if len(self._series_keys) >= CACHE_MAX_COUNT:
                self._series_keys.clear()
            key = self._series_keys[pk] = read_series_key(self._connection, pk)
        return key

    def keep_series_keys(self, pks: Iterable[int]) -> None:
        """Reads all of them, so that `series_key` asks nothing."""
        missing = [pk for pk in pks if pk not in self._series_keys]
        if len(self._series_keys) + len(missing) > CACHE_MAX_COUNT:
            self._series_keys.clear()
        for at in range(0, len(missing), KEYS_OF_STATEMENT):
            self._series_keys.update(read_series_keys(self._connection, missing[at : at + KEYS_OF_STATEMENT]))

    def writer_name(self, pk: int) -> str:
        if pk not in self._writers:
            if len(self._writers) >= CACHE_MAX_COUNT:
                self._writers.clear()
            [self._writers[pk]] = self._connection.execute("SELECT name FROM writer WHERE pk = ?", (pk,)).fetchone()
        return self._writers[pk]

    def _number(
        self,
        key: Hashable,
        find: str,
        insert: str,
        values: tuple[object, ...],
        found_by: int = 9,
        *,
        is_new: bool = False,
    ) -> int:
        cached = self._cache.get(key)
        if cached is not None:
            return cached
        pk = None if is_new else self._find(find, values[:found_by])
        return self._keep(key, self._insert(insert, values) if pk is None else pk)

    def _keep(self, key: Hashable, pk: int) -> int:
        if len(self._cache) >= CACHE_MAX_COUNT:
            self._cache.clear()
        self._cache[key] = pk
        return pk

    def _find(self, sql: str, values: tuple[object, ...]) -> int | None:
        row = self._connection.execute(sql, values).fetchone()
        return None if row is None else int(row[0])

    def _insert(self, sql: str, values: tuple[object, ...]) -> int:
        return int(self._connection.execute(sql, values).fetchone()[0])


def read_layout(connection: Connection, pk: int) -> tuple[Layout, list[int]]:
    """With the numbers of its series keys."""
    step_type: StepType
    step_type, packed = connection.execute("SELECT step_type, series FROM layout WHERE pk = ?", (pk,)).fetchone()
    series = unpack_series(packed)
    keys = read_series_keys(connection, series)
    return Layout(step_type, tuple(keys[number] for number in series)), series


def read_series_key(connection: Connection, pk: int) -> SeriesKey:
    return read_series_keys(connection, [pk])[pk]


def read_series_keys(connection: Connection, pks: Sequence[int]) -> dict[int, SeriesKey]:
    """By number."""
    rows = connection.execute(
        "SELECT pk, name, labels, value_type FROM series_key WHERE pk IN (SELECT value FROM json_each(?))",
        (list_text(pks),),
    )
    return {
        pk: SeriesKey(name, () if labels == _NO_LABELS else labels_of(labels), value_type)
        for pk, name, labels, value_type in rows
    }
