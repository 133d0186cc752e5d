"""What a store promises of consoles, and what a question about one means.

Lines are appended once, as points are: in the order of a writer's statements, guarded by its cursor and by their own sequence
numbers. They are numbered in the order in which the store hears of them, so that whoever has read up to a number has
missed nothing before it, however many writers a run has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from json.encoder import encode_basestring_ascii
from typing import NamedTuple, Protocol

from lineal.model.console import LETTER_OF_STREAM, STREAM_OF_LETTER, ConsoleLine, ConsoleLines, ConsoleStream
from lineal.model.entities import Stamp
from lineal.model.errors import InvalidInput
from lineal.model.limits import CONSOLE_ANSWER_MAX_BYTES, CONSOLE_PAGE_MAX_COUNT, CONSOLE_SEARCHED_MAX_CHARS


class ConsoleWriter(Protocol):
    """Changes of one tenant, within a transaction."""

    def append_console(self, run_id: str, attempt_id: str, lines: ConsoleLines, stamp: Stamp) -> None:
        """Adds lines behind those that are there. Of a writer's statements one that is not later than the last that was
        appended (by sequence) changes nothing. No audit row: a console is as long as a series."""
        ...


@dataclass(frozen=True, slots=True)
class ConsoleQuery:
    """The first `limit` lines behind `after`; or, where only `before` is given, the last `limit` lines ahead of it. Of one stream, of
    one attempt, with a text in them (in whatever case). `after` and `before` are numbers of lines, given or not."""

    after: int | None = None
    before: int | None = None
    limit: int = 1_000
    stream: ConsoleStream | None = None
    attempt_id: str | None = None
    search: str | None = None

    @property
    def is_backward(self) -> bool:
        return self.after is None and self.before is not None


class ConsolePage(NamedTuple):
    """`total`: lines of the run, whatever was asked for. `next`: up to which line was looked: to ask for what follows give it as
    `after` (or, having gone backward, as `before`). An answer may hold fewer lines than there are, or none: a search looks
    at so much at a time, and an answer has about CONSOLE_ANSWER_MAX_BYTES. Nothing is left if `next` is `total`, or, going backward, 1."""

    lines: list[ConsoleLine]
    total: int
    next: int


class ConsoleReader(Protocol):
    """Answers about one tenant."""

    def read_console(self, run_id: str, query: ConsoleQuery) -> ConsolePage:
        """NotFound; InvalidInput for what cannot be asked. Reads no more than it answers with, or than CONSOLE_SEARCHED_MAX_CHARS."""
        ...


class ConsoleBlock(NamedTuple):
    """Consecutive lines, as they are kept."""

    first: int
    attempt_id: str
    lines: ConsoleLines


def check_console_query(query: ConsoleQuery) -> None:
    if not 1 <= query.limit <= CONSOLE_PAGE_MAX_COUNT:
        raise InvalidInput(f"limit is a whole number of 1 to {CONSOLE_PAGE_MAX_COUNT:,}", field="limit")
    if query.search is not None and (not query.search or "\n" in query.search):
        raise InvalidInput("what is searched for is a part of a line, and not empty", field="search")


def console_page(blocks: Iterable[ConsoleBlock], query: ConsoleQuery, total: int) -> ConsolePage:
    """`blocks`: in order, from the one with the first line that is asked for on; of a backward question the other way round."""
    after = query.after or 0
    before = total + 1 if query.before is None else query.before
    wanted = None if query.search is None else query.search.casefold()
    letter = None if query.stream is None else LETTER_OF_STREAM[query.stream]
    found: list[ConsoleLine] = []
    place = min(before, total + 1) if query.is_backward else min(after, total)
    looked = size = 0
    for block in blocks:
        streams, times_ms, texts, rank = block.lines
        if block.first + len(texts) - 1 <= after or block.first >= before:
            continue
        fits = query.attempt_id in (None, block.attempt_id)
        order = range(len(texts) - 1, -1, -1) if query.is_backward else range(len(texts))
        for index in order:
            number = block.first + index
            if not after < number < before:
                continue
            place = number
            text = texts[index]
            if fits and letter in (None, streams[index]) and (wanted is None or wanted in text.casefold()):
                stream = STREAM_OF_LETTER[streams[index]]
                found.append(ConsoleLine(number, times_ms[index], stream, text, block.attempt_id, rank))
                size += len(encode_basestring_ascii(text))
                if len(found) == query.limit or size > CONSOLE_ANSWER_MAX_BYTES:
                    return _page(found, query, total, place)
        looked += sum(map(len, texts))
        if looked > CONSOLE_SEARCHED_MAX_CHARS:
            return _page(found, query, total, place)
    return _page(found, query, total, 1 if query.is_backward else min(before - 1, total))


def _page(found: list[ConsoleLine], query: ConsoleQuery, total: int, place: int) -> ConsolePage:
    return ConsolePage(found[::-1] if query.is_backward else found, total, place)


def read_lines(reader: ConsoleReader, run_id: str, query: ConsoleQuery) -> Iterator[ConsoleLine]:
    """All that is there from `query.after` on, page by page."""
    after = query.after or 0
    while True:
        page = reader.read_console(run_id, replace(query, after=after))
        yield from page.lines
        after = page.next
        if after >= min(page.total, page.total if query.before is None else query.before - 1):
            return
