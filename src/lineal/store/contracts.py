"""What a store promises. Three doors: `Store` opens and begins, `TenantWriter` changes, `TenantReader` answers.

Rules that hold for every method and every backend (the suite in `lineal.testing.store_suite` proves them):

- **A tenant is bound, never passed.** A writer or reader of one tenant cannot see or change another's.
- **Writers are inside a transaction.** All of `with store.begin() as tx:` is kept, or, when the block raises, nothing.
  One transaction at a time a store; a second thread's `begin` waits. Readers see committed state only.
- **Applying twice changes nothing, and order does not matter.** State is a function of the *set* of statements: what is
  set is decided by `Stamp` (the later statement wins for names, tags, notes, documents, captures, lifecycle and ends; the earlier
  one for an opening, a loss of an attempt, and a param within its attempt), what is added is keyed. A stamp belongs to one
  statement: two that differ in content never share one. Points and console lines are the exception: they are appended once,
  guarded by the writer's cursor, which the caller moves in the same transaction.
- **Runs and experiments come into being by being mentioned.** A tag for an unknown run makes the run (a journal may be
  damaged at its start), as do a layout, an orphan or a point; a cursor does not, since cursors outlive their runs. The
  experiment of a run without an attempt is "Default", which exists for as long as such a run is in it, or it is mentioned.
- **Every change except points, console lines, layouts, cursors and running totals (captures.py) writes one audit row** in
  the same transaction: who, when, what, and a digest of the values, not the values. What changes nothing writes none.
- Names are data: any Unicode text without lone surrogates; NUL, "/" and emoji included. Numbers come back bit-exact,
  NaN payloads included (but a param that is NaN is just NaN).
- `get` raises NotFound, `find` returns None, `list` returns a page.
- Reads of one call are consistent with one another (one snapshot).
- Threads: a Store may be shared by threads; a tenant writer belongs to the thread that began.
- A method that reads or writes may raise NotWritable, Busy or Damaged for faults of the medium; its own words name
  only what else it raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from lineal.model.entities import (
    Artifact,
    Attempt,
    Cursor,
    Experiment,
    KeptAnswer,
    Layout,
    MetricDefinition,
    Run,
    RunDetails,
    SeriesInfo,
    Stamp,
)
from lineal.model.limits import AUDIT_LINK_MAX_COUNT
from lineal.model.values import ParamValue
from lineal.model.vocabulary import EndStatus, Labels, Lifecycle, Status
from lineal.query.syntax import Field, Filter, Kind, Order
from lineal.store.captures import CaptureReader, CaptureWriter
from lineal.store.console import ConsoleReader, ConsoleWriter
from lineal.store.lineage import LineageReader, LineageWriter
from lineal.store.loose_files import LooseFileReader, LooseFileWriter
from lineal.store.people import PeopleReader, PeopleWriter
from lineal.store.registry import RegistryReader, RegistryWriter
from lineal.store.webhooks import DueReader, HasWebhookReader, HasWebhookWriter

if TYPE_CHECKING:
    # A list of runs needs no columns, and numpy costs a process 80 ms.
    from lineal.series.columns import Block, Buckets, Columns


class Store(DueReader, Protocol):
    """One database. Opened by `store/open.py`."""

    def begin(self) -> AbstractContextManager[Transaction]:
        """A transaction: committed, durably, when the block ends; undone when it raises. A second one in the same thread
        is a mistake (RuntimeError). Raises NotWritable if this store was opened read-only."""
        ...

    def tenant(self, name: str) -> TenantReader:
        """Reads of one tenant; an unknown tenant is an empty one."""
        ...

    def people(self) -> PeopleReader:
        """Users, members, tokens and sessions: `store/people.py`."""
        ...

    def list_tenants(self) -> list[str]: ...

    def change_number(self) -> int:
        """Rises with every commit that changed anything, and with no other; equal numbers mean equal state."""
        ...

    def size_bytes(self) -> int:
        """What it takes on its disk; 0 for one that has none."""
        ...

    def listening(self, heard: Callable[[], None]) -> AbstractContextManager[None]:
        """Within the block: `heard` is called soon after every commit, of this process or of another one that shares the
        database, from any thread, sometimes for nothing. It must not block, nor ask the store."""
        ...

    def close(self) -> None:
        """Idempotent. Waits for a transaction in progress. Readers of a closed store fail (RuntimeError)."""
        ...


class Transaction(Protocol):
    """Spans tenants, so that a hundred journals cost one commit."""

    change_number: int
    """Of the state that it began with; once it is committed, of the state that it made."""

    def stamp_ms(self, now_ms: int) -> int:
        """A time for its statements: now, but not before any that an earlier transaction was given (`rules.after`)."""
        ...

    def find_mark(self, server: str) -> int:
        """The number that this server's last transaction left that is kept; 0 if none did."""
        ...

    def set_mark(self, server: str, number: int) -> None:
        """With what is told: so that a server that got no answer to a commit can find out. `server`: a writer's name."""
        ...

    def tenant(self, name: str) -> TenantWriter:
        """The tenant's writer, the tenant being made if it is new. InvalidInput for an unusable name."""
        ...

    def people(self) -> PeopleWriter:
        """Changes of users, members, tokens and sessions."""
        ...

    def link_audit(self, limit: int = AUDIT_LINK_MAX_COUNT) -> None:
        """When the transaction ends, its own audit rows included, those of all tenants that have no link get theirs, the oldest
        of a tenant first, at most `limit` a tenant. Saying it twice, or beside another process, does nothing more."""
        ...


