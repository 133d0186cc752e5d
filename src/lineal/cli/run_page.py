"""The page of `lineal runs show`."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from lineal.cli.circumstances import circumstance_lines
from lineal.cli.output import Page, joined
from lineal.cli.reproductions import reproduction_lines
from lineal.cli.resource_lines import resource_lines
from lineal.cli.run_table import STATUS_STYLES
from lineal.cli.run_uses import use_lines
from lineal.cli.sparkline import sparkline
from lineal.cli.wording import (
    ago_text,
    bytes_text,
    columns_of,
    count_text,
    duration_text,
    number_text,
    printable,
    shortened,
    time_text,
)
from lineal.model.captures import OWN_FOLDER, is_own_path
from lineal.model.errors import NotFound
from lineal.model.spent import spent_of
from lineal.model.values import ParamValue, value_text
from lineal.model.vocabulary import is_system

if TYPE_CHECKING:
    from lineal.local import LocalStore, LoggedRun
    from lineal.model.entities import Artifact, Attempt, SeriesInfo

_CURVE_MIN_CHARS, _CURVE_MAX_CHARS = 8, 40
_NAME_MIN_CHARS, _NAME_MAX_CHARS = 16, 32
_INDENT = (0, 0, 0, 2)
_ERROR_LINES = 6
_PARAM_CHARS = 240
# Why something is missing, for those who did not write Lineal.
_LOSS_REASONS = {
    "after_finish": "logged after finish()",
    "artifact_not_kept": "artifacts that could not be kept",
    "bad_name": "metric names that cannot be used",
    "console_target": "bytes of output that could not be written to where it goes",
    "damaged": "records damaged on disk",
    "damaged_event": "events of TensorBoard damaged on disk",
    "disk_refuses": "dropped while the disk refused writes",
    "event_over_limit": "events of TensorBoard over the limit",
    "locked": "said while the run was locked",
    "name_over_limit": "names over the limit",
    "not_a_mapping": "calls of log() without a dictionary",
    "not_a_number": "values that are no numbers",
    "not_read": "events of TensorBoard of a kind that is not read",
    "param_refused": "params over their limit",
    "torn": "records half written when the process died",
}


def print_run(store: LocalStore, run: LoggedRun) -> None:
    page = Page()
    page.print(*_header(store, run))
    troubles = list(_troubles(run))
    if troubles:
        page.print(*troubles)
    for title, block in _sections(store, run, page):
        page.print("", Text(title, style="bold"), Padding(block, _INDENT, expand=False))


def _sections(store: LocalStore, run: LoggedRun, page: Page) -> Iterator[tuple[str, RenderableType]]:
    if run.params:
        yield "Params", _params(run.params)
    series = [info for info in run.series if not is_system(info.key.name)]
    if series:
        yield "Metrics", _metrics(run, series, page)
    if run.tags:
        yield "Tags", pairs(run.tags.items())
    if run.note:
        yield "Note", _note(run.note, page)
    own_count = len({artifact.path for artifact in run.artifacts if is_own_path(artifact.path)})
    files = [artifact for artifact in run.artifacts if not is_own_path(artifact.path)]
    if files:
        yield "Artifacts", _artifacts(files)
    used = list(use_lines(store, run))
    if used:
        yield "Used", pairs(used)
    lines = list(_circumstances(run, own_count))
    if lines:
        yield "Circumstances", pairs(lines)
    reproductions = list(reproduction_lines(store, run))
    if reproductions:
        yield "Reproductions", pairs(reproductions)
    spent = spent_of(run.captures)
    if spent is not None:
        yield "Resources", pairs(resource_lines(spent))
    # "params" is what Params shows, as it was given.
    documents = [printable(name) for name in run.details.document_names if name != "params"]
    if documents:
        yield "Documents", Text(", ".join(documents))
    if len(run.attempts) > 1:
        yield "Attempts", _attempts(run.attempts)


# -- the top ------------------------------------------------------------------------------------


def _header(store: LocalStore, run: LoggedRun) -> Iterator[RenderableType]:
    details = run.details.run
    now_ms = time.time_ns() // 1_000_000
    head = Text(printable(run.name), style="bold")
    head.append("  ")
    head.append(run.status, style=STATUS_STYLES[run.status])
    if details.lifecycle == "deleted":
        head.append("  deleted", style="red")
    if run.locked:
        head.append("  locked", style="cyan")
    yield head
    if run.duration_s is None:
        took = f"for {duration_text(max(0, now_ms - details.started_ms) / 1_000)} so far"
    else:
        took = f"took {duration_text(run.duration_s)}"
    latest = max(run.attempts, key=lambda attempt: (attempt.started_ms, attempt.attempt_id), default=None)
    who = joined((details.user_id or "", f"on {latest.host}" if latest and latest.host else ""), " ")
    started = (
        f"{time_text(details.started_ms)} ({ago_text(details.started_ms, now_ms)})" if run.attempts else "not known"
    )
    rows = [
        ("run", run.run_id),
        ("experiment", run.experiment),
        ("started", f"{started}, {took}" if run.attempts else started),
        ("by", who),
        ("part of", _named(store, details.parent_run_id)),
        ("forked from", _fork(store, details.forked_from, details.fork_step)),
        ("about", details.description),
    ]
    yield pairs((label, value) for label, value in rows if value)


def _named(store: LocalStore, run_id: str | None) -> str:
    """Another run, with its name if it is here."""
    if run_id is None:
        return ""
    try:
        return f"{run_id} ({store.reader().get_run(run_id).name})"
    except NotFound:
        return run_id


def _fork(store: LocalStore, run_id: str | None, step: int | None) -> str:
    return joined((_named(store, run_id), f"at step {step}" if run_id and step is not None else ""), " ")


def _troubles(run: LoggedRun) -> Iterator[RenderableType]:
    """What a reader must know before believing the numbers."""
    errors = [attempt.error for attempt in run.attempts if attempt.error]
    lines: list[Text] = []
    if run.status == "lost":
        lines.append(Text("Its process died without a word; everything logged before that is here.", style="magenta"))
    for reason, count in run.losses.items():
        lines.append(Text(f"Not recorded: {_LOSS_REASONS.get(reason, printable(reason))} ({count:,})", style="yellow"))
    for one in run.details.conflicts:
        kept, refused = _shown(one.kept), _shown(one.refused)
        lines.append(
            Text(f"Conflict: param {printable(one.name)} was {kept} already, and {refused} was refused", style="yellow")
        )
    if lines:
        yield ""
        yield from lines
    if errors and run.status == "failed":
        yield ""
        kept_lines = errors[-1].strip().splitlines()[-_ERROR_LINES:]
        yield Text(printable("\n".join(kept_lines), keep_lines=True), style="red")


# -- sections -----------------------------------------------------------------------------------


def pairs(items: Iterable[tuple[str, str]]) -> Table:
    """Labels and their values, below each other."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for label, value in items:
        table.add_row(Text(shortened(printable(label), 40)), Text(printable(value)))
    return table


