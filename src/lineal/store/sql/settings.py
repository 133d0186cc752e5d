"""Rows that may be said again, the later stamp winning: tags, notes, names ... of a run or an experiment."""

from __future__ import annotations

from typing import Literal, TypeAlias

from lineal.model.entities import Stamp
from lineal.store.sql.database import Connection

Owner: TypeAlias = Literal["run", "experiment"]

_VALUES_AT_HAND = ("name", "lifecycle", "lock")  # short, and a run's row is made from them


class SettingsDraft:
    """What is known of one owner's settings, and what a transaction changes. `changed` is emptied by `flush`."""

    def __init__(self, connection: Connection, owner: Owner, pk: int, *, is_new: bool) -> None:
        self._connection = connection
        self._owner = owner
        self._pk = pk
        self._is_new = is_new
        self._stamps: dict[tuple[str, str], Stamp] | None = {} if is_new else None
        self._values: dict[tuple[str, str], str | None] = {}
        self.changed: dict[tuple[str, str], tuple[Stamp, str | None]] = {}

    def say(self, kind: str, name: str, stamp: Stamp, value: str | None) -> bool:
        """True if this is the latest word."""
        known = self._known().get((kind, name))
        if known is not None and known >= stamp:
            return False
        self._known()[kind, name] = stamp
        self.changed[kind, name] = (stamp, value)
        if kind in _VALUES_AT_HAND:
            self._values[kind, name] = value
        return True

    def latest(self, kind: Literal["name", "lifecycle", "lock"]) -> tuple[Stamp, str] | None:
        """The setting of that kind, if it was ever made."""
        stamp = self._known().get((kind, ""))
        return None if stamp is None else (stamp, self._values[kind, ""] or "")

    def stored(self, kind: str) -> dict[str, str]:
        """Name -> value as the table has them."""
        if self._is_new:
            return {}
        return dict(
            self._connection.execute(
                f"SELECT name, value FROM {self._owner}_setting WHERE {self._owner} = ? AND kind = ? AND value IS NOT NULL",
                (self._pk, kind),
            )
        )

    def flush(self) -> None:
        if self.changed:
            self._connection.executemany(
                f"INSERT INTO {self._owner}_setting ({self._owner}, kind, name, time_ms, writer, seq, value)"
                f" VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT ({self._owner}, kind, name) DO UPDATE SET"
                " time_ms = excluded.time_ms, writer = excluded.writer, seq = excluded.seq, value = excluded.value",
                [(self._pk, *key, *stamp, value) for key, (stamp, value) in self.changed.items()],
            )
            self.changed = {}
            self._is_new = False

    def _known(self) -> dict[tuple[str, str], Stamp]:
        if self._stamps is None:
            self._stamps = {}
            # Values are last in the row: those not asked for are not read, however long they are.
            for kind, name, time_ms, writer, seq, value in self._connection.execute(
                "SELECT kind, name, time_ms, writer, seq, CASE WHEN kind IN ('name', 'lifecycle', 'lock') THEN value END"
                f" FROM {self._owner}_setting WHERE {self._owner} = ?",
                (self._pk,),
            ):
                self._stamps[kind, name] = Stamp(time_ms, writer, seq)
                if kind in _VALUES_AT_HAND:
                    self._values[kind, name] = value
        return self._stamps
