"""Reads of a local folder: the journals are taken in first, so an answer includes every call that returned before it.

Loaded late: a training script that only logs never imports this module, nor numpy."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from lineal.ingest.follow import CaughtUp, Follower
from lineal.ingest.growth import Growth
from lineal.ingest.lock import ingest_lock
from lineal.ingest.snapshot import Snapshot
from lineal.journal.blobs import find_blob
from lineal.journal.layout import Folder
from lineal.journal.locks import locks_of
from lineal.model.entities import Artifact, Attempt, Experiment, RunDetails, SeriesInfo
from lineal.model.errors import Busy, InvalidInput, NotFound, NotWritable
from lineal.model.ids import DEFAULT_TENANT
from lineal.model.limits import (
    GROUPS_PAGE_MAX_COUNT,
    INGEST_LOCK_WAIT_S,
    NAME_MAX_BYTES,
    NAMES_PAGE_MAX_COUNT,
    REFUSED_RETRY_S,
    RUNS_PAGE_MAX_COUNT,
)
from lineal.model.values import ParamValue, texts_of
from lineal.model.vocabulary import Lifecycle, Status
from lineal.query.parser import parse, parse_field, parse_fields, parse_orders
from lineal.query.syntax import Kind
from lineal.store.code_trees import Repository, reading
from lineal.store.comparable import Comparable, read_comparable
from lineal.store.compare import Comparison, compare, latest_values
from lineal.store.contracts import GroupQuery, RunQuery, Store, TenantReader
from lineal.store.dataset_reading import LoggedDataset, get_dataset, list_datasets
from lineal.store.datasets import DatasetReader, NameOrder
from lineal.store.grouped import Groups
from lineal.store.open import open_store
from lineal.store.run_reading import RunReading
from lineal.store.run_view import comparison_dict, run_dict
from lineal.store.tables import columns_of, run_row, to_pandas, to_polars

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

    from lineal.store.full_difference import FullDifference

_CALLED_SHOWN = 3


class LocalStore:
    """A folder's runs, for reading. One process may keep it open; every question first takes in what was logged.

    Usable from several threads; close it, or use it as a context manager."""

    def __init__(
        self, root: str | os.PathLike[str], tenant: str = DEFAULT_TENANT, *, host: str = "", boot: str = ""
    ) -> None:
        self.folder = Folder(root)
        self.tenant = tenant
        self._host, self._boot = host, boot
        self._guard = threading.Lock()
        self._store: Store | None = None
        self._inode = 0
        self._snapshot: Snapshot | None = None
        self._growth = Growth(self.folder)
        self._refused_s: float | None = None
        self._lent: Counter[int] = Counter()
        self._retired: dict[int, Callable[[], None]] = {}

    @property
    def place(self) -> str:
        """Where the runs are, for messages."""
        return self.folder.root

    @property
    def named_tenant(self) -> str | None:
        """The tenant to name when something is said of these runs; None where it was not named for reading them either."""
        return self.tenant

    def __enter__(self) -> LocalStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with self._guard:
            self._drop_store()

    # -- questions ------------------------------------------------------------------------------

    def get_run(self, run_id: str) -> LoggedRun:
        """The run of that id, or of the only id that begins so. NotFound if there is none, InvalidInput if there are several."""
        self.refresh()
        reader = self.reader()
        return LoggedRun(self, reader.get_details(self._full_id(reader, run_id)))

    def get_runs(self, run_ids: str | Sequence[str]) -> list[LoggedRun]:
        """`get_run` of several, in the order asked and each once, as of one moment."""
        self.refresh()
        reader = self.reader()
        full_ids = list(dict.fromkeys(self._full_id(reader, run_id) for run_id in texts_of(run_ids, "run_ids")))
        series = _PageSeries(self, full_ids)
        return [LoggedRun(self, details, series) for details in reader.get_details_of(full_ids)]

    def diff(
        self,
        run_ids: str | Sequence[str],
        *,
        metrics: str | Sequence[str] | None = None,
        repository: Repository | None = None,
    ) -> FullDifference:
        """In what two to ten runs differ. `repository`: where commits can be read, for the patch between two."""
        from lineal.store.full_difference import full_difference

        names = None if metrics is None else texts_of(metrics, "metrics")
        self.refresh()
        reader = self.reader()
        full_ids = [self._full_id(reader, run_id) for run_id in texts_of(run_ids, "run_ids")]
        return full_difference(reader, full_ids, reading(self.find_blob), repository, names)

    def comparable(self, run_ids: str | Sequence[str]) -> Comparable:
        """Whether it is fair to compare the runs."""
        self.refresh()
        reader = self.reader()
        full_ids = (self._full_id(reader, run_id) for run_id in texts_of(run_ids, "run_ids"))
        return read_comparable(reader, list(dict.fromkeys(full_ids)))

    def locked_among(self, run_ids: str | Sequence[str]) -> list[str]:
        """Those that are locked; ids of no run are left out."""
        self.refresh()
        reader, found = self.reader(), []
        for run_id in texts_of(run_ids, "run_ids"):
            with contextlib.suppress(NotFound):
                if reader.get_run(run_id).is_locked:
                    found.append(run_id)
        return found

    def _full_id(self, reader: TenantReader, run_id: str) -> str:
        found = reader.find_run_ids(run_id, limit=3)
        if not found:
            called = _called(reader, run_id)
            raise NotFound(f"no run {run_id!r} in {self.place} (tenant {self.tenant!r}){called}", field="run_id")
        if len(found) > 1:
            raise InvalidInput(
                f"run {run_id!r} is ambiguous: {', '.join(found[:3])} ...; give more characters", field="run_id"
            )
        return found[0]

    def runs(
        self,
        filter: str = "",
        *,
        order_by: str | Sequence[str] | None = None,
        limit: int = 100,
        offset: int = 0,
        experiments: str | Sequence[str] | None = None,
        deleted: bool = False,
        page_token: str | None = None,
    ) -> Runs:
        """Runs that match, newest first unless `order_by` says otherwise. `page_token` is the `next_page_token` of the page
        before. Raises InvalidInput, with the place for a wrong filter or order."""
        _check_limit(limit, RUNS_PAGE_MAX_COUNT)
        if type(offset) is not int or offset < 0:
            raise InvalidInput("offset is a whole number, 0 or more", field="offset")
        conditions, orders = parse(filter), parse_orders(order_by or "")
        names = None if experiments is None else texts_of(experiments, "experiments")
        query = RunQuery(conditions, orders, "deleted" if deleted else "active", limit, offset, names, page_token)
        self.refresh()
        reader = self.reader()
        page = reader.list_runs(query)
        ids = [run.run_id for run in page.runs]
        series = _PageSeries(self, ids)
        runs = [LoggedRun(self, details, series) for details in reader.get_details_of(ids)]
        return Runs(runs, page.total, page.next_token)

    def group_runs(
        self,
        by: str | Sequence[str],
        *,
        metrics: str | Sequence[str] = (),
        order_by: str | Sequence[str] = (),
        filter: str = "",
        experiments: str | Sequence[str] | None = None,
        deleted: bool = False,
        limit: int = 1_000,
    ) -> Groups:
        """Runs that match, put together where the fields of `by` ("params.lr", "tags.team", "status" ...) have the same values,
        with count, mean, standard deviation, min and max of `metrics` ("metrics.acc", "min(metrics.loss)", "duration" ...).
        Largest group first, or as `order_by` says: by the values of a field of `by`, by the mean of any other ("metrics.acc desc").
        Raises InvalidInput, with the place for a wrong filter or field."""
        _check_limit(limit, GROUPS_PAGE_MAX_COUNT)
        fields = parse_fields(by, "by")
        spreads = parse_fields(metrics, "metrics")
        orders = parse_orders(order_by)
        conditions = parse(filter)
        names = None if experiments is None else texts_of(experiments, "experiments")
        lifecycle: Lifecycle = "deleted" if deleted else "active"
        self.refresh()
        page = self.reader().list_groups(GroupQuery(fields, spreads, conditions, lifecycle, names, limit, orders))
        return Groups(page, fields, spreads)

    def names(self, kind: Kind, prefix: str = "", limit: int = 100) -> list[str]:
        """Names of params, metrics, tags, json values ("param", "metric", "tag", "json") or attributes that start with the prefix,
        sorted: what a filter can ask for."""
        if kind not in get_args(Kind):
            raise InvalidInput(f"kind {kind!r:.40} is not one of {', '.join(get_args(Kind))}", field="kind")
        _check_limit(limit, NAMES_PAGE_MAX_COUNT)
        self.refresh()
        return self.reader().list_names(kind, prefix, limit)

    def values(self, field: str, prefix: str = "", limit: int = 20) -> list[str]:
        """Texts that a field ("params.optimizer") has among active runs, most frequent first; [] for metrics."""
        _check_limit(limit, NAMES_PAGE_MAX_COUNT)
        asked = parse_field(field)
        self.refresh()
        return self.reader().list_values(asked, prefix, limit)

    def experiments(self) -> list[Experiment]:
        """All active experiments, by name."""
        self.refresh()
        return self.reader().list_experiments(limit=RUNS_PAGE_MAX_COUNT).experiments

    def get_experiment(self, name: str) -> Experiment:
        self.refresh()
        found = self.reader().find_experiment(name)
        if found is None:
            raise NotFound(f"no experiment {name!r} in {self.place} (tenant {self.tenant!r})", field="experiment")
        return found

    def datasets(self, search: str = "", *, order_by: NameOrder = "name", limit: int = 100) -> list[LoggedDataset]:
        """The datasets that runs used whose name contains `search` (in any case), by name, or with "last_used" the last used first."""
        self.refresh()
        return list_datasets(self._datasets, search, order_by, limit)

    def get_dataset(self, ref: str, digest: str | None = None) -> LoggedDataset:
        """By its name, "NAME@DIGEST", "NAME@VERSION" or a digest alone (eight characters or more of it; of several names the one that
        was used last); `digest`, or the beginning of one, says which version. NotFound; InvalidInput for what may be several."""
        self.refresh()
        return get_dataset(self._datasets, ref, digest)

    def _datasets(self) -> DatasetReader:
        return self.reader().datasets()

    def compare(self, run_ids: str | Sequence[str], metrics: str | Sequence[str] | None = None) -> Comparison:
        """Which of the runs is best in which metric, by the metrics' declared or usual direction."""
        names = None if metrics is None else texts_of(metrics, "metrics")
        runs = [self.get_run(run_id) for run_id in texts_of(run_ids, "run_ids")]
        return compare([run.details for run in runs], [run.series for run in runs], names)

    def compare_dict(self, run_ids: str | Sequence[str], metrics: str | Sequence[str] | None = None) -> dict[str, Any]:
        """The same as the body that POST /experiments/runs/compare answers with."""
        names = None if metrics is None else texts_of(metrics, "metrics")
        runs = [self.get_run(run_id) for run_id in texts_of(run_ids, "run_ids")]
        compared = compare([run.details for run in runs], [run.series for run in runs], names)
        return comparison_dict([run.to_dict() for run in runs], compared)

    def tenants(self) -> list[str]:
        self.refresh()
        store = self._store
        return store.list_tenants() if store is not None else []

    def of_tenant(self, tenant: str) -> LocalStore:
        """The same folder seen as another tenant."""
        return LocalStore(self.folder.root, tenant, host=self._host, boot=self._boot)

    def live_attempt(self, run_id: str) -> str | None:
        """The attempt that a living primary writer of the run has open, if there is one."""
        from lineal.record.opening import find_opening

        locks = locks_of(self.folder.locks)
        for segment in self.folder.list_segments():
            if locks.is_live(segment.writer):
                with open(segment.path, "rb") as file:
                    opened = find_opening(file.read(8_192))
                if opened and opened.primary and opened.run_id == run_id and opened.tenant == self.tenant:
                    return opened.attempt
        return None

    def find_blob(self, digest: str, size_bytes: int | None = None) -> str | None:
        """Path of an artifact's bytes, for reading only. `size_bytes`: how many they are, where that is known."""
        return find_blob(self.folder, self.tenant, digest)

    def drop_fetched(self, digest: str) -> None:
        """What was fetched of a server's blob is damaged: the next `find_blob` fetches it again. Nothing of a folder's."""

    # -- taking in ------------------------------------------------------------------------------

    def refresh(self) -> CaughtUp:
        """Takes in every record whose call returned before this one began.

        Where the folder cannot be written, or somebody else keeps its lock, the answers come from a private snapshot."""
        with self._guard:
            self.folder.check()
            if self._database_inode() != self._inode:
                self._growth.forget()
            grown = self._growth.has_grown() or self._snapshot is not None or self._is_due_again()
            if (not grown or not self.folder.has_work()) and self._use_database():
                return CaughtUp()
            try:
                with ingest_lock(self.folder.ingest_lock, INGEST_LOCK_WAIT_S):
                    done = self._take_in()
            except (Busy, NotWritable):
                return self._take_in_privately()
            self._use_database()
            if self._store is not None:
                # What cannot be applied is tried again when it changes, and after a while; not with every question.
                self._growth.settle(self._store)
            self._refused_s = time.monotonic() if done.problems else None
            return done

    def _is_due_again(self) -> bool:
        return self._refused_s is not None and time.monotonic() - self._refused_s >= REFUSED_RETRY_S

    def _take_in(self) -> CaughtUp:
        """Only the holder of the ingest lock ever has a writing connection, and only while it holds it."""
        store = open_store(self._url())
        try:
            # What waits for a server may be looked at here; it stays until that has it.
            waits = os.path.exists(self.folder.server)
            return Follower(self.folder, store, host=self._host, boot=self._boot, keep_files=waits).catch_up()
        finally:
            store.close()

    def _take_in_privately(self) -> CaughtUp:
        if self._snapshot is None or not self._snapshot.is_current():
            self._drop_store()
            self._snapshot = Snapshot(self.folder)
            self._store = self._snapshot.store
        return Follower(self.folder, self._snapshot.store, host=self._host, boot=self._boot, keep_files=True).catch_up()

    def _use_database(self) -> bool:
        """Reads from the folder's own database from now on; from another one if the folder was deleted and made anew.
        False if it must be opened for writing first: an older release made it."""
        inode = self._database_inode()
        if self._store is None or self._snapshot is not None or inode != self._inode:
            self._drop_store()
            try:
                self._store = open_store(self._url(), read_only=True) if inode else open_store("memory:")
            except NotFound:
                return False
            self._inode = inode
        return True

    def _database_inode(self) -> int:
        """0 if there is no database."""
        try:
            return os.stat(self.folder.database).st_ino
        except FileNotFoundError:
            return 0

    def _url(self) -> str:
        return f"sqlite:///{self.folder.database}"

    def _drop_store(self) -> None:
        closing = self._snapshot or self._store
        if closing is not None and self._lent.get(id(self._store)):
            self._retired[id(self._store)] = closing.close
        elif closing is not None:
            closing.close()
        self._store = self._snapshot = None

    def reader(self) -> TenantReader:
        """The store's own contract, as of the last `refresh`."""
        return self.store().tenant(self.tenant)

    def store(self) -> Store:
        """The store of all tenants, as of the last `refresh`."""
        if self._store is None:
            self.refresh()
        assert self._store is not None
        return self._store

    @contextmanager
    def lend(self) -> Iterator[Store]:
        """The same, open until the block ends, whatever another thread's `refresh` moves on to."""
        with self._guard:
            if self._store is None:
                self._use_database()
            store = self._store
            assert store is not None
            self._lent[id(store)] += 1
        try:
            yield store
        finally:
            with self._guard:
                self._lent[id(store)] -= 1
                if not self._lent[id(store)]:
                    del self._lent[id(store)]
                    retired = self._retired.pop(id(store), None)
                    if retired is not None:
                        retired()


