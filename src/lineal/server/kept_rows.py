"""Rows of the runs table as they go out, kept until their run changes: a page asks for the same ones again and again."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence

import msgspec

from lineal.model.limits import KEPT_ROWS_MAX_BYTES
from lineal.server.views import list_rows
from lineal.store.contracts import Store

_to_json = msgspec.json.Encoder().encode
_Key = tuple[str, str]


class KeptRows:
    """For many threads."""

    def __init__(self, max_bytes: int = KEPT_ROWS_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._guard = threading.Lock()
        self._store: weakref.ref[Store] | None = None
        self._numbers: dict[str, int] = {}
        self._rows: OrderedDict[_Key, bytes] = OrderedDict()
        self._size = 0

    def list_rows(self, store: Store, tenant: str, run_ids: Sequence[str]) -> list[msgspec.Raw]:
        """The runs as `RunRow`s, encoded, in the order asked."""
        number = self._catch_up(store, tenant)
        with self._guard:
            found = {run_id: row for run_id in run_ids if (row := self._rows.get((tenant, run_id))) is not None}
            for run_id in found:
                self._rows.move_to_end((tenant, run_id))
        missing = [run_id for run_id in run_ids if run_id not in found]
        if missing:
            rows = list_rows(store.tenant(tenant), tenant, missing)
            read = {row.run_id: _to_json(row) for row in rows}
            self._keep(store, tenant, number, read)
            found |= read
        return [msgspec.Raw(found[run_id]) for run_id in run_ids]

    def _catch_up(self, store: Store, tenant: str) -> int:
        """Forgets what changed. The number is asked for before any row is read, so that no row is older than it says."""
        with self._guard:
            if self._store is None or self._store() is not store:
                self._store = weakref.ref(store)
                self._numbers.clear()
                self._rows.clear()
                self._size = 0
            known = self._numbers.get(tenant)
        if known is None:
            number = store.change_number()
            changed: Sequence[str] | None = None
        else:
            changes = store.tenant(tenant).list_changes(known)
            number, changed = changes.change_number, changes.run_ids if changes.is_complete else None
        with self._guard:
            if number != self._numbers.get(tenant):
                gone = (
                    [key for key in self._rows if key[0] == tenant]
                    if changed is None
                    else [(tenant, one) for one in changed]
                )
                for key in gone:
                    self._size -= len(self._rows.pop(key, b""))
                self._numbers[tenant] = number
        return number

    def _keep(self, store: Store, tenant: str, number: int, rows: dict[str, bytes]) -> None:
        with self._guard:
            if self._store is None or self._store() is not store or self._numbers.get(tenant) != number:
                return  # another thread has seen later changes, and these may be among them
            for run_id, row in rows.items():
                self._size += len(row) - len(self._rows.pop((tenant, run_id), b""))
                self._rows[tenant, run_id] = row
            while self._size > self._max_bytes:
                _, row = self._rows.popitem(last=False)
                self._size -= len(row)