def _params(params: dict[str, ParamValue]) -> Table:
    """Names that were nested are drawn nested: a prefix stands once, above what it holds."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    above: list[str] = []
    for name in sorted(params, key=lambda name: ("/" in name, name)):
        *parents, leaf = printable(name).split("/")
        common = 0
        while common < min(len(parents), len(above)) and parents[common] == above[common]:
            common += 1
        for depth in range(common, len(parents)):
            table.add_row(Text(f"{'  ' * depth}{shortened(parents[depth], 40)}/"), Text())
        above = parents
        table.add_row(Text(f"{'  ' * len(parents)}{shortened(leaf, 40)}"), Text(_shown(params[name])))
    return table


def _shown(value: ParamValue) -> str:
    """Numbers in full; a text in quotes only where it would read as something else, and its beginning if it is long."""
    text = printable(value_text(value))
    if len(text) > _PARAM_CHARS:
        return f"{text[:_PARAM_CHARS]}… ({len(text):,} characters; --json prints them all)"
    if isinstance(value, str) and (text != text.strip() or not text or _reads_otherwise(text)):
        return f'"{text}"'
    return text


def _reads_otherwise(text: str) -> bool:
    if text in ("True", "False", "None"):
        return True
    try:
        float(text)
    except ValueError:
        return False
    return True


def _metrics(run: LoggedRun, series: list[SeriesInfo], page: Page) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", no_wrap=True, overflow="ellipsis")
    for title in ("last", "min", "max", "mean", "points"):
        table.add_column(title, justify="right", no_wrap=True)
    numbers = [_summary_cells(info) for info in series]
    # Numbers are never cut; a name gives way to a short curve.
    room = page.width - 4 - sum(2 + max(6, *map(len, column)) for column in zip(*numbers, strict=True))
    name_chars = max(_NAME_MIN_CHARS, min(_NAME_MAX_CHARS, room - _CURVE_MIN_CHARS))
    names = [shortened(_series_name(info), name_chars) for info in series]
    room -= max(map(columns_of, names))
    width = min(_CURVE_MAX_CHARS, room)
    if width >= _CURVE_MIN_CHARS:
        table.add_column("curve", no_wrap=True, style="cyan")
    for info, name, cells in zip(series, names, numbers, strict=True):
        curve = [Text(_curve(run, info, width, page.shows_blocks))] if width >= _CURVE_MIN_CHARS else []
        table.add_row(Text(name), Text(cells[0], style="bold"), *cells[1:], *curve)
    return table


def _series_name(info: SeriesInfo) -> str:
    labels = ", ".join(f"{key}={value}" for key, value in info.key.labels)
    return printable(f"{info.key.name} ({labels})" if labels else info.key.name)


def _summary_cells(info: SeriesInfo) -> list[str]:
    summary = info.summary
    values = (summary.last, summary.min, summary.max, summary.mean)
    return [*map(number_text, values), f"{summary.count:,}"]


def _curve(run: LoggedRun, info: SeriesInfo, width: int, blocks: bool) -> str:
    """Where a character stands for several points it is drawn at the middle of their range, so that no peak is lost."""
    if info.summary.count < 2:
        return ""
    history = run.history(info.key.name, labels=dict(info.key.labels), max_points=width)
    if history.buckets is None:
        return sparkline(history.value.tolist(), width, blocks=blocks)
    lows, highs = history.buckets.min.tolist(), history.buckets.max.tolist()
    return sparkline([low / 2 + high / 2 for low, high in zip(lows, highs, strict=True)], width, blocks=blocks)


def _circumstances(run: LoggedRun, own_count: int) -> Iterator[tuple[str, str]]:
    latest: dict[str, dict[str, Any]] = {}
    for capture in run.captures:
        latest.setdefault(capture.part, capture.content)
    yield from ((label, text) for label, text in circumstance_lines(latest) if text)
    if own_count:
        yield (
            "files",
            f"{count_text(own_count, 'file')} that Lineal keeps of this, below {OWN_FOLDER}/; --json names them",
        )
    if latest.get("execution", {}).get("command") and "code" in latest:
        yield "reproduce", f"lineal reproduce {run.run_id}"


def _note(note: str, page: Page) -> RenderableType:
    text = printable(note.strip(), keep_lines=True)
    if not page.is_terminal:
        return Text(text)
    from rich.markdown import Markdown

    return Markdown(text, hyperlinks=False)


def _artifacts(artifacts: list[Artifact]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_column(style="dim", overflow="fold")
    latest = {artifact.path: artifact.version for artifact in sorted(artifacts, key=lambda item: item.version)}
    for artifact in artifacts:
        versions = f"version {artifact.version} of {latest[artifact.path]}" if latest[artifact.path] > 1 else ""
        digest = f"sha256 {artifact.digest[:12]}" if artifact.digest else ""
        where = f"reference to {artifact.uri}" if artifact.uri else ""
        table.add_row(
            Text(printable(artifact.path)),
            bytes_text(artifact.size_bytes),
            Text(printable(joined((versions, digest, where), ", "))),
        )
    return table


def _attempts(attempts: list[Attempt]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    for number, attempt in enumerate(sorted(attempts, key=lambda item: (item.started_ms, item.attempt_id)), 1):
        ended = attempt.ended_ms
        took = "" if ended is None else f"took {duration_text(max(0, ended - attempt.started_ms) / 1_000)}"
        where = joined((f"on {attempt.host}" if attempt.host else "", f"pid {attempt.pid}" if attempt.pid else ""), " ")
        error = attempt.error.strip().splitlines()[-1] if attempt.error else ""
        table.add_row(
            str(number),
            Text(attempt.status, style=STATUS_STYLES[attempt.status]),
            Text(time_text(attempt.started_ms), style="dim"),
            Text(took, style="dim"),
            Text(printable(joined((where, error), ": ")), style="dim"),
        )
    return table
