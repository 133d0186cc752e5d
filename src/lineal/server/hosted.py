"""A store of its own as the server's source: `lineal serve`. In a SQLite database this process alone writes; in PostgreSQL
others may, too."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import AbstractContextManager, ExitStack, contextmanager
from itertools import groupby
from pathlib import Path
from types import TracebackType

from lineal.ingest.chainer import Chainer
from lineal.ingest.desk import Desk, Said
from lineal.ingest.group_commit import GroupCommit, Once, Work
from lineal.ingest.leases import Leases
from lineal.ingest.lock import ingest_lock
from lineal.ingest.reserve import Freeing, Reserve
from lineal.ingest.tally import Tally
from lineal.journal.blobs import Draft, drafting, find_blob, keep_blob
from lineal.journal.layout import Folder
from lineal.journal.parts import Part, part_bytes
from lineal.model.clock import SYSTEM_CLOCK, Clock
from lineal.model.errors import Busy, Conflict, InvalidInput, LinealError, NotWritable
from lineal.model.ids import new_writer_id
from lineal.model.limits import READY_KEPT_S
from lineal.record.records import RunLifecycleSet
from lineal.server.disks import check_takes, disk_free_bytes
from lineal.server.head_key import Heads, load_seed
from lineal.server.leftovers import Leftovers
from lineal.server.source import Room, Saying
from lineal.server.webhooks.addresses import Receivers
from lineal.server.webhooks.post import Post
from lineal.server.webhooks.sealed import Sealed
from lineal.server.webhooks.sender import Sender
from lineal.store.contracts import Store
from lineal.store.heads import SignedHead
from lineal.store.open import MEMORY_URL, database_name, is_shared, open_store, sqlite_path

BLOBS_NAME = "blobs"


class HostedSource:
    """See `lineal.server.source.Source`. Opens the store and holds its lock until it is closed."""

    def __init__(
        self,
        url: str,
        blobs: Path | None = None,
        on_tally: Callable[[Tally], None] = lambda _: None,
        *,
        clock: Clock = SYSTEM_CLOCK,
        receivers: Receivers = Receivers(),  # noqa: B008 (frozen)
        on_try: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Raises Conflict if another server has a SQLite database; InvalidInput for a local folder's, and where no place
        for artifacts is said; what `open_store` raises."""
        self._open = ExitStack()
        self._changed = threading.Condition()
        self._ended = False
        self._webhooks: Sender | None = None
        self._ready_lock = threading.Lock()
        self._ready_s = -READY_KEPT_S
        path = None if url == MEMORY_URL or is_shared(url) else sqlite_path(url)
        if path is None and blobs is None:
            raise InvalidInput("artifacts need a folder, which all servers of the store share: --blobs", field="blobs")
        self.name = database_name(url)
        with ExitStack() as opening:
            if path is not None:
                refuse_local(path)
                opening.enter_context(sole_server(path))
            self._store = opening.enter_context(_closing(open_store(url)))
            place = blobs if blobs is not None else Path(path or ".").absolute().parent / BLOBS_NAME
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder = Folder(place)
            self._folder.blobs = self._folder.root
            self._heads = Heads(self._store, load_seed(place))
            self._disks = {"blobs": place}
            if path is not None:
                self._disks["store"] = path.absolute().parent
            self._chainer = Chainer(self._store)
            opening.callback(self._chainer.close)
            server = new_writer_id() if is_shared(url) else None
            reserve = None if path is None else Reserve(f"{path.absolute()}.reserve")
            self._writer = GroupCommit(
                self._store,
                server=server,
                reserve=reserve,
                on_commit=self._committed,
                on_tally=self._tallied,
                clock=clock,
            )
            opening.callback(self._writer.close)
            self._on_tally = on_tally
            self.leases = Leases(self._store, self._writer.submit, clock=clock)
            opening.callback(self.leases.close)
            opening.callback(Leftovers(self._folder, self._store).close)
            self._webhooks = Sender(
                self._store, self._writer.submit, Post(receivers), Sealed(place), on_try, clock=clock
            )
            opening.callback(self._webhooks.close)
            opening.enter_context(self._store.listening(self._tell))
            self._open = opening.pop_all()

    def __enter__(self) -> HostedSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def opened(self) -> Iterator[Store]:
        yield self._store

    def say(
        self,
        tenant: str,
        sayings: Sequence[Saying],
        answer: Said,
        once: Once | None = None,
        actor: str | None = None,
    ) -> Said:
        def work(desk: Desk) -> Said:
            runs = {run_id: desk.known_run(run_id) for run_id, _ in sayings if run_id is not None}
            for run_id, of_run in groupby(sayings, key=lambda saying: saying.run_id):
                records = [saying.record for saying in of_run]
                if run_id is None:
                    desk.say_of_tenant(records)
                else:
                    desk.say(runs[run_id], records)
            return answer

        puts_away = all(isinstance(saying.record, RunLifecycleSet) for saying in sayings)
        return self.submit(tenant, Freeing(work) if puts_away else work, once, actor).result()

    def submit(self, tenant: str, work: Work, once: Once | None = None, actor: str | None = None) -> Future[Said]:
        return self._writer.submit(tenant, work, once, actor)

    def knows_run(self, tenant: str, run_id: str) -> bool:
        return self._writer.knows_run(tenant, run_id)

    def find_head(self, tenant: str) -> SignedHead | None:
        return self._heads.find(tenant)

    def drafting(self, tenant: str) -> AbstractContextManager[Draft]:
        return drafting(self._folder, tenant)

    def part(self, tenant: str, digest: str) -> Part:
        try:
            return Part(self._folder, tenant, digest)
        except OSError as error:
            raise NotWritable(f"the artifact cannot be kept: {error.strerror}") from error

    def part_bytes(self, tenant: str, digest: str) -> int:
        return part_bytes(self._folder, tenant, digest)

    def find_blob(self, tenant: str, digest: str) -> str | None:
        return find_blob(self._folder, tenant, digest)

    def keep_blob(self, tenant: str, digest: str) -> str | None:
        return keep_blob(self._folder, tenant, digest)

    def wait_for_change(self, after: int, timeout_s: float) -> int:
        until_s = time.monotonic() + timeout_s
        with self._changed:
            while True:
                number = self._store.change_number()
                left_s = until_s - time.monotonic()
                if number != after or left_s <= 0 or self._ended:
                    return number
                self._changed.wait(left_s)

    def check_ready(self) -> None:
        if self._ended:
            raise Busy("the server is stopping")
        with self._ready_lock:  # anybody may ask, as often as they like
            if time.monotonic() - self._ready_s < READY_KEPT_S:
                return
            self._store.change_number()
            for place in self._disks.values():
                check_takes(place)
            self._ready_s = time.monotonic()

    def room(self) -> Room:
        try:
            store_bytes = self._store.size_bytes()
        except LinealError:
            store_bytes = None
        free = {name: disk_free_bytes(place) for name, place in self._disks.items()}
        return Room(store_bytes, free, self._writer.waiting_count)

    @property
    def webhooks(self) -> Sender | None:
        return self._webhooks

    def stop_watching(self) -> None:
        """Lets `wait_for_change` return, says that it is not ready any more, and lets no webhook be told anything more."""
        self._ended = True
        if self._webhooks is not None:
            self._webhooks.stop()
        self._tell()

    def close(self) -> None:
        """Idempotent. What was submitted is on disk, or refused, when it returns."""
        self.stop_watching()
        self._open.close()

    def _committed(self) -> None:
        self._chainer.wake()
        if self._webhooks is not None:
            self._webhooks.wake()

    def _tallied(self, tally: Tally) -> None:
        if tally.refused:
            self.leases.be_patient()  # what could not be written may have been a lease
        self._on_tally(tally)

    def _tell(self) -> None:
        with self._changed:
            self._changed.notify_all()


@contextmanager
def sole_server(path: Path) -> Iterator[None]:
    path.absolute().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with ExitStack() as held:
        try:
            held.enter_context(ingest_lock(f"{path.absolute()}.lock", 0))
        except Busy:
            raise Conflict(
                f"another lineal serve has the database {path}: a SQLite file takes one server; stop it, or choose another --store",
                field="store",
            ) from None
        yield


@contextmanager
def _closing(store: Store) -> Iterator[Store]:
    try:
        yield store
    finally:
        store.close()


def refuse_local(path: Path) -> None:
    if Path(Folder(path.absolute().parent).journals).is_dir():
        raise InvalidInput(
            f"{path} is the database of a local folder, which programs here write themselves: `lineal ui` shows it; "
            "give the server a database of its own",
            field="store",
        )
