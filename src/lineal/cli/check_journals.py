"""What waits in the journals, who writes it, and what could not be taken in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from lineal.cli.check import Check
from lineal.cli.wording import bytes_text, count_text
from lineal.journal.layout import Folder, SegmentFile
from lineal.journal.locks import locks_of
from lineal.model.errors import NewerFormat
from lineal.record.kinds import SEGMENT_SEALED
from lineal.record.opening import find_opening
from lineal.record.records import SegmentOpened
from lineal.record.stream import header_at, scan, start_of

_NAMED_MAX_COUNT = 3


@dataclass(frozen=True, slots=True)
class _Writer:
    """A writer whose segments lie in the folder. `sealed`: it said that nothing follows."""

    writer: str
    opened: SegmentOpened | None
    live: bool
    sealed: bool
    damage_count: int
    size_bytes: int
    is_newer: bool

    @property
    def name(self) -> str:
        """Whose it is, for people."""
        if self.opened is None:
            return f"writer {self.writer}"
        about = f"run {self.opened.run_id[:8]}" if self.opened.run_id else f"tenant {self.opened.tenant}"
        return f"{about} (pid {self.opened.pid} on {self.opened.host or 'an unknown host'})"


def check_journals(folder: Folder) -> Iterator[Check]:
    writers = [_look_at(folder, list(segments)) for segments in _by_writer(folder)]
    yield _check_waiting(writers)
    yield from _check_dead(writers)
    yield from _check_damage(writers)
    yield from _check_kept(folder, writers)


def _by_writer(folder: Folder) -> Iterator[Iterator[SegmentFile]]:
    for _, segments in groupby(folder.list_segments(), key=lambda segment: segment.writer):
        yield segments


def _look_at(folder: Folder, segments: list[SegmentFile]) -> _Writer:
    """Reads all that waits: what is not readable now will not be readable for the next `lineal runs list` either."""
    writer = segments[0].writer
    live = locks_of(folder.locks).is_live(writer)
    opened, sealed, damages, size, newer = None, False, 0, 0, False
    for segment in segments:
        try:
            with open(segment.path, "rb") as file:
                data = file.read()
            view = memoryview(data)
            found = scan(view, start_of(view), final=not live)
        except NewerFormat:
            newer = True
            continue
        except FileNotFoundError:  # taken in meanwhile
            continue
        opened = opened or find_opening(data)
        size += found.position
        damages += len(found.damages)
        sealed = bool(found.offsets) and header_at(view, found.offsets[-1]).kind == SEGMENT_SEALED
    return _Writer(writer, opened, live, sealed, damages, size, newer)


def _check_waiting(writers: list[_Writer]) -> Check:
    live = [writer for writer in writers if writer.live]
    waiting = [writer for writer in writers if not writer.live]
    parts = []
    if live:
        parts.append(f"{count_text(len(live), 'writer')} alive: {_names(live)}")
    if waiting:
        size = bytes_text(sum(writer.size_bytes for writer in waiting))
        parts.append(f"{count_text(len(waiting), 'journal')} ({size}) of ended writers, which the next read takes in")
    return Check("journals", "good", "; ".join(parts) or "nothing waits, nobody writes")


def _check_dead(writers: list[_Writer]) -> Iterator[Check]:
    dead = [writer for writer in writers if not writer.live and not writer.sealed and not writer.is_newer]
    if dead:
        yield Check(
            "dead writers",
            "look",
            f"{count_text(len(dead), 'process', 'processes')} ended without a word: {_names(dead)}",
            "What they logged is safe. `lineal runs list` takes it in, and shows a run that nobody ended as lost.",
        )


def _check_damage(writers: list[_Writer]) -> Iterator[Check]:
    damaged = [writer for writer in writers if writer.damage_count and not writer.live]
    if damaged:
        count = sum(writer.damage_count for writer in damaged)
        yield Check(
            "damage",
            "look",
            f"{count_text(count, 'place')} that {'fails its' if count == 1 else 'fail their'} checksum: {_names(damaged)}",
            "They are skipped and counted with the run. A process killed in mid-call leaves one; many mean a bad disk.",
        )


def _check_kept(folder: Folder, writers: list[_Writer]) -> Iterator[Check]:
    try:
        kept = len(list(Path(folder.kept).iterdir()))
    except OSError:
        kept = 0
    newer = sum(writer.is_newer for writer in writers)
    if kept or newer:
        yield Check(
            "kept segments",
            "look",
            f"{count_text(kept + newer, 'segment')} with records that this Lineal does not know",
            "A newer Lineal wrote them. Upgrade to read them; until then they stay where they are.",
        )


def _names(writers: list[_Writer]) -> str:
    named = ", ".join(writer.name for writer in writers[:_NAMED_MAX_COUNT])
    more = len(writers) - _NAMED_MAX_COUNT
    return f"{named} and {more} more" if more > 0 else named
