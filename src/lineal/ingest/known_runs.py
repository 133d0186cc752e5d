"""What the door of requests must know of a run to refuse what contradicts it, kept between commits.

True only within a transaction, when nobody else writes: what others have changed since the last one is read again."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import cast

from lineal.model.entities import Attempt, Layout, SeriesKey
from lineal.model.errors import NotFound, OverLimit
from lineal.model.limits import PARAMS_PER_RUN_MAX_COUNT, RUNS_KNOWN_MAX_COUNT, TAGS_PER_RUN_MAX_COUNT
from lineal.model.values import ParamValue
from lineal.model.vocabulary import EndStatus, Lifecycle, Status, is_system
from lineal.record.records import ParamsSet, Record, RunTagsSet, TagsSet
from lineal.store.contracts import SeriesName, Store, TenantReader

_LAYOUTS_MAX_COUNT = 16  # of one run, known by identity
_SERIES_MAX_COUNT = 4_000_000  # names that all known runs hold together, about 300 MB
_TRIMS_BETWEEN_SUMS = 256  # to add them up takes a millisecond


@dataclass(slots=True)
class Newest:
    """Of a series: the latest wall time of its points, and what of step and value they have at that time (None: not known)."""

    time_ms: int
    points: set[tuple[float, float | str]] | None


@dataclass(slots=True)
class KnownRun:
    """`attempt` is the one that is written to, `seq` the last sequence number of the requests' writer, `tags` their
    names, `next_step` the one that a point without a step gets (None: not asked for yet), `series` what points were logged of
    (as above), `layouts` those of it that were looked through, by identity: the same object comes again and again. `newest`:
    see `repeats.py`."""

    run_id: str
    writer: str
    lifecycle: Lifecycle
    status: Status
    started_ms: int
    ended_ms: int | None
    attempts: list[str]
    seq: int = 0
    params: dict[str, ParamValue] = field(default_factory=dict)
    next_step: int | None = None
    is_locked: bool = False
    tags: set[str] = field(default_factory=set)
    series: set[SeriesKey] | None = None
    layouts: dict[int, Layout] = field(default_factory=dict)
    newest: dict[SeriesName, Newest] = field(default_factory=dict)
    experiment_id: str | None = None

    def set_tags(self, tags: Mapping[str, str | None]) -> None:
        self.tags.update(tags)
        self.tags.difference_update(name for name, value in tags.items() if value is None)

    def check_bounds(self, records: Sequence[Record]) -> None:
        """OverLimit if it would have too many params or tags. One that has (a journal told them) may still lose some."""
        params = {name for record in records if isinstance(record, ParamsSet) for name in record.params}
        _check_count("params", len(self.params), len(params - self.params.keys()), PARAMS_PER_RUN_MAX_COUNT)
        said = {
            name: value
            for record in records
            if isinstance(record, TagsSet | RunTagsSet)
            for name, value in record.tags.items()
        }
        new = sum(value is not None and name not in self.tags for name, value in said.items())
        gone = sum(value is None and name in self.tags for name, value in said.items())
        _check_count("tags", len(self.tags), new - gone, TAGS_PER_RUN_MAX_COUNT)

    def new_series(self, layouts: Iterable[Layout]) -> set[SeriesKey]:
        """Those that it does not have yet. `series` must be known."""
        assert self.series is not None
        found: set[SeriesKey] = set()
        for layout in layouts:
            if self.layouts.get(id(layout)) is not layout:
                found.update(key for key in layout.series if key not in self.series)
        return found

    def add_series(self, layouts: Sequence[Layout]) -> None:
        assert self.series is not None
        self.series |= self.new_series(layouts)
        if len(self.layouts) + len(layouts) > _LAYOUTS_MAX_COUNT:
            self.layouts.clear()
        self.layouts.update((id(layout), layout) for layout in layouts)

    @property
    def attempt(self) -> str:
        return self.attempts[-1] if self.attempts else self.writer

    @property
    def end_status(self) -> EndStatus | None:
        """How it ended, if somebody said so."""
        return None if self.status in ("running", "lost") else cast("EndStatus", self.status)

    @property
    def is_late(self) -> bool:
        """Its latest attempt holds what was said after an end."""
        return any(late_attempt(one) == self.attempt for one in self.attempts[:-1])


def _check_count(kind: str, had: int, more: int, most: int) -> None:
    if more > 0 and had + more > most:
        raise OverLimit(
            f"a run has at most {most:,} {kind}; this one has {had:,}, and these are {more:,} more", field=kind
        )


def request_writer(tenant: str, run_id: str | None) -> str:
    """The writer of all requests about one run (None: about the tenant): derived, so that it is the same after a restart."""
    return _digest(f"request\0{tenant}\0{run_id or ''}")


def late_attempt(attempt: str) -> str:
    """The attempt that takes what is said after the end of that one."""
    return _digest(f"late\0{attempt}")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:15]


class KnownRuns:
    """For one thread. Bounded: the ones that were not asked for lately are forgotten at the end of a transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._number: int | None = None
        self._numbers: dict[str, int] = {}
        self._runs: OrderedDict[tuple[str, str], KnownRun] = OrderedDict()
        self._trims = 0

    def begin(self, change_number: int) -> bool:
        """A transaction begins on that state. True if others have written since our last one."""
        others_wrote = change_number != self._number
        self._number = change_number
        return others_wrote

    def committed(self, change_number: int) -> None:
        """Our transaction is on disk, and made that state: what is known of it is up to date."""
        for tenant, number in self._numbers.items():
            if number == self._number:
                self._numbers[tenant] = change_number
        self._number = change_number
        self._trim()

    def find(self, tenant: str, run_id: str) -> KnownRun | None:
        """Of that very id."""
        self._catch_up(tenant)
        known = self._runs.get((tenant, run_id))
        if known is not None:
            self._runs.move_to_end((tenant, run_id))
            return known
        reader = self._store.tenant(tenant)
        if not self._is_there(reader, run_id):
            return None
        found = self._load(reader, tenant, run_id)
        self.keep(tenant, found)
        return found

    def _catch_up(self, tenant: str) -> None:
        """Forgets the tenant's runs that others have changed."""
        assert self._number is not None
        known = self._numbers.get(tenant)
        if known == self._number:
            return
        self._numbers[tenant] = self._number
        if known is None:
            return  # nothing of it was asked for
        changes = self._store.tenant(tenant).list_changes(known)
        gone = changes.run_ids if changes.is_complete else [one for of, one in self._runs if of == tenant]
        for run_id in gone:
            self.drop(tenant, run_id)

    def at_hand(self, tenant: str, run_id: str) -> KnownRun | None:
        return self._runs.get((tenant, run_id))

    def keep(self, tenant: str, run: KnownRun) -> None:
        assert self._number is not None
        self._numbers.setdefault(tenant, self._number)
        self._runs[tenant, run.run_id] = run

    def drop(self, tenant: str, run_id: str) -> None:
        self._runs.pop((tenant, run_id), None)

    def clear(self) -> None:
        """After a failure: what was kept since may not be so."""
        self._runs.clear()
        self._numbers.clear()
        self._number = None

    def _trim(self) -> None:
        while len(self._runs) > RUNS_KNOWN_MAX_COUNT:
            self._runs.popitem(last=False)
        self._trims += 1
        if self._trims % _TRIMS_BETWEEN_SUMS == 0:
            count = sum(len(run.series or ()) for run in self._runs.values())
            while count > _SERIES_MAX_COUNT:
                _, run = self._runs.popitem(last=False)
                count -= len(run.series or ())

    @staticmethod
    def _is_there(reader: TenantReader, run_id: str) -> bool:
        return reader.find_run_ids(run_id, limit=1) == [run_id]

    @staticmethod
    def _load(reader: TenantReader, tenant: str, run_id: str) -> KnownRun:
        try:
            details = reader.get_details(run_id)
        except NotFound:
            raise NotFound(f"no run {run_id!r:.80}", field="run_id") from None
        run = details.run
        writer = request_writer(tenant, run_id)
        cursor = reader.find_cursor(writer)
        attempts: list[Attempt] = sorted(details.attempts, key=lambda one: (one.started_ms, one.attempt_id))
        return KnownRun(
            run_id,
            writer,
            run.lifecycle,
            run.status,
            run.started_ms,
            run.ended_ms,
            [one.attempt_id for one in attempts],
            0 if cursor is None else cursor.seq,
            dict(details.params),
            is_locked=run.is_locked,
            tags=set(details.tags),
            experiment_id=run.experiment_id,
        )


def next_step_of(reader: TenantReader, run_id: str) -> int:
    """Behind the last step of every series of the run that has an end; 0 for a run without points. What the machine did has
    steps of its own."""
    last = [info.summary.last_step for info in reader.list_series(run_id) if not is_system(info.key.name)]
    return max((int(step) for step in last if isfinite(step)), default=-1) + 1
