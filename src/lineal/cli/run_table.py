"""The table of `lineal runs list`: what identifies a run, then as many telling columns as the terminal has room for."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from lineal.cli.output import Page
from lineal.cli.wording import ago_text, count_text, duration_text, number_text, printable, short_ids, shortened
from lineal.model.values import ParamValue, value_text
from lineal.model.vocabulary import is_system
from lineal.query.parser import parse, parse_orders
from lineal.query.syntax import Field, fields_of
from lineal.store.compare import latest_values

if TYPE_CHECKING:
    from lineal.cli.run_question import Question
    from lineal.local import LocalStore, LoggedRun, Runs

STATUS_STYLES = {
    "running": "cyan",
    "finished": "green",
    "failed": "bold red",
    "killed": "yellow",
    "lost": "magenta",
}
_GAP_CHARS = 2
_FLOAT_CHARS = 10
_NAME_CHARS, _EXPERIMENT_CHARS, _VALUE_CHARS, _TITLE_CHARS = 24, 16, 14, 22
_OPTIONAL_MAX_COUNT = 8
_EXPERIMENTS_NAMED = 5
_LIMIT_MAX_COUNT = 2_000  # nobody reads more lines
# What a run is judged by, then what it was trained with; "train/loss" is rarely why somebody looks.
_TELLING = ("test", "val", "valid", "validation", "eval")
_SCORES = ("acc", "accuracy", "f1", "auc", "score", "loss", "error", "rmse", "mae", "perplexity")


@dataclass(frozen=True, slots=True)
class _Column:
    title: str
    cells: list[str]
    styles: list[str] = field(default_factory=list)
    is_number: bool = False

    @property
    def width(self) -> int:
        return max(map(cell_len, [self.title, *self.cells]))


def runs_blocks(store: LocalStore, page: Runs, question: Question, out: Page) -> list[RenderableType]:
    """The whole answer: table, total, and what to do next."""
    if not len(page):
        return list(_nothing(store, page.total, question))
    metrics = _metrics_of(store, page)
    asked = _fields_asked_for(question)
    details = _details(page, metrics, asked)
    columns = _fitting(_identity(page, out, _NAME_CHARS, _EXPERIMENT_CHARS), details, out.width)
    if details and details[0] not in columns:
        narrow = _identity(page, out, _NAME_CHARS * 2 // 3, _EXPERIMENT_CHARS * 2 // 3)
        columns = _fitting(narrow, details, out.width)
    return [_table(columns), "", _total(page, question)]


def _nothing(store: LocalStore, total: int, question: Question) -> Iterable[Text]:
    filter, experiment = question.filter, question.experiment
    folder = store.place
    tenant = "" if store.tenant == "default" else f" (tenant {store.tenant})"
    if total:
        why = (
            f"--offset {question.offset} leaves them out"
            if question.offset >= total
            else "--limit 0 shows none of them"
        )
        yield Text(f"{count_text(total, 'run')} {'matches' if total == 1 else 'match'}; {why}.")
    elif experiment is not None and experiment not in (names := [one.name for one in store.experiments()]):
        known = ", ".join(shortened(printable(name), 40) for name in names[:_EXPERIMENTS_NAMED]) or "none"
        yield Text(f"No experiment {printable(experiment)!r} in {folder}{tenant}. There are: {known}")
    elif question.deleted and not filter.strip() and experiment is None:
        yield Text(f"No run in {folder}{tenant} is deleted.")
    elif filter.strip() or experiment is not None:
        yield Text(f"No run in {folder}{tenant} matches. All runs: lineal runs list")
    else:
        yield Text(f"No runs in {folder}{tenant} yet.")
        yield Text("Record one with lineal.init() in a training script, or see 24 real ones: lineal demo")


# -- which columns ------------------------------------------------------------------------------


def _identity(page: Runs, out: Page, name_chars: int, experiment_chars: int) -> list[_Column]:
    """What is always shown. An experiment that all runs share is left out where room is short."""
    now_ms = time.time_ns() // 1_000_000
    runs = [run.details.run for run in page]
    statuses = [run.status for run in runs]
    experiments = [shortened(printable(run.experiment_name), experiment_chars) for run in runs]
    took = [
        (now_ms - run.started_ms) / 1_000 if run.ended_ms is None else (run.duration_ms or 0) / 1_000 for run in runs
    ]
    columns = [
        _Column("run", short_ids([run.run_id for run in runs]), ["bold"] * len(runs)),
        _Column("name", [shortened(printable(run.name), name_chars) for run in runs]),
        _Column("experiment", experiments),
        _Column("status", list(statuses), [STATUS_STYLES[status] for status in statuses]),
        _Column("started", [ago_text(run.started_ms, now_ms) for run in runs], ["dim"] * len(runs)),
        _Column("took", [duration_text(seconds) for seconds in took], ["dim"] * len(runs), is_number=True),
    ]
    if out.is_terminal and out.width < 100 and len({run.experiment_name for run in runs}) == 1:
        del columns[2]
    return columns


def _details(page: Runs, metrics: Sequence[dict[str, float | int]], asked: list[Field]) -> list[_Column]:
    """Columns by how much they tell: what was asked for, metrics, then params that differ between the runs."""
    params = [run.params for run in page]
    fields = list(asked)
    shown = {name for values in metrics for name in values if not is_system(name)}
    names = sorted(shown, key=lambda name: _rank(name, metrics))
    fields += [Field("metric", name) for name in names]
    differing = [
        name for name in _names_of(params) if len({value_text(values[name]) for values in params if name in values}) > 1
    ]
    fields += [Field("param", name) for name in sorted(differing, key=lambda name: (name.count("/"), len(name), name))]
    # Two metrics and two params say more than four metrics.
    wanted = _alternating(list(dict.fromkeys(fields)), len(asked))
    return [_detail(field, page, params, metrics) for field in wanted[:_OPTIONAL_MAX_COUNT]]


def _alternating(fields: list[Field], keep: int) -> list[Field]:
    first, rest = fields[:keep], fields[keep:]
    metrics = [field for field in rest if field.kind == "metric"]
    params = [field for field in rest if field.kind == "param"]
    while metrics or params:
        first += metrics[:2] + params[:2]
        metrics, params = metrics[2:], params[2:]
    return first


def _detail(
    field: Field, page: Runs, params: Sequence[dict[str, ParamValue]], metrics: Sequence[dict[str, float | int]]
) -> _Column:
    title = field.name
    if field.kind == "metric" and field.aggregate != "last":
        cells = [number_text(_aggregate(run, field)) for run in page]
        numbers, title = True, f"{field.aggregate}({field.name})"
    elif field.kind == "metric":
        cells = [number_text(values.get(field.name)) for values in metrics]
        numbers = True
    else:
        found = (
            [run.tags.get(field.name) for run in page] if field.kind == "tag" else [p.get(field.name) for p in params]
        )
        cells = [_value_cell(value) for value in found]
        numbers = all(isinstance(value, (int, float)) or value is None for value in found)
    return _Column(shortened(printable(title), _TITLE_CHARS), cells, is_number=numbers)


def _aggregate(run: LoggedRun, field: Field) -> float | int | None:
    """Of the metric's points without labels; of two types of values the one that was logged last."""
    found = [info.summary for info in run.series if info.key.name == field.name and not info.key.labels]
    if not found:
        return None
    value: float | int | None = getattr(max(found, key=lambda summary: summary.last_ms), field.aggregate)
    return value


