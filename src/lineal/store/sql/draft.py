"""A run as a transaction changes it: what is known of it, and what is to be written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineal.model.entities import Attempt, Run, Stamp
from lineal.model.vocabulary import Lifecycle, Status
from lineal.store.contracts import RunStart
from lineal.store.rules import AttemptFacts, Ending, Opening, Rank, rank, run_of, status_of
from lineal.store.sql.captures import CapturesDraft
from lineal.store.sql.console import ConsoleDraft
from lineal.store.sql.database import Connection
from lineal.store.sql.params import ParamsDraft
from lineal.store.sql.settings import SettingsDraft
from lineal.store.sql.uses import UsesDraft

if TYPE_CHECKING:
    from lineal.series.columns import Block
    from lineal.store.sql.fresh import Source
    from lineal.store.sql.kept import Kept, KeptRun

ATTEMPT_COLUMNS = (
    "attempt_id, opened_ms, opened_writer, opened_seq, started_ms, experiment, name, user_id, attempt_user_id, host, pid,"
    " resumed, parent_run_id, forked_from, fork_step, content_digest, description, end_status, error, ended_ms,"
    " ended_writer, ended_seq, lost_ms, lost_writer, lost_seq, lost_last_ms, heard_ms"
)


class RunDraft:
    """`is_touched`: rows of its own were written that are not gathered here. `stands`: experiment and whether deleted, as
    its row says; `counted`: as the counters say. `numbers`: attempt id -> its number within the run. `points`: what was
    appended and not yet written, by (attempt id, writer), as (layout, rows). `last_seqs`: the highest sequence numbers that are
    known of sources."""

    def __init__(
        self, connection: Connection, run_id: str, pk: int, *, is_new: bool, kept: KeptRun | None = None
    ) -> None:
        self.run_id = run_id
        self.pk = pk
        self.is_new = is_new
        self.row_changed = is_new
        self.is_stale = kept is not None and kept.is_stale
        self.is_touched = is_new
        self.stands = self.counted = None if kept is None else kept.stands
        self.attempts: dict[str, AttemptFacts] = {} if kept is None else kept.attempts
        self.numbers: dict[str, int] = {} if kept is None else kept.numbers
        self.last_seqs: dict[Source, int] = {} if kept is None else kept.last_seqs
        self.attempts_changed: set[str] = set()
        self.settings = SettingsDraft(connection, "run", pk, is_new=is_new)
        self.params = ParamsDraft(connection, pk, self.numbers, is_new=is_new)
        self.uses = UsesDraft(connection, pk, is_new=is_new)
        self.captures = CapturesDraft(connection, pk, self.numbers, is_new=is_new)
        self.console = ConsoleDraft(connection, pk, is_new=is_new)
        self.points: dict[tuple[str, int], list[tuple[int, Block]]] = {}
        self.wants_compaction = False

    @classmethod
    def load(cls, connection: Connection, kept: Kept, tenant: int, run_id: str) -> RunDraft | None:
        """None if there is no such run."""
        known = kept.take_run(tenant, run_id)
        if known is not None:
            return cls(connection, run_id, known.pk, is_new=False, kept=known)
        row = connection.execute(
            "SELECT pk, is_stale, experiment, is_deleted FROM run WHERE tenant = ? AND run_id = ?", (tenant, run_id)
        ).fetchone()
        if row is None:
            return None
        pk, is_stale, experiment, is_deleted = row
        draft = cls(connection, run_id, pk, is_new=False)
        draft.is_stale = bool(is_stale)
        draft.stands = draft.counted = (experiment, bool(is_deleted))
        sql = f"SELECT number, {ATTEMPT_COLUMNS} FROM attempt WHERE run = ?"
        for number, *values in connection.execute(sql, (pk,)):
            facts = attempt_from_row(values)
            draft.attempts[facts.attempt_id] = facts
            draft.numbers[facts.attempt_id] = number
        return draft

    def attempt(self, attempt_id: str) -> AttemptFacts:
        """The attempt, known from now on."""
        facts = self.attempts.get(attempt_id)
        if facts is None:
            facts = self.attempts[attempt_id] = AttemptFacts(attempt_id)
            self.numbers[attempt_id] = len(self.numbers) + 1
            self.attempts_changed.add(attempt_id)
        return facts

    def rank(self, attempt_id: str) -> Rank:
        return rank(self.attempts.get(attempt_id), attempt_id)

    @property
    def status(self) -> Status:
        return status_of(self.attempts.values())

    @property
    def lifecycle(self) -> Lifecycle:
        said = self.settings.latest("lifecycle")
        return "deleted" if said is not None and said[1] == "deleted" else "active"

    @property
    def is_locked(self) -> bool:
        said = self.settings.latest("lock")
        return said is not None and said[1] == "locked"

    def run(self) -> Run:
        """As its row shall be, but for the experiment, which is named as it was said."""
        return run_of(
            self.run_id, self.attempts.values(), self.settings.latest("name"), self.lifecycle, _as_said, self.is_locked
        )


def _as_said(name: str) -> tuple[str, str]:
    return "", name


def attempt_from_row(values: list[object] | tuple[object, ...]) -> AttemptFacts:
    """From ATTEMPT_COLUMNS, in that order."""
    (attempt_id, opened_ms, opened_writer, opened_seq, started_ms, experiment, name, user_id, attempt_user_id) = values[
        :9
    ]
    host, pid, resumed, parent_run_id, forked_from, fork_step, content_digest, description = values[9:17]
    end_status, error, *stamps = values[17:]
    facts = AttemptFacts(attempt_id)  # type: ignore[arg-type]
    if opened_ms is not None:
        facts.opening = Opening(
            Attempt(attempt_id, started_ms, user_id=attempt_user_id, host=host, pid=pid, resumed=bool(resumed)),  # type: ignore[arg-type]
            RunStart(experiment, name, description, user_id, parent_run_id, forked_from, fork_step, content_digest),  # type: ignore[arg-type]
            Stamp(opened_ms, opened_writer, opened_seq),  # type: ignore[arg-type]
        )
    if stamps[0] is not None:
        facts.ending = Ending(end_status, error, Stamp(*stamps[:3]))  # type: ignore[arg-type]
    if stamps[3] is not None:
        facts.lost = Stamp(*stamps[3:6])  # type: ignore[arg-type]
    facts.lost_last_ms, facts.heard_ms = stamps[6:]  # type: ignore[assignment]
    return facts


def attempt_row(facts: AttemptFacts) -> tuple[object, ...]:
    """The values of ATTEMPT_COLUMNS."""
    opened: tuple[object, ...] = (None,) * 16
    if facts.opening is not None:
        attempt, start, stamp = facts.opening
        opened = (
            *stamp,
            attempt.started_ms,
            start.experiment,
            start.name,
            start.user_id,
            attempt.user_id,
            attempt.host,
            attempt.pid,
            attempt.resumed or None,
            start.parent_run_id,
            start.forked_from,
            start.fork_step,
            start.content_digest,
            start.description,
        )
    ending = facts.ending
    ended = (None,) * 5 if ending is None else (ending.status, ending.error, *ending.stamp)
    return (facts.attempt_id, *opened, *ended, *(facts.lost or (None,) * 3), facts.lost_last_ms, facts.heard_ms)
