"""What the server asks of whoever keeps the runs. The composition root (`lineal ui`, later `lineal serve`) supplies it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from concurrent.futures import Future

    from lineal.ingest.desk import Said
    from lineal.ingest.group_commit import Once, Work
    from lineal.journal.blobs import Draft
    from lineal.journal.parts import Part
    from lineal.record.records import Record
    from lineal.server.webhooks.sender import Sender
    from lineal.store.contracts import Store
    from lineal.store.heads import SignedHead


class Saying(NamedTuple):
    """A statement about a run or, with None, about the tenant."""

    run_id: str | None
    record: Record


class Room(NamedTuple):
    """What the store takes (None: it cannot be asked now), what is free on the disks by their use, and how many requests wait
    for the next commit."""

    store_bytes: int | None
    free_bytes: dict[str, int]
    waiting_count: int = 0


class Source(Protocol):
    """Runs to read, and a way to say something of them. Every method may be called from any thread, and may block."""

    @property
    def name(self) -> str:
        """What the page calls it: the folder's name, without its place."""
        ...

    def opened(self) -> AbstractContextManager[Store]:
        """The store, for reading within the block, with everything taken in whose call returned before this one."""
        ...

    def say(
        self, tenant: str, sayings: list[Saying], answer: Said, once: Once | None = None, actor: str | None = None
    ) -> Said:
        """All on disk when it returns, and seen by whoever opens the store after. Returns the answer, or the one that was
        given under this key before. Raises NotWritable."""
        ...

    def submit(self, tenant: str, work: Work, once: Once | None = None, actor: str | None = None) -> Future[Said]:
        """The work, done in a transaction with others; what it answered, once it is on disk. Raises Refused where runs are
        recorded by their own processes only, Busy."""
        ...

    def knows_run(self, tenant: str, run_id: str) -> bool:
        """True if it is known without a look into the store that the tenant has that very run, or is about to; False says
        nothing."""
        ...

    def drafting(self, tenant: str) -> AbstractContextManager[Draft]:
        """For an artifact's bytes as they arrive. Raises Refused as `submit`, NotWritable."""
        ...

    def part(self, tenant: str, digest: str) -> Part:
        """For bytes that may come in several requests; the caller closes it. Raises Busy while another request has it, and as
        `drafting`."""
        ...

    def part_bytes(self, tenant: str, digest: str) -> int:
        """What is kept of it, unseen, by an upload that is not whole."""
        ...

    def find_head(self, tenant: str) -> SignedHead | None:
        """Of the tenant's audit chain, as of a second ago at most; signed, where the source has a key."""
        ...

    @property
    def webhooks(self) -> Sender | None:
        """Who sends what waits for them; None where nobody does."""
        ...

    def check_ready(self) -> None:
        """Raises Busy if it does not take requests any more or its store does not answer, NotWritable if a disk refuses."""
        ...

    def room(self) -> Room: ...

    def find_blob(self, tenant: str, digest: str) -> str | None:
        """Path of an artifact's bytes, for reading only."""
        ...

    def keep_blob(self, tenant: str, digest: str) -> str | None:
        """As `find_blob`, for whoever will refer to them: no sweep takes them within the grace."""
        ...

    def wait_for_change(self, after: int, timeout_s: float) -> int:
        """The store's change number: at once if it is another one than `after`, else when it becomes so or time is up."""
        ...

    def close(self) -> None: ...
