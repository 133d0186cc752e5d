"""Where a request's work is done, within a transaction that it shares with others: what it may ask, and how it speaks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from lineal.ingest.apply import Context, apply
from lineal.ingest.compactions import Compactions
from lineal.ingest.known_runs import KnownRun, KnownRuns, late_attempt, next_step_of, request_writer
from lineal.ingest.rows import Metrics
from lineal.ingest.tally import Tally
from lineal.model.entities import Cursor, Experiment, Stamp
from lineal.model.errors import Conflict, InvalidInput, Locked, NotFound, OverLimit
from lineal.model.limits import SERIES_PER_RUN_MAX_COUNT
from lineal.model.values import ParamValue, value_text
from lineal.record.records import (
    AttemptEnded,
    AttemptStarted,
    ExperimentRenamed,
    ExperimentSet,
    ModelLogged,
    ParamsSet,
    Record,
    RunLifecycleSet,
    RunLockSet,
    RunTagsSet,
    TagsSet,
)
from lineal.store.contracts import Store, TenantReader, TenantWriter, Transaction
from lineal.store.people import PeopleWriter
from lineal.store.webhooks import WebhookWriter

_STEP_COUNTED_MAX = 2**53  # beyond, one more is the same float


class Said(NamedTuple):
    """What a work answers: an HTTP status and a body."""

    status: int
    body: bytes


class Later(Exception):
    """The work needs what this transaction has changed in a way that only readers of the next one can tell."""


@dataclass(slots=True)
class Group:
    """What the works of one transaction share. `replayed`: runs that a journal spoke of in it; `experiments`: names made
    in it; `experiments_read`: by tenant and id, as of the last commit; `artifacts`: tenant, run and path of those logged in
    it; `appended`: tenant and run of points that no reader sees yet; `renamed`: tenants whose experiments may be called
    otherwise now; `put_away`: tenant and experiment -> whether it was deleted when the transaction began."""

    store: Store
    transaction: Transaction
    known: KnownRuns
    time_ms: int
    tenants: Tenants
    compactions: Compactions
    replayed: set[tuple[str, str]] = field(default_factory=set)
    experiments: set[tuple[str, str]] = field(default_factory=set)
    experiments_read: dict[tuple[str, str], Experiment] = field(default_factory=dict)
    artifacts: set[tuple[str, str, str]] = field(default_factory=set)
    appended: set[tuple[str, str]] = field(default_factory=set)
    renamed: set[str] = field(default_factory=set)
    put_away: dict[tuple[str, str], bool] = field(default_factory=dict)
    tenant_seqs: dict[str, int] = field(default_factory=dict)
    tally: Tally = field(default_factory=Tally)


class Tenants:
    """Which there are: those known, and with every transaction those that others have made. For one thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = set(store.list_tenants())
        self._made: set[str] = set()
        self._is_asked = True

    def begin(self, *, others_wrote: bool) -> None:
        """A transaction begins; what was made in one that failed is not known."""
        self._made.clear()
        self._is_asked &= not others_wrote

    def has(self, tenant: str) -> bool:
        if tenant in self._known or tenant in self._made:
            return True
        if not self._is_asked:
            self._known.update(self._store.list_tenants())
            self._is_asked = True
        return tenant in self._known

    def make(self, tenant: str) -> None:
        if tenant not in self._known:
            self._made.add(tenant)

    def keep(self) -> None:
        """They are committed."""
        self._known |= self._made
        self._made.clear()

    def known(self) -> list[str]:
        return sorted(self._known)


def check_unlocked(run: KnownRun) -> None:
    if run.is_locked:
        raise Locked(f"run {run.run_id!r:.80} is locked: unlock it first", field="run_id")


