"""Rows of the runs table as they go out, kept until their run changes: a page asks for the same ones again and again."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TypeAlias

import msgspec

from lineal.model.limits import KEPT_ROWS_MAX_BYTES
from lineal.server.views import list_rows
from lineal.store.contracts import Store

_to_json = msgspec.json.Encoder().encode
_Key = tuple[str, str]
Form: TypeAlias = tuple[str, str]
"""A run's id, and in which form it goes out: "" is ours."""
Read: TypeAlias = Callable[[Sequence[str]], list[bytes]]
"""Runs as they go out, in the order asked."""


class KeptRows:
    """For many threads."""

    def __init__(self, max_bytes: int = KEPT_ROWS_MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._guard = threading.Lock()
        self._store: weakref.ref[Store] | None = None
        self._numbers: dict[str, int] = {}
        self._rows: OrderedDict[_Key, dict[str, bytes]] = OrderedDict()
        self._size = 0

    def list_rows(self, store: Store, tenant: str, run_ids: Sequence[str]) -> list[msgspec.Raw]:
        """The runs as `RunRow`s, encoded, in the order asked."""

        def read(missing: Sequence[str]) -> list[bytes]:
            return [_to_json(row) for row in list_rows(store.tenant(tenant), tenant, missing)]

        return self.list_as(store, tenant, [(run_id, "") for run_id in run_ids], read)

    def list_as(self, store: Store, tenant: str, wanted: Sequence[Form], read: Read) -> list[msgspec.Raw]:
        """Runs in the forms that are wanted; `read` is asked for those that are not kept."""
        number = self._catch_up(store, tenant)
        found: dict[Form, bytes] = {}
        with self._guard:
            for run_id, form in wanted:
                row = self._rows.get((tenant, run_id), {}).get(form)
                if row is not None:
                    found[run_id, form] = row
                    self._rows.move_to_end((tenant, run_id))
        missing = [one for one in wanted if one not in found]
        if missing:
            fresh = dict(zip(missing, read([run_id for run_id, _ in missing]), strict=True))
            self._keep(store, tenant, number, fresh)
            found |= fresh
        return [msgspec.Raw(found[one]) for one in wanted]

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
                    self._size -= _size(self._rows.pop(key, {}))
                self._numbers[tenant] = number
        return number

    def _keep(self, store: Store, tenant: str, number: int, rows: dict[Form, bytes]) -> None:
        with self._guard:
            if self._store is None or self._store() is not store or self._numbers.get(tenant) != number:
                return  # another thread has seen later changes, and these may be among them
            for (run_id, form), row in rows.items():
                forms = self._rows.setdefault((tenant, run_id), {})
                self._size += len(row) - len(forms.get(form, b""))
                forms[form] = row
            while self._size > self._max_bytes:
                _, forms = self._rows.popitem(last=False)
                self._size -= _size(forms)


def _size(forms: dict[str, bytes]) -> int:
    return sum(map(len, forms.values()))
