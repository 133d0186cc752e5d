"""How many runs each experiment has, kept in the transaction that changes it."""

from __future__ import annotations

from lineal.store.sql.database import Connection
from lineal.store.sql.draft import RunDraft


class RunCounts:
    """Gathers what moves and writes it once."""

    def __init__(self, connection: Connection, tenant: int) -> None:
        self._connection = connection
        self._tenant = tenant
        self._moved: dict[int, list[int]] = {}

    def move(self, run: RunDraft) -> None:
        """Counts the run where it stands now, and no longer where it was counted before."""
        if run.stands == run.counted:
            return
        for place, by in ((run.counted, -1), (run.stands, 1)):
            if place is not None:
                experiment, is_deleted = place
                self._moved.setdefault(experiment, [0, 0])[is_deleted] += by
        run.counted = run.stands

    def write(self) -> None:
        self._connection.executemany(
            "INSERT INTO run_count (experiment, tenant, active, deleted) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (experiment) DO UPDATE SET"
            " active = run_count.active + excluded.active, deleted = run_count.deleted + excluded.deleted",
            [(experiment, self._tenant, *moved) for experiment, moved in sorted(self._moved.items())],
        )
        self._moved = {}
