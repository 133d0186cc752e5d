"""Search engines of the tenants that were asked about lately. Loaded late: lists without a filter need none."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lineal.model.limits import COLUMNS_MAX_BYTES, SEARCHED_TENANTS_MAX_COUNT
from lineal.store.sql.catalog import Catalog

if TYPE_CHECKING:
    from lineal.store.search.engine import SearchEngine
    from lineal.store.sql.live import LiveMetrics


class Engines:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._lock = threading.Lock()
        self._engines: OrderedDict[str, tuple[SearchEngine, LiveMetrics]] = OrderedDict()

    @contextmanager
    def of(self, tenant: str) -> Iterator[tuple[SearchEngine, LiveMetrics]]:
        """The tenant's, locked."""
        from lineal.store.search.engine import SearchEngine
        from lineal.store.sql.live import LiveMetrics

        with self._lock:
            known = self._engines.get(tenant)
            if known is None:
                known = self._engines[tenant] = (SearchEngine(), LiveMetrics(self._catalog))
            self._engines.move_to_end(tenant)
        with known[0].lock:
            yield known
        self._trim()

    def clear(self) -> None:
        with self._lock:
            self._engines.clear()

    def _trim(self) -> None:
        with self._lock:
            while len(self._engines) > 1 and (
                len(self._engines) > SEARCHED_TENANTS_MAX_COUNT
                or sum(engine.size_bytes for engine, _ in self._engines.values()) > COLUMNS_MAX_BYTES
            ):
                self._engines.popitem(last=False)
