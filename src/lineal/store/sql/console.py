"""Consoles: a row a block. Small blocks grow: a run that prints a line a second has a row a thousand lines, not one each."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from lineal.model.console import ConsoleLines
from lineal.model.entities import Stamp
from lineal.model.limits import CONSOLE_BLOCK_CHARS
from lineal.model.values import from_json, to_json
from lineal.store.console import ConsoleBlock, ConsolePage, ConsoleQuery, check_console_query, console_page
from lineal.store.sql.database import Connection, list_text

_ROWS_AT_ONCE = 16  # blocks of 64 KiB read with one statement


class ConsoleDraft:
    """Of one run, within a transaction: blocks are written as they come, the last one grows in memory until it is full."""

    def __init__(self, connection: Connection, run: int, *, is_new: bool) -> None:
        self._connection = connection
        self._run = run
        self._seqs: dict[str, int] = {}
        self._is_new = is_new
        self._open: _Open | None = None
        self._is_read = is_new

    def append(self, attempt_id: str, lines: ConsoleLines, stamp: Stamp) -> bool:
        """True if the statement is news."""
        if stamp.seq <= self._last_seq(stamp.writer):
            return False
        self._seqs[stamp.writer] = stamp.seq
        last = self._last_block()
        if last is None or not last.takes(attempt_id, stamp.writer, lines):
            self.flush()
            last = self._open = _Open(1 if last is None else last.end, attempt_id, stamp.writer, stamp.seq, is_new=True)
        last.add(lines, stamp.seq)
        return True

    def flush(self) -> None:
        block = self._open
        if block is None or not block.is_changed:
            return
        values = (block.line_count, block.char_count, block.seq, encode_lines(block.lines()))
        if block.is_new:
            self._connection.execute(
                "INSERT INTO console (run, first_line, attempt, writer, line_count, char_count, seq, payload)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (self._run, block.first, block.attempt_id, block.writer, *values),
            )
        else:
            self._connection.execute(
                "UPDATE console SET line_count = ?, char_count = ?, seq = ?, payload = ? WHERE run = ? AND first_line = ?",
                (*values, self._run, block.first),
            )
        block.is_new = block.is_changed = False
        self._is_new = False

    def _last_seq(self, writer: str) -> int:
        if writer not in self._seqs:
            row = None
            if not self._is_new:
                row = self._connection.execute(
                    "SELECT max(seq) FROM console WHERE run = ? AND writer = ?", (self._run, writer)
                ).fetchone()
            self._seqs[writer] = -1 if row is None or row[0] is None else int(row[0])
        return self._seqs[writer]

    def _last_block(self) -> _Open | None:
        if self._open is None and not self._is_read:
            self._is_read = True
            row = self._connection.execute(
                "SELECT first_line, line_count, char_count, attempt, writer, seq, payload FROM console"
                " WHERE run = ? ORDER BY first_line DESC LIMIT 1",
                (self._run,),
            ).fetchone()
            if row is not None:
                first, _, _, attempt_id, writer, seq, payload = row
                self._open = _Open(first, attempt_id, writer, seq, is_new=False)
                self._open.parts.append(decode_lines(payload))
                self._open.count()
        return self._open


class _Open:
    """The last block."""

    def __init__(self, first: int, attempt_id: str, writer: str, seq: int, *, is_new: bool) -> None:
        self.first = first
        self.attempt_id = attempt_id
        self.writer = writer
        self.seq = seq
        self.is_new = is_new
        self.is_changed = False
        self.parts: list[ConsoleLines] = []
        self.line_count = 0
        self.char_count = 0

    @property
    def end(self) -> int:
        return self.first + self.line_count

    def takes(self, attempt_id: str, writer: str, lines: ConsoleLines) -> bool:
        if (attempt_id, writer, lines.rank) != (self.attempt_id, self.writer, self.parts[0].rank):
            return False
        return self.char_count + sum(map(len, lines.texts)) <= CONSOLE_BLOCK_CHARS

    def add(self, lines: ConsoleLines, seq: int) -> None:
        self.parts.append(lines)
        self.seq = seq
        self.is_changed = True
        self.count()

    def count(self) -> None:
        lines = self.parts[-1]
        self.line_count += len(lines.texts)
        self.char_count += sum(map(len, lines.texts)) + len(lines.texts)

    def lines(self) -> ConsoleLines:
        if len(self.parts) > 1:
            self.parts = [
                ConsoleLines(
                    "".join(part.streams for part in self.parts),
                    tuple(time_ms for part in self.parts for time_ms in part.times_ms),
                    tuple(text for part in self.parts for text in part.texts),
                    self.parts[0].rank,
                )
            ]
        return self.parts[0]


def encode_lines(lines: ConsoleLines) -> bytes:
    times = [now - before for now, before in zip(lines.times_ms, (0, *lines.times_ms), strict=False)]
    rank = [lines.rank] if lines.rank else []
    return zlib.compress(to_json([lines.streams, times, "\n".join(lines.texts), *rank]).encode())


def decode_lines(payload: bytes) -> ConsoleLines:
    streams, times, text, *rank = from_json(zlib.decompress(payload).decode())
    now = 0
    return ConsoleLines(streams, tuple((now := now + step) for step in times), tuple(text.split("\n")), *rank)


def read_console(connection: Connection, run: int, query: ConsoleQuery) -> ConsolePage:
    check_console_query(query)
    total = read_line_counts(connection, [run]).get(run, 0)
    return console_page(_blocks(connection, run, query, total), query, total)


def read_line_counts(connection: Connection, runs: Iterable[int]) -> dict[int, int]:
    return dict(
        connection.execute(
            "SELECT run, max(first_line + line_count - 1) FROM console WHERE run IN (SELECT value FROM json_each(?))"
            " GROUP BY run",
            (list_text(list(runs)),),
        ).fetchall()
    )


def _blocks(connection: Connection, run: int, query: ConsoleQuery, total: int) -> Iterator[ConsoleBlock]:
    after = query.after or 0
    before = total + 1 if query.before is None else min(query.before, total + 1)
    of_attempt = "" if query.attempt_id is None else " AND attempt = ?"
    chosen = () if query.attempt_id is None else (query.attempt_id,)
    order = "DESC" if query.is_backward else "ASC"
    while before - after > 1:
        rows = connection.execute(
            "SELECT first_line, line_count, attempt, payload FROM console WHERE run = ? AND first_line < ? AND first_line >="
            " coalesce((SELECT max(first_line) FROM console WHERE run = ? AND first_line <= ?), 0)"
            f"{of_attempt} ORDER BY first_line {order} LIMIT ?",
            (run, before, run, after + 1, *chosen, _ROWS_AT_ONCE),
        ).fetchall()
        for first, _, attempt_id, payload in rows:
            yield ConsoleBlock(first, attempt_id, decode_lines(payload))
        if len(rows) < _ROWS_AT_ONCE:
            return
        if query.is_backward:
            before = rows[-1][0]
        else:
            after = rows[-1][0] + rows[-1][1] - 1
