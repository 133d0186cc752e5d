"""What `lineal reproduce` prints: the plan, and the verdict."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lineal.cli.output import Page
from lineal.cli.wording import count_text, number_text, printable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lineal.reproduce.plan import Plan
    from lineal.reproduce.problems import Problem
    from lineal.reproduce.reproduction import Reproduction
    from lineal.reproduce.verdict import MetricVerdict

_INDENT = (0, 0, 0, 2)
_SHOWN_MAX_COUNT = 20
_SHORTENED = frozenset({"code", "data", "hardware"})  # of the others, what starts or is installed, a plan names each
_STYLES = {"identical": "green", "within tolerance": "green", "different": "red", "failed": "red"}


def print_plan(plan: Plan, starts: bool) -> None:
    page = Page()
    environment = plan.environment
    if environment.choice == "current":
        made = f"Python {environment.version} and the packages that are installed here"
    else:
        packages = count_text(len(environment.requirements), "package")
        made = f"Python {environment.version}, {packages} by {environment.tool}" if environment.version else "none"
    rows = [("code", plan.origin), ("environment", made)]
    rows += [("data", f"{item.name}  {item.place or 'not on this disk'}") for item in plan.data]
    rows += _installed(plan)
    if plan.command.words:
        rows += [("command", plan.command.text), ("in", str(plan.command.folder))]
    rows += [("sets", _assignment(name, value, plan.command.marked)) for name, value in plan.command.variables.items()]
    if plan.command.taken:
        rows.append(("variables", f"{', '.join(plan.command.taken)}: redacted then, taken as set now"))
    if plan.command.unset:
        rows.append(("variables", f"{', '.join(plan.command.unset)}: set now, not then, and not set for it"))
    page.print(Text.assemble("To make run ", (printable(plan.run_id), "bold"), " again:"), _table(rows))
    missing = [problem for problem in plan.problems if problem.blocks]
    if missing:
        page.print("", Text("Cannot be had:", style="red"), _problems(missing, _SHORTENED))
    other = [problem for problem in plan.problems if not problem.blocks]
    if other:
        page.print("", Text("Not as it was then:", style="yellow"), _problems(other, _SHORTENED))
    if missing and starts:
        page.print("", "It is started all the same.")
    elif missing:
        advice = "" if not plan.can_start_anyway else " --anyway starts it all the same."
        page.print("", f"It was not started.{advice}")
    page.print("")


def _installed(plan: Plan) -> list[tuple[str, str]]:
    """What comes from elsewhere than the index, and runs its own code when it is installed."""
    found = [("from address", item.line) for item in plan.environment.requirements if item.address is not None]
    return found + [("from folder", project) for project in plan.environment.projects]


def _assignment(name: str, value: str, marked: Iterable[str]) -> str:
    return f"{name}={shlex.quote(value)}{'  (may load code from elsewhere)' if name in marked else ''}"


def print_reproduction(done: Reproduction, folder: str | None) -> None:
    page = Page()
    outcome = done.outcome
    said = outcome.verdict.capitalize()
    page.print("", Text.assemble((said, f"bold {_STYLES[outcome.verdict]}"), f": {printable(outcome.reason)}."))
    parted = [item for item in outcome.metrics if item.verdict != "identical"]
    if parted:
        page.print(Padding(_metrics(parted[:_SHOWN_MAX_COUNT]), _INDENT))
    if len(parted) > _SHOWN_MAX_COUNT:
        page.print(f"  ... and {len(parted) - _SHOWN_MAX_COUNT} more")
    if done.differences:
        page.print("", "Beside the metrics:", _problems(done.differences))
    if done.run_id is not None:
        page.print("", f"Kept as run {done.run_id}: `lineal runs diff {done.of} {done.run_id}`")
    if folder is not None:
        page.print(f"Its tree and environment are in {printable(folder)}")


def _table(rows: Iterable[tuple[str, str]]) -> Padding:
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(overflow="fold")  # every character: what is cut off could be what matters
    for name, text in rows:
        table.add_row(Text(name, style="dim"), Text(printable(text)))
    return Padding(table, _INDENT)


def _problems(problems: Iterable[Problem], shortened: frozenset[str] | None = None) -> Padding:
    """The first of them; if topics to shorten are named, all of the other topics."""
    listed = list(problems)
    whole = [problem for problem in listed if shortened is not None and problem.topic not in shortened]
    some = [problem for problem in listed if shortened is None or problem.topic in shortened]
    rows: list[tuple[str, str]] = [(item.topic, item.text) for item in [*whole, *some[:_SHOWN_MAX_COUNT]]]
    if len(some) > _SHOWN_MAX_COUNT:
        rows.append(("", f"... and {len(some) - _SHOWN_MAX_COUNT} more"))
    return _table(rows)


def _metrics(items: Iterable[MetricVerdict]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in ("metric", "verdict", "first step", "was", "is", "largest deviation", ""):
        table.add_column(name)
    for item in items:
        table.add_row(
            Text(printable(item.shown_name)),
            Text(item.verdict, style=_STYLES[item.verdict]),
            *(
                Text("" if value is None else _exact(value))
                for value in (item.first_step, item.original, item.reproduced)
            ),
            Text("" if item.largest is None else number_text(item.largest)),
            Text(item.why, style="dim"),
        )
    return table


def _exact(value: float | int) -> str:
    """Every digit: the two may differ in the last one."""
    return repr(value)
