"""What a store promises of captures, and what a filter sees of them.

A capture is what an attempt recorded by itself of one part of its circumstances. It is said in words that may arrive twice and in any
order (see `contracts.py`): on an attempt's part the last word stands. Contents repeat from run to run, the code and the environment most
of all, so a store keeps each once a tenant, by its SHA-256; but running totals (`model/captures.py`), which are said again and again
and never repeat, are overwritten where they lie, and have an audit row for their first word only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeAlias

from lineal.model.captures import Capture
from lineal.model.entities import Stamp
from lineal.model.limits import CAPTURE_PARTS_MAX_COUNT, CAPTURES_ANSWER_MAX_BYTES, CODE_TEXT_SEARCHED_MAX_CHARS
from lineal.model.values import ParamValue, from_json
from lineal.query.syntax import GIT_PROPERTIES

CaptureKey: TypeAlias = tuple[str, str]
"""Attempt id and part."""
_Rank: TypeAlias = tuple[bool, int, str]
"""`rules.Rank`, which stands above this."""
CODE = "code"
_MEMBERS = ("commit", "branch", "remote", "is_dirty")


@dataclass(frozen=True, slots=True)
class CaptureQuery:
    part: str | None = None
    attempt_id: str | None = None
    offset: int = 0
    max_bytes: int = CAPTURES_ANSWER_MAX_BYTES

    def fits(self, attempt_id: str, part: str) -> bool:
        return self.part in (None, part) and self.attempt_id in (None, attempt_id)


class CapturePage(NamedTuple):
    """`total`: of those that are asked for, wherever the page begins."""

    captures: list[Capture]
    total: int


class CaptureWriter(Protocol):
    """Changes of one tenant, within a transaction."""

    def set_capture(self, run_id: str, attempt_id: str, part: str, json_text: str, stamp: Stamp) -> bool:
        """By attempt and part the later stamp wins. `json_text`: an object, as `captures.canonical` writes it. False, and nothing is kept,
        for another part of an attempt that `has_room` for none; which ones it has then depends on what came first."""
        ...


class CaptureReader(Protocol):
    """Answers about one tenant."""

    def list_captures(self, run_id: str) -> list[Capture]:
        """Of all attempts, the latest first, then by part. NotFound."""
        ...

    def read_captures(self, run_id: str, query: CaptureQuery) -> CapturePage:
        """Those of `list_captures` that are asked for, from `query.offset` on, as many as are `query.max_bytes`, at least one; reads no
        contents but theirs and one more. NotFound."""
        ...

    def find_capture(self, run_id: str, part: str) -> Capture | None:
        """Of the latest attempt that has that part; None if none has. NotFound for the run."""
        ...

    def get_captures_of(self, run_ids: Sequence[str], parts: Sequence[str]) -> list[dict[str, Capture]]:
        """Of each run: part -> what `find_capture` finds, at a constant number of statements. NotFound."""
        ...


def has_room(part_count: int) -> bool:
    """For another part, in an attempt that has so many."""
    return part_count < CAPTURE_PARTS_MAX_COUNT


def latest_first(captures: Iterable[tuple[_Rank, Capture]]) -> list[Capture]:
    """In the order of `list_captures`."""
    found = sorted(captures, key=lambda item: item[1].part)
    return [capture for _, capture in sorted(found, key=lambda item: item[0], reverse=True)]


def capture_page(captures: Iterator[Capture], query: CaptureQuery, total: int) -> CapturePage:
    """`captures`: from the first of the page on, read one after another."""
    found: list[Capture] = []
    size_bytes = 0
    for one in captures:
        size_bytes += len(one.json_text)
        if found and size_bytes > query.max_bytes:
            break
        found.append(one)
    return CapturePage(found, total)


def latest_of_parts(captures: Iterable[tuple[_Rank, Capture]], parts: Sequence[str]) -> dict[str, Capture]:
    found: dict[str, Capture] = {}
    for capture in latest_first(captures):
        if capture.part in parts:
            found.setdefault(capture.part, capture)
    return dict(sorted(found.items()))


def searched_code(json_text: str | None) -> dict[str, ParamValue]:
    """What filters see of a run's code: property (`Field("git", ...)`) -> value, of those that it has. Texts that are too long are not
    among them."""
    content: Any = {} if json_text is None else from_json(json_text)
    found: dict[str, ParamValue] = {}
    for name, member in zip(GIT_PROPERTIES, _MEMBERS, strict=True):
        value = content.get(member) if isinstance(content, Mapping) else None
        if (name == "dirty" and isinstance(value, bool)) or (
            name != "dirty" and isinstance(value, str) and 0 < len(value) <= CODE_TEXT_SEARCHED_MAX_CHARS
        ):
            found[name] = value
    return found
