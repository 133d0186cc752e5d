"""`lineal runs console`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from lineal.cli.completion import run_ids
from lineal.cli.options import folder_option, json_option, tenant_option

if TYPE_CHECKING:
    from lineal.local import LocalStore
    from lineal.model.console import ConsoleLine
    from lineal.store.console import ConsoleQuery

_LOOK_S = 0.5


@click.command("console", short_help="Show what a run printed.")
@click.argument("run", metavar="RUN", shell_complete=run_ids)
@click.option("--search", metavar="TEXT", help="Only lines with this text in them, in whatever case.")
@click.option("--stream", type=click.Choice(["stdout", "stderr", "both"]), help="Only lines of this stream.")
@click.option("--attempt", metavar="ID", help="Only lines of this attempt.")
@click.option("--tail", type=click.IntRange(1, 10_000), metavar="N", help="Only the last N lines.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what is printed, until the run has ended.")
@click.option("--time", "with_time", is_flag=True, help="Begin each line with its number, time and stream.")
@folder_option
@tenant_option
@json_option
def show_console(
    run: str,
    search: str | None,
    stream: Any,
    attempt: str | None,
    tail: int | None,
    follow: bool,
    with_time: bool,
    url: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Show what a run printed, stdout and stderr, as a terminal would have shown it.

    RUN is a run's id, or any beginning of it that no other run shares. Lines of ranks above 0 begin with
    [rank N]. With --follow and --json, each line is a line of JSON."""
    from lineal.cli.opening import opened
    from lineal.store.console import ConsoleQuery, read_lines

    with opened(url, tenant) as store:
        details = store.get_run(run).details
        run_id = details.run.run_id
        query = ConsoleQuery(0, None, 10_000, stream, attempt, search)
        if follow:
            _follow(store, run_id, query, tail, with_time=with_time, as_json=as_json)
            return
        reader = store.reader()
        lines = list(_last(store, run_id, query, tail)) if tail else read_lines(reader, run_id, query)
        if as_json:
            from lineal.cli.output import write_json

            write_json({"lines": [_described(line) for line in lines], "total": details.console_line_count})
            return
        for line in lines:
            click.echo(_text(line, with_time))


def _last(store: LocalStore, run_id: str, query: ConsoleQuery, count: int) -> list[ConsoleLine]:
    from dataclasses import replace

    reader = store.reader()
    found: list[ConsoleLine] = []
    before = 2**62
    while len(found) < count and before > 1:
        page = reader.read_console(run_id, replace(query, after=None, before=before, limit=count - len(found)))
        found = [*page.lines, *found]
        before = page.next if page.total else 1
    return found


def _follow(
    store: LocalStore, run_id: str, query: ConsoleQuery, tail: int | None, *, with_time: bool, as_json: bool
) -> None:
    """Ends with the run, or by Ctrl-C."""
    from dataclasses import replace

    from lineal.cli.output import json_line

    after = 0
    if tail:
        last = _last(store, run_id, query, tail)
        after = last[0].number - 1 if last else 0
    try:
        while True:
            store.refresh()
            has_ended = store.reader().get_run(run_id).status != "running"
            while True:
                page = store.reader().read_console(run_id, replace(query, after=after))
                for line in page.lines:
                    click.echo(json_line(_described(line)) if as_json else _text(line, with_time))
                after = page.next
                if after >= page.total:
                    break
            if has_ended:
                return
            time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        return


def _text(line: ConsoleLine, with_time: bool) -> str:
    text = f"[rank {line.rank}] {line.text}" if line.rank else line.text
    if not with_time:
        return text
    from lineal.store.run_view import iso_time

    return f"{line.number:>6}  {iso_time(line.time_ms)}  {line.stream:<6}  {text}"


def _described(line: ConsoleLine) -> dict[str, Any]:
    return {
        "number": line.number,
        "time": line.time_ms,
        "stream": line.stream,
        "text": line.text,
        "attempt_id": line.attempt_id,
        "rank": line.rank,
    }
