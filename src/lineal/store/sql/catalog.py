"""What readers remember between calls: numbers of committed rows that never change their meaning."""

from __future__ import annotations

from collections.abc import Sequence

from lineal.model.entities import SeriesKey
from lineal.store.sql.database import Connection
from lineal.store.sql.names import KnownLayout, KnownLayouts, read_layout, read_series_key, read_series_keys

NO_TENANT = -1  # one that nothing belongs to
SERIES_KEYS_MAX_COUNT = 400_000  # two runs of SERIES_PER_RUN_MAX_COUNT, about 100 MB


class Catalog:
    """Shared by the threads of a store: a race costs a second look, never a wrong answer."""

    def __init__(self) -> None:
        self._layouts = KnownLayouts()
        self._series_keys: dict[int, SeriesKey] = {}
        self._writers: dict[int, str] = {}
        self._tenants: dict[str, int] = {}

    def find_tenant(self, name: str) -> int | None:
        """Its number, if that was read before."""
        return self._tenants.get(name)

    def read_tenant(self, connection: Connection, name: str) -> int | None:
        row = connection.execute("SELECT pk FROM tenant WHERE name = ?", (name,)).fetchone()
        if row is None:
            return None
        self._tenants[name] = int(row[0])
        return self._tenants[name]

    def layout(self, connection: Connection, pk: int) -> KnownLayout:
        return self._layouts.get(pk) or self._layouts.keep(pk, *read_layout(connection, pk))

    def series_keys(self, connection: Connection, pks: Sequence[int]) -> dict[int, SeriesKey]:
        """By number, at one statement."""
        found = {pk: key for pk in pks if (key := self._series_keys.get(pk)) is not None}
        if len(found) < len(pks):
            read = read_series_keys(connection, [pk for pk in pks if pk not in found])
            if len(self._series_keys) + len(read) > SERIES_KEYS_MAX_COUNT:
                self._series_keys.clear()
            self._series_keys.update(read)
            found |= read
        return found

    def series_key(self, connection: Connection, pk: int) -> SeriesKey:
        key = self._series_keys.get(pk)
        if key is None:
            if len(self._series_keys) >= SERIES_KEYS_MAX_COUNT:
                self._series_keys.clear()
            key = self._series_keys[pk] = read_series_key(connection, pk)
        return key

    def writer(self, connection: Connection, pk: int) -> str:
        name = self._writers.get(pk)
        if name is None:
            name = str(connection.execute("SELECT name FROM writer WHERE pk = ?", (pk,)).fetchone()[0])
            self._writers[pk] = name
        return name