class RunStart(NamedTuple):
    """What an attempt says of its run when it opens."""

    experiment: str
    name: str | None = None
    description: str | None = None
    user_id: str | None = None
    parent_run_id: str | None = None
    forked_from: str | None = None
    fork_step: int | None = None
    content_digest: str | None = None


class TenantWriter(LineageWriter, ConsoleWriter, LooseFileWriter, CaptureWriter, HasWebhookWriter, Protocol):
    """Changes of one tenant. See the module's rules; a method's own words say what they leave open."""

    # -- cursors -------------------------------------------------------------------------------
    def find_cursor(self, writer: str) -> Cursor | None:
        """As of this transaction."""
        ...

    def set_cursor(self, cursor: Cursor) -> None:
        """Overwrites; cursors outlive the deletion of their run. No audit row."""
        ...

    # -- audit ---------------------------------------------------------------------------------
    def speak_for(self, actor: str | None) -> None:
        """On whose behalf everything is said from now on in this transaction."""
        ...

    # -- registered models ---------------------------------------------------------------------
    def registry(self) -> RegistryWriter:
        """Changes of registered models and their versions: `store/registry.py`."""
        ...

    # -- answers -------------------------------------------------------------------------------
    def find_answer(self, key: str) -> KeptAnswer | None:
        """As of this transaction."""
        ...

    def keep_answer(self, answer: KeptAnswer) -> None:
        """Remembers it under its key, in place of an earlier one. No audit row."""
        ...

    def forget_answers(self, before_ms: int) -> None:
        """Drops those kept before that time."""
        ...

    # -- experiments ---------------------------------------------------------------------------
    def ensure_experiment(self, name: str, stamp: Stamp) -> str:
        """The id of the experiment of that name, which is made with `ids.experiment_id` if it is new (if that id is
        taken by a renamed experiment, `experiment_id(tenant, name + "\\0" + str(n))` for n = 2, 3, ...).
        `created_ms` is the earliest stamp's time."""
        ...

    def set_experiment(
        self,
        name: str,
        stamp: Stamp,
        *,
        description: str | None = None,
        artifact_location: str | None = None,
        tags: Mapping[str, str | None] | None = None,
        lifecycle: Lifecycle | None = None,
    ) -> str:
        """Ensures the experiment and sets what is given (None leaves as it is; a tag of None is removed)."""
        ...

    def rename_experiment(self, name: str, new_name: str, stamp: Stamp) -> None:
        """Ensures the experiment of the first name, and calls it by the second. It keeps its id, and every name that it ever
        had means it: what that comes to is said in `store/renames.py`."""
        ...

    # -- runs ----------------------------------------------------------------------------------
    def start_attempt(self, run_id: str, attempt: Attempt, start: RunStart, stamp: Stamp) -> None:
        """Opens an attempt, keyed by `attempt.attempt_id`: of two openings the earlier by stamp stands. Its end, status and
        error are not read from `attempt`. Experiment, parent, fork and content digest of the run are the earliest attempt's;
        name, description and user the latest attempt's that gives them. Attempts are ordered by start, then id; one that is
        known but was never opened comes before all others. A name nobody gave is the run id's first 8 characters."""
        ...

    def end_attempt(
        self,
        run_id: str,
        attempt_id: str,
        status: EndStatus,
        error: str | None,
        stamp: Stamp,
        ended_ms: int | None = None,
    ) -> None:
        """Closes an attempt, at the stamp's time unless `ended_ms` says when. The latest end wins, by that time, then by stamp (a
        process may survive the signal that it recorded), and any end replaces `lost`. An end that arrives before its start
        is kept and used when the start comes."""
        ...

    def lose_attempt(self, run_id: str, attempt_id: str, stamp: Stamp) -> None:
        """Its writer is dead and said no end: status `lost`, ended at the stamp's time, unless an end is known
        or comes later. Of several losses the earliest stands, or the latest if it was regained in between."""
        ...

    def regain_attempt(self, run_id: str, attempt_id: str, stamp: Stamp) -> None:
        """It was heard of again after all: it is running, unless it is lost later than the stamp."""
        ...

    def find_status(self, run_id: str, attempt_id: str) -> Status | None:
        """Of an attempt, as of this transaction; None for one that was never mentioned."""
        ...

    def list_leases(self, run_id: str) -> list[Cursor]:
        """As of this transaction: those of the run's writers that hold one, by writer."""
        ...

    def set_params(self, run_id: str, attempt_id: str, params: Mapping[str, ParamValue], stamp: Stamp) -> None:
        """Typed values (1, 1.0, True and "1" differ; NaN equals NaN). Within an attempt the earliest value stands and any other
        value is kept as a conflict. A run's effective value is that of the latest attempt (by start, then id) that set the name."""
        ...

    def set_tags(self, run_id: str, tags: Mapping[str, str | None], stamp: Stamp) -> None:
        """Later stamp wins, tag by tag; None removes."""
        ...

    def set_note(self, run_id: str, text: str, stamp: Stamp) -> None: ...

    def set_name(self, run_id: str, name: str, stamp: Stamp) -> None:
        """Renames; beats the names given by attempts that started earlier than `stamp`, or in the same ms."""
        ...

    def set_document(self, run_id: str, name: str, json_text: str, stamp: Stamp) -> None: ...

    def set_lifecycle(self, run_id: str, lifecycle: Lifecycle, stamp: Stamp) -> None: ...

    def set_lock(self, run_id: str, locked: bool, stamp: Stamp) -> None:
        """Later stamp wins. The store itself refuses nothing of a locked run: the doors of ingest do."""
        ...

    def is_locked(self, run_id: str) -> bool:
        """As of this transaction; an unknown run is not, and stays unknown."""
        ...

    def define_metric(self, run_id: str, definition: MetricDefinition, stamp: Stamp) -> None:
        """Later stamp wins, metric by metric, as a whole definition."""
        ...

    def add_artifact(self, run_id: str, artifact: Artifact, stamp: Stamp) -> None:
        """Other content under a known path becomes the next version, in order of stamps (`artifact.version` is
        ignored); the same statement (stamp) again changes nothing, and the same content as the version before it is no new version."""
        ...

    def add_loss(self, run_id: str, reason: str, count: int, stamp: Stamp) -> None:
        """Adds up by reason; keyed by (stamp, reason), so saying it twice counts once."""
        ...

    # -- points --------------------------------------------------------------------------------
    def define_layout(self, run_id: str, writer: str, number: int, layout: Layout) -> None:
        """What a writer's layout number means; its first meaning stands. No audit row."""
        ...

    def find_layout(self, writer: str, number: int) -> Layout | None:
        """As of this transaction."""
        ...

    def keep_orphans(self, run_id: str, writer: str, number: int, payload: bytes, count: int) -> None:
        """Frames whose layout is not known (its definition was damaged): kept raw, under their number, until it is."""
        ...

    def take_orphans(self, writer: str, number: int) -> list[bytes]:
        """Hands out, and forgets, what was kept under that number, oldest first."""
        ...

    def append_points(self, run_id: str, writer: str, attempt_id: str, blocks: Sequence[Block]) -> None:
        """Adds rows. Costs a constant number of database rows for small blocks (one fresh batch); a block of BLOCK_MIN_ROWS
        or more may be stored as chunks at once. Rows may come after others with larger sequence numbers: order of logging
        is order of `seq`."""
        ...

    def compact(self, run_id: str) -> None:
        """Merges what `append_points` left (fresh batches into chunks once BLOCK_MIN_ROWS of a layout have gathered), brings
        pyramids, stored summaries and the search index up to date. Changes no answer of a reader. Cheap when nothing is fresh."""
        ...


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which runs, in which order: by each key of `order`, then newest start, then run id. What filters and orders mean is
    said in `query/syntax.py` and done in `query/evaluate.py`.

    `after` is the `next_token` of the page before: the page begins behind that page's last run, wherever it stands by
    now, so that runs which arrive meanwhile shift nothing. It and `offset` exclude each other."""

    filter: Filter | None = None
    order: tuple[Order, ...] = ()
    lifecycle: Lifecycle | None = "active"
    limit: int = 100
    offset: int = 0
    experiments: tuple[str, ...] | None = None
    """Only runs of experiments with one of these names; None means all."""
    after: str | None = None


class RunPage(NamedTuple):
    """`total` counts all runs that match, not only this page's. `next_token` is None where no run follows, and on a page
    without runs; it is made by `store/page_tokens.py` and bound to the query's filter, order, lifecycle and experiments."""

    runs: list[Run]
    total: int
    next_token: str | None = None


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """Runs that match, put together where they have the same values of all fields of `by` (see `query/grouping.py`), with a spread of
    each of `metrics` (any fields; what is no number is left out). `order`: by the values of a field of `by`, by the mean of any other."""

    by: tuple[Field, ...]
    metrics: tuple[Field, ...] = ()
    filter: Filter | None = None
    lifecycle: Lifecycle | None = "active"
    experiments: tuple[str, ...] | None = None
    limit: int = 1_000
    order: tuple[Order, ...] = ()


