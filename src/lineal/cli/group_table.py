"""The table of `lineal runs list --group-by`: a line a group, with the mean and the spread of what was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lineal.cli.wording import count_text, deviation_text, number_text, printable, shortened
from lineal.model.values import ParamValue, value_text

if TYPE_CHECKING:
    from lineal.cli.output import Page
    from lineal.cli.run_list import Question
    from lineal.store.contracts import Spread
    from lineal.store.grouped import Groups

_VALUE_CHARS, _PIPED_CHARS = 24, 80
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


def _table(groups: Groups, out: Page) -> Table:
    """`±` is the standard deviation between the runs of a group."""
    table = Table(box=None, pad_edge=False, padding=(0, _GAP_CHARS, 0, 0), header_style="dim")
    chars = _VALUE_CHARS if out.is_terminal else _PIPED_CHARS
    for name in groups[0].values:
        is_number = all(isinstance(group.values[name], (int, float)) for group in groups)
        table.add_column(
            Text(shortened(_title(name), chars)),
            justify="right" if is_number else "left",
            no_wrap=True,
            overflow="ellipsis",
            style="bold",
        )
    table.add_column("runs", justify="right", no_wrap=True)
    for name in groups[0].metrics:
        table.add_column(Text(shortened(_title(name), chars)), justify="right", no_wrap=True, overflow="ellipsis")
        for title in ("min", "max"):
            table.add_column(title, justify="right", no_wrap=True, style="dim")
    plus_minus = "±" if out.is_terminal and out.shows_blocks else "+-"
    for group in groups:
        cells = [_value(value, chars) for value in group.values.values()]
        cells.append(Text(f"{group.run_count:,}"))
        for spread in group.metrics.values():
            cells += [_mean(spread, group.run_count, plus_minus), _number(spread.min), _number(spread.max)]
        table.add_row(*cells)
    return table


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
