"""How experiments are printed, for people and for programs."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from shlex import quote
from typing import TYPE_CHECKING, Any

from lineal.model.vocabulary import Status
from lineal.store.contracts import RunQuery
from lineal.store.run_view import experiment_dict, iso_time

if TYPE_CHECKING:
    from rich.console import RenderableType

    from lineal.local import LocalStore
    from lineal.model.entities import Experiment

_STATUSES: tuple[Status, ...] = ("running", "finished", "failed", "killed", "lost")
_NAME_CHARS, _PIPED_CHARS = 32, 200


@dataclass(frozen=True, slots=True)
class Counted:
    """An experiment with the number of its active runs, and when the newest of them started."""

    experiment: Experiment
    run_count: int
    latest_ms: int | None


@dataclass(frozen=True, slots=True)
class Seen:
    """What `experiments show` says."""

    counted: Counted
    deleted_run_count: int
    status_counts: dict[Status, int]


def latest_runs(store: LocalStore, found: Sequence[Experiment]) -> list[Counted]:
    reader = store.reader()
    counted = []
    for experiment in found:
        page = reader.list_runs(RunQuery(limit=1, experiments=(experiment.name,)))
        counted.append(Counted(experiment, page.total, page.runs[0].started_ms if page.runs else None))
    return counted


def look_at(store: LocalStore, experiment: Experiment) -> Seen:
    name = experiment.name
    counts = {status: store.runs(f"status = '{status}'", experiments=[name], limit=0).total for status in _STATUSES}
    deleted = store.runs(experiments=[name], limit=0, deleted=True).total
    return Seen(latest_runs(store, [experiment])[0], deleted, {key: count for key, count in counts.items() if count})


def describe(counted: Counted) -> dict[str, Any]:
    return experiment_dict(counted.experiment) | {
        "run_count": counted.run_count,
        "latest_start_time": iso_time(counted.latest_ms),
    }


def describe_whole(seen: Seen) -> dict[str, Any]:
    return describe(seen.counted) | {
        "deleted_run_count": seen.deleted_run_count,
        "status_counts": {status: seen.status_counts.get(status, 0) for status in _STATUSES},
    }


# -- for people ---------------------------------------------------------------------------------


def print_experiments(store: LocalStore, found: Sequence[Counted], total: int, *, search: str, deleted: bool) -> None:
    from rich.table import Table
    from rich.text import Text

    from lineal.cli.output import Page
    from lineal.cli.wording import ago_text, count_text, printable, shortened

    out = Page()
    if not found:
        out.print(*_nothing(store, total, search=search, deleted=deleted))
        return
    now_ms = time.time_ns() // 1_000_000
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("experiment", no_wrap=True, style="bold")
    table.add_column("runs", justify="right", no_wrap=True)
    table.add_column("last run", no_wrap=True, style="dim")
    describes = any(one.experiment.description for one in found)
    tagged = any(one.experiment.tags for one in found)
    if describes:
        table.add_column("about", no_wrap=True, overflow="ellipsis")
    if tagged:
        table.add_column("tags", no_wrap=True, overflow="ellipsis", style="dim")
    name_chars = _NAME_CHARS if out.is_terminal else _PIPED_CHARS
    for one in found:
        experiment = one.experiment
        cells = [
            Text(shortened(printable(experiment.name), name_chars)),
            Text(f"{one.run_count:,}"),
            Text("" if one.latest_ms is None else ago_text(one.latest_ms, now_ms)),
        ]
        if describes:
            cells.append(Text(shortened(printable(experiment.description), _PIPED_CHARS)))
        if tagged:
            cells.append(Text(printable(" ".join(f"{key}={value}" for key, value in experiment.tags.items()))))
        table.add_row(*cells)
    out.print(table, "")
    noun = "deleted experiment" if deleted else "experiment"
    said = f"{len(found):,} of {count_text(total, noun)}" if len(found) < total else count_text(total, noun)
    out.print(Text(said, style="dim"))


def _nothing(store: LocalStore, total: int, *, search: str, deleted: bool) -> Iterator[str]:
    from lineal.cli.wording import count_text, printable

    folder = printable(store.place)
    if total:
        yield f"None of {count_text(total, 'experiment')} is printed: --limit and --offset leave them out."
    elif search:
        yield f"No experiment in {folder} has {printable(search)!r} in its name. All of them: lineal experiments list"
    elif deleted:
        yield f"No experiment in {folder} is deleted."
    elif count := store.reader().list_experiments(lifecycle="deleted", limit=0).total:
        yield f"No experiment in {folder} is active; {count_text(count, 'is', 'are')} deleted: lineal experiments list --deleted"
    else:
        yield f"No experiments in {folder} yet."
        yield "The first run makes one, or: lineal experiments set NAME --description TEXT"


def print_experiment(seen: Seen) -> None:
    from rich.text import Text

    from lineal.cli.output import Page
    from lineal.cli.wording import printable

    experiment = seen.counted.experiment
    out = Page()
    head = Text(printable(experiment.name), style="bold")
    if experiment.lifecycle == "deleted":
        head.append("  deleted", style="red")
    out.print(head, *_body(seen))


def _body(seen: Seen) -> Iterator[RenderableType]:
    from rich.padding import Padding
    from rich.text import Text

    from lineal.cli.run_page import pairs
    from lineal.cli.wording import ago_text, printable, time_text

    experiment, counted = seen.counted.experiment, seen.counted
    now_ms = time.time_ns() // 1_000_000
    rows = [
        ("experiment id", experiment.experiment_id),
        ("about", experiment.description),
        ("made", time_text(experiment.created_ms) if experiment.created_ms else ""),
        ("runs", _counts(seen)),
        ("last run", "" if counted.latest_ms is None else ago_text(counted.latest_ms, now_ms)),
        ("artifacts at", experiment.artifact_location or ""),
    ]
    yield pairs((label, value) for label, value in rows if value)
    if experiment.tags:
        yield from ("", Text("Tags", style="bold"), Padding(pairs(experiment.tags.items()), (0, 0, 0, 2), expand=False))
    if counted.run_count:
        yield ""
        yield f"lineal runs list --experiment {printable(quote(experiment.name))}"


def _counts(seen: Seen) -> str:
    statuses = ", ".join(f"{count:,} {status}" for status, count in seen.status_counts.items())
    text = f"{seen.counted.run_count:,}" + (f" ({statuses})" if statuses else "")
    return text + (f", and {seen.deleted_run_count:,} deleted" if seen.deleted_run_count else "")
