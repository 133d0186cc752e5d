"""Says again, as journals for a server, what a store knows: for runs whose own journals were taken in, and deleted, long ago.

What is said has the same meaning, not the same bytes: an attempt's statements come from one writer, points from one for each
that wrote them, in their order, bit for bit. A run that has been told before is told what is new. One that still runs waits."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

from lineal.ingest.retell_console import tell_console
from lineal.ingest.retell_lineage import lineage_statements
from lineal.ingest.retell_points import tell_points
from lineal.ingest.retell_registry import model_statements, transition_statements
from lineal.ingest.told import Mark, Marks, Telling
from lineal.journal.blobs import find_blob, lend_blob
from lineal.journal.layout import Folder
from lineal.model.entities import Artifact, Attempt, Experiment, RunDetails
from lineal.model.errors import LinealError
from lineal.model.limits import LIST_PAGE_MAX_COUNT, MIB
from lineal.model.values import from_json, to_json
from lineal.model.vocabulary import END_STATUSES
from lineal.record.records import (
    ArtifactLogged,
    AttemptEnded,
    AttemptStarted,
    DocumentSet,
    ExperimentSet,
    Lost,
    MetricDefined,
    ModelVersionCreated,
    NameSet,
    NoteSet,
    ParamsSet,
    Record,
    RunLockSet,
    SegmentOpened,
    TagsSet,
)
from lineal.store.contracts import RunQuery, Store, TenantReader
from lineal.store.rules import DEFAULT_EXPERIMENT

RetoldState: TypeAlias = Literal["told", "same", "runs", "refused"]
"""told: there is something new for the server. same: it was all told before. runs: it waits until the run has ended. refused:
`why` says what is in the way."""

# What of a run is told below, or is no more than a sum of it. A field that is not here and is not empty is said to be missing.
_TOLD_FIELDS = frozenset(
    [
        "run",
        "params",
        "tags",
        "note",
        "attempts",
        "artifacts",
        "metric_definitions",
        "conflicts",
        "losses",
        "document_names",
        "datasets",
        "models",
        "artifact_uses",
        "version_uses",
        "console_line_count",
    ]
)
_PIECE_BYTES = 1 * MIB  # of params or tags in one record
_SEPARATOR = "\0"
_NS_PER_MS = 1_000_000


@dataclass(slots=True)
class Retold:
    """What became of one run. `points` are those that it has here."""

    tenant: str
    run_id: str
    state: RetoldState
    why: str = ""
    points: int = 0
    locked: bool = False


class ToldVersion(NamedTuple):
    """A model version as it is called here; a server may give it another number, behind those that it has."""

    tenant: str
    name: str
    number: int
    version_id: str


class Retelling:
    """From a store and the folder of its artifacts into a folder for a server. `is_there(tenant, run_id)` asks the server about
    a run that was never told here: one that it has from somewhere else is left alone. `moves`: what goes to a tenant of another
    name there, which none of the folder's own tenants has. The caller holds `outbox`'s ingest lock."""

    def __init__(
        self,
        store: Store,
        source: Folder,
        outbox: Folder,
        is_there: Callable[[str, str], bool],
        now_ms: int,
        moves: Mapping[str, str] | None = None,
    ) -> None:
        self._store = store
        self._source = source
        self._outbox = outbox
        self._marks = Marks(outbox)
        self._is_there = is_there
        self._now_ms = now_ms
        self._moves = moves or {}
        self._here = ""
        """The tenant that is read from."""
        self.versions: list[ToldVersion] = []
        """Of registered models, those that are told now for the first time."""

    def run(self) -> Iterator[Retold]:
        """Every run that is not deleted, of every tenant, the experiments that they are in, and registered models. Raises
        Unreachable, OSError."""
        for here in self._store.list_tenants():
            self._here = here
            reader, tenant = self._store.tenant(here), self._moves.get(here, here)
            experiments: set[str] = set()
            after: str | None = None
            while True:
                page = reader.list_runs(RunQuery(limit=LIST_PAGE_MAX_COUNT, after=after))
                for run in page.runs:
                    experiments.add(run.experiment_name)
                    yield self._tell(tenant, reader, run.run_id)
                after = page.next_token
                if after is None:
                    break
            for name in sorted(experiments):
                self._tell_experiment(tenant, reader.find_experiment(name))
            self._tell_registry(tenant, reader)
        self._marks.clear_drafts()

    # -- one run --------------------------------------------------------------------------------

    def _tell(self, tenant: str, reader: TenantReader, run_id: str) -> Retold:
        details = reader.get_details(run_id)
        points = sum(info.summary.count for info in reader.list_series(run_id))
        retold = Retold(tenant, run_id, "same", points=points, locked=details.run.is_locked)
        if any(attempt.status == "running" for attempt in details.attempts):
            retold.state, retold.why = "runs", "it has not ended: send it when it has"
            return retold
        mark = self._marks.find(tenant, run_id)
        if mark is None and self._is_there(tenant, run_id):
            retold.state, retold.why = (
                "refused",
                "the server has a run of this id that was not sent from here, or not to this tenant",
            )
            return retold
        missing = [one.name for one in fields(details) if one.name not in _TOLD_FIELDS and getattr(details, one.name)]
        try:
            self._tell_new(tenant, reader, details, mark or Mark(), retold)
        except (LinealError, ValueError) as error:
            retold.state, retold.why = "refused", str(error)
            return retold
        if missing:
            retold.why = f"its {', '.join(missing)} cannot be sent yet"
        return retold

    def _tell_new(self, tenant: str, reader: TenantReader, details: RunDetails, mark: Mark, retold: Retold) -> None:
        run_id = details.run.run_id
        part = mark.part + 1
        is_first = mark.part == 0
        latest = max(details.attempts, key=lambda one: (one.started_ms, one.attempt_id), default=None)
        time_ms = (latest.ended_ms or latest.started_ms) if is_first and latest is not None else self._now_ms
        attempt_id = latest.attempt_id if latest is not None else ""
        tellings: list[Telling] = []
        said = [
            *_statements(details, attempt_id, mark, time_ms),
            *self._documents(reader, details, mark, time_ms),
            *lineage_statements(reader, details, partial(_is_news, mark), partial(_told_names, mark)),
        ]
        for attempt in details.attempts:
            is_new = attempt.attempt_id not in mark.attempts
            ending: list[object] = [attempt.status, attempt.ended_ms]
            if not is_new and mark.attempts[attempt.attempt_id] == ending and not (attempt is latest and said):
                continue
            telling = self._begin(tenant, run_id, attempt.attempt_id, f"{run_id}/{attempt.attempt_id}", part, is_new)
            tellings.append(telling)
            if is_new:
                telling.say(_started(details, attempt), attempt.started_ms)
            for record, said_ms in said if attempt is latest else ():
                telling.say(record, said_ms)
            end_ms = attempt.ended_ms or attempt.started_ms
            if attempt.status in END_STATUSES and mark.attempts.get(attempt.attempt_id) != ending:
                telling.say(AttemptEnded(attempt.attempt_id, attempt.status, attempt.error), end_ms)
            telling.close(end_ms)
            mark.attempts[attempt.attempt_id] = ending
        if latest is None and said:
            telling = self._begin(tenant, run_id, "", run_id, part)
            tellings.append(telling)
            for record, said_ms in said:
                telling.say(record, said_ms)
            telling.close(time_ms)

        def begin(of_attempt: str, writer: str) -> Telling:
            telling = self._begin(tenant, run_id, of_attempt, f"{run_id}/{of_attempt}/{writer}", part)
            tellings.append(telling)
            return telling

        tell_points(reader, run_id, mark.points, begin)
        if details.console_line_count > mark.console:
            mark.console = tell_console(reader, run_id, mark.console, begin)
        if tellings:
            gone = [artifact.path for artifact in details.artifacts if not self._lend(tenant, artifact)]
            if gone:
                retold.why = f"the bytes of {len(gone)} artifacts are not here, {gone[0]!r:.80} for one"
            mark.part, mark.writers = part, [telling.writer for telling in tellings]
            self._marks.keep(tenant, run_id, mark)
            retold.state = "told"

    def _documents(
        self, reader: TenantReader, details: RunDetails, mark: Mark, time_ms: int
    ) -> Iterator[tuple[Record, int]]:
        for name in details.document_names:
            text = reader.get_document(details.run.run_id, name)
            if _is_news(mark, "document", name, text):
                yield DocumentSet(name, from_json(text)), time_ms

    def _lend(self, tenant: str, artifact: Artifact) -> bool:
        """Its bytes are beside the journals, until they are sent. False if they are nowhere."""
        if artifact.digest is None:
            return True
        path = find_blob(self._source, self._here, artifact.digest)
        if path is None:
            return artifact.uri is not None
        if not os.path.exists(os.path.join(self._outbox.sent, tenant, artifact.digest)):
            lend_blob(path, self._outbox, tenant, artifact.digest)
        return True

    def _tell_experiment(self, tenant: str, experiment: Experiment | None) -> None:
        if experiment is None:
            return
        record = ExperimentSet(
            experiment.name,
            experiment.description or None,
            experiment.artifact_location,
            dict(experiment.tags) or None,
        )
        name = f"/experiment/{experiment.name}"
        mark = self._marks.find(tenant, name) or Mark()
        if record == ExperimentSet(experiment.name) or not _is_news(mark, "experiment", "", repr(record)):
            return
        mark.part += 1
        telling = self._begin(tenant, None, "", name, mark.part)
        telling.say(record, experiment.updated_ms)
        telling.close(experiment.updated_ms)
        mark.writers = [telling.writer]
        self._marks.keep(tenant, name, mark)

    def _tell_registry(self, tenant: str, reader: TenantReader) -> None:
        """In two journals: of somebody who is no approver, a server takes the models and refuses the transitions."""
        mark = self._marks.find(tenant, "/registry") or Mark()
        is_news, told_names = partial(_is_news, mark), partial(_told_names, mark)
        registry = reader.registry()
        said = {
            "/registry": model_statements(registry, is_news, told_names),
            "/transitions": transition_statements(registry, is_news),
        }
        tellings: list[Telling] = []
        # Models before transitions, which call them by the names that they have now; this telling before the next one.
        for place, (about, records) in enumerate(said.items(), self._now_ms * _NS_PER_MS):
            telling: Telling | None = None
            time_ms = 0
            for record, time_ms in records:
                if telling is None:
                    telling = self._begin(tenant, None, "", about, mark.part + 1, began_ns=place)
                telling.say(record, time_ms)
                version = registry.find_version(record.version_id) if isinstance(record, ModelVersionCreated) else None
                if version is not None:
                    self.versions.append(ToldVersion(tenant, version.name, version.version, version.version_id))
            if telling is not None:
                telling.close(time_ms)
                tellings.append(telling)
        if tellings:
            mark.part, mark.writers = mark.part + 1, [telling.writer for telling in tellings]
            self._marks.keep(tenant, "/registry", mark)

    def _begin(
        self,
        tenant: str,
        run_id: str | None,
        attempt: str,
        about: str,
        part: int,
        primary: bool = False,
        began_ns: int = 0,
    ) -> Telling:
        """The same writer for the same telling: what was broken off is said again under the same name. Ids of runs are nobody
        else's; names of experiments and models may well be another folder's, too."""
        about = about if run_id is not None else f"{self._marks.own_name()}/{about}"
        opened = SegmentOpened(tenant, run_id, _writer(tenant, about, part), attempt, primary, 1)
        return Telling(self._outbox, opened, began_ns)


def tell_lock(outbox: Folder, retold: Retold, now_ms: int) -> None:
    """A run's lock comes last, when all of it is there: a locked run takes nothing. The caller holds `outbox`'s ingest lock."""
    marks, name = Marks(outbox), f"{retold.run_id}/lock"
    if not retold.locked or marks.find(retold.tenant, name) is not None:
        return
    telling = Telling(outbox, SegmentOpened(retold.tenant, None, _writer(retold.tenant, name, 1), "", False, 1))
    telling.say(RunLockSet(retold.run_id, True), now_ms)
    telling.close(now_ms)
    marks.keep(retold.tenant, name, Mark(1, writers=[telling.writer]))


def _writer(tenant: str, about: str, part: int) -> str:
    return hashlib.sha256(f"{tenant}/{about}/{part}".encode()).hexdigest()[:15]


# -- what is said of a run ----------------------------------------------------------------------


def _started(details: RunDetails, attempt: Attempt) -> AttemptStarted:
    run = details.run
    return AttemptStarted(
        attempt.attempt_id,
        run.experiment_name or DEFAULT_EXPERIMENT,
        None if run.name == run.run_id[:8] else run.name,
        run.description or None,
        attempt.user_id,
        attempt.host,
        attempt.pid,
        run.parent_run_id,
        run.forked_from,
        run.fork_step,
        run.content_digest,
        attempt.resumed,
    )


def _statements(details: RunDetails, attempt_id: str, mark: Mark, time_ms: int) -> Iterator[tuple[Record, int]]:
    """What is news, with its times. `mark` knows it then."""
    for conflict in details.conflicts:
        if _is_news(mark, "conflict", repr(conflict.stamp), repr(conflict)):
            yield ParamsSet(conflict.attempt_id, {conflict.name: conflict.kept}), conflict.stamp.time_ms
            yield ParamsSet(conflict.attempt_id, {conflict.name: conflict.refused}), conflict.stamp.time_ms
    params = {name: one for name, one in details.params.items() if _is_news(mark, "param", name, repr(one))}
    for some in _pieces(params):
        yield ParamsSet(attempt_id, some), time_ms
    for name, defined in details.metric_definitions.items():
        if _is_news(mark, "metric", name, repr(defined)):
            yield MetricDefined(defined.name, defined.goal, defined.step_metric, defined.unit), time_ms
    for artifact in sorted(details.artifacts, key=lambda one: one.version):
        if _is_news(mark, "artifact", f"{artifact.path}/{artifact.version}", repr(artifact)):
            logged = ArtifactLogged(
                artifact.path, artifact.size_bytes, artifact.digest, artifact.uri, artifact.media_type
            )
            yield logged, artifact.logged_ms
    for reason, count in details.losses.items():
        if count > mark.losses.get(reason, 0):
            yield Lost(reason, count - mark.losses.get(reason, 0)), time_ms
            mark.losses[reason] = count
    tags: dict[str, str | None] = {name: one for name, one in details.tags.items() if _is_news(mark, "tag", name, one)}
    for name in _told_names(mark, "tag"):
        if name not in details.tags:
            tags[name] = None
            del mark.said[f"tag{_SEPARATOR}{name}"]
    for some in _pieces(tags):
        yield TagsSet(some), time_ms
    if _is_news(mark, "note", "", details.note) and (details.note or mark.part):
        yield NoteSet(details.note), time_ms
    if _is_news(mark, "name", "", details.run.name) and mark.part:
        yield NameSet(details.run.name), time_ms


def _is_news(mark: Mark, kind: str, name: str, text: str) -> bool:
    key, digest = f"{kind}{_SEPARATOR}{name}", hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
    if mark.said.get(key) == digest:
        return False
    mark.said[key] = digest
    return True


def _told_names(mark: Mark, kind: str) -> list[str]:
    head = f"{kind}{_SEPARATOR}"
    return [key.removeprefix(head) for key in mark.said if key.startswith(head)]


def _pieces(values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """As many at a time as fit a record well."""
    some: dict[str, Any] = {}
    size = 0
    for name, value in values.items():
        added = len(to_json({name: value}))
        if some and size + added > _PIECE_BYTES:
            yield some
            some, size = {}, 0
        some[name] = value
        size += added
    if some:
        yield some