@dataclass(frozen=True, slots=True)
class Spread:
    """Of the runs that have a finite value, as floats. `std` is the sample's (n - 1), None below two values; the others are
    None below one."""

    count: int
    mean: float | None
    std: float | None
    min: float | None
    max: float | None


@dataclass(frozen=True, slots=True)
class RunGroup:
    """`values` stand beside the query's `by`, None where there is none. `run_ids`: the newest GROUP_RUN_IDS_MAX_COUNT, newest first."""

    values: tuple[ParamValue, ...]
    run_count: int
    aggregates: dict[Field, Spread]
    run_ids: tuple[str, ...]


class GroupPage(NamedTuple):
    """As asked (what has no value or mean last), then largest first, then by values: numbers, texts, none. `total` counts all."""

    groups: list[RunGroup]
    total: int


class Counts(NamedTuple):
    """Of runs. `by_experiment` holds the active ones, by experiment id, without those that have none."""

    active: int
    deleted: int
    by_experiment: dict[str, int]


class Changes(NamedTuple):
    """Runs changed by commits later than the one asked about, the latest changed last, up to `change_number`.
    Not `is_complete`: others may have changed too (there were too many, or they are not known any more); ask anew."""

    change_number: int
    run_ids: list[str]
    is_complete: bool


class ExperimentPage(NamedTuple):
    experiments: list[Experiment]
    total: int


