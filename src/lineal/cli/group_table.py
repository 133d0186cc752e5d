"""The table of `lineal runs list --group-by`: a line a group, with the mean and the spread of what was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lineal.cli.wording import count_text, deviation_text, number_text, printable, shortened
from lineal.model.values import ParamValue, value_text

if TYPE_CHECKING:
    from lineal.cli.output import Page
    from lineal.cli.run_question import Question
    from lineal.store.contracts import Spread
    from lineal.store.grouped import Groups

_VALUE_CHARS, _NARROW_CHARS, _PIPED_CHARS = 24, 14, 80
_GAP_CHARS = 2
_NONE = Text("-", style="dim")


def groups_blocks(groups: Groups, question: Question, out: Page) -> list[RenderableType]:
    if not len(groups):
        if groups.total:
            return [Text(f"{count_text(groups.total, 'group')}; --limit 0 shows none of them.")]
        return [Text("No run matches, so there is no group. All runs: lineal runs list")]
    noun = count_text(groups.total, "group")
    count = sum(group.run_count for group in groups)
    said = noun if len(groups) == groups.total else f"{len(groups):,} of {noun}"
    more = "" if len(groups) == groups.total else f"; more with --limit {groups.total}"
    blocks: list[RenderableType] = [
        _table(groups, out),
        "",
        Text(f"{said}, {count_text(count, 'run')}{more}", style="dim"),
    ]
    if not question.metrics:
        blocks.append(Text("--metric NAME adds the mean and the spread of a metric.", style="dim"))
    return blocks


@dataclass(frozen=True, slots=True)
class _Column:
    title: Text
    cells: list[Text]
    is_number: bool = True
    style: str = ""

    @property
    def width(self) -> int:
        return max(cell.cell_len for cell in (self.title, *self.cells))


def _table(groups: Groups, out: Page) -> Table:
    """As much as there is room for: first the extremes go, then long values are cut, before a number would be."""
    wide, narrow = (_VALUE_CHARS, _NARROW_CHARS) if out.is_terminal else (_PIPED_CHARS, _PIPED_CHARS)
    for chars, with_extremes in ((wide, True), (wide, False), (narrow, False)):
        columns = _columns(groups, chars, with_extremes, out)
        if sum(column.width + _GAP_CHARS for column in columns) - _GAP_CHARS <= out.width:
            break
    table = Table(box=None, pad_edge=False, padding=(0, _GAP_CHARS, 0, 0), header_style="dim")
    for column in columns:
        justify: Literal["left", "right"] = "right" if column.is_number else "left"
        table.add_column(column.title, justify=justify, no_wrap=True, overflow="ellipsis", style=column.style)
    for cells in zip(*(column.cells for column in columns), strict=True):
        table.add_row(*cells)
    return table


def _columns(groups: Groups, chars: int, with_extremes: bool, out: Page) -> list[_Column]:
    """`±` is the standard deviation between the runs of a group."""
    plus_minus = "±" if out.is_terminal and out.shows_blocks else "+-"
    columns = []
    for name in groups[0].values:
        values = [group.values[name] for group in groups]
        is_number = all(isinstance(value, (int, float)) or value is None for value in values)
        cells = [_value(value, chars) for value in values]
        columns.append(_Column(Text(shortened(_title(name), chars)), cells, is_number, "bold"))
    columns.append(_Column(Text("runs"), [Text(f"{group.run_count:,}") for group in groups]))
    for name in groups[0].metrics:
        spreads = [group.metrics[name] for group in groups]
        means = [_mean(group.metrics[name], group.run_count, plus_minus) for group in groups]
        columns.append(_Column(Text(shortened(_title(name), chars)), means))
        if with_extremes:
            columns.append(_Column(Text("min"), [_number(spread.min) for spread in spreads], style="dim"))
            columns.append(_Column(Text("max"), [_number(spread.max) for spread in spreads], style="dim"))
    return columns


def _title(name: str) -> str:
    return printable(name.removeprefix("params.").removeprefix("metrics.").removeprefix("tags."))


def _value(value: ParamValue, chars: int) -> Text:
    return _NONE if value is None else Text(shortened(printable(value_text(value)), chars))


def _mean(spread: Spread, run_count: int, plus_minus: str) -> Text:
    """How many runs it is of, where not all of the group have a value."""
    if spread.mean is None:
        return _NONE
    text = number_text(spread.mean)
    if spread.std is not None:
        text += f" {plus_minus} {deviation_text(spread.std)}"
    return Text(text if spread.count == run_count else f"{text} (of {spread.count:,})")


def _number(value: float | None) -> Text:
    return _NONE if value is None else Text(number_text(value))
