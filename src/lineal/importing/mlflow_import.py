"""`lineal import ...`: from a source to a destination, a few runs at a time."""

from __future__ import annotations

import hashlib
import json
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from lineal.importing.artifacts import take_artifacts
from lineal.importing.destination import Destination, Known, find_known
from lineal.importing.difference import compare, read_document, say_missing_points
from lineal.importing.models_import import ModelsImport
from lineal.importing.nouns import Source, SourceRun
from lineal.importing.segments import Segments, writer_of
from lineal.importing.tally import Problem, Tally
from lineal.importing.translate import experiment_record, say_whole, taken_from
from lineal.model.errors import InvalidInput
from lineal.model.frozen import members
from lineal.model.ids import is_run_id
from lineal.model.limits import IMPORT_RUNS_COUNT
from lineal.record.records import ArtifactLogged, RunLifecycleSet


class Progress(NamedTuple):
    runs: int
    total_runs: int
    points: int


class _Taken(NamedTuple):
    """What of a run was said, or was there."""

    run: SourceRun
    point_count: int
    artifacts: list[ArtifactLogged]
    taken_tags: dict[str, str]
    is_new: bool = False


class MlflowImport:
    """One import. `now_ms` is the time of what is said anew of runs that are there."""

    def __init__(
        self,
        source: Source,
        destination: Destination,
        *,
        on_progress: Callable[[Progress], object] = lambda progress: None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._source = source
        self._destination = destination
        self._store = destination.store
        self._tenant = destination.store.tenant
        self._on_progress = on_progress
        self._now_ms = now_ms
        self.tally = Tally()
        self._elsewhere: Counter[str] = Counter()

    def run(self) -> Tally:
        """All of it. Raises what ends an import before its end: the source or the destination does not answer."""
        self._take_experiments()
        total = self._source.count_runs()
        for chunk in self._source.chunks(IMPORT_RUNS_COUNT):
            self._take_chunk(chunk)
            self._on_progress(Progress(self.tally.found["runs"], total, self.tally.found["points"]))
        ModelsImport(self._source, self._destination, self.tally, self._now_ms).run()
        self.tally.problems += [Problem(run_id, why) for run_id, why in self._source.problems]
        for experiment, count in self._elsewhere.items():
            runs = "1 run stays" if count == 1 else f"{count:,} runs stay"
            self.tally.notices.append(f"{runs} in experiment {experiment!r:.80}, where they are: an import moves none")
        return self.tally

    # -- experiments ----------------------------------------------------------------------------

    def _take_experiments(self) -> None:
        """Said once for each way that one looks in the source; an unchanged one is not said again."""
        experiments = self._source.list_experiments()
        for experiment in experiments:
            self.tally.found["experiments"] += 1
            record = experiment_record(experiment)
            said = json.dumps(members(record), sort_keys=True)
            writer = writer_of(self._tenant, "experiment", experiment.number, hashlib.sha256(said.encode()).hexdigest())
            if self._destination.has_heard(None, writer):
                continue
            is_new = self._store.reader().find_experiment(experiment.name) is None
            out = Segments(self._tenant, None, writer, "", self._destination.take)
            out.say(record, experiment.created_ms if is_new else self._now_ms())
            out.close()
        self._destination.flush()
        reader = self._store.reader()
        for experiment in experiments:
            if reader.find_experiment(experiment.name) is None:
                self.tally.problems.append(Problem(None, f"experiment {experiment.name!r:.80} is not there"))
            else:
                self.tally.there["experiments"] += 1

    # -- runs -----------------------------------------------------------------------------------

    def _take_chunk(self, chunk: Sequence[SourceRun]) -> None:
        usable = [run for run in chunk if is_run_id(run.run_id)]
        for run in chunk:
            if not is_run_id(run.run_id):
                self.tally.add_found(run, run.point_count, [])
                self.tally.problems.append(Problem(run.run_id, "its id cannot be one here"))
        known = find_known(self._store, [run.run_id for run in usable])
        for run in usable:
            if run.run_id in known and known[run.run_id].details.run.experiment_name != run.experiment.name:
                self._elsewhere[known[run.run_id].details.run.experiment_name] += 1
        taken = [self._take_run(run, known.get(run.run_id)) for run in usable]
        self._destination.flush()
        there = find_known(self._store, [run.run_id for run in usable])
        for one in taken:
            self.tally.add_found(one.run, one.point_count, one.artifacts)
            found = there.get(one.run.run_id)
            self.tally.add_there(one.run, found, one.point_count, one.artifacts, one.taken_tags)
            lost = 0 if found is None or not one.is_new else sum(found.details.losses.values())
            if lost:
                self.tally.problems.append(Problem(one.run.run_id, f"{lost:,} statements could not be taken over"))

    def _take_run(self, run: SourceRun, known: Known | None) -> _Taken:
        def refuse(why: str) -> None:
            self.tally.problems.append(Problem(run.run_id, why))

        files = take_artifacts(
            self._source.artifacts(run),
            [] if known is None else known.details.artifacts,
            run.started_ms,
            self._destination.take_file,
            refuse,
        )
        records = [record for record, _ in files]
        try:
            if known is None:
                return _Taken(run, self._say_new(run, files), records, {}, is_new=True)
            return self._say_difference(run, known, files)
        except InvalidInput as error:
            refuse(str(error))
            return _Taken(run, run.point_count, records, {})

    def _say_new(self, run: SourceRun, files: list[tuple[ArtifactLogged, int]]) -> int:
        writer = writer_of(self._tenant, "run", run.run_id)
        out = Segments(self._tenant, run.run_id, writer, writer, self._destination.take)
        count = say_whole(out, run, writer, self._source.points(run), files)
        out.close()
        self._note_clamped(run, out)
        if run.lifecycle == "deleted":
            self._say_lifecycle(run, "first", run.started_ms)
        self.tally.new_runs += 1
        return count

    def _say_difference(self, run: SourceRun, known: Known, files: list[tuple[ArtifactLogged, int]]) -> _Taken:
        document = read_document(self._store, known, run.document)
        before = taken_from(document)
        now_ms = self._now_ms()
        found = compare(run, known, document, files, writer_of(self._tenant, "run", run.run_id), now_ms)
        taken = _Taken(run, run.point_count, [record for record, _ in files], dict(before[1]["tags"]) if before else {})
        if found.is_empty:
            self.tally.unchanged_runs += 1
            return taken
        if known.details.run.is_locked:
            self.tally.problems.append(Problem(run.run_id, "it is locked here, and has changed where it came from"))
            return taken
        writer = writer_of(self._tenant, "again", run.run_id, found.seen)
        attempts = known.details.attempts
        attempt = attempts[-1].attempt_id if attempts else writer_of(self._tenant, "run", run.run_id)
        out = Segments(self._tenant, run.run_id, writer, attempt, self._destination.take)
        if found.has_points:
            say_missing_points(out, self._source, self._store, run, known)
        for record, time_ms in found.records:
            out.say(record, time_ms)
        out.close()
        self._note_clamped(run, out)
        if found.lifecycle_changed:
            self._say_lifecycle(run, found.seen, now_ms)
        self.tally.changed_runs += 1
        return taken

    def _say_lifecycle(self, run: SourceRun, when: str, time_ms: int) -> None:
        """Of a run that is deleted, or is not any more: that is the tenant's to say."""
        writer = writer_of(self._tenant, "lifecycle", run.run_id, when)
        out = Segments(self._tenant, None, writer, "", self._destination.take)
        out.say(RunLifecycleSet(run.run_id, run.lifecycle), time_ms)
        out.close()

    def _note_clamped(self, run: SourceRun, out: Segments) -> None:
        if out.clamped:
            self.tally.notices.append(
                f"run {run.run_id}: {out.clamped:,} times are before 1970 or after 2262 and became the nearest that can be kept"
            )