class AuditRow(NamedTuple):
    """`subject` is a run's or an experiment's id, or what `store/people.py` says; `action` one of `audit.Action`; `digest` is
    the SHA-256, in hex, of the canonical JSON (`audit.digest_of`) of what was set. `number` counts from 1 within a tenant,
    without gaps. `actor` is the user on whose behalf it was said, where one is known (`TenantWriter.speak_for`). `hash`, in
    hex, links it to the row before (`chain.link`); None until `Transaction.link_audit`."""

    number: int
    time_ms: int
    writer: str
    seq: int
    action: str
    subject: str
    digest: str
    actor: str | None = None
    hash: str | None = None


class ChainHead(NamedTuple):
    """Which row of a tenant's audit rows was the last that was linked, with its hash in hex, and when it was said."""

    tenant: str
    number: int
    hash: str
    time_ms: int


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Audit rows, newest first. `subject` and `action` are whole, or `action` ends in "." and is the beginning of many; `actor`
    is a row's actor or writer; times include both ends. `before`: only rows of smaller numbers."""

    subject: str | None = None
    actor: str | None = None
    action: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    before: int | None = None
    limit: int = 100


class Piece(NamedTuple):
    """Points of one series key from one writer of one attempt, in order of logging."""

    attempt_id: str
    writer: str
    value_type: str
    columns: Columns


class BucketPiece(NamedTuple):
    """Like `Piece`, summed up."""

    attempt_id: str
    writer: str
    value_type: str
    buckets: Buckets

    @property
    def exact(self) -> bool:
        """Every bucket holds one point."""
        return bool((self.buckets.count == 1).all())


SeriesName: TypeAlias = tuple[str, Labels]


