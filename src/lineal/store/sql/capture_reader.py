"""Captures of many runs, at a constant number of statements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from lineal.model.captures import Capture, content_digest
from lineal.store.captures import CapturePage, CaptureQuery, capture_page, latest_of_parts
from lineal.store.rules import Rank, rank
from lineal.store.sql.captures import unpacked
from lineal.store.sql.database import Connection, list_text
from lineal.store.sql.details import read_attempts


def read_captures(
    connection: Connection, runs: Sequence[int], parts: Sequence[str] | None = None
) -> dict[int, list[tuple[Rank, Capture]]]:
    """By run, in no order; a content that is shared is read once."""
    wanted = list_text(runs)
    of_parts = "" if parts is None else f" AND part IN ({', '.join('?' * len(parts))})"
    rows = connection.execute(
        "SELECT run, attempt, part, content, time_ms FROM capture"
        f" WHERE run IN (SELECT value FROM json_each(?)){of_parts}",
        (wanted, *(parts or ())),
    ).fetchall()
    attempts = read_attempts(connection, wanted) if rows else {}
    if parts is not None:
        rows = _of_latest(rows, lambda run, number: rank(attempts[run][number], attempts[run][number].attempt_id))
    contents = {
        pk: unpacked(body)
        for pk, body in connection.execute(
            "SELECT pk, body FROM capture_content WHERE pk IN (SELECT value FROM json_each(?))",
            (list_text(sorted({row[3] for row in rows})),),
        )
    }
    digests = {pk: content_digest(text).hex() for pk, text in contents.items()}
    found: dict[int, list[tuple[Rank, Capture]]] = {}
    for run, number, part, content, said_ms in rows:
        facts = attempts[run][number]
        capture = Capture(facts.attempt_id, part, contents[content], digests[content], said_ms)
        found.setdefault(run, []).append((rank(facts, facts.attempt_id), capture))
    return found


def read_page(connection: Connection, run: int, query: CaptureQuery) -> CapturePage:
    """Contents are read one by one: one may be a thousand times as large as it lies there."""
    rows = connection.execute("SELECT attempt, part, content, time_ms FROM capture WHERE run = ?", (run,)).fetchall()
    attempts = read_attempts(connection, list_text([run]))[run] if rows else {}
    wanted = sorted(
        (row for row in rows if query.fits(attempts[row[0]].attempt_id, row[1])), key=lambda row: str(row[1])
    )
    wanted.sort(key=lambda row: rank(attempts[row[0]], attempts[row[0]].attempt_id), reverse=True)

    def captures() -> Iterator[Capture]:
        for number, part, content, said_ms in wanted[query.offset :]:
            [body] = connection.execute("SELECT body FROM capture_content WHERE pk = ?", (content,)).fetchone()
            text = unpacked(body)
            yield Capture(attempts[number].attempt_id, part, text, content_digest(text).hex(), said_ms)

    return capture_page(captures(), query, len(wanted))


def read_latest(connection: Connection, runs: Sequence[int], parts: Sequence[str]) -> dict[int, dict[str, Capture]]:
    found = read_captures(connection, runs, parts)
    return {run: latest_of_parts(captures, parts) for run, captures in found.items()}


def _of_latest(
    rows: list[tuple[int, int, str, int, int]], rank_of: Callable[[int, int], Rank]
) -> list[tuple[int, int, str, int, int]]:
    """Of each run's part, that of the latest attempt: the contents of the others need not be read."""
    latest: dict[tuple[int, str], tuple[int, int, str, int, int]] = {}
    for row in rows:
        key = row[0], row[2]
        if key not in latest or rank_of(row[0], row[1]) > rank_of(row[0], latest[key][1]):
            latest[key] = row
    return list(latest.values())
