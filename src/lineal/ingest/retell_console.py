"""A run's console as records again."""

from __future__ import annotations

from collections.abc import Callable

from lineal.ingest.told import Telling
from lineal.model.console import LETTER_OF_STREAM, ConsoleLine
from lineal.model.limits import CONSOLE_BLOCK_CHARS
from lineal.record.records import ConsoleAppended
from lineal.store.console import ConsoleQuery
from lineal.store.contracts import TenantReader


def tell_console(reader: TenantReader, run_id: str, told: int, begin: Callable[[str, str], Telling]) -> int:
    """The lines behind number `told`, each attempt's in a telling of its own from `begin(attempt, "console")`. Up to which they are
    told then."""
    tellings: dict[str, Telling] = {}
    last_ms = 0
    while True:
        page = reader.read_console(run_id, ConsoleQuery(after=told))
        some: list[ConsoleLine] = []
        size = 0
        for line in page.lines:
            if some and (
                (line.attempt_id, line.rank) != (some[0].attempt_id, some[0].rank)
                or size + len(line.text) > CONSOLE_BLOCK_CHARS
            ):
                _say(tellings, some, begin)
                some, size = [], 0
            some.append(line)
            size += len(line.text) + 1
            last_ms = max(last_ms, line.time_ms)
        if some:
            _say(tellings, some, begin)
        told = page.next
        if told >= page.total:
            break
    for telling in tellings.values():
        telling.close(last_ms)
    return told


def _say(tellings: dict[str, Telling], lines: list[ConsoleLine], begin: Callable[[str, str], Telling]) -> None:
    attempt_id = lines[0].attempt_id
    if attempt_id not in tellings:
        tellings[attempt_id] = begin(attempt_id, "console")
    tellings[attempt_id].say(record_of(attempt_id, lines), lines[-1].time_ms)


def record_of(attempt_id: str, lines: list[ConsoleLine]) -> ConsoleAppended:
    times = [line.time_ms for line in lines]
    return ConsoleAppended(
        attempt_id,
        "".join(LETTER_OF_STREAM[line.stream] for line in lines),
        [now - before for now, before in zip(times, [0, *times], strict=False)],
        "\n".join(line.text for line in lines),
        lines[0].rank or None,
    )
