"""The local folder as the server's source: follows the journals while somebody asks or watches."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from lineal import api
from lineal.journal.blobs import find_blob
from lineal.local import LocalStore
from lineal.model.limits import LIVE_INTERVAL_S
from lineal.server.source import Saying
from lineal.store.contracts import Store


class LocalSource:
    """See `lineal.server.source.Source`."""

    def __init__(self, local: LocalStore) -> None:
        self._local = local
        self._ended = threading.Event()

    @property
    def name(self) -> str:
        root = Path(self._local.folder.root)
        return root.parent.name if root.name == ".lineal" else root.name

    @contextmanager
    def opened(self) -> Iterator[Store]:
        self._local.refresh()
        yield self._local.store()

    def say(self, tenant: str, sayings: Sequence[Saying]) -> None:
        for run_id, record in sayings:
            api._say_outside(run_id, record, self._local.folder.root, tenant)

    def find_blob(self, tenant: str, digest: str) -> str | None:
        return find_blob(self._local.folder, tenant, digest)

    def wait_for_change(self, after: int, timeout_s: float) -> int:
        until_s = time.monotonic() + timeout_s
        while True:
            with self.opened() as store:
                number = store.change_number()
            if number != after or time.monotonic() >= until_s or self._ended.wait(LIVE_INTERVAL_S):
                return number

    def close(self) -> None:
        self._ended.set()
        self._local.close()
