"""The door of requests: validates, may refuse, then applies in one transaction. The journal's door is `replay`.

Each caller is a writer of its own: `Submitter` numbers its statements and moves its cursor with them, so that a submission
repeated under the same sequence is answered as before and changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from lineal.ingest.apply import Context, apply
from lineal.model.clock import SYSTEM_CLOCK, Clock
from lineal.model.entities import Cursor, Stamp
from lineal.model.errors import Conflict
from lineal.model.values import ParamValue, value_text
from lineal.record.records import AttemptStarted, ParamsSet, Record
from lineal.store.contracts import Store, TenantReader


class Submitter:
    """One writer's submissions to one tenant."""

    def __init__(self, store: Store, tenant: str, writer: str, *, clock: Clock = SYSTEM_CLOCK) -> None:
        self._store = store
        self._tenant = tenant
        self._writer = writer
        self._clock = clock

    def submit(self, run_id: str | None, records: Sequence[Record], *, first_seq: int | None = None) -> int:
        """Applies all of the records or none, durably, and returns the last one's sequence number.

        first_seq  the sequence of the first record, if the caller repeats an earlier submission; else the next one

        Raises NotFound for a run that does not exist, Conflict for a deleted run and for a param that has another value."""
        reader = self._store.tenant(self._tenant)
        cursor = reader.find_cursor(self._writer) or Cursor(self._writer, run_id, 0, 0, 0)
        seq = cursor.seq + 1 if first_seq is None else first_seq
        fresh = [(seq + index, record) for index, record in enumerate(records) if seq + index > cursor.seq]
        if not fresh:
            return cursor.seq
        self._check(reader, run_id, [record for _, record in fresh])
        time_ms = self._clock.time_ns() // 1_000_000
        with self._store.begin() as transaction:
            store = transaction.tenant(self._tenant)
            for number, record in fresh:
                apply(Context(store, run_id), record, Stamp(time_ms, self._writer, number))
            store.set_cursor(cursor._replace(seq=fresh[-1][0]))
            if run_id is not None:
                store.compact(run_id)
        return fresh[-1][0]

    @staticmethod
    def _check(reader: TenantReader, run_id: str | None, records: Sequence[Record]) -> None:
        if run_id is None or isinstance(records[0], AttemptStarted):
            return
        details = reader.get_details(run_id)
        if details.run.lifecycle == "deleted":
            raise Conflict(f"run {run_id!r} is deleted: restore it first", field="run_id")
        known: dict[str, ParamValue] = dict(details.params)
        for record in records:
            if isinstance(record, ParamsSet):
                for name, value in record.params.items():
                    first = known.setdefault(name, value)
                    if value_text(first) != value_text(value):
                        raise Conflict(f"param {name!r} has the value {first!r} already", field=f"params.{name}")
