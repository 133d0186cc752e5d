"""The reference: a store of dicts. It keeps what was said and works out every answer anew; nothing here is fast."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from lineal.model import ids
from lineal.model.console import ConsoleLines
from lineal.model.entities import Artifact, Attempt, Cursor, KeptAnswer, Layout, MetricDefinition, Stamp
from lineal.model.limits import AUDIT_LINK_MAX_COUNT
from lineal.model.values import ParamValue, to_json
from lineal.model.vocabulary import EndStatus, Lifecycle, Status
from lineal.series.columns import Block
from lineal.store import chain
from lineal.store.audit import Action, digest_of
from lineal.store.console import ConsoleBlock
from lineal.store.contracts import AuditRow, RunStart
from lineal.store.memory_captures import MemoryCaptureWriter
from lineal.store.memory_lineage import MemoryLineageWriter
from lineal.store.memory_loose_files import MemoryLooseFileWriter
from lineal.store.memory_people import MemoryPeopleReader, MemoryPeopleWriter, PeopleState
from lineal.store.memory_reader import MemoryReader
from lineal.store.memory_registry import MemoryRegistryWriter
from lineal.store.memory_state import ExperimentFacts, RunState, State, TenantState, set_later
from lineal.store.memory_webhooks import MemoryOutbox, MemoryWebhookWriter
from lineal.store.people import SERVER
from lineal.store.renames import Claim
from lineal.store.rules import Ending, Opening, after, ended_at, say_params


class MemoryStore:
    """See `contracts.Store`. Lives as long as the process."""

    def __init__(self) -> None:
        self._state = State()
        self._lock = threading.Lock()
        self._owner: int | None = None
        self._closed = False
        self._heard: list[Callable[[], None]] = []

    @contextmanager
    def begin(self) -> Iterator[MemoryTransaction]:
        self.check_open()
        if self._owner == threading.get_ident():
            raise RuntimeError("this thread is in a transaction already")
        with self._lock:
            self._owner = threading.get_ident()
            try:
                transaction = MemoryTransaction(self._state)
                yield transaction
                self._state = transaction.result()
                transaction.change_number = self._state.change_number
                for heard in self._heard:
                    heard()
            finally:
                self._owner = None

    def size_bytes(self) -> int:
        return 0

    def tenant(self, name: str) -> MemoryReader:
        return MemoryReader(self, name)

    def people(self) -> MemoryPeopleReader:
        return MemoryPeopleReader(self._people)

    def _people(self) -> PeopleState:
        self.check_open()
        return self._state.people

    def list_tenants(self) -> list[str]:
        self.check_open()
        return sorted(name for name in self._state.tenants if name != SERVER)

    def list_due(self) -> dict[str, int]:
        self.check_open()
        due = [(tenant.webhooks.due_ms(), name) for name, tenant in self._state.tenants.items()]
        return {name: due_ms for due_ms, name in sorted((one, name) for one, name in due if one is not None)}

    def change_number(self) -> int:
        self.check_open()
        return self._state.change_number

    @contextmanager
    def listening(self, heard: Callable[[], None]) -> Iterator[None]:
        self._heard.append(heard)
        try:
            yield
        finally:
            self._heard.remove(heard)

    def close(self) -> None:
        self._closed = True

    def committed(self, tenant: str) -> TenantState:
        """What readers see."""
        self.check_open()
        return self._state.tenants.get(tenant) or TenantState(tenant)

    def check_open(self) -> None:
        if self._closed:
            raise RuntimeError("this store is closed")


class MemoryTransaction:
    """See `contracts.Transaction`."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._last_ms = state.last_ms
        self._given_ms = 0
        self.change_number = state.change_number
        self._writers: dict[str, MemoryWriter] = {}
        self._link_count = 0
        self._people: MemoryPeopleWriter | None = None

    def people(self) -> MemoryPeopleWriter:
        if self._people is None:
            self._people = MemoryPeopleWriter(self._state.people.copy(), self._audit, self.tenant)
        return self._people

    def _audit(self, tenant: str, action: Action, subject: str, said: Stamp, values: dict[str, Any]) -> None:
        self._writer(tenant).audit(action, subject, said, values)

    def link_audit(self, limit: int = AUDIT_LINK_MAX_COUNT) -> None:
        self._link_count = max(self._link_count, limit)

    def find_mark(self, server: str) -> int:
        cursor = self._writer(SERVER).find_cursor(server)
        return 0 if cursor is None else cursor.seq

    def set_mark(self, server: str, number: int) -> None:
        self._writer(SERVER).set_cursor(Cursor(server, None, number, 0, 0))

    def stamp_ms(self, now_ms: int) -> int:
        self._last_ms = self._given_ms = after(self._last_ms, now_ms)
        return self._last_ms

    def tenant(self, name: str) -> MemoryWriter:
        ids.check_tenant(name)
        return self._writer(name)

    def _writer(self, name: str) -> MemoryWriter:
        if name not in self._writers:
            known = self._state.tenants.get(name)
            mine = known.copy() if known else TenantState(name)
            self._writers[name] = MemoryWriter(mine, known is None, lambda: self._given_ms)
        return self._writers[name]

    def result(self) -> State:
        if self._link_count:
            for name, tenant in self._state.tenants.items():
                if name not in self._writers and tenant.audit and tenant.audit[-1].hash is None:
                    self._writers[name] = MemoryWriter(tenant.copy(), is_new=False)
            for writer in self._writers.values():
                writer.link(self._link_count)
        people = self._people
        if not any(writer.changed for writer in self._writers.values()) and not (people and people.changed):
            return self._state
        number = self._state.change_number + 1
        for writer in self._writers.values():
            runs = writer.state.runs if writer.renamed else writer.touched
            writer.state.changed_in.update(dict.fromkeys(runs, number))
        changed = {name: writer.state for name, writer in self._writers.items()}
        kept = people.state if people else self._state.people
        return State({**self._state.tenants, **changed}, number, kept, self._last_ms)


