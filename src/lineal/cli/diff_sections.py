"""What stands below the columns of `lineal runs diff`: whether the comparison is fair, data, code, packages, machines, curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lineal.cli.circumstances import code_text
from lineal.cli.wording import apart, count_text, printable, shortened
from lineal.model.values import ParamValue, value_text

if TYPE_CHECKING:
    from lineal.store.circumstance_difference import DatasetRow, Fact
    from lineal.store.code_difference import CodePatch
    from lineal.store.full_difference import FullDifference
    from lineal.store.parting import Parting

_INDENT = (0, 0, 0, 2)
_NAME_CHARS, _VALUE_CHARS, _DIGEST_CHARS = 40, 60, 12
_PATCH_LINES = 60
_STYLES = {"+": "green", "-": "red", "@": "cyan", "d": "bold"}


def sections(
    found: FullDifference, shown_ids: Sequence[str], *, show_all: bool, show_patch: bool
) -> Iterator[tuple[str, RenderableType]]:
    """Titles and what stands below them; `shown_ids`: how the runs are called, in their order."""
    short = dict(zip(found.run_ids, shown_ids, strict=True))
    fairness = list(_fairness(found))
    if fairness:
        yield "Fair to compare?", _indented(fairness)
    rows = [row for row in found.datasets if row.differs or show_all]
    if rows:
        yield "Data", _table(((_dataset_name(row), _digests(row)) for row in rows), short)
    code = list(_code(found, short, show_patch))
    if code and (show_all or len({row.digest for row in found.code}) > 1 or any(row.patch for row in found.code)):
        yield "Code", _indented(code)
    if found.packages or found.packages_unknown:
        yield "Packages", Group(*_packages(found, short))
    for title, facts in (
        ("Execution", found.execution),
        ("Environment", found.environment),
        ("Hardware", found.hardware),
    ):
        chosen = [fact for fact in facts if fact.differs or show_all]
        if chosen:
            yield title, _table(((fact.name, _values(fact)) for fact in chosen), short)
    parts = [one for one in found.parts.found if one.step is not None or show_all]
    if parts or found.parts.left_out:
        yield "Curves part", Group(*_partings(parts, found.parts.left_out, short))


def _fairness(found: FullDifference) -> Iterator[Text]:
    for reason in found.comparable.reasons:
        yield Text(f"No: {printable(reason.text)}", style="yellow")
    if found.comparable.unknown and found.comparable.reasons:
        yield from (Text(f"Not known: {printable(text)}", style="dim") for text in found.comparable.unknown)


def _code(found: FullDifference, short: Mapping[str, str], show_patch: bool) -> Iterator[RenderableType]:
    for row in found.code:
        said = code_text({"kind": row.kind, "commit": row.commit, "branch": row.branch, "is_dirty": row.is_dirty})
        yield Text(f"{short[row.run_id]}  {printable(said) or 'no commit'}")
    first = short[found.code[0].run_id] if found.code else ""
    for row in found.code:
        if row.patch is not None:
            yield from _patch(row.patch, f"from {first} to {short[row.run_id]}", show_patch)


def _packages(found: FullDifference, short: Mapping[str, str]) -> Iterator[RenderableType]:
    if found.packages:
        yield _table(((row.name, row.values) for row in found.packages), short)
    if found.packages_unknown:
        yield Padding(Text(printable(found.packages_unknown), style="yellow"), _INDENT)


def _patch(patch: CodePatch, way: str, show_patch: bool) -> Iterator[RenderableType]:
    for text in patch.unknown:
        yield Text(f"Not known {way}: {printable(text)}", style="yellow")
    if not patch.files:
        if patch.is_empty:
            yield Text(f"{way}: the same files", style="dim")
        return
    yield Text(f"{way}: {count_text(len(patch.files), 'file differs', 'files differ')}", style="dim")
    lines = patch.text.splitlines()
    shown = lines if show_patch else lines[:_PATCH_LINES]
    yield from (Text(printable(line), style=_STYLES.get(line[:1], "")) for line in shown)
    if len(shown) < len(lines) or patch.is_cut:
        hint = "" if show_patch else "; --patch shows it"
        yield Text(f"... {count_text(len(lines) - len(shown), 'more line')}{hint}", style="dim")


def _partings(parts: Sequence[Parting], left_out: Sequence[str], short: Mapping[str, str]) -> Iterator[RenderableType]:
    table = _empty()
    for one in parts:
        labels = ", ".join(f"{key}={value}" for key, value in one.labels)
        name = shortened(printable(f"{one.metric} ({labels})" if labels else one.metric), _NAME_CHARS)
        if one.step is None:
            table.add_row(
                Text("nowhere", style="dim"), Text(name, style="dim"), Text("equal, bit for bit", style="dim")
            )
            continue
        values = [f"{short[run_id]} {_exact(value)}" for run_id, value in one.values.items()]
        values += [f"{shown} has no point" for run_id, shown in short.items() if run_id not in one.values]
        table.add_row(Text(f"at step {value_text(one.step)}"), Text(name), Text(", ".join(values)))
    yield Padding(table, _INDENT, expand=False)
    if left_out:
        yield Padding(Text(f"Too long to be looked at here: {printable(', '.join(left_out))}", style="dim"), _INDENT)


def _exact(value: float | int) -> str:
    """All digits: two numbers that differ in the last one must not look the same."""
    return value_text(value)


def _table(rows: Iterator[tuple[str, Mapping[str, str]]], short: Mapping[str, str]) -> RenderableType:
    table = _empty(len(short))
    table.add_row("", *(Text(shown, style="dim") for shown in short.values()))
    for name, values in rows:
        shown = dict(zip(values, apart([printable(value) for value in values.values()], _VALUE_CHARS), strict=True))
        cells = (Text(shown.get(run_id, "-")) for run_id in short)
        table.add_row(Text(shortened(printable(name), _NAME_CHARS), style="dim"), *cells)
    return Padding(table, _INDENT, expand=False)


def _empty(value_count: int = 2) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for _ in range(1 + value_count):
        table.add_column(overflow="fold")
    return table


def _indented(lines: Sequence[RenderableType]) -> RenderableType:
    return Padding(Group(*lines), _INDENT, expand=False)


def _dataset_name(row: DatasetRow) -> str:
    return f"{row.name} ({row.context})" if row.context else row.name


def _digests(row: DatasetRow) -> dict[str, str]:
    return {run_id: ", ".join(one[:_DIGEST_CHARS] for one in digests) for run_id, digests in row.values.items()}


def _values(fact: Fact) -> dict[str, str]:
    return {run_id: _shown(value) for run_id, value in fact.values.items()}


def _shown(value: ParamValue) -> str:
    return value_text(value)