class TenantReader(LineageReader, ConsoleReader, LooseFileReader, CaptureReader, HasWebhookReader, Protocol):
    """Answers about one tenant."""

    def get_run(self, run_id: str) -> Run:
        """NotFound if there is none. Deleted runs are found too; `lifecycle` says so."""
        ...

    def find_run_ids(self, prefix: str, limit: int = 2) -> list[str]:
        """Ids that start with the prefix, sorted; an exact match alone if there is one."""
        ...

    def list_runs(self, query: RunQuery) -> RunPage:
        """InvalidInput for fields, patterns and bounds that cannot be used, and (field="page_token") for a token that is
        damaged or another query's."""
        ...

    def list_groups(self, query: GroupQuery) -> GroupPage:
        """InvalidInput as `list_runs`."""
        ...

    def list_names(self, kind: Kind, prefix: str = "", limit: int = 100) -> list[str]:
        """Names of that kind that start with the prefix, sorted: all that active runs have, and maybe some that only others
        have or had. Metrics by series without labels, json as DOCUMENT.path; attributes are those of `query/syntax.py`."""
        ...

    def list_values(self, field: Field, prefix: str = "", limit: int = 20) -> list[str]:
        """Texts (`values.value_text`) of a field in active runs that start with the prefix, most frequent first, then by
        text; [] for fields that are numbers only. NaN is no value."""
        ...

    def count_runs(self) -> Counts:
        """At a cost that does not grow with the number of runs."""
        ...

    def list_changes(self, after: int, limit: int = 1_000) -> Changes:
        """Runs of this tenant changed by commits later than change number `after`, deleted ones included. One whose
        change number lies ahead (another database's) is answered as not complete."""
        ...

    def get_details(self, run_id: str) -> RunDetails: ...

    def get_details_of(self, run_ids: Sequence[str]) -> list[RunDetails]:
        """Of many runs at a constant number of statements, in the order asked; unknown ids: NotFound."""
        ...

    def get_document(self, run_id: str, name: str) -> str:
        """The JSON text; NotFound."""
        ...

    def list_series(self, run_id: str) -> list[SeriesInfo]:
        """Sorted by key. Summaries include everything appended, compacted or not; first and last go by attempt, then by
        the time of a writer's last point, then its sequence number and name."""
        ...

    def list_summaries(self, run_ids: Sequence[str]) -> list[list[SeriesInfo]]:
        """`list_series` of many runs at a constant number of statements (plus the fresh batches of unfinished ones)."""
        ...

    def read_points(
        self,
        run_id: str,
        name: str,
        labels: Labels = (),
        *,
        step_min: float | None = None,
        step_max: float | None = None,
    ) -> list[Piece]:
        """Every point, exactly: a piece for each (attempt, writer, value type), by attempt start, then writer; [] if there is no
        such series. With a range: the points whose step lies within it (both ends included)."""
        ...

    def read_points_of(
        self,
        wanted: Sequence[tuple[str, SeriesName]],
        *,
        step_min: float | None = None,
        step_max: float | None = None,
    ) -> list[list[Piece]]:
        """`read_points` of many (run id, series) in one snapshot; what series share is read once."""
        ...

    def read_buckets(
        self,
        wanted: Sequence[tuple[str, SeriesName]],
        max_points: int,
        *,
        step_min: float | None = None,
        step_max: float | None = None,
    ) -> list[list[BucketPiece]]:
        """For each (run id, series): its pieces summed up into about `max_points` buckets or fewer, at a cost that does
        not grow with the length of the run. No point is left out: counts add up to all points (in the range)."""
        ...

    def get_experiment(self, experiment_id: str) -> Experiment: ...

    def find_experiment(self, name: str) -> Experiment | None: ...

    def list_experiments(
        self, *, search: str | None = None, lifecycle: Lifecycle | None = "active", limit: int = 100, offset: int = 0
    ) -> ExperimentPage:
        """By name; `search` is a substring of the name, case ignored."""
        ...

    def registry(self) -> RegistryReader:
        """Registered models and their versions: `store/registry.py`."""
        ...

    def find_cursor(self, writer: str) -> Cursor | None: ...

    def list_lapsed(self, now_ms: int, limit: int = 1_000) -> list[Cursor]:
        """Cursors whose lease ends at that time or before, by that end, then by writer."""
        ...

    def list_digests(self, beginning: str = "") -> dict[str, int | None]:
        """Digest and size of every artifact of every run, older versions and deleted runs included, references not, and of the files
        of logged models and of model versions, and of loose files: the blobs that must be kept. Only digests that begin so (hexadecimal
        digits)."""
        ...

    def list_audit(self, *, after: int = 0, limit: int = 1_000) -> list[AuditRow]:
        """Oldest first. Damaged for a row that cannot be read."""
        ...

    def find_audit(self, query: AuditQuery) -> list[AuditRow]:
        """Newest first; fewer than `query.limit` only where none follow."""
        ...

    def find_chain_head(self) -> ChainHead | None:
        """None while nothing is linked."""
        ...
