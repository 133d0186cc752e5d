"""A report set as plain text, or as Markdown. Names and notes are anybody's: none of them can end a line, a cell or a page."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from lineal.store.why import Why
from lineal.store.why_report import Section, Table, report

_VALUE_MAX_CHARS = 400
_MARKS = re.compile(r"([\\`*_{}\[\]<>#|~!&])")
_CELL_MAX_CHARS = 60


def why_text(why: Why) -> str:
    """For a terminal or a mail: lines of any width, ended by a line end."""
    lines: list[str] = []
    for number, section in enumerate(report(why)):
        lines += [_line(section.title)] if number == 0 else ["", _line(section.title)]
        lines += [f"  {line}" for line in _text_of(section)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def why_markdown(why: Why) -> str:
    """For a merge request or a page: headings, lists and tables."""
    lines: list[str] = []
    for number, section in enumerate(report(why)):
        lines += [f"# Why {_safe(section.title)}" if number == 0 else f"## {_safe(section.title)}", ""]
        lines += [line for sentence in section.sentences for line in (_safe(sentence), "")]
        if section.pairs:
            lines += [f"- **{_safe(name)}**: {_safe(value)}" for name, value in section.pairs] + [""]
        if section.table is not None:
            lines += [*_markdown_table(section.table), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _text_of(section: Section) -> Iterator[str]:
    yield from map(_line, section.sentences)
    names = [_line(name) for name, _ in section.pairs]
    width = min(max(map(len, names), default=0), _CELL_MAX_CHARS)
    for name, (_, value) in zip(names, section.pairs, strict=True):
        yield f"{name.ljust(width)}  {_line(value)}"
    if section.table is not None:
        rows = [[_line(cell) for cell in row] for row in (section.table.head, *section.table.rows)]
        widths = [min(max(map(len, column)), _CELL_MAX_CHARS) for column in zip(*rows, strict=True)]
        for row in rows:
            yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))


def _markdown_table(table: Table) -> Iterator[str]:
    yield f"| {' | '.join(map(_safe, table.head))} |"
    yield f"|{'---|' * len(table.head)}"
    for row in table.rows:
        yield f"| {' | '.join(map(_safe, row))} |"


def _line(text: str) -> str:
    """On one line, and without what would move a cursor or turn the writing direction."""
    one = " ".join(text.split())
    if len(one) > _VALUE_MAX_CHARS:
        one = f"{one[:_VALUE_MAX_CHARS]} ..."
    if one.isascii() and one.isprintable():
        return one
    return "".join(
        character.encode("unicode_escape").decode() if unicodedata.category(character)[0] == "C" else character
        for character in one
    )


def _safe(text: str) -> str:
    """As words, whatever marks are in it."""
    return _MARKS.sub(r"\\\1", _line(text))
