"""Patches as `git diff` writes them: read, and the places at which two files differ that were both patched from one.

The format: https://git-scm.com/docs/diff-format and the unified format of POSIX `diff -u`. Texts are of bytes that need not be UTF-8
(`surrogateescape`); lines keep their ends, so that a file without a last newline is told from one with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["modified", "added", "deleted", "opaque"]
_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_QUOTED = re.compile(r'\\([abtnvfr"\\]|[0-3][0-7]{2})')
_ESCAPES = {"a": 7, "b": 8, "t": 9, "n": 10, "v": 11, "f": 12, "r": 13, '"': 34, "\\": 92}
_NO_NEWLINE = "\\ No newline at end of file\n"


@dataclass(frozen=True, slots=True)
class Hunk:
    """`base`: lines from `at` on (counted from 0) before, `new` what stands there after."""

    at: int
    base: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FileChange:
    """Of one path. "opaque": binary, renamed, or damaged: `text`, its part of the patch, is all that is known. An added file has its
    content as one hunk, a deleted one too. `modes`: before and after, where the patch says both."""

    path: str
    kind: Kind
    hunks: tuple[Hunk, ...] = ()
    modes: tuple[str, str] | None = None
    text: str = ""


class Unfitting(ValueError):
    """Hunks that overlap, or that say of one line of a file two things."""


def read_patch(patch: str) -> dict[str, FileChange]:
    """By path. What stands before the first file is left out."""
    found: dict[str, FileChange] = {}
    for section in re.split(r"(?m)^(?=diff --git )", patch)[0 if patch.startswith("diff --git ") else 1 :]:
        change = _read_section(section) if section else None
        if change is not None:
            # A path that comes twice cannot be applied in one go.
            known = found.get(change.path)
            found[change.path] = change if known is None else replace(known, kind="opaque", text=known.text + section)
    return found


def _read_section(section: str) -> FileChange | None:
    lines = _lines(section)
    path = _path_of_header(lines[0].rstrip("\n"))
    kind: Kind = "modified"
    modes: dict[str, str] = {}
    at = 1
    while at < len(lines) and not lines[at].startswith("@@ "):
        line = lines[at].rstrip("\n")
        if line.startswith("new file mode "):
            kind, modes["new"] = "added", line[14:]
        elif line.startswith("deleted file mode "):
            kind, modes["old"] = "deleted", line[18:]
        elif line.startswith(("rename ", "copy ", "GIT binary patch", "Binary files ")):
            kind = "opaque"
        elif line.startswith(("old mode ", "new mode ")):
            modes[line[:3]] = line[9:]
        elif line.startswith(("--- ", "+++ ")) and line[4:] != "/dev/null":
            path = _stripped(_unquoted(line[4:].rstrip("\t")))
        at += 1
        if kind == "opaque":
            break
    if path is None:
        return None
    both = (modes["old"], modes["new"]) if len(modes) == 2 else None
    if kind == "opaque":
        return FileChange(path, kind, (), both, section)
    try:
        hunks = tuple(_read_hunks(lines, at))
    except ValueError:
        return FileChange(path, "opaque", (), both, section)
    return FileChange(path, kind, hunks, both, section)


def _read_hunks(lines: Sequence[str], at: int) -> Iterator[Hunk]:
    end = 0
    while at < len(lines):
        head = _HUNK.match(lines[at])
        if head is None:
            raise ValueError(lines[at])
        start, base_count, new_count = int(head[1]), int(head[2] or 1), int(head[4] or 1)
        base: list[str] = []
        new: list[str] = []
        at += 1
        while at < len(lines) and not lines[at].startswith("@@ "):
            mark, text = lines[at][:1], lines[at][1:]
            if mark == "\\":
                last = lines[at - 1][:1]
                for side, marks in ((base, " -"), (new, " +")):
                    if last in marks and side:
                        side[-1] = side[-1].removesuffix("\n")
            elif mark in (" ", "-", "+"):
                if mark != "+":
                    base.append(text)
                if mark != "-":
                    new.append(text)
            else:
                break
            at += 1
        place = start if base_count == 0 else start - 1
        if (len(base), len(new)) != (base_count, new_count) or place < end:
            raise ValueError("a hunk is not as long as it says")
        end = place + len(base)
        yield Hunk(place, tuple(base), tuple(new))


def applied(hunks: Sequence[Hunk], base: Sequence[str]) -> list[str]:
    """The file's lines after. Unfitting if the hunks are not of this base."""
    found: list[str] = []
    at = 0
    for hunk in hunks:
        end = hunk.at + len(hunk.base)
        if hunk.at < at or tuple(base[hunk.at : end]) != hunk.base:
            raise Unfitting(f"line {hunk.at + 1}")
        found += base[at : hunk.at]
        found += hunk.new
        at = end
    return [*found, *base[at:]]


