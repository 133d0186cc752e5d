"""The page of `lineal runs diff`: a column a run; where the terminal is too narrow for all, one block below the other."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from lineal.cli.diff_sections import sections
from lineal.cli.output import Page
from lineal.cli.run_table import STATUS_STYLES
from lineal.cli.wording import ago_text, count_text, duration_text, number_text, printable, short_ids, shortened
from lineal.model.values import ParamValue, value_text
from lineal.store.difference import SECTIONS, Section

if TYPE_CHECKING:
    from lineal.local import LoggedRun
    from lineal.store.difference import Difference, Row
    from lineal.store.full_difference import FullDifference

_TITLES: dict[Section, str] = {"attribute": "Run", "param": "Params", "metric": "Metrics", "tag": "Tags"}
_LABELS = {
    "start_time": "started",
    "duration": "took",
    "user_id": "by",
    "description": "about",
    "parent_run_id": "part of",
    "forked_from": "forked from",
}
_NAME_CHARS, _VALUE_MIN_CHARS, _VALUE_CHARS, _PIPED_VALUE_CHARS = 28, 12, 24, 80
_GAP_CHARS = 2
_MISSING = Text("-", style="dim")


@dataclass(frozen=True, slots=True)
class _Line:
    """`cells` are the runs', in order; a title has none."""

    label: Text
    cells: list[Text]


def print_difference(
    runs: Sequence[LoggedRun], whole: FullDifference, *, show_all: bool, show_patch: bool = False
) -> None:
    out = Page()
    found = whole.rows
    shown = [row for row in found.rows if row.differs or show_all]
    lines = [*_head(runs), *_lines(found.run_ids, shown, _value_chars(shown, len(runs), out), out)]
    for number, table in enumerate(_blocks(lines, out.width)):
        out.print(*([""] if number else []), table)
    for title, block in sections(
        whole, short_ids([run.run_id for run in runs]), show_all=show_all, show_patch=show_patch
    ):
        out.print("", Text(title, style="bold"), block)
    out.print("")
    if any(row.best_run_ids for row in shown):
        out.print(Text("* best, by the metric's direction", style="dim"))
    out.print(Text(_closing(found, show_all, whole.is_empty), style="dim"))


def _value_chars(rows: Sequence[Row], run_count: int, out: Page) -> int:
    """So many that all runs stand side by side, within reason: names tell runs apart by both of their ends."""
    if not out.is_terminal:
        return _PIPED_VALUE_CHARS
    label_chars = min(_NAME_CHARS, max((len(row.name) for row in rows), default=0)) + _GAP_CHARS
    return max(_VALUE_MIN_CHARS, min(_VALUE_CHARS, (out.width - label_chars) // run_count - _GAP_CHARS))


def _head(runs: Sequence[LoggedRun]) -> Iterator[_Line]:
    yield _Line(
        Text("run", style="dim"), [Text(text, style="bold") for text in short_ids([run.run_id for run in runs])]
    )


def _lines(run_ids: Sequence[str], rows: Sequence[Row], value_chars: int, out: Page) -> Iterator[_Line]:
    for section in SECTIONS:
        of_section = [row for row in rows if row.section == section]
        if of_section and section != "attribute":
            yield _Line(Text(""), [])
            yield _Line(Text(_TITLES[section], style="bold"), [])
        for row in of_section:
            name, indent = (_LABELS.get(row.name, row.name), "") if section == "attribute" else (row.name, "  ")
            label = shortened(printable(name), _NAME_CHARS if out.is_terminal else _PIPED_VALUE_CHARS)
            yield _Line(Text(indent + label, style="dim"), [_cell(row, run_id, value_chars) for run_id in run_ids])


def _cell(row: Row, run_id: str, value_chars: int) -> Text:
    if run_id not in row.values:
        return _MISSING
    text = shortened(_value(row, row.values[run_id]), value_chars)
    if run_id in row.best_run_ids:
        return Text(f"{text} *", style="bold green")
    if row.name == "status" and row.section == "attribute":
        return Text(text, style=STATUS_STYLES.get(text, ""))
    return Text(text, style="" if row.differs else "dim")


def _value(row: Row, value: ParamValue) -> str:
    if row.section == "metric":
        assert isinstance(value, (int, float))
        return number_text(value)
    if row.section == "attribute" and isinstance(value, int):
        now_ms = time.time_ns() // 1_000_000
        return duration_text(value / 1_000) if row.name == "duration" else ago_text(value, now_ms)
    if row.section == "param" and isinstance(value, str) and _looks_typed(row):
        return f'"{printable(value)}"'
    return printable(value_text(value))


def _looks_typed(row: Row) -> bool:
    """Whether a text would be taken for a value of another type that stands beside it."""
    return any(not isinstance(value, str) for value in row.values.values())


def _blocks(lines: Sequence[_Line], width: int) -> Iterator[Table]:
    """As many runs beside each other as the width has room for, at least one."""
    label_chars = max(line.label.cell_len for line in lines if line.cells)
    run_count = max(len(line.cells) for line in lines)
    widths = [max(line.cells[run].cell_len for line in lines if line.cells) for run in range(run_count)]
    first = 0
    while first < run_count:
        room, end = width - label_chars, first
        while end < run_count and (end == first or room >= _GAP_CHARS + widths[end]):
            room -= _GAP_CHARS + widths[end]
            end += 1
        yield _table(lines, first, end)
        first = end


def _table(lines: Sequence[_Line], first: int, end: int) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP_CHARS, 0, 0), show_header=False)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for _ in range(first, end):
        table.add_column(no_wrap=True, overflow="ellipsis")
    for line in lines:
        table.add_row(line.label, *line.cells[first:end])
    return table


def _closing(found: Difference, show_all: bool, is_empty: bool) -> str:
    equal_count = sum(not row.differs for row in found.rows)
    said = count_text(equal_count, "line is", "lines are")
    hint = "." if show_all or not equal_count else "; --all shows them."
    if not any(row.differs for row in found.rows) and is_empty:
        return f"No difference: {said} equal{hint}"
    return f"No difference but what is another in every run: {said} equal{hint}" if is_empty else f"{said} equal{hint}"