def _called(reader: TenantReader, name: str) -> str:
    """For whoever gives a run's name where its id is asked for: which ids are meant."""
    if not name.isprintable() or not 0 < len(name) <= NAME_MAX_BYTES:
        return ""
    quoted = name.replace("'", "''")
    page = reader.list_runs(RunQuery(parse(f"name = '{quoted}'"), limit=_CALLED_SHOWN + 1))
    ids = [run.run_id for run in page.runs]
    if not ids:
        return ""
    shown = ", ".join(ids[:_CALLED_SHOWN]) + (" ..." if len(ids) > _CALLED_SHOWN else "")
    return f": runs go by their ids, and that is the name of {shown}"


class _PageSeries:
    """The series of all runs of a page, read together when the first is asked for."""

    def __init__(self, store: LocalStore, run_ids: list[str]) -> None:
        self._store = store
        self._run_ids = run_ids
        self._series: dict[str, list[SeriesInfo]] | None = None

    def __getitem__(self, run_id: str) -> list[SeriesInfo]:
        if self._series is None:
            found = self._store.reader().list_summaries(self._run_ids)
            self._series = dict(zip(self._run_ids, found, strict=True))
        return self._series[run_id]


class LoggedRun(RunReading):
    """One run as it was when it was asked for: a handle for reading. Its points are read when asked for."""

    def __init__(self, store: LocalStore, details: RunDetails, page: _PageSeries | None = None) -> None:
        self._store = store
        self._page = page
        self.details = details

    def _reader(self) -> TenantReader:
        return self._store.reader()

    @property
    def name(self) -> str:
        return self.details.run.name

    @property
    def experiment(self) -> str:
        return self.details.run.experiment_name

    @property
    def status(self) -> Status:
        return self.details.run.status

    @property
    def locked(self) -> bool:
        """Whether it refuses changes."""
        return self.details.run.is_locked

    @property
    def params(self) -> dict[str, ParamValue]:
        """Typed values by flat name."""
        return dict(self.details.params)

    @property
    def tags(self) -> dict[str, str]:
        return dict(self.details.tags)

    @property
    def note(self) -> str:
        return self.details.note

    @property
    def attempts(self) -> list[Attempt]:
        return list(self.details.attempts)

    @property
    def artifacts(self) -> list[Artifact]:
        """Latest version of each path and the versions before it, by path."""
        return list(self.details.artifacts)

    @property
    def losses(self) -> dict[str, int]:
        """What was dropped, by reason; {} when nothing was."""
        return dict(self.details.losses)

    @property
    def started_at(self) -> datetime:
        return datetime.fromtimestamp(self.details.run.started_ms / 1000, UTC)

    @property
    def ended_at(self) -> datetime | None:
        ended_ms = self.details.run.ended_ms
        return None if ended_ms is None else datetime.fromtimestamp(ended_ms / 1000, UTC)

    @property
    def duration_s(self) -> float | None:
        duration_ms = self.details.run.duration_ms
        return None if duration_ms is None else duration_ms / 1000

    @cached_property
    def series(self) -> list[SeriesInfo]:
        """Every series with its summary."""
        return self._page[self.run_id] if self._page else self._reader().list_series(self.run_id)

    @property
    def metrics(self) -> dict[str, float | int]:
        """Metric name -> value logged last."""
        return latest_values(self.series)

    def to_dict(self) -> dict[str, Any]:
        """The run as GET /experiments/runs/{run_id} answers; params as text, NaN and infinities as floats."""
        return run_dict(self.details, self.metrics, f"lineal:///{self._store.tenant}/{self.run_id}/artifacts")

    def artifact_path(self, path: str, version: int | None = None) -> Path:
        """Where the bytes of an artifact lie, for reading only. NotFound if there is no such artifact, or it is a reference."""
        fitting = [item for item in self.details.artifacts if item.path == path and version in (None, item.version)]
        if not fitting:
            raise NotFound(
                f"run {self.run_id} has no artifact {path!r}{f' version {version}' if version else ''}", field="path"
            )
        artifact = max(fitting, key=lambda item: item.version)
        blob = self._store.find_blob(artifact.digest, artifact.size_bytes) if artifact.digest else None
        if blob is None:
            raise NotFound(
                f"artifact {path!r} has no bytes here{f': it refers to {artifact.uri}' if artifact.uri else ''}",
                field="path",
            )
        return Path(blob)

    def __repr__(self) -> str:
        return f"<lineal.LoggedRun {self.name!r} {self.run_id} {self.status}>"


