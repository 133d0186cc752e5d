"""What a run printed, as numbered lines."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

from lineal.model.limits import CONSOLE_LINE_MAX_CHARS

ConsoleStream: TypeAlias = Literal["stdout", "stderr", "both"]
"""both: where stdout and stderr went to the same place, which one it was cannot be told."""

STREAM_OF_LETTER: dict[str, ConsoleStream] = {"o": "stdout", "e": "stderr", "b": "both"}
LETTER_OF_STREAM: dict[str, str] = {stream: letter for letter, stream in STREAM_OF_LETTER.items()}


class ConsoleLine(NamedTuple):
    """`number` counts from 1 over all that is known of the run, in the order in which the store heard of it.
    `rank`: of the process that printed it; 0 also where there are no ranks."""

    number: int
    time_ms: int
    stream: ConsoleStream
    text: str
    attempt_id: str
    rank: int = 0


class ConsoleLines(NamedTuple):
    """Lines of one attempt and one rank in order; a letter of `streams`, a time and a text each."""

    streams: str
    times_ms: tuple[int, ...]
    texts: tuple[str, ...]
    rank: int = 0


def with_short_lines(lines: ConsoleLines) -> ConsoleLines:
    """None longer than CONSOLE_LINE_MAX_CHARS: a longer one goes on as the next line, as Lineal's own console writes it."""
    if all(len(text) <= CONSOLE_LINE_MAX_CHARS for text in lines.texts):
        return lines
    pieces = [
        (stream, time_ms, text[start : start + CONSOLE_LINE_MAX_CHARS])
        for stream, time_ms, text in zip(*lines[:3], strict=True)
        for start in range(0, len(text) or 1, CONSOLE_LINE_MAX_CHARS)
    ]
    streams, times_ms, texts = zip(*pieces, strict=True)
    return ConsoleLines("".join(streams), times_ms, texts, lines.rank)
