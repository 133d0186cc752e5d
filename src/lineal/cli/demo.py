"""`lineal demo`."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from lineal.cli.exits import USAGE, Refusal
from lineal.cli.options import folder_option, json_option

if TYPE_CHECKING:
    from rich.table import Table

    from lineal.cli.output import Page
    from lineal.demo.leaderboard import Row
    from lineal.demo.sweep import Sweep, Trained

_CURVE_CHARS = 20


@click.command()
@click.option(
    "--ui/--no-ui",
    "wants_ui",
    default=None,
    help="Serve the dashboard afterwards, until Ctrl-C. Without either: on a terminal, and not in CI or with --json.",
)
@click.option("--epochs", type=click.IntRange(1, 1_000), default=None, help="Passes over the data a training makes.")
@folder_option
@json_option
def demo(wants_ui: bool | None, epochs: int | None, url: str | None, as_json: bool) -> None:
    """Train 24 small networks on real scans, and rank them.

    Eight settings with three seeds each learn to read the 1,797 scanned digits that scikit-learn ships. Every epoch, param,
    picture and model file is recorded as your own runs would be; the leaderboard is then read back out of the store. Takes
    less than a minute, and needs: pip install 'lineal[demo]'. Then the dashboard shows them, until Ctrl-C."""
    from lineal.demo.settings import EPOCHS, SEEDS, SETTINGS
    from lineal.demo.sweep import run_sweep
    from lineal.demo.training import DemoNeedsMore, load_digits

    # Meant for a program that is one run; the demo is many.
    os.environ.pop("LINEAL_RUN_ID", None)
    started_s = time.monotonic()
    try:
        with _heard_interrupts() as heard, _progress(len(SETTINGS) * len(SEEDS)) as say_trained:

            def on_trained(trained: Trained) -> None:
                say_trained(trained)
                heard.check()

            data = load_digits()
            _refuse_unless_writable(url)
            sweep = run_sweep(data, on_trained, url=url, epochs=epochs or EPOCHS)
    except DemoNeedsMore as missing:
        raise Refusal(str(missing), USAGE, "demo_needs_more") from None
    seconds = time.monotonic() - started_s
    if as_json:
        from lineal.cli.output import write_json

        write_json(_as_dict(sweep, seconds))
    else:
        print_sweep(sweep, seconds, url)
    if wants_ui is None:
        wants_ui = not as_json and _has_company()
    if wants_ui:
        from lineal.cli.ui import show

        if not as_json:
            click.echo()
        show(url, as_json=as_json)


def _has_company() -> bool:
    """Whether somebody is there to look at a dashboard, and to end it."""
    return sys.stdout.isatty() and sys.stdin.isatty() and not os.environ.get("CI")


def _refuse_unless_writable(url: str | None) -> None:
    """Training never stops because of the disk; a demo whose runs cannot be read back should not start."""
    from lineal.cli.check_machine import why_not_writable
    from lineal.client.settings import resolve
    from lineal.model.errors import NotWritable

    folder = resolve(url).folder
    try:
        folder.ensure()
        refusal = why_not_writable(folder.root)
    except OSError as error:
        if isinstance(error, NotWritable):
            raise
        refusal = error.strerror
    if refusal is not None:
        raise NotWritable(
            f"{folder.root} cannot be written: {refusal}; choose another folder with --folder", field="url"
        )


# -- while it runs ------------------------------------------------------------------------------


@contextmanager
def _heard_interrupts() -> Iterator[Heard]:
    """Ctrl-C as ever, but heard also where Python drops the exception, as in a weak reference's callback."""
    heard = Heard()
    earlier = signal.signal(signal.SIGINT, heard)
    try:
        yield heard
    finally:
        signal.signal(signal.SIGINT, earlier)


class Heard:
    """A signal handler that raises KeyboardInterrupt, and remembers that it did."""

    def __init__(self) -> None:
        self._interrupted = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        self._interrupted = True
        raise KeyboardInterrupt

    def check(self) -> None:
        """Raises KeyboardInterrupt if an earlier one got lost."""
        if self._interrupted:
            raise KeyboardInterrupt