class MemoryWriter(MemoryLineageWriter, MemoryLooseFileWriter, MemoryCaptureWriter):
    """See `contracts.TenantWriter`."""

    def __init__(self, state: TenantState, is_new: bool, now_ms: Callable[[], int] = lambda: 0) -> None:
        self.state = state
        self._now_ms = now_ms
        self.changed = is_new
        self.touched: set[str] = set()
        self.renamed = False
        self._actor: str | None = None

    # -- cursors -------------------------------------------------------------------------------------------

    def find_cursor(self, writer: str) -> Cursor | None:
        return self.state.cursors.get(writer)

    def set_cursor(self, cursor: Cursor) -> None:
        self.changed |= self.state.cursors.get(cursor.writer) != cursor
        self.state.cursors[cursor.writer] = cursor

    # -- audit ---------------------------------------------------------------------------------------------

    def speak_for(self, actor: str | None) -> None:
        self._actor = actor

    def link(self, limit: int) -> None:
        """The transaction ends."""
        rows = self.state.audit
        first = next((place for place, row in enumerate(rows) if row.hash is None), len(rows))
        previous = bytes.fromhex(rows[first - 1].hash or "") if first else chain.START
        for place in range(first, min(first + limit, len(rows))):
            previous = chain.link(previous, self.state.name, rows[place])
            rows[place] = rows[place]._replace(hash=previous.hex())
            self.changed = True

    # -- registered models ---------------------------------------------------------------------------------

    def registry(self) -> MemoryRegistryWriter:
        outbox = MemoryOutbox(self.state.webhooks, self.state.name, self._now_ms)
        return MemoryRegistryWriter(self.state.registry, self.audit, lambda: self._actor, outbox)

    def webhooks(self) -> MemoryWebhookWriter:
        return MemoryWebhookWriter(self.state.webhooks, self.audit, self._touch)

    def _touch(self) -> None:
        self.changed = True

    # -- answers -------------------------------------------------------------------------------------------

    def find_answer(self, key: str) -> KeptAnswer | None:
        return self.state.answers.get(key)

    def keep_answer(self, answer: KeptAnswer) -> None:
        self.changed |= self.state.answers.get(answer.key) != answer
        self.state.answers[answer.key] = answer

    def forget_answers(self, before_ms: int) -> None:
        kept = {key: answer for key, answer in self.state.answers.items() if answer.time_ms >= before_ms}
        self.changed |= len(kept) != len(self.state.answers)
        self.state.answers = kept

    # -- experiments ---------------------------------------------------------------------------------------

    def ensure_experiment(self, name: str, stamp: Stamp) -> str:
        if self.mention_experiment(name, stamp):
            self.audit("experiment.ensure", self._experiment_id(name), stamp, {"name": name})
        return self._experiment_id(name)

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
        changed = self.mention_experiment(name, stamp)
        given = {"description": description, "artifact_location": artifact_location, "lifecycle": lifecycle}
        settings = self.state.experiments[name].settings
        for kind, value in given.items():
            if value is not None:
                changed |= set_later(settings, kind, "", stamp, value)
        for key, tag in (tags or {}).items():
            changed |= set_later(settings, "tag", key, stamp, tag)
        if changed:
            values = {"name": name, **given, "tags": dict(tags or {})}
            self.audit("experiment.set", self._experiment_id(name), stamp, values)
        return self._experiment_id(name)

    def rename_experiment(self, name: str, new_name: str, stamp: Stamp) -> None:
        changed = self.mention_experiment(name, stamp)
        known = self.state.claims.get((name, new_name))
        first, last = (stamp, stamp) if known is None else (min(known.first, stamp), max(known.last, stamp))
        claim = Claim(name, new_name, first, last)
        if changed or claim != known:
            self.state.claims[name, new_name] = claim
            self.renamed = True
            values = {"name": name, "new_name": new_name}
            self.audit("experiment.rename", self._experiment_id(name), stamp, values)

    def _experiment_id(self, name: str) -> str:
        return ids.experiment_id(self.state.name, name)

    def mention_experiment(self, name: str, stamp: Stamp) -> bool:
        facts = self.state.experiments.setdefault(name, ExperimentFacts())
        if facts.created_ms is not None and facts.created_ms <= stamp.time_ms:
            return False
        facts.created_ms = stamp.time_ms
        self.changed = True
        return True

    # -- runs ----------------------------------------------------------------------------------------------

    def start_attempt(self, run_id: str, attempt: Attempt, start: RunStart, stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        self.mention_experiment(start.experiment, stamp)
        if run.attempt(attempt.attempt_id).open(Opening(attempt, start, stamp)):
            values = {"attempt": asdict(attempt), "start": start._asdict()}
            self.audit("attempt.start", run_id, stamp, values)

    def end_attempt(
        self,
        run_id: str,
        attempt_id: str,
        status: EndStatus,
        error: str | None,
        stamp: Stamp,
        ended_ms: int | None = None,
    ) -> None:
        if self.draft_run(run_id).attempt(attempt_id).end(Ending(status, error, ended_at(stamp, ended_ms))):
            values = {"attempt": attempt_id, "status": status, "error": error}
            self.audit("attempt.end", run_id, stamp, values)

    def lose_attempt(self, run_id: str, attempt_id: str, stamp: Stamp) -> None:
        if self.draft_run(run_id).attempt(attempt_id).lose(stamp):
            self.audit("attempt.lose", run_id, stamp, {"attempt": attempt_id})

    def regain_attempt(self, run_id: str, attempt_id: str, stamp: Stamp) -> None:
        if self.draft_run(run_id).attempt(attempt_id).regain(stamp):
            self.audit("attempt.regain", run_id, stamp, {"attempt": attempt_id})

    def find_status(self, run_id: str, attempt_id: str) -> Status | None:
        facts = self.state.runs[run_id].attempts.get(attempt_id) if run_id in self.state.runs else None
        return None if facts is None else facts.status

    def list_leases(self, run_id: str) -> list[Cursor]:
        found = [one for one in self.state.cursors.values() if one.run_id == run_id and one.lease_until_ms is not None]
        return sorted(found, key=lambda cursor: cursor.writer)

    def set_params(self, run_id: str, attempt_id: str, params: Mapping[str, ParamValue], stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        run.attempt(attempt_id)
        if say_params(run.params.setdefault(attempt_id, {}), params, stamp):
            self.audit("params.set", run_id, stamp, {"attempt": attempt_id, "params": dict(params)})

    def set_tags(self, run_id: str, tags: Mapping[str, str | None], stamp: Stamp) -> None:
        settings = self.draft_run(run_id).settings
        changed = [key for key, value in tags.items() if set_later(settings, "tag", key, stamp, value)]
        if changed:
            self.audit("tags.set", run_id, stamp, {"tags": dict(tags)})

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
        run = self.state.runs.get(run_id)
        return run is not None and run.is_locked

    def define_metric(self, run_id: str, definition: MetricDefinition, stamp: Stamp) -> None:
        values = asdict(definition)
        self._set(run_id, "metric", definition.name, to_json(values), stamp, "metric.define", values)

    def _set(
        self, run_id: str, kind: str, name: str, value: str, stamp: Stamp, action: Action, values: dict[str, Any]
    ) -> None:
        if set_later(self.draft_run(run_id).settings, kind, name, stamp, value):
            self.audit(action, run_id, stamp, values)

    def add_artifact(self, run_id: str, artifact: Artifact, stamp: Stamp) -> None:
        artifacts = self.draft_run(run_id).artifacts
        if (artifact.path, stamp) not in artifacts:
            artifacts[artifact.path, stamp] = artifact
            self.audit("artifact.add", run_id, stamp, {**asdict(artifact), "version": None})

    def add_loss(self, run_id: str, reason: str, count: int, stamp: Stamp) -> None:
        losses = self.draft_run(run_id).losses
        if (stamp, reason) not in losses:
            losses[stamp, reason] = count
            self.audit("loss.add", run_id, stamp, {"reason": reason, "count": count})

    # -- points --------------------------------------------------------------------------------------------

    def define_layout(self, run_id: str, writer: str, number: int, layout: Layout) -> None:
        self.draft_run(run_id)
        self.changed |= (writer, number) not in self.state.layouts
        self.state.layouts.setdefault((writer, number), layout)

    def find_layout(self, writer: str, number: int) -> Layout | None:
        return self.state.layouts.get((writer, number))

    def keep_orphans(self, run_id: str, writer: str, number: int, payload: bytes, count: int) -> None:
        self.draft_run(run_id)
        self.state.orphans.setdefault((writer, number), []).append(payload)
        self.changed = True

    def take_orphans(self, writer: str, number: int) -> list[bytes]:
        taken = self.state.orphans.pop((writer, number), [])
        self.changed |= bool(taken)
        return taken

    def append_points(self, run_id: str, writer: str, attempt_id: str, blocks: Sequence[Block]) -> None:
        run = self.draft_run(run_id)
        run.attempt(attempt_id)
        run.points += [(attempt_id, writer, block) for block in blocks]
        self.changed |= bool(blocks)

    def append_console(self, run_id: str, attempt_id: str, lines: ConsoleLines, stamp: Stamp) -> None:
        run = self.draft_run(run_id)
        run.attempt(attempt_id)
        if stamp.seq > run.console_seqs.get(stamp.writer, -1):
            run.console_seqs[stamp.writer] = stamp.seq
            run.console.append(ConsoleBlock(run.console_line_count + 1, attempt_id, lines))
            self.changed = True

    def compact(self, run_id: str) -> None:
        """There is nothing to bring up to date."""

    # -- inside --------------------------------------------------------------------------------------------

    def draft_run(self, run_id: str) -> RunState:
        """The run, made by being mentioned, as a copy that this transaction may change."""
        if run_id not in self.touched:
            self.touched.add(run_id)
            known = self.state.runs.get(run_id)
            self.changed |= known is None
            self.state.runs[run_id] = RunState() if known is None else known.copy()
        return self.state.runs[run_id]

    def audit(self, action: Action, subject: str, stamp: Stamp, values: dict[str, Any]) -> None:
        number = len(self.state.audit) + 1
        digest = digest_of(values).hex()
        row = AuditRow(number, stamp.time_ms, stamp.writer, stamp.seq, action, subject, digest, self._actor)
        self.state.audit.append(row)
        self.changed = True