class Desk:
    """For one work of one tenant."""

    def __init__(self, group: Group, tenant: str, actor: str | None = None) -> None:
        self._group = group
        self.tenant = tenant
        self.has_spoken = False
        self._actor = actor

    @property
    def time_ms(self) -> int:
        return self._group.time_ms

    @property
    def reader(self) -> TenantReader:
        """As of the last commit."""
        return self._group.store.tenant(self.tenant)

    @property
    def is_known(self) -> bool:
        """Whether the tenant exists, so that asking its writer does not make it."""
        return self._group.tenants.has(self.tenant)

    @property
    def writer(self) -> TenantWriter:
        """To speak with; the tenant is made by it."""
        self.has_spoken = self.has_spoken or not self.is_known
        self._group.tenants.make(self.tenant)
        writer = self._group.transaction.tenant(self.tenant)
        writer.speak_for(self._actor)  # others of the transaction spoke for theirs
        return writer

    @property
    def people(self) -> PeopleWriter:
        """Users and their like, who belong to no tenant."""
        self.has_spoken = True
        return self._group.transaction.people()

    @property
    def webhooks(self) -> WebhookWriter:
        """Who is told of the registry, and what waits for them."""
        writer = self.writer.webhooks()
        self.has_spoken = True
        return writer

    # -- what is known -------------------------------------------------------------------------

    def find_run(self, run_id: str) -> KnownRun | None:
        if (self.tenant, run_id) in self._group.replayed:
            raise Later
        return self._group.known.find(self.tenant, run_id)

    def get_run(self, run_id: str) -> KnownRun:
        """One that may be written to, by its whole id: what is said of a run that is not there must not reach the one whose id
        begins alike. NotFound, Conflict if it is deleted, Locked."""
        run = self.known_run(run_id)
        if run.lifecycle == "deleted":
            raise Conflict(f"run {run.run_id!r:.80} is deleted: restore it first", field="run_id")
        check_unlocked(run)
        return run

    def known_run(self, run_id: str) -> KnownRun:
        """Deleted or not; NotFound."""
        run = self.find_run(run_id)
        if run is None:
            raise NotFound(f"no run {run_id!r:.80}", field="run_id")
        return run

    def find_experiment(self, name: str) -> Experiment | None:
        if (self.tenant, name) in self._group.experiments or self.tenant in self._group.renamed:
            raise Later
        return self.reader.find_experiment(name)

    def get_experiment(self, experiment_id: str) -> Experiment:
        """Of that id; NotFound."""
        found = self._group.experiments_read.get((self.tenant, experiment_id))
        if found is None:
            found = self.reader.get_experiment(experiment_id)
            self._group.experiments_read[self.tenant, experiment_id] = found
        if (self.tenant, found.name) in self._group.experiments or self.tenant in self._group.renamed:
            raise Later
        return found

    def is_put_away(self, run: KnownRun) -> bool:
        """Whether its experiment was deleted when this transaction began."""
        if run.experiment_id is None:
            try:
                run.experiment_id = self.reader.get_run(run.run_id).experiment_id
            except NotFound:  # this transaction made it
                return False
        key = self.tenant, run.experiment_id
        if key not in self._group.put_away:
            self._group.put_away[key] = self.reader.get_experiment(run.experiment_id).lifecycle == "deleted"
        return self._group.put_away[key]

    def check_params(self, run: KnownRun, params: dict[str, ParamValue]) -> None:
        """Conflict if one has another value."""
        for name, value in params.items():
            if name in run.params and value_text(run.params[name]) != value_text(value):
                raise Conflict(
                    f"param {name!r:.80} has the value {run.params[name]!r:.80} already", field=f"params.{name:.80}"
                )

    def check_series(self, run: KnownRun, metrics: Metrics) -> None:
        """OverLimit if the run would have too many."""
        if run.series is None:
            run.series = {info.key for info in self.reader.list_series(run.run_id)}
        new = run.new_series(rows.layout for rows in metrics.rows)
        if new and len(run.series) + len(new) > SERIES_PER_RUN_MAX_COUNT:
            raise OverLimit(
                f"a run has at most {SERIES_PER_RUN_MAX_COUNT:,} metrics; this one has {len(run.series):,}, and these are"
                f" {len(new):,} more",
                field="metrics",
            )

    # -- speaking ------------------------------------------------------------------------------

    def start_run(self, run_id: str, start: AttemptStarted) -> KnownRun:
        """A new run; its attempt is that of the requests' writer."""
        writer = request_writer(self.tenant, run_id)
        seq = self.writer.find_cursor(writer)  # cursors outlive their runs
        run = KnownRun(run_id, writer, "active", "running", self.time_ms, None, [start.attempt], seq.seq if seq else 0)
        run.next_step, run.series = 0, set()
        self._group.known.keep(self.tenant, run)
        self.say(run, [start])
        return run

    def say(self, run: KnownRun, records: Sequence[Record]) -> None:
        """Of a run. Compacts it too. Locked; OverLimit for too many params or tags."""
        check_unlocked(run)
        run.check_bounds(records)
        store = self.writer
        self.has_spoken = True
        self._group.tally.record_count += len(records)
        for record in records:
            run.seq += 1
            apply(Context(store, run.run_id), record, Stamp(self.time_ms, run.writer, run.seq))
            if isinstance(record, ParamsSet):
                for name, value in record.params.items():
                    run.params.setdefault(name, value)
            elif isinstance(record, TagsSet):
                run.set_tags(record.tags)
            elif isinstance(record, AttemptEnded):
                run.status = record.status
                run.ended_ms = self.time_ms if record.ended_ms is None else record.ended_ms
        store.set_cursor(Cursor(run.writer, run.run_id, run.seq, 0, 0))
        store.compact(run.run_id)

    def say_of_tenant(self, records: Sequence[Record]) -> None:
        """Locked, if one is about a run that is, unless it locks or unlocks it; OverLimit for too many tags."""
        about = {record.run_id for record in records if isinstance(record, RunLifecycleSet | RunTagsSet | RunLockSet)}
        runs = {run_id: self._group.known.find(self.tenant, run_id) for run_id in about}
        for record in records:
            run = runs[record.run_id] if isinstance(record, RunLifecycleSet | RunTagsSet) else None
            if run is not None:
                check_unlocked(run)
                run.check_bounds([record])
        store = self.writer
        self.has_spoken = True
        self._group.tally.record_count += len(records)
        writer = request_writer(self.tenant, None)
        seq = self._group.tenant_seqs.get(self.tenant)
        if seq is None:
            cursor = store.find_cursor(writer)
            seq = 0 if cursor is None else cursor.seq
        for record in records:
            seq += 1
            apply(Context(store, None), record, Stamp(self.time_ms, writer, seq))
            if isinstance(record, ExperimentRenamed):
                self._group.renamed.add(self.tenant)
            elif isinstance(record, ExperimentSet):
                self._group.experiments.add((self.tenant, record.name))
            elif isinstance(record, ModelLogged) and record.experiment is not None:
                self._group.experiments.add((self.tenant, record.experiment))
            elif isinstance(record, RunLifecycleSet | RunLockSet | RunTagsSet):
                run = runs[record.run_id]
                if run is not None and isinstance(record, RunTagsSet):
                    run.set_tags(record.tags)
                elif run is not None and isinstance(record, RunLockSet):
                    run.is_locked = record.locked
                elif run is not None and isinstance(record, RunLifecycleSet):
                    run.lifecycle = record.lifecycle
        self._group.tenant_seqs[self.tenant] = seq
        store.set_cursor(Cursor(writer, None, seq, 0, 0))

    def has_artifact(self, run: KnownRun, path: str) -> bool:
        """Whether this transaction was told of one there."""
        return (self.tenant, run.run_id, path) in self._group.artifacts

    def mark_artifact(self, run: KnownRun, path: str) -> None:
        self._group.artifacts.add((self.tenant, run.run_id, path))

    def has_unread_points(self, run: KnownRun) -> bool:
        """Whether this transaction has points of it."""
        return (self.tenant, run.run_id) in self._group.appended

    def experiment_id(self, name: str) -> str:
        """Of an experiment that this work has spoken of."""
        return self.writer.ensure_experiment(name, Stamp(self.time_ms, request_writer(self.tenant, None), 0))

    def append(self, run: KnownRun, metrics: Metrics) -> None:
        if not metrics.point_count:
            return
        check_unlocked(run)
        if metrics.steps_counted and run.next_step is None:
            run.next_step = next_step_of(self.reader, run.run_id)
        first_step = run.next_step or 0
        if metrics.steps_counted and first_step + metrics.steps_counted > _STEP_COUNTED_MAX:
            raise InvalidInput("the run's last step is too large to count on from: give a step", field="step")
        store = self.writer
        self.has_spoken = True
        blocks = [rows.block(run.seq + 1, first_step) for rows in metrics.rows]
        run.seq += metrics.point_count
        if run.series is not None:
            run.add_series([rows.layout for rows in metrics.rows])
        self._group.tally.record_count += metrics.point_count
        store.append_points(run.run_id, run.writer, run.attempt, blocks)
        self._group.appended.add((self.tenant, run.run_id))
        if run.next_step is not None:
            steps = [block.step[np.isfinite(block.step)] for block in blocks]
            run.next_step = max([run.next_step, *(int(step.max()) + 1 for step in steps if len(step))])
        store.set_cursor(Cursor(run.writer, run.run_id, run.seq, 0, 0))
        self._group.compactions.note((self.tenant, run.run_id), metrics.point_count)

    def reopen(self, run: KnownRun) -> AttemptEnded | None:
        """Before params or points: what comes after the end of a run belongs to a late attempt, which is opened here. The
        caller says what is returned when it has spoken, so that the run stays ended as it was."""
        status = run.end_status
        if status is None:
            return None
        if not run.is_late:
            started = AttemptStarted(late_attempt(run.attempt), self.experiment_of(run), resumed=True)
            run.attempts.append(started.attempt)
            self.say(run, [started])
        return AttemptEnded(run.attempt, status)

    def experiment_of(self, run: KnownRun) -> str:
        """What its experiment is called."""
        try:
            return self.reader.get_run(run.run_id).experiment_name
        except NotFound:  # this transaction made it
            raise Later from None

    def count_replayed(self, record_count: int, journal_bytes: int) -> None:
        self._group.tally.record_count += record_count
        self._group.tally.journal_bytes += journal_bytes

    def replays(self, run_id: str | None) -> TenantWriter:
        """The writer for a journal that speaks of this run: what was known of it is not known any more."""
        if run_id is not None:
            self._group.known.drop(self.tenant, run_id)
            self._group.replayed.add((self.tenant, run_id))
        self.has_spoken = True
        self._group.tenants.make(self.tenant)
        writer = self._group.transaction.tenant(self.tenant)
        writer.speak_for(self._actor)  # others of the transaction spoke for theirs
        return writer
