"""Changes of one tenant, gathered run by run and written when the transaction ends.

What a statement changes is decided at once, from what the database and the transaction hold; that is what audit rows
need. Rows are written by `flush`, because a run is told a dozen things in a row and should cost one write of each row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lineal.model.console import ConsoleLines
from lineal.model.entities import Artifact, Attempt, Cursor, KeptAnswer, Layout, MetricDefinition, Stamp
from lineal.model.limits import INGEST_TRANSACTION_BYTES
from lineal.model.values import ParamValue, to_json
from lineal.model.vocabulary import EndStatus, Lifecycle, Status
from lineal.store.audit import Action, digest_of
from lineal.store.contracts import RunStart
from lineal.store.rules import Ending, Opening, ended_at, say_params
from lineal.store.sql.answers import delete_answers, read_answer, write_answer
from lineal.store.sql.audit import insert_audit
from lineal.store.sql.captures import SqlCaptureWriter
from lineal.store.sql.cursors import find_writer, read_leases
from lineal.store.sql.database import Connection
from lineal.store.sql.draft import RunDraft
from lineal.store.sql.experiments import ExperimentDraft
from lineal.store.sql.flush import flush_runs, upsert
from lineal.store.sql.kept import Kept
from lineal.store.sql.lineage_writer import SqlLineageWriter
from lineal.store.sql.logged_models import ModelDraft
from lineal.store.sql.loose_files import SqlLooseFileWriter
from lineal.store.sql.names import Names
from lineal.store.sql.registry import SqlRegistryWriter
from lineal.store.sql.renames import add_claim, derive_names
from lineal.store.sql.webhooks import SqlOutbox, SqlWebhookWriter

if TYPE_CHECKING:
    from lineal.series.columns import Block

# Of writers that are there: an INSERT takes many at once.
_CURSOR_UPSERT = upsert(
    "writer",
    ["pk"],
    ["run", "run_id", "seq", "segment", "byte_offset", "attempt", "is_primary", "host", "pid", "lease_until_ms"],
    fixed=["tenant", "name"],
)


class SqlWriter(SqlLineageWriter, SqlLooseFileWriter, SqlCaptureWriter):
    """See `contracts.TenantWriter`."""

    def __init__(
        self,
        connection: Connection,
        names: Names,
        kept: Kept,
        tenant: int,
        tenant_name: str,
        change_number: int,
        now_ms: Callable[[], int],
    ) -> None:
        self._connection = connection
        self._names = names
        self._kept = kept
        self._tenant = tenant
        self._tenant_name = tenant_name
        self._change_number = change_number
        self._runs: dict[str, RunDraft] = {}
        self._experiments: dict[str, ExperimentDraft] = {}
        self._models: dict[str, ModelDraft] = {}
        self._cursors: dict[str, Cursor] = {}
        self._cursors_read: dict[str, Cursor | None] = {}
        self._layouts: dict[tuple[str, int], Layout] = {}
        self._audit_rows: list[tuple[Any, ...]] = []
        self._renamed = False
        self._outbox = SqlOutbox(connection, tenant, tenant_name, now_ms)
        self._actor: str | None = None
        self._pending_bytes = 0
        self.frees_pages = False

    # -- cursors -------------------------------------------------------------------------------------------

    def find_cursor(self, writer: str) -> Cursor | None:
        if writer not in self._cursors_read:
            known = self._kept.find_cursor(self._tenant, writer)
            if known is None:
                pk, known = find_writer(self._connection, self._tenant, writer)
                self._names.keep_writer(self._tenant, writer, pk)
            self._cursors_read[writer] = known
        return self._cursors.get(writer) or self._cursors_read[writer]

    def set_cursor(self, cursor: Cursor) -> None:
        if cursor == self.find_cursor(cursor.writer):
            return
        self._cursors[cursor.writer] = cursor
        if cursor.run_id in self._runs:
            self._runs[cursor.run_id].is_touched = True  # so that other processes hear of the sequence numbers used

    def list_leases(self, run_id: str) -> list[Cursor]:
        found = {one.writer: one for one in read_leases(self._connection, self._tenant, run_id)}
        found |= {one.writer: one for one in self._cursors.values() if one.run_id == run_id}
        return [found[writer] for writer in sorted(found) if found[writer].lease_until_ms is not None]

    def _cursor_row(self, cursor: Cursor) -> tuple[object, ...]:
        pk = self._names.writer(self._tenant, cursor.writer)
        run, run_id = None, cursor.run_id
        if run_id is not None:
            draft = self._runs.get(run_id)
            run = draft.pk if draft is not None else self._find_run(run_id)
        place = cursor.seq, cursor.segment, cursor.offset
        return (
            pk,
            self._tenant,
            cursor.writer,
            run,
            None if run is not None else run_id,
            *place,
            *(cursor.head or (None,) * 4),
            cursor.lease_until_ms,
        )

    # -- audit ---------------------------------------------------------------------------------------------

    def speak_for(self, actor: str | None) -> None:
        self._actor = actor

    # -- registered models ---------------------------------------------------------------------------------

    def registry(self) -> SqlRegistryWriter:
        return SqlRegistryWriter(self._connection, self._tenant, self.audit_subject, lambda: self._actor, self._outbox)

    def webhooks(self) -> SqlWebhookWriter:
        return SqlWebhookWriter(self._connection, self._tenant, self.audit_subject, self._outbox)

    # -- answers -------------------------------------------------------------------------------------------

    def find_answer(self, key: str) -> KeptAnswer | None:
        return read_answer(self._connection, self._tenant, key)

    def keep_answer(self, answer: KeptAnswer) -> None:
        write_answer(self._connection, self._tenant, answer)

    def forget_answers(self, before_ms: int) -> None:
        delete_answers(self._connection, self._tenant, before_ms)

    # -- experiments ---------------------------------------------------------------------------------------

    def ensure_experiment(self, name: str, stamp: Stamp) -> str:
        experiment = self._experiment(name)
        if experiment.mention(stamp.time_ms):
            self._audit_experiment("experiment.ensure", experiment, stamp, {"name": name})
        return experiment.experiment_id

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
        experiment = self._experiment(name)
        changed = experiment.mention(stamp.time_ms)
        given = {"description": description, "artifact_location": artifact_location, "lifecycle": lifecycle}
        for kind, value in given.items():
            if value is not None:
                changed |= experiment.settings.say(kind, "", stamp, value)
        for key, tag in (tags or {}).items():
            changed |= experiment.settings.say("tag", key, stamp, tag)
        if changed:
            values = {"name": name, **given, "tags": dict(tags or {})}
            self._audit_experiment("experiment.set", experiment, stamp, values)
        return experiment.experiment_id

    def rename_experiment(self, name: str, new_name: str, stamp: Stamp) -> None:
        experiment = self._experiment(name)
        changed = experiment.mention(stamp.time_ms)
        self._experiment(new_name)  # so that the name is among those that are looked up
        if add_claim(self._connection, self._tenant, experiment.pk, new_name, stamp) or changed:
            self._renamed = True
            self._audit_experiment("experiment.rename", experiment, stamp, {"name": name, "new_name": new_name})

    # -- runs ----------------------------------------------------------------------------------------------

    def start_attempt(self, run_id: str, attempt: Attempt, start: RunStart, stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        self._experiment(start.experiment).mention(stamp.time_ms)
        facts = run.attempt(attempt.attempt_id)
        if facts.open(Opening(attempt, start, stamp)):
            run.attempts_changed.add(attempt.attempt_id)
            values = {"attempt": asdict(attempt), "start": start._asdict()}
            self.audit_run("attempt.start", run, stamp, values)

    def end_attempt(
        self,
        run_id: str,
        attempt_id: str,
        status: EndStatus,
        error: str | None,
        stamp: Stamp,
        ended_ms: int | None = None,
    ) -> None:
        run = self.draft_run(run_id)
        if run.attempt(attempt_id).end(Ending(status, error, ended_at(stamp, ended_ms))):
            run.attempts_changed.add(attempt_id)
            values = {"attempt": attempt_id, "status": status, "error": error}
            self.audit_run("attempt.end", run, stamp, values)

    def lose_attempt(self, run_id: str, attempt_id: str, stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        if run.attempt(attempt_id).lose(stamp):
            run.attempts_changed.add(attempt_id)
            self.audit_run("attempt.lose", run, stamp, {"attempt": attempt_id})

    def regain_attempt(self, run_id: str, attempt_id: str, stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        if run.attempt(attempt_id).regain(stamp):
            run.attempts_changed.add(attempt_id)
            self.audit_run("attempt.regain", run, stamp, {"attempt": attempt_id})

    def find_status(self, run_id: str, attempt_id: str) -> Status | None:
        run = self._load_run(run_id)
        facts = None if run is None else run.attempts.get(attempt_id)
        return None if facts is None else facts.status

    def set_params(self, run_id: str, attempt_id: str, params: Mapping[str, ParamValue], stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        run.attempt(attempt_id)
        fresh = say_params(run.params.of(attempt_id), params, stamp)
        if fresh:
            run.params.fresh.append((attempt_id, stamp, fresh))
            self.audit_run("params.set", run, stamp, {"attempt": attempt_id, "params": dict(params)})

    def set_tags(self, run_id: str, tags: Mapping[str, str | None], stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        changed = [key for key, value in tags.items() if run.settings.say("tag", key, stamp, value)]
        if changed:
            self.audit_run("tags.set", run, stamp, {"tags": dict(tags)})

    def set_note(self, run_id: str, text: str, stamp: Stamp) -> None:
        self._set(run_id, "note", "", text, stamp, "note.set", {"text": text})

    def set_name(self, run_id: str, name: str, stamp: Stamp) -> None:
        self._set(run_id, "name", "", name, stamp, "name.set", {"name": name})

    def set_document(self, run_id: str, name: str, json_text: str, stamp: Stamp) -> None:
        values = {"name": name, "json": json_text}
        self._set(run_id, "document", name, json_text, stamp, "document.set", values)

    def set_lifecycle(self, run_id: str, lifecycle: Lifecycle, stamp: Stamp) -> None:
        self._set(run_id, "lifecycle", "", lifecycle, stamp, "lifecycle.set", {"lifecycle": lifecycle})

    def set_lock(self, run_id: str, locked: bool, stamp: Stamp) -> None:
        self._set(run_id, "lock", "", "locked" if locked else "open", stamp, "lock.set", {"locked": locked})

    def is_locked(self, run_id: str) -> bool:
        draft = self._runs.get(run_id)
        if draft is not None:
            return draft.is_locked
        row = self._connection.execute(
            "SELECT is_locked FROM run WHERE tenant = ? AND run_id = ?", (self._tenant, run_id)
        ).fetchone()
        return row is not None and bool(row[0])

    def define_metric(self, run_id: str, definition: MetricDefinition, stamp: Stamp) -> None:
        values = asdict(definition)
        self._set(run_id, "metric", definition.name, to_json(values), stamp, "metric.define", values)

    def _set(
        self, run_id: str, kind: str, name: str, value: str, stamp: Stamp, action: Action, values: dict[str, Any]
    ) -> None:
        run = self.draft_run(run_id)
        if run.settings.say(kind, name, stamp, value):
            self.audit_run(action, run, stamp, values)

    def add_artifact(self, run_id: str, artifact: Artifact, stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        a = artifact
        added = self._connection.execute(
            "INSERT INTO artifact (run, path, time_ms, writer, seq, size_bytes, digest, uri, media_type, logged_ms)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (run.pk, a.path, *stamp, a.size_bytes, a.digest, a.uri, a.media_type, a.logged_ms),
        )
        if added.rowcount:
            run.is_touched = True
            self.audit_run("artifact.add", run, stamp, {**asdict(artifact), "version": None})

    def add_loss(self, run_id: str, reason: str, count: int, stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        added = self._connection.execute(
            "INSERT INTO loss (run, time_ms, writer, seq, reason, point_count) VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            (run.pk, *stamp, reason, count),
        )
        if added.rowcount:
            run.is_touched = True
            self.audit_run("loss.add", run, stamp, {"reason": reason, "count": count})

    # -- points --------------------------------------------------------------------------------------------

    def define_layout(self, run_id: str, writer: str, number: int, layout: Layout) -> None:
        self.draft_run(run_id)
        pks = self._names.writer(self._tenant, writer), number, self._names.layout(self._tenant, layout)
        self._connection.execute(
            "INSERT INTO writer_layout (writer, number, layout) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", pks
        )

    def find_layout(self, writer: str, number: int) -> Layout | None:
        known = self._layouts.get((writer, number))  # the layouts of a writer never change
        if known is None:
            pk = self._names.find_writer(self._tenant, writer)
            row = self._connection.execute(
                "SELECT layout FROM writer_layout WHERE writer = ? AND number = ?", (pk, number)
            ).fetchone()
            if row is None:
                return None
            known = self._layouts[writer, number] = self._names.layout_of(row[0])
        return known

    def keep_orphans(self, run_id: str, writer: str, number: int, payload: bytes, count: int) -> None:
        run = self.draft_run(run_id)
        self._connection.execute(
            "INSERT INTO orphan (writer, number, run, point_count, payload) VALUES (?, ?, ?, ?, ?)",
            (self._names.writer(self._tenant, writer), number, run.pk, count, payload),
        )

    def take_orphans(self, writer: str, number: int) -> list[bytes]:
        pk = self._names.find_writer(self._tenant, writer)
        found = self._connection.execute(
            "SELECT pk, payload FROM orphan WHERE writer = ? AND number = ? ORDER BY pk", (pk, number)
        ).fetchall()
        self._connection.executemany("DELETE FROM orphan WHERE pk = ?", [(pk,) for pk, _ in found])
        return [payload for _, payload in found]

    def append_points(self, run_id: str, writer: str, attempt_id: str, blocks: Sequence[Block]) -> None:
        run = self.draft_run(run_id)
        run.attempt(attempt_id)
        writer_pk = self._names.writer(self._tenant, writer)
        for block in blocks:
            if len(block):
                layout = self._names.layout(self._tenant, block.layout)
                run.points.setdefault((attempt_id, writer_pk), []).append((layout, block))
                run.uses.model_ids.update(self._names.known_layout(layout).models)
                self.gather(8 * len(block) * (3 + len(block.values)))

    def append_console(self, run_id: str, attempt_id: str, lines: ConsoleLines, stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        run.attempt(attempt_id)
        if run.console.append(attempt_id, lines, stamp):
            run.is_touched = True

    def compact(self, run_id: str) -> None:
        run = self._load_run(run_id)
        if run is not None:
            run.wants_compaction = True

    # -- inside --------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Writes everything gathered. The caller commits."""
        self._flush_runs()
        for model in self._models.values():
            model.flush(lambda name: self._experiment(name).pk)
        derives = self._renamed or any(experiment.is_changed for experiment in self._experiments.values())
        for experiment in self._experiments.values():
            experiment.flush(self._connection)
        if derives:
            derive_names(self._connection, self._tenant, self._change_number)
        self._connection.executemany(_CURSOR_UPSERT, [self._cursor_row(cursor) for cursor in self._cursors.values()])
        if self._audit_rows:
            insert_audit(self._connection, self._tenant, self._audit_rows)
        self._kept.keep_runs(self._tenant, self._runs.values())
        self._kept.keep_cursors(self._tenant, {**self._cursors_read, **self._cursors})

    def _flush_runs(self) -> None:
        self.frees_pages |= flush_runs(
            self._connection,
            self._names,
            self._tenant,
            self._runs.values(),
            lambda name: self._experiment(name).pk,
            self._change_number,
        )
        self._pending_bytes = 0

    def gather(self, size_bytes: int) -> None:
        """So much more waits to be written; there is a bound to that."""
        self._pending_bytes += size_bytes
        if self._pending_bytes > INGEST_TRANSACTION_BYTES:
            self._flush_runs()

    def draft_run(self, run_id: str) -> RunDraft:
        """The run, made by being mentioned."""
        run = self._runs.get(run_id)
        if run is None:
            run = self._load_run(run_id)
        if run is None:
            run = self._runs[run_id] = RunDraft(self._connection, run_id, self._names.next_run(), is_new=True)
        return run

    def find_model(self, model_id: str) -> ModelDraft | None:
        if model_id not in self._models:
            model = ModelDraft.find(self._connection, self._tenant, model_id)
            if model is None:
                return None
            self._models[model_id] = model
        return self._models[model_id]

    def make_model(self, model_id: str) -> ModelDraft:
        self._models[model_id] = ModelDraft.make(self._connection, self._tenant, model_id)
        return self._models[model_id]

    def mention_experiment(self, name: str, stamp: Stamp) -> bool:
        return self._experiment(name).mention(stamp.time_ms)

    def _load_run(self, run_id: str) -> RunDraft | None:
        run = self._runs.get(run_id) or RunDraft.load(self._connection, self._kept, self._tenant, run_id)
        if run is not None:
            self._runs[run_id] = run
        return run

    def _find_run(self, run_id: str) -> int | None:
        known = self._kept.run_pk(self._tenant, run_id)
        if known is not None:
            return known
        row = self._connection.execute(
            "SELECT pk FROM run WHERE tenant = ? AND run_id = ?", (self._tenant, run_id)
        ).fetchone()
        return None if row is None else int(row[0])

    def _experiment(self, name: str) -> ExperimentDraft:
        experiment = self._experiments.get(name)
        if experiment is None:
            pk = self._names.experiment(self._tenant, self._tenant_name, name)
            experiment = self._experiments[name] = ExperimentDraft(self._connection, pk)
        return experiment

    def audit_run(self, action: Action, run: RunDraft, stamp: Stamp, values: dict[str, Any]) -> None:
        self._audit(action, run.pk, None, stamp, values)

    def _audit_experiment(
        self, action: Action, experiment: ExperimentDraft, stamp: Stamp, values: dict[str, Any]
    ) -> None:
        self._audit(action, None, experiment.pk, stamp, values)

    def audit_subject(self, action: Action, subject: str, stamp: Stamp, values: dict[str, Any]) -> None:
        """About what is neither a run nor an experiment."""
        self._audit(action, None, None, stamp, values, subject)

    def _audit(
        self,
        action: Action,
        run: int | None,
        experiment: int | None,
        stamp: Stamp,
        values: dict[str, Any],
        subject: str | None = None,
    ) -> None:
        writer = self._names.writer(self._tenant, stamp.writer)
        row = (stamp.time_ms, writer, stamp.seq, action, run, experiment, subject, digest_of(values), self._actor)
        self._audit_rows.append(row)
