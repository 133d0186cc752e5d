"""`lineal doctor`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from lineal._version import __version__
from lineal.cli.exits import NO
from lineal.cli.options import folder_option, json_option

if TYPE_CHECKING:
    from lineal.cli.check import Check
    from lineal.journal.layout import Folder

_STYLES = {"good": "green", "look": "yellow", "bad": "bold red"}
SETTINGS = (
    "LINEAL_ATTEMPT",
    "LINEAL_CA",
    "LINEAL_EXPERIMENT",
    "LINEAL_PARENT_RUN_ID",
    "LINEAL_CAPTURE",
    "LINEAL_CONSOLE",
    "LINEAL_CAPTURE_VARIABLES",
    "LINEAL_FINISH_DRAIN_S",
    "LINEAL_FOLDER",
    "LINEAL_JOURNAL_WRITER",
    "LINEAL_PRICES",
    "LINEAL_REPRODUCES",
    "LINEAL_REPRODUCTION",
    "LINEAL_RUN_ID",
    "LINEAL_RUN_NAME",
    "LINEAL_SENT_DAYS",
    "LINEAL_SENT_MIB",
    "LINEAL_SIGTERM_DRAIN_S",
    "LINEAL_TENANT",
    "LINEAL_TOKEN",
    "LINEAL_TRACK",
    "LINEAL_TRACK_SAID",
    "LINEAL_URL",
)
_SECRETS = ("LINEAL_TOKEN",)


@click.command()
@folder_option
@json_option
def doctor(url: str | None, as_json: bool) -> None:
    """Check the folder: is everything whole, and will it work?

    Says for each question good, look (works, but read this) or bad, and what to do. Takes nothing in and mends nothing. Exit
    status 1 if anything is bad."""
    from lineal.client.settings import resolve

    folder = resolve(url).folder
    checks = list(_examine(folder))
    verdict = next((word for word in ("bad", "look") if any(check.verdict == word for check in checks)), "good")
    if as_json:
        from lineal.cli.output import write_json

        write_json({"folder": folder.root, "verdict": verdict, "checks": [check.to_dict() for check in checks]})
    else:
        _print(folder, checks)
    if verdict == "bad":
        raise SystemExit(NO)


def _examine(folder: Folder) -> Iterator[Check]:
    from lineal.cli.check import Check
    from lineal.cli.check_journals import check_journals
    from lineal.cli.check_machine import check_disk, check_programs
    from lineal.cli.check_store import check_database, check_folder
    from lineal.model.errors import LinealError

    yield from check_programs(__version__)
    yield _check_settings()
    if not os.path.lexists(folder.root):
        yield Check("folder", "good", "not there yet: the first run makes it")
        return
    try:
        yield check_folder(folder)
    except LinealError as error:
        yield Check("folder", "bad", error.message, "Nothing else can be checked.")
        return
    for name, check in (("disk", check_disk), ("journals", check_journals), ("database", check_database)):
        try:
            yield from check(folder)
        except Exception as error:  # what a check trips over is what the reader wants to know
            yield Check(name, "bad", f"could not be checked: {type(error).__name__}: {error}", "Please report this.")


def _check_settings() -> Check:
    """A misspelt variable is the kind of mistake that nobody sees."""
    from lineal.cli.check import Check

    names = sorted(name for name in os.environ if name.startswith("LINEAL_") and not name.startswith("LINEAL_TEST_"))
    unknown = [name for name in names if name not in SETTINGS]
    shown = ", ".join(
        f"{name}={'(not shown)' if name in _SECRETS else os.environ[name]}" for name in names if name in SETTINGS
    )
    if unknown:
        known = ", ".join(SETTINGS)
        return Check("settings", "look", f"{', '.join(unknown)}: no setting of Lineal", f"It knows {known}.")
    return Check("settings", "good", shown or "no LINEAL_ variable is set")


def _print(folder: Folder, checks: list[Check]) -> None:
    from rich.table import Table
    from rich.text import Text

    from lineal.cli.output import Page
    from lineal.cli.wording import printable

    page = Page()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        found = Text(printable(check.detail))
        table.add_row(Text(check.verdict, style=_STYLES[check.verdict]), check.name, found)
        if check.advice:
            table.add_row("", "", Text(printable(check.advice), style=_STYLES[check.verdict]))
    bad = sum(check.verdict == "bad" for check in checks)
    look = sum(check.verdict == "look" for check in checks)
    page.print(Text(printable(folder.root), style="bold"), "", table, "", _verdict(bad, look))


def _verdict(bad: int, look: int) -> str:
    if bad:
        return f"{bad} bad{f', {look} to look at' if look else ''}."
    return f"{look} to look at, nothing bad." if look else "All good."
