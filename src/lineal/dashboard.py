"""The local folder as the server's source: follows the journals while somebody asks or watches, and rests otherwise."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager
from itertools import groupby
from pathlib import Path

from lineal import api
from lineal.ingest.desk import Said
from lineal.ingest.group_commit import Once, Work
from lineal.journal.blobs import Draft, find_blob
from lineal.journal.layout import FOLDER_NAME
from lineal.journal.parts import Part
from lineal.local import LocalStore
from lineal.model.errors import Locked
from lineal.model.limits import LIVE_INTERVAL_S
from lineal.record.records import RunLifecycleSet, RunTagsSet
from lineal.server.disks import disk_free_bytes
from lineal.server.errors import Refused
from lineal.server.source import Room, Saying
from lineal.store.contracts import Store
from lineal.store.heads import SignedHead


class LocalSource:
    """See `lineal.server.source.Source`."""

    def __init__(self, local: LocalStore) -> None:
        self._local = local
        self._refresh = Shared(self._take_in)
        self._ended = threading.Event()

    @property
    def name(self) -> str:
        root = Path(self._local.folder.root)
        return root.parent.name if root.name == FOLDER_NAME else root.name

    @contextmanager
    def opened(self) -> Iterator[Store]:
        self._refresh()
        with self._local.lend() as store:
            yield store

    def say(
        self,
        tenant: str,
        sayings: Sequence[Saying],
        answer: Said,
        once: Once | None = None,
        actor: str | None = None,
    ) -> Said:
        """Statements of the page are true however often they are made, so keys are not kept. Raises Locked."""
        self._check_unlocked(tenant, sayings)
        for run_id, of_run in groupby(sayings, key=lambda saying: saying.run_id):
            api.say_outside(run_id, [saying.record for saying in of_run], self._local.folder.root, tenant)
        return answer

    def _check_unlocked(self, tenant: str, sayings: Sequence[Saying]) -> None:
        """What is said of a locked run would only be counted when it is taken in: nobody would hear of it."""
        about = {run_id_of(saying) for saying in sayings} - {None}
        with self.opened() as store:
            for run_id in about:
                if run_id is not None and store.tenant(tenant).get_run(run_id).is_locked:
                    raise Locked(f"run {run_id!r:.80} is locked: unlock it first", field="run_id")

    def submit(self, tenant: str, work: Work, once: Once | None = None, actor: str | None = None) -> Future[Said]:
        raise _records_elsewhere()

    def knows_run(self, tenant: str, run_id: str) -> bool:
        return False

    def find_head(self, tenant: str) -> SignedHead | None:
        """Unsigned: whoever holds the folder holds whatever key it would have."""
        with self._local.lend() as store:
            head = store.tenant(tenant).find_chain_head()
        return None if head is None else SignedHead(*head)

    def drafting(self, tenant: str) -> AbstractContextManager[Draft]:
        raise _records_elsewhere()

    def part(self, tenant: str, digest: str) -> Part:
        raise _records_elsewhere()

    def part_bytes(self, tenant: str, digest: str) -> int:
        return 0

    @property
    def webhooks(self) -> None:
        """Programs write here without it, so that nothing could be promised."""
        return None

    def check_ready(self) -> None:
        """As long as it runs."""

    def room(self) -> Room:
        root = Path(self._local.folder.root)
        with self.opened() as store:
            return Room(store.size_bytes(), {"blobs": disk_free_bytes(root)})

    def find_blob(self, tenant: str, digest: str) -> str | None:
        return find_blob(self._local.folder, tenant, digest)

    def keep_blob(self, tenant: str, digest: str) -> str | None:
        """Nobody uploads here, so nobody relies on the answer."""
        return self.find_blob(tenant, digest)

    def wait_for_change(self, after: int, timeout_s: float) -> int:
        until_s = time.monotonic() + timeout_s
        while True:
            with self.opened() as store:
                number = store.change_number()
            if number != after or time.monotonic() >= until_s or self._ended.wait(LIVE_INTERVAL_S):
                return number

    def close(self) -> None:
        """Lets `wait_for_change` return. The store belongs to whoever opened it."""
        self._ended.set()

    def _take_in(self) -> None:
        self._local.refresh()


def _records_elsewhere() -> Refused:
    return Refused(
        403,
        "local",
        "this is the dashboard of a local folder, into which programs record by themselves; `lineal serve` takes runs",
    )


def run_id_of(saying: Saying) -> str | None:
    """The run that it would change; None where it is about none, or locks or unlocks one."""
    record = saying.record
    return record.run_id if isinstance(record, RunLifecycleSet | RunTagsSet) else saying.run_id


class Shared:
    """A call that many threads ask for at once. Each gets one that began after it asked, and those who wait share it."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call = call
        self._turn = threading.Condition()
        self._begun = 0
        self._done = 0
        self._errors: dict[int, BaseException] = {}

    def __call__(self) -> None:
        """Raises what the call raised."""
        with self._turn:
            wanted = self._begun + 1
            while self._done < wanted and self._begun > self._done:
                self._turn.wait()
            if self._done >= wanted:
                if wanted in self._errors:
                    raise self._errors[wanted]
                return
            self._begun = wanted
        error: BaseException | None = None
        try:
            self._call()
        except BaseException as raised:
            error = raised
            raise
        finally:
            with self._turn:
                self._done = wanted
                self._errors = {} if error is None else {wanted: error}
                self._turn.notify_all()
