"""What a run printed, as numbered lines."""

from __future__ import annotations

from typing import Literal, NamedTuple, TypeAlias

ConsoleStream: TypeAlias = Literal["stdout", "stderr", "both"]
"""both: where stdout and stderr went to the same place, which one it was cannot be told."""

STREAM_OF_LETTER: dict[str, ConsoleStream] = {"o": "stdout", "e": "stderr", "b": "both"}
LETTER_OF_STREAM: dict[str, str] = {stream: letter for letter, stream in STREAM_OF_LETTER.items()}


class ConsoleLine(NamedTuple):
    """`number` counts from 1 over all that is known of the run, in the order in which the store heard of it."""

    number: int
    time_ms: int
    stream: ConsoleStream
    text: str
    attempt_id: str


class ConsoleLines(NamedTuple):
    """Lines of one attempt in order; a letter of `streams`, a time and a text each."""

    streams: str
    times_ms: tuple[int, ...]
    texts: tuple[str, ...]