def _value_cell(value: ParamValue) -> str:
    if value is None:
        return ""
    text = value_text(value)
    if isinstance(value, float) and len(text) > _FLOAT_CHARS:
        text = f"{value:.6g}"
    return shortened(printable(text), _VALUE_CHARS)


def _fields_asked_for(question: Question) -> list[Field]:
    """What the order and the filter name, except what is shown anyway."""
    fields = [order.field for order in parse_orders(list(question.order_by))]
    fields += fields_of(parse(question.filter))
    return [field for field in dict.fromkeys(fields) if field.kind in ("param", "metric", "tag")]


def _rank(name: str, metrics: Sequence[dict[str, float | int]]) -> tuple[int, int, int, str]:
    parts = name.lower().replace("_", "/").split("/")
    rarity = sum(name not in values for values in metrics)
    return (not any(part in _TELLING for part in parts), not any(part in _SCORES for part in parts), rarity, name)


def _names_of(dicts: Iterable[dict[str, ParamValue]]) -> list[str]:
    return sorted({name for values in dicts for name in values})


def _metrics_of(store: LocalStore, page: Sequence[LoggedRun]) -> list[dict[str, float | int]]:
    """The latest values of all runs in one question."""
    return [latest_values(series) for series in store.reader().list_summaries([run.run_id for run in page])]


# -- how it is drawn ----------------------------------------------------------------------------


def _fitting(always: list[_Column], optional: list[_Column], width: int) -> list[_Column]:
    room = width - sum(column.width + _GAP_CHARS for column in always) + _GAP_CHARS
    for column in optional:
        if column.width + _GAP_CHARS <= room:
            room -= column.width + _GAP_CHARS
            always = [*always, column]
    return always


def _table(columns: list[_Column]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, _GAP_CHARS, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(
            Text(column.title), justify="right" if column.is_number else "left", no_wrap=True, overflow="ellipsis"
        )
    for index in range(len(columns[0].cells)):
        table.add_row(
            *(Text(column.cells[index], style=column.styles[index] if column.styles else "") for column in columns)
        )
    return table


def _total(page: Runs, question: Question) -> Text:
    """How many there are, and how to see the others."""
    total = count_text(page.total, "deleted run" if question.deleted else "run")
    if len(page) == page.total:
        return Text(total, style="dim")
    if question.page_token is not None:
        more = f"; next: --page-token {page.next_page_token}" if page.next_page_token else ""
        return Text(f"{len(page):,} more of {total}{more}", style="dim")
    if question.offset:
        end = question.offset + len(page)
        more = f"; next: --offset {end}" if end < page.total else ""
        return Text(f"{question.offset + 1:,} to {end:,} of {total}{more}", style="dim")
    more = f"more with --limit {page.total}" if page.total <= _LIMIT_MAX_COUNT else f"next: --offset {len(page)}"
    return Text(f"{len(page):,} of {total}; {more}", style="dim")