class Runs(Sequence[LoggedRun]):
    """A page of runs; `total` counts all that match. `next_page_token` leads to the next page; None where there is none."""

    def __init__(self, runs: list[LoggedRun], total: int, next_page_token: str | None = None) -> None:
        self._runs = runs
        self.total = total
        self.next_page_token = next_page_token

    def to_list(self) -> list[dict[str, Any]]:
        """A dict a run: attributes, and `params` (typed), `metrics` (logged last) and `tags` as dicts."""
        return [run_row(run.details, run.metrics) for run in self._runs]

    def to_pandas(self) -> pd.DataFrame:
        """A row a run, with a column for each attribute and each param, metric and tag that any of the runs has, named as
        filters name them. ImportError if pandas is not installed."""
        return to_pandas(columns_of(self.to_list()))

    def to_polars(self) -> pl.DataFrame:
        """As `to_pandas`; a column of several types holds texts. ImportError if polars is not installed."""
        return to_polars(columns_of(self.to_list()))

    def __len__(self) -> int:
        return len(self._runs)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        return self._runs[index]

    def __iter__(self) -> Iterator[LoggedRun]:
        return iter(self._runs)

    def __repr__(self) -> str:
        return f"<{len(self._runs)} of {self.total} runs: {', '.join(run.name for run in self._runs[:5])}{' ...' if len(self) > 5 else ''}>"


def _check_limit(limit: int, most: int) -> None:
    if type(limit) is not int or not 0 <= limit <= most:
        raise InvalidInput(f"limit is a whole number of 0 to {most:,}", field="limit")