@dataclass(frozen=True, slots=True)
class Region:
    """A place in which two files may differ: its first line in each, counted from 0, and the lines. Around it they are equal."""

    first_at: int
    second_at: int
    first: tuple[str, ...]
    second: tuple[str, ...]


def regions(first: Sequence[Hunk], second: Sequence[Hunk]) -> list[Region]:
    """Between two files that were made from one that is not at hand: wherever neither patch has a hunk both are as that one was, and
    of every other line a hunk says what it was. Unfitting where the patches cannot be of one file."""
    found: list[Region] = []
    gained = [0, 0]
    for start, end, mine, others in _merged(first, second):
        base: dict[int, str] = {}
        for hunk in (*mine, *others):
            for at, line in enumerate(hunk.base, hunk.at):
                if base.setdefault(at, line) != line:
                    raise Unfitting(f"line {at + 1}")
        lines = [base[at] for at in range(start, end)]
        sides = [tuple(applied([replace(one, at=one.at - start) for one in hunks], lines)) for hunks in (mine, others)]
        found.append(Region(start + gained[0], start + gained[1], sides[0], sides[1]))
        gained = [before + len(side) - len(lines) for before, side in zip(gained, sides, strict=True)]
    return found


def _merged(first: Sequence[Hunk], second: Sequence[Hunk]) -> Iterator[tuple[int, int, list[Hunk], list[Hunk]]]:
    """Stretches of the base that hunks cover, with the hunks of either side; those that touch are one."""
    waiting = sorted(
        [(one.at, 0, one) for one in first] + [(one.at, 1, one) for one in second], key=lambda one: one[:2]
    )
    place = 0
    while place < len(waiting):
        start = end = waiting[place][0]
        sides: tuple[list[Hunk], list[Hunk]] = ([], [])
        while place < len(waiting) and waiting[place][0] <= end:
            at, side, hunk = waiting[place]
            sides[side].append(hunk)
            end = max(end, at + len(hunk.base))
            place += 1
        yield start, end, *sides


def _lines(text: str) -> list[str]:
    """Only "\\n" ends a line."""
    found = text.split("\n")
    return [f"{line}\n" for line in found[:-1]] + ([found[-1]] if found[-1] else [])


def split_lines(text: str) -> list[str]:
    return _lines(text)


# -- names and text ----------------------------------------------------------------------------------------


def _path_of_header(header: str) -> str | None:
    """`diff --git a/x b/x`, for files of which no more is said than that they are empty, or of another mode."""
    names = header.removeprefix("diff --git ")
    if names.startswith('"'):
        return _stripped(_unquoted(names[: names.find('" ') + 1]))
    half = len(names) // 2
    return names[2:half] if names[:half][2:] == names[half + 1 :][2:] else None


def _stripped(name: str) -> str:
    return name[2:] if name[:2] in ("a/", "b/") else name


def _unquoted(name: str) -> str:
    if not (len(name) > 1 and name[0] == name[-1] == '"'):
        return name

    def byte(found: re.Match[str]) -> str:
        return chr(_ESCAPES[found[1]] if found[1] in _ESCAPES else int(found[1], 8))

    raw = name[1:-1].encode("utf-8", "surrogateescape").decode("latin-1")
    return _QUOTED.sub(byte, raw).encode("latin-1").decode("utf-8", "surrogateescape")


def quoted(name: str) -> str:
    """As git writes a name in a patch."""
    if name.isprintable() and '"' not in name and "\\" not in name and name.isascii():
        return name
    escapes = {code: letter for letter, code in _ESCAPES.items()}
    data = name.encode("utf-8", "surrogateescape")
    shown = (f"\\{escapes[one]}" if one in escapes else chr(one) if 32 <= one < 127 else f"\\{one:03o}" for one in data)
    return f'"{"".join(shown)}"'


def line_text(mark: str, line: str) -> str:
    return f"{mark}{line}" if line.endswith("\n") else f"{mark}{line}\n{_NO_NEWLINE}"
