"""Where an import goes: a folder, whose store takes the journals in at once, or a server, which is sent them as `lineal sync` would.
Both apply a segment exactly once, by its writer's cursor."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lineal.client.blob_queue import BlobSender, WaitingBlob
from lineal.client.outgoing import TENANT_STREAM
from lineal.client.transport import OCTETS, Transport, error_of, path_of
from lineal.importing.segments import Segment
from lineal.ingest.lock import ingest_lock
from lineal.ingest.replay import replay
from lineal.journal import blobs
from lineal.journal.layout import Folder
from lineal.local import LocalStore
from lineal.model.entities import Cursor, RunDetails, SeriesInfo
from lineal.model.errors import Busy, Damaged, Unreachable
from lineal.model.limits import (
    IMPORT_TRANSACTION_BYTES,
    KIB,
    RETRY_FIRST_S,
    RETRY_MAX_S,
    SYNC_FIRST_TRIES_MAX_COUNT,
    SYNC_TRIES_MAX_COUNT,
)
from lineal.query.syntax import Comparison, Field
from lineal.record.stream import start_of
from lineal.store.contracts import RunQuery
from lineal.store.open import open_store

if TYPE_CHECKING:
    from lineal.series.merge import History

_LOCK_WAIT_S = 60.0
_LINKED_MAX_COUNT = 100_000
_PACKED_MIN_BYTES = 1 * KIB


class Known(NamedTuple):
    """A run that is there."""

    details: RunDetails
    series: list[SeriesInfo]


class Destination(Protocol):
    store: LocalStore

    def has_heard(self, run_id: str | None, writer: str) -> bool:
        """Whether anything of that writer is there."""
        ...

    def find_version_number(self, version_id: str) -> int | None:
        """Of a version of a registered model; None if it is not there."""
        ...

    def take(self, segment: Segment) -> None:
        """It is there, durably, when `flush` has returned."""
        ...

    def flush(self) -> None: ...

    def take_file(self, path: str) -> blobs.Blob:
        """Its bytes are there, durably. Raises OSError for a file that cannot be read."""
        ...


def find_known(store: LocalStore, run_ids: Sequence[str]) -> dict[str, Known]:
    """Those of the runs that are there, deleted ones too."""
    if not run_ids:
        return {}
    among = Comparison(Field("attribute", "run_id"), "in", tuple(run_ids))
    reader = store.reader()
    found = [run.run_id for run in reader.list_runs(RunQuery(among, lifecycle=None, limit=len(run_ids))).runs]
    if not found:
        return {}
    details = reader.get_details_of(found)
    summaries = reader.list_summaries(found)
    return {one.run.run_id: Known(one, series) for one, series in zip(details, summaries, strict=True)}


def read_history(store: LocalStore, run_id: str, name: str, labels: dict[str, str]) -> History:
    return store.get_run(run_id).history(name, labels=labels)


class FolderDestination:
    """Applies what it is given in transactions of IMPORT_TRANSACTION_BYTES, each under the folder's lock, which is free in between."""

    def __init__(self, store: LocalStore) -> None:
        self.store = store
        self._folder: Folder = store.folder
        self._waiting: list[Segment] = []
        self._waiting_writers: set[str] = set()
        self._size = 0
        self._folder.ensure()
        self.store.refresh()

    def has_heard(self, run_id: str | None, writer: str) -> bool:
        return writer in self._waiting_writers or self.store.reader().find_cursor(writer) is not None

    def find_version_number(self, version_id: str) -> int | None:
        found = self.store.reader().registry().find_version(version_id)
        return None if found is None else found.version

    def take(self, segment: Segment) -> None:
        self._waiting.append(segment)
        self._waiting_writers.add(segment.opened.writer)
        self._size += len(segment.data)
        if self._size >= IMPORT_TRANSACTION_BYTES:
            self.flush()

    def flush(self) -> None:
        if not self._waiting:
            return
        waiting, self._waiting, self._size = self._waiting, [], 0
        self._waiting_writers.clear()
        with ingest_lock(self._folder.ingest_lock, _LOCK_WAIT_S):
            store = open_store(f"sqlite:///{self._folder.database}")
            try:
                with store.begin() as transaction:
                    touched: set[str] = set()
                    tenant = transaction.tenant(self.store.tenant)
                    for segment in waiting:
                        opened = segment.opened
                        cursor = tenant.find_cursor(opened.writer) or Cursor(opened.writer, opened.run_id, 0, 0, 0)
                        if opened.segment < cursor.segment:
                            continue
                        start = start_of(memoryview(segment.data))
                        done = replay(tenant, opened, segment.data, start, cursor, final=True)
                        tenant.set_cursor(done.cursor._replace(segment=opened.segment, offset=done.position))
                        if opened.run_id is not None:
                            touched.add(opened.run_id)
                    for run_id in sorted(touched):
                        tenant.compact(run_id)
                    transaction.link_audit(_LINKED_MAX_COUNT)
            finally:
                store.close()
        self.store.refresh()

    def take_file(self, path: str) -> blobs.Blob:
        return blobs.add_file(self._folder, self.store.tenant, path)


