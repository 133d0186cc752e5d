"""What the writing connection remembers of runs and writers between two transactions.

To give a run one more batch, a transaction would ask for its row, its attempts, its last sequence number and its writer's
cursor: four round trips, to learn what our last transaction left there. It is so as long as nobody else has written since,
which the change number tells (docs/adr/0014-several-servers.md), and of what was undone nothing is kept."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from lineal.model.limits import RUNS_KNOWN_MAX_COUNT

if TYPE_CHECKING:
    from lineal.model.entities import Cursor
    from lineal.store.rules import AttemptFacts
    from lineal.store.sql.draft import RunDraft
    from lineal.store.sql.fresh import Source

_ATTEMPTS_MAX_COUNT = (
    4  # of a run that is kept; with many, or with a traceback of 64 KiB, it is read when it is asked for
)


class KeptRun(NamedTuple):
    """What a draft is begun with: see `RunDraft`."""

    pk: int
    is_stale: bool
    stands: tuple[int, bool] | None
    attempts: dict[str, AttemptFacts]
    numbers: dict[str, int]
    last_seqs: dict[Source, int]


class Kept:
    """For the transactions of one connection. Bounded: what was not used lately goes first."""

    def __init__(self) -> None:
        self._number: int | None = None
        self._runs: OrderedDict[tuple[int, str], KeptRun] = OrderedDict()
        self._cursors: OrderedDict[tuple[int, str], Cursor] = OrderedDict()

    def begin(self, change_number: int) -> None:
        """A transaction begins on that state."""
        if change_number != self._number:
            self.forget()

    def committed(self, change_number: int) -> None:
        """Ours has made that state."""
        self._number = change_number
        for kept in (self._runs, self._cursors):
            while len(kept) > RUNS_KNOWN_MAX_COUNT:
                kept.popitem(last=False)

    def forget(self) -> None:
        self._number = None
        self._runs.clear()
        self._cursors.clear()

    def take_run(self, tenant: int, run_id: str) -> KeptRun | None:
        """To be changed by this transaction: it is handed in again by `keep_runs`."""
        return self._runs.pop((tenant, run_id), None)

    def run_pk(self, tenant: int, run_id: str) -> int | None:
        kept = self._runs.get((tenant, run_id))
        return None if kept is None else kept.pk

    def keep_runs(self, tenant: int, drafts: Iterable[RunDraft]) -> None:
        """As they are written now."""
        for run in drafts:
            facts = run.attempts.values()
            if len(facts) <= _ATTEMPTS_MAX_COUNT and not any(one.ending and one.ending.error for one in facts):
                self._runs[tenant, run.run_id] = KeptRun(
                    run.pk, run.is_stale, run.stands, run.attempts, run.numbers, run.last_seqs
                )

    def find_cursor(self, tenant: int, writer: str) -> Cursor | None:
        return self._cursors.get((tenant, writer))

    def keep_cursors(self, tenant: int, cursors: Mapping[str, Cursor | None]) -> None:
        for writer, cursor in cursors.items():
            if cursor is not None:
                self._cursors[tenant, writer] = cursor
                self._cursors.move_to_end((tenant, writer))
