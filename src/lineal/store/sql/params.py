"""The params of a run: statements kept as JSON, a row an attempt, or several when there is much."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from lineal.model.entities import Stamp
from lineal.model.values import ParamValue, from_json, to_json
from lineal.store.rules import SaidParams, say_params
from lineal.store.sql.database import Connection

ROW_MAX_CHARS = 32 * 1024  # a row grows up to this, so that params logged one by one rewrite no more than this each


class ParamsDraft:
    """What was said of one run's params, and what a transaction adds (`fresh`, emptied by `flush`)."""

    def __init__(self, connection: Connection, run: int, numbers: dict[str, int], *, is_new: bool) -> None:
        self._connection = connection
        self._run = run
        self._numbers = numbers
        self._said: dict[str, SaidParams] | None = {} if is_new else None
        self._last_rows: dict[str, tuple[int, str]] = {}
        self.fresh: list[tuple[str, Stamp, dict[str, ParamValue]]] = []

    def of(self, attempt_id: str) -> SaidParams:
        return self.all().setdefault(attempt_id, {})

    def all(self) -> dict[str, SaidParams]:
        """By attempt id."""
        if self._said is None:
            self._said = {}
            attempt_ids = {number: attempt_id for attempt_id, number in self._numbers.items()}
            rows = self._connection.execute(
                "SELECT pk, attempt, body FROM params WHERE run = ? ORDER BY pk", (self._run,)
            )
            for pk, number, body in rows:
                self._last_rows[attempt_ids[number]] = (pk, body)
                read_params(self._said.setdefault(attempt_ids[number], {}), body)
        return self._said

    def flush(self) -> None:
        by_attempt: dict[str, list[tuple[Stamp, dict[str, ParamValue]]]] = {}
        for attempt_id, stamp, params in self.fresh:
            by_attempt.setdefault(attempt_id, []).append((stamp, params))
        self.fresh = []
        for attempt_id, statements in by_attempt.items():
            self._write(attempt_id, statements_text(statements))

    def _write(self, attempt_id: str, body: str) -> None:
        pk, before = self._last_rows.get(attempt_id, (None, ""))
        if pk is not None and len(before) + len(body) <= ROW_MAX_CHARS:
            body = f"{before[:-1]},{body[1:]}"
            self._connection.execute("UPDATE params SET body = ? WHERE pk = ?", (body, pk))
        else:
            [pk] = self._connection.execute(
                "INSERT INTO params (run, attempt, body) VALUES (?, ?, ?) RETURNING pk",
                (self._run, self._numbers[attempt_id], body),
            ).fetchone()
        self._last_rows[attempt_id] = (pk, body)


def statements_text(statements: Iterable[tuple[Stamp, dict[str, ParamValue]]]) -> str:
    # Names and values in turn: as keys of an object, "$float" would be taken for `to_json`'s way of writing NaN.
    return to_json([[*stamp, *chain.from_iterable(params.items())] for stamp, params in statements])


def read_params(said: SaidParams, body: str) -> None:
    """Adds what a row of the table says."""
    read_statements(said, from_json(body))


def read_statements(said: SaidParams, statements: Iterable[list[Any]]) -> None:
    for time_ms, writer, seq, *told in statements:
        params = dict(zip(told[::2], told[1::2], strict=True))
        say_params(said, params, Stamp(time_ms, writer, seq))
