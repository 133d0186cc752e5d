"""Patches written: what changes a file with these lines into one with those."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

from lineal.formats.patches import Region, line_text, quoted

_CONTEXT = 3
_EFFORT = 100_000_000  # steps: some seconds at the very worst


class Effort:
    """What may still be spent on finding short patches, of all files together: lines that repeat make it cubic. What is beyond is replaced
    whole, which is as true, and longer."""

    def __init__(self) -> None:
        self._left = _EFFORT

    def is_enough(self, mine: Sequence[str], others: Sequence[str]) -> bool:
        counts, of_others = Counter(mine), Counter(others)
        most = (
            len(others) // 100 + 1 if len(others) >= 200 else len(others)
        )  # SequenceMatcher passes over lines more frequent
        pairs = sum(counts[line] * count for line, count in of_others.items() if count <= most)
        steps = len(mine) + len(others) + pairs * min(len(mine), len(others), 1 + pairs)
        if steps > self._left:
            return False
        self._left -= steps
        return True


def file_patch(
    path: str,
    found: Sequence[Region],
    *,
    was_there: bool = True,
    is_there: bool = True,
    modes: tuple[str, str] | None = None,
    effort: Effort | None = None,
) -> str:
    """The part of a patch about one file; "" if nothing differs and it is there as it was. `modes`: two that differ."""
    effort = effort or Effort()
    body = "".join(text for region in found for text in _hunks(region, effort))
    if not body and was_there == is_there and modes is None:
        return ""
    head = f"diff --git {quoted(f'a/{path}')} {quoted(f'b/{path}')}\n"
    if modes is not None:
        head += f"old mode {modes[0]}\nnew mode {modes[1]}\n"
    if not was_there:
        head += "new file mode 100644\n"
    if not is_there:
        head += "deleted file mode 100644\n"
    if not body:
        return head  # an empty file, or another mode
    before = quoted(f"a/{path}") if was_there else "/dev/null"
    after = quoted(f"b/{path}") if is_there else "/dev/null"
    return f"{head}--- {before}\n+++ {after}\n{body}"


def binary_patch(path: str) -> str:
    """What is said of files of which no lines are known."""
    before, after = quoted(f"a/{path}"), quoted(f"b/{path}")
    return f"diff --git {before} {after}\nBinary files {before} and {after} differ\n"


def _hunks(region: Region, effort: Effort) -> Iterator[str]:
    first, second = region.first, region.second
    head, tail = _common(first, second)
    if head == len(first) == len(second):
        return
    skipped = max(0, head - _CONTEXT)
    kept = max(0, tail - _CONTEXT)
    mine, others = first[skipped : len(first) - kept], second[skipped : len(second) - kept]
    for group in _groups(mine, others, effort):
        starts = group[0][1], group[0][3]
        counts = group[-1][2] - group[0][1], group[-1][4] - group[0][3]
        places = [
            _place(at + skipped + start, count)
            for at, start, count in zip((region.first_at, region.second_at), starts, counts, strict=True)
        ]
        yield f"@@ -{places[0]} +{places[1]} @@\n"
        for tag, low, high, other_low, other_high in group:
            if tag == "equal":
                yield from (line_text(" ", line) for line in mine[low:high])
            else:
                yield from (line_text("-", line) for line in mine[low:high])
                yield from (line_text("+", line) for line in others[other_low:other_high])


def _groups(
    mine: Sequence[str], others: Sequence[str], effort: Effort
) -> Iterator[list[tuple[str, int, int, int, int]]]:
    if effort.is_enough(mine, others):
        yield from SequenceMatcher(None, mine, others).get_grouped_opcodes(_CONTEXT)
    else:
        yield [("replace", 0, len(mine), 0, len(others))]


def _common(first: Sequence[str], second: Sequence[str]) -> tuple[int, int]:
    """How many lines at the beginning are equal, and how many at the end."""
    shorter = min(len(first), len(second))
    head = 0
    while head < shorter and first[head] == second[head]:
        head += 1
    tail = 0
    while tail < shorter - head and first[-1 - tail] == second[-1 - tail]:
        tail += 1
    return head, tail


def _place(start: int, count: int) -> str:
    """Lines count from 1; of none, the line before stands."""
    first = start if count == 0 else start + 1
    return f"{first}" if count == 1 else f"{first},{count}"