class ServerDestination:
    """Sends each segment as it comes: a server makes it durable before it answers."""

    def __init__(self, store: LocalStore, transport: Transport, sleep: Callable[[float], object] = time.sleep) -> None:
        self.store = store
        self._transport = transport
        self._sleep = sleep
        self._tries = SYNC_FIRST_TRIES_MAX_COUNT

    def has_heard(self, run_id: str | None, writer: str) -> bool:
        said = self._post(run_id, writer, 1, b"", final=False)
        return bool(said.get("records"))

    def find_version_number(self, version_id: str) -> int | None:
        found = self._transport.ask("GET", ("model-versions", "find"), query={"version_id": version_id})["versions"]
        return int(found[0]["version"]) if found else None

    def take(self, segment: Segment) -> None:
        opened = segment.opened
        self._post(opened.run_id, opened.writer, opened.segment, segment.data, final=True)

    def flush(self) -> None:
        """Nothing waits here."""

    def _post(self, run_id: str | None, writer: str, number: int, data: bytes, *, final: bool):  # type: ignore[no-untyped-def]
        path = path_of(("journals", run_id or TENANT_STREAM, writer))
        headers = {"Content-Type": OCTETS}
        if not self._transport.address.is_loopback and len(data) >= _PACKED_MIN_BYTES:
            packer = zlib.compressobj(1, wbits=31)
            data = packer.compress(data) + packer.flush()
            headers["Content-Encoding"] = "gzip"
        query: dict[str, object] = {"segment": number, "offset": 0}
        if final:
            query["final"] = "true"
        return self._insist(lambda: self._ask(path, query, data, headers))

    def _ask(self, path: str, query: dict[str, object], data: bytes, headers: dict[str, str]):  # type: ignore[no-untyped-def]
        reply = self._transport.send("POST", path, query=query, body=data, headers=headers)
        if reply.is_good:
            return reply.json()
        if reply.status == 409 and reply.problem.get("code") == "offset":
            raise Damaged(
                "the server has lost a part of what it had acknowledged (was it restored from a backup?); import again"
            )
        raise error_of(reply, self._transport.address)

    def _insist(self, ask: Callable[[], object]):  # type: ignore[no-untyped-def]
        """The same bytes of the same writer: twice is once."""
        for number in range(self._tries):
            try:
                answer = ask()
            except (Unreachable, Busy):
                if number + 1 == self._tries:
                    raise
                self._sleep(min(RETRY_MAX_S, RETRY_FIRST_S * 2.0**number))
            else:
                self._tries = SYNC_TRIES_MAX_COUNT
                return answer
        raise AssertionError

    def take_file(self, path: str) -> blobs.Blob:
        blob = blobs.digest_file(path)
        sender = BlobSender(self.store.folder)
        waiting = WaitingBlob(self.store.tenant, blob.digest, blob.size_bytes)

        def ask() -> None:
            outcome = sender.send_file(path, waiting, self._transport)
            if outcome == "later":
                raise Unreachable(f"{self._transport.address.url}: {sender.why}", field="url")
            if outcome == "refused":
                raise OSError(0, f"the server does not take it: {sender.why}", path)

        self._insist(ask)
        return blob


@contextmanager
def opened_destination(store: LocalStore) -> Iterator[Destination]:
    """Of an opened store: a folder's, or a server's."""
    from lineal.remote.store import RemoteStore

    if not isinstance(store, RemoteStore):
        yield FolderDestination(store)
        return
    transport = store.transport()
    try:
        yield ServerDestination(store, transport)
    finally:
        transport.close()
