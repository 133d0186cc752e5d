"""What a run printed."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from lineal.model.limits import CONSOLE_PAGE_MAX_COUNT
from lineal.model.values import INT64_MAX

ConsoleStream = Literal["stdout", "stderr", "both"]
LineNumber = Annotated[int, Meta(ge=0, le=INT64_MAX)]


class ReadConsole(Struct, frozen=True):
    """Lines behind number `after`, in order; or, with `before` alone, the last ones ahead of it. `search` is a part of a line, in
    whatever case; `attempt` an attempt's id."""

    after: LineNumber | None = None
    before: LineNumber | None = None
    limit: Annotated[int, Meta(ge=1, le=CONSOLE_PAGE_MAX_COUNT)] = 1_000
    search: Annotated[str, Meta(max_length=1_000)] = ""
    stream: ConsoleStream | None = None
    attempt: str | None = None


class ConsoleLine(Struct, frozen=True):
    """As a terminal would have shown it. Numbers count from 1 over the whole run, without gaps; `time` is in ms since the epoch."""

    number: int
    time: int
    stream: Annotated[ConsoleStream, Meta(description="both: stdout and stderr went to the same place.")]
    text: str
    attempt_id: str
    rank: Annotated[int, Meta(description="Of the process that printed it; 0 also where there are no ranks.")]


class ConsolePage(Struct, frozen=True):
    """`total` counts the lines of the run, whatever was asked for."""

    lines: list[ConsoleLine]
    total: int
    next: Annotated[
        int,
        Meta(
            description="Up to which line was looked: ask for what follows with after=next (with before=next, having gone "
            "backward), and again later for what is printed meanwhile. A search may have to be asked several times: it has "
            "seen everything once next is total."
        ),
    ]