@contextmanager
def _progress(total: int) -> Iterator[Callable[[Trained], None]]:
    """A bar on standard error if that is a terminal, else a line for each training."""
    if not sys.stderr.isatty():
        yield _say_trained
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("Training"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.description}"),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, expand=True) as progress:
        task = progress.add_task("loading scikit-learn".ljust(22), total=total)

        def on_trained(trained: Trained) -> None:
            said = f"{trained.setting.name}-{trained.seed}: {trained.accuracy:.3f}"
            progress.update(task, advance=1, description=said.ljust(22))

        yield on_trained


def _say_trained(trained: Trained) -> None:
    said = f"{trained.setting.name}-{trained.seed}: val/accuracy {trained.accuracy:.4f}"
    click.echo(f"[{trained.number:2}/{trained.total}] {said}", err=True)


# -- what it shows ------------------------------------------------------------------------------


def print_sweep(sweep: Sweep, seconds: float, url: str | None) -> None:
    """The leaderboard, and what to try next."""
    from rich.text import Text

    from lineal.cli.output import Page
    from lineal.cli.wording import count_text

    page = Page()
    seeds = len(sweep.rows[0].run_ids)
    page.print(
        Text(f"Leaderboard: val/accuracy, mean and spread over {count_text(seeds, 'seed')}", style="bold"),
        "",
        _table(sweep.rows, page),
        "",
        _summary(sweep, seconds),
        "",
        Text("Try next", style="bold"),
        *(f"  {command}" for command in _next_commands(sweep, url)),
    )


def _table(rows: list[Row], page: Page) -> Table:
    from rich.table import Table
    from rich.text import Text

    from lineal.cli.sparkline import sparkline

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("", justify="right")
    table.add_column("setting")
    table.add_column("mean", justify="right")
    table.add_column("spread", justify="right")
    table.add_column("0.85 to 1, by epoch", no_wrap=True)
    table.add_column("what it is", no_wrap=True, overflow="ellipsis")
    for place, row in enumerate(rows, 1):
        curve = sparkline(row.curve, _CURVE_CHARS, low=0.85, high=1.0, blocks=page.shows_blocks)
        table.add_row(
            str(place),
            Text(row.setting.name, style="bold green" if place == 1 else ""),
            Text(f"{row.mean:.4f}", style="bold"),
            f"{row.spread:.4f}",
            Text(curve, style="cyan"),
            Text(row.setting.describe(), style="dim"),
        )
    return table


def _summary(sweep: Sweep, seconds: float) -> str:
    runs = sum(len(row.run_ids) for row in sweep.rows)
    points = sum(row.point_count for row in sweep.rows)
    best = sweep.rows[0]
    return (
        f"{runs} runs with {points:,} points, read back from {_near(sweep.folder)} ({seconds:.0f} s in all).\n"
        f"On the test scans, which played no part in this, {best.setting.name} reads {best.test:.1%} right."
    )


def _next_commands(sweep: Sweep, url: str | None) -> list[str]:
    from lineal.demo.sweep import ALIAS, MODEL

    lineal = _program()
    best = sweep.rows[0].best_run_id[:8]
    folder = f" --url {shlex.quote(url)}" if url else ""
    where = f", url={url!r}" if url else ""
    return [
        f"{lineal} runs list \"tags.setting = '{sweep.rows[0].setting.name}'\"{folder}",
        f'{lineal} runs list --order-by "metrics.val/accuracy desc"{folder}',
        f"{lineal} runs show {best}{folder}",
        f"{lineal} models why {MODEL}@{ALIAS}{folder}",
        f"and in Python: lineal.get_run({best!r}{where}).history('val/accuracy').value",
    ]


def _program() -> str:
    """The command as the reader can type it: a virtual environment that is not active is not on the PATH."""
    program = Path(sys.argv[0])
    found = shutil.which("lineal")
    if program.name != "lineal" or (found and Path(found).resolve() == program.resolve()):
        return "lineal"
    return _near(str(program))


def _near(path: str) -> str:
    """Relative to the working directory where that is shorter."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") else relative


def _as_dict(sweep: Sweep, seconds: float) -> dict[str, Any]:
    leaderboard = [
        {
            "setting": row.setting.name,
            "mean": row.mean,
            "spread": row.spread,
            "test_accuracy": row.test,
            "curve": row.curve,
            "run_ids": row.run_ids,
        }
        for row in sweep.rows
    ]
    return {
        "run_id": sweep.run_id,
        "folder": sweep.folder,
        "metric": "val/accuracy",
        "seconds": seconds,
        "leaderboard": leaderboard,
        "total": sum(len(row.run_ids) for row in sweep.rows),
    }
