"""An experiment as a transaction changes it."""

from __future__ import annotations

from lineal.store.sql.database import Connection
from lineal.store.sql.settings import SettingsDraft


class ExperimentDraft:
    def __init__(self, connection: Connection, pk: int) -> None:
        self.pk = pk
        row = connection.execute("SELECT experiment_id, created_ms FROM experiment WHERE pk = ?", (pk,)).fetchone()
        self.experiment_id: str = row[0]
        self.created_ms: int | None = row[1]
        self.is_changed = False
        self.settings = SettingsDraft(connection, "experiment", pk, is_new=False)

    def mention(self, time_ms: int) -> bool:
        """True if nobody had mentioned it, or none so early."""
        if self.created_ms is not None and self.created_ms <= time_ms:
            return False
        self.created_ms = time_ms
        self.is_changed = True
        return True

    def flush(self, connection: Connection) -> None:
        if self.is_changed:
            connection.execute("UPDATE experiment SET created_ms = ? WHERE pk = ?", (self.created_ms, self.pk))
            self.is_changed = False
        self.settings.flush()
