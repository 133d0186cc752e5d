"""What readers remember between calls: numbers of committed rows that never change their meaning."""

from __future__ import annotations

from lineal.model.entities import SeriesKey
from lineal.store.sql.database import Connection
from lineal.store.sql.names import KnownLayout, read_layout, read_series_key

NO_TENANT = -1  # one that nothing belongs to
LAYOUTS_MAX_COUNT = 10_000
SERIES_KEYS_MAX_COUNT = 400_000  # two runs of SERIES_PER_RUN_MAX_COUNT, about 100 MB


class Catalog:
    """Shared by the threads of a store: a race costs a second look, never a wrong answer."""

    def __init__(self) -> None:
        self._layouts: dict[int, KnownLayout] = {}
        self._series_keys: dict[int, SeriesKey] = {}
        self._writers: dict[int, str] = {}

    def layout(self, connection: Connection, pk: int) -> KnownLayout:
        known = self._layouts.get(pk)
        if known is None:
            known = read_layout(connection, pk)
            if len(self._layouts) >= LAYOUTS_MAX_COUNT:
                self._layouts.clear()
            self._layouts[pk] = known
        return known

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
